/* Windows of a text as scored requests, several at once; their sums are added in
 * the order of the text, so that nothing about the batching shows. */
#include "harness/perplexity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"

enum { AHEAD = 2 * TERN_MOST_WINDOWS }; /* windows that wait or run */

typedef struct source {
  const int32_t *ids;
  int n;
  const tern_perplexity_params *p;
  int32_t *window; /* [p->window + 1] */
} source;

/* Window i: its ids, of which the last `scored` count; false when there is none. */
typedef bool (*cut_window)(const source *t, int64_t i, int *count, int *scored);

static bool cut_chunk(const source *t, int64_t i, int *count, int *scored) {
  int n = t->p->window;
  if (i >= t->n / n) return false;
  memcpy(t->window, t->ids + i * n, (size_t)n * sizeof *t->window);
  if (t->p->first >= 0) t->window[0] = t->p->first;
  *count = n;
  *scored = n - 1 - n / 2;
  return true;
}

static bool cut_rolling(const source *t, int64_t i, int *count, int *scored) {
  int64_t n = t->p->window, begin = i * n, end = begin + n < t->n ? begin + n : t->n;
  if (begin >= t->n) return false;
  int64_t from = i == 0 ? -1 : end - n - 1; /* the first id seen; -1: the one before the text */
  *scored = (int)(end - begin);
  *count = (int)(end - from);
  if (from < 0) t->window[0] = t->p->first;
  memcpy(t->window + (from < 0), t->ids + (from < 0 ? 0 : from), (size_t)(*count - (from < 0)) * sizeof *t->window);
  return true;
}

static void add_scores(tern_perplexity *out, const tern_request *r, int scored) {
  const tern_score *scores = tern_request_describe(r)->scores;
  for (int i = 0; i < scored; i++) {
    out->sum -= scores[i].logprob;
    out->squares += scores[i].logprob * scores[i].logprob;
  }
  out->scored += scored;
  out->windows++;
}

/* Requests in the order of the text; a ring. */
typedef struct ring {
  tern_request *requests[AHEAD];
  int scored[AHEAD];
  int64_t first, next;
  bool all;
} ring;

static int fill(ring *r, tern_schedule *s, const source *t, cut_window cut, tern_error *e) {
  while (!r->all && r->next - r->first < AHEAD) {
    tern_request_params p = {.prompt = t->window};
    r->all = (t->p->most > 0 && r->next >= t->p->most) || !cut(t, r->next, &p.prompt_count, &p.scored);
    if (r->all) break;
    if (tern_schedule_add(s, &p, &r->requests[r->next % AHEAD], e) != TERN_OK) return (int)e->status;
    r->scored[r->next++ % AHEAD] = p.scored;
  }
  return TERN_OK;
}

static void drain(ring *r, tern_perplexity *out) {
  for (; r->first < r->next; r->first++) {
    tern_request *q = r->requests[r->first % AHEAD];
    if (!tern_request_describe(q)->ended) return;
    add_scores(out, q, r->scored[r->first % AHEAD]);
    tern_request_close(q);
  }
}

static int run(tern_schedule *s, const int32_t *ids, int n, const tern_perplexity_params *p, cut_window cut,
               int64_t windows, tern_perplexity *out, tern_error *e) {
  source t = {.ids = ids, .n = n, .p = p};
  ring r = {0};
  tern_progress bar;
  int left, status = TERN_OK;
  *out = (tern_perplexity){.tokens = n};
  t.window = malloc(tern_mul((size_t)p->window + 1, sizeof *t.window));
  if (t.window == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for windows of %d tokens", p->window);
  if (p->progress) tern_progress_start(&bar, "scoring", (double)windows);
  do {
    status = fill(&r, s, &t, cut, e);
    if (status == TERN_OK) status = tern_schedule_step(s, &left, e);
    if (status == TERN_OK) drain(&r, out);
    if (p->progress) tern_progress_update(&bar, (double)out->windows);
  } while (status == TERN_OK && r.first < r.next);
  if (p->progress) tern_progress_end(&bar);
  for (; r.first < r.next; r.first++) tern_request_close(r.requests[r.first % AHEAD]);
  free(t.window);
  return status;
}

static int64_t at_most(int64_t windows, int most) {
  return most > 0 && windows > most ? most : windows;
}

int tern_perplexity_chunks(tern_schedule *s, const int32_t *ids, int n, const tern_perplexity_params *p,
                           tern_perplexity *out, tern_error *e) {
  if (n < 2 * p->window) {
    return tern_fail(e, TERN_FAILED,
                     "the text has %d tokens; chunks of %d need at least %d: give more text or a smaller --context", n,
                     p->window, 2 * p->window);
  }
  return run(s, ids, n, p, cut_chunk, at_most(n / p->window, p->most), out, e);
}

int tern_perplexity_rolling(tern_schedule *s, const int32_t *ids, int n, const tern_perplexity_params *p,
                            tern_perplexity *out, tern_error *e) {
  if (n < 1) return tern_fail(e, TERN_FAILED, "the text has no tokens");
  if (p->first < 0)
    return tern_fail(e, TERN_FAILED,
                     "the tokenizer has neither a beginning-of-text nor an end-of-text token to start with");
  return run(s, ids, n, p, cut_rolling, at_most((n + p->window - 1) / p->window, p->most), out, e);
}

double tern_perplexity_value(const tern_perplexity *p) {
  return exp(p->sum / (double)p->scored);
}

double tern_perplexity_error(const tern_perplexity *p) {
  if (p->scored < 2) return NAN;
  double n = (double)p->scored, mean = p->sum / n, variance = p->squares / n - mean * mean;
  return variance > 0 ? sqrt(variance / (n - 1)) * exp(mean) : 0;
}

/* What Python's str.isspace knows beyond ASCII; [first, last]. */
static const uint32_t spaces[][2] = {{0x09, 0x0d},     {0x1c, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},
                                     {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
                                     {0x205f, 0x205f}, {0x3000, 0x3000}};

static bool is_space(uint32_t c) {
  for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
    if (c >= spaces[i][0] && c <= spaces[i][1]) return true;
  }
  return false;
}

/* The character at p; enough of UTF-8 to tell white space, which has at most three bytes. */
static uint32_t character(const unsigned char *p, size_t left, size_t *length) {
  *length = 1;
  if (p[0] >= 0xc2 && p[0] < 0xe0 && left > 1) {
    *length = 2;
    return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
  }
  if (p[0] >= 0xe0 && p[0] < 0xf0 && left > 2) {
    *length = 3;
    return (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
  }
  return p[0] < 0x80 ? p[0] : UINT32_MAX;
}

int64_t tern_count_words(const char *text, size_t size) {
  int64_t words = 1;
  bool between = false;
  for (size_t i = 0, length; i < size; i += length) {
    bool space = is_space(character((const unsigned char *)text + i, size - i, &length));
    words += space && !between;
    between = space;
  }
  return words;
}
