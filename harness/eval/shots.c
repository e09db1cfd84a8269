/* A document in the pool costs one more draw, of which it is left out. Where
 * copies of it leave too few, the pool without them is sampled anew, from where
 * the generator then stands. */
#include "harness/eval/shots.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/python_random.h"

struct tern_shots {
  const tern_rows *pool;
  size_t *drawn, *others; /* [pool + 1] */
  tern_shot_sampler sampler;
  tern_python_random random;
};

int tern_shots_open(tern_shots **out, const tern_rows *pool, tern_shot_sampler sampler, int64_t seed, tern_error *e) {
  size_t count = tern_rows_count(pool);
  *out = NULL;
  tern_shots *s = calloc(1, sizeof *s);
  if (s == NULL || (s->drawn = calloc(count + 1, sizeof *s->drawn)) == NULL ||
      (s->others = calloc(count + 1, sizeof *s->others)) == NULL) {
    tern_shots_close(s);
    return tern_fail(e, TERN_FAILED, "few-shot examples: out of memory");
  }
  s->pool = pool;
  s->sampler = sampler;
  tern_python_seed(&s->random, seed);
  *out = s;
  return 0;
}

void tern_shots_close(tern_shots *s) {
  if (s == NULL) return;
  free(s->drawn);
  free(s->others);
  free(s);
}

/* Rows that are not the document, of the first `count` in s->drawn or of all, into s->others. */
static size_t leave_out(tern_shots *s, const size_t *rows, size_t count, const json_t *document) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) {
    size_t row = rows ? rows[i] : i;
    if (document == NULL || !json_equal(tern_rows_at(s->pool, row), document)) s->others[left++] = row;
  }
  return left;
}

static int too_few(size_t n, size_t count, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%zu few-shot examples were asked for; the set has %zu that are not the question", n,
                   count);
}

static int draw_first(tern_shots *s, size_t n, const json_t *document, size_t *out, tern_error *e) {
  size_t left = leave_out(s, NULL, tern_rows_count(s->pool), document);
  if (left < n) return too_few(n, left, e);
  memcpy(out, s->others, n * sizeof *out);
  return 0;
}

static int draw_random(tern_shots *s, size_t n, const json_t *document, size_t *out, tern_error *e) {
  size_t count = tern_rows_count(s->pool), want = n + (document != NULL);
  if (want > count || n == SIZE_MAX) return too_few(n, count - (document != NULL), e);
  if (tern_python_sample(&s->random, count, want, s->drawn, e) != 0) return (int)e->status;
  if (leave_out(s, s->drawn, want, document) < n) {
    size_t left = leave_out(s, NULL, count, document);
    if (left < n) return too_few(n, left, e);
    if (tern_python_sample(&s->random, left, n, s->drawn, e) != 0) return (int)e->status;
    for (size_t i = 0; i < n; i++) out[i] = s->others[s->drawn[i]];
    return 0;
  }
  memcpy(out, s->others, n * sizeof *out);
  return 0;
}

int tern_shots_draw(tern_shots *s, size_t n, const json_t *document, size_t *out, tern_error *e) {
  if (n == 0) return 0; /* and nothing is drawn */
  return s->sampler == TERN_SHOTS_FIRST ? draw_first(s, n, document, out, e) : draw_random(s, n, document, out, e);
}
