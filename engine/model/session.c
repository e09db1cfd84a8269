/* Sessions: one block of memory for the KV cache and all buffers of a chunk,
 * and the calls that feed chunks to the forward pass. A call that fails leaves
 * the position where it was. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/model/forward.h"

enum { DEFAULT_CONTEXT = 4096, DEFAULT_BATCH = 512 };

/* Hands out pieces of one block; without a base it only adds up. */
typedef struct arena {
  uint8_t *base;
  size_t used;
} arena;

static void *take(arena *a, size_t bytes) {
  size_t at = a->used;
  a->used += (bytes + 63) / 64 * 64;
  return a->base ? a->base + at : NULL;
}

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

/* Widths of rows in floats or bytes, from the model's sizes alone. */
typedef struct widths {
  size_t hidden, query, kv, ffn, widest, input;
} widths;

static widths widths_of(const tern_model_facts *f) {
  widths w = {.hidden = (size_t)f->hidden,
              .query = (size_t)tern_dim_size(f, TERN_DIM_QUERY),
              .kv = (size_t)tern_dim_size(f, TERN_DIM_KV),
              .ffn = (size_t)f->ffn};
  w.widest = larger(larger(w.hidden, w.query), w.ffn);
  const tern_layout *layouts[] = {tern_layout_find(f->body_layout), tern_layout_find(f->head_layout)};
  for (int i = 0; i < 2; i++) {
    tern_matrix m = {.cols = (int)w.widest, .layout = layouts[i]};
    size_t element = layouts[i]->kind == TERN_KIND_FLOAT ? sizeof(float) : 1;
    w.input = larger(w.input, tern_matrix_x_stride(&m) * element);
  }
  return w;
}

static tern_input take_input(arena *a, size_t rows, size_t row_bytes) {
  return (tern_input){.data = take(a, rows * row_bytes),
                      .scale = take(a, rows * sizeof(float)),
                      .sum = take(a, rows * sizeof(int32_t))};
}

static void take_cache(arena *a, tern_session *s, const tern_model_facts *f) {
  static const size_t element[] = {[TERN_KV_F32] = 4, [TERN_KV_F16] = 2, [TERN_KV_INT8] = 1};
  tern_kv_cache *c = &s->kv;
  size_t vectors = (size_t)f->layers * (size_t)f->kv_heads * (size_t)s->context;
  c->vector_bytes = (size_t)f->head_dim * element[c->type];
  c->bytes = vectors * c->vector_bytes;
  c->scale_bytes = c->type == TERN_KV_INT8 ? vectors * sizeof(float) : 0;
  c->k = take(a, c->bytes);
  c->v = take(a, c->bytes);
  if (!c->scale_bytes) return;
  c->k_scale = take(a, c->scale_bytes);
  c->v_scale = take(a, c->scale_bytes);
}

static void take_lane(arena *a, tern_lane *l, const tern_session *s, const tern_model_facts *f, const widths *w,
                      size_t scratch) {
  size_t rows = (size_t)(f->heads / f->kv_heads) * (size_t)s->batch;
  size_t scores = tern_attend_scratch(rows, (size_t)s->context, (size_t)f->head_dim);
  tern_lane lane = {.x = take(a, w->hidden * sizeof(float)),
                    .row = take(a, w->widest * sizeof(float)),
                    .canonical = take(a, w->widest),
                    .in = take_input(a, 1, w->input),
                    .scan_in = f->scan_bytes ? take_input(a, 2, w->input) : (tern_input){0},
                    .kept = f->scan_bytes ? take(a, 2 * TERN_TOP_MOST * sizeof(float)) : NULL,
                    .scores = take(a, scores * sizeof(float)),
                    .scratch = take(a, scratch)};
  if (l) *l = lane;
}

/* Places everything; s->context, batch and kv.type are set. */
static void place(arena *a, tern_session *s, const tern_model_facts *f, size_t scratch, int threads) {
  widths w = widths_of(f);
  size_t batch = (size_t)s->batch, vocab = (size_t)f->vocab, real = sizeof(float);
  s->qkv_width = w.query + 2 * w.kv;
  take_cache(a, s, f);
  s->x = take(a, batch * w.hidden * real);
  s->qkv = take(a, batch * s->qkv_width * real);
  s->attention = take(a, batch * w.query * real);
  s->projection = take(a, batch * w.hidden * real);
  s->gate = take(a, batch * w.ffn * real);
  s->up = take(a, batch * w.ffn * real);
  s->cosine = take(a, batch * (size_t)(f->head_dim / 2) * real);
  s->sine = take(a, batch * (size_t)(f->head_dim / 2) * real);
  s->in = take_input(a, batch, w.input);
  s->logits = take(a, vocab * real);
  if (f->scan_bytes) {
    s->scan_sums = take(a, 2 * vocab * sizeof(int32_t));
    s->scan_value = take(a, vocab * real);
  }
  s->lanes = take(a, (size_t)threads * sizeof(tern_lane));
  for (int i = 0; i < threads; i++) take_lane(a, s->lanes ? &s->lanes[i] : NULL, s, f, &w, scratch);
}

static int choose_sizes(tern_session *s, const tern_model_facts *f, const tern_session_params *p, tern_error *e) {
  int most = f->context < DEFAULT_CONTEXT ? f->context : DEFAULT_CONTEXT;
  s->context = p->context > 0 ? p->context : most;
  if (s->context > f->context) {
    return tern_fail(e, TERN_FAILED, "context %d is more than the model's %d positions", s->context, f->context);
  }
  s->batch = p->batch > 0 ? p->batch : DEFAULT_BATCH;
  if (s->batch > s->context) s->batch = s->context;
  s->kv.type = p->kv;
  return 0;
}

/* Scratch that any kernel of the model may ask of one member. */
static size_t scratch_of(const tern_model_facts *f) {
  size_t most = 0;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
    const char *layout = (*k)->layout->name;
    const bool scan = f->scan_bytes && (*k)->layout == &tern_layout_q8;
    if (scan || strcmp(layout, f->body_layout) == 0 || strcmp(layout, f->head_layout) == 0)
      most = larger(most, (*k)->scratch);
  }
  return most;
}

int tern_session_plan(const tern_model_facts *f, const tern_session_params *p, int threads, size_t *bytes,
                      tern_error *e) {
  tern_session s = {0};
  arena a = {0};
  if (choose_sizes(&s, f, p, e)) return TERN_FAILED;
  place(&a, &s, f, scratch_of(f), threads);
  *bytes = a.used;
  return 0;
}

int tern_session_open(tern_session **out, const tern_model *m, tern_team *team, const tern_session_params *p,
                      tern_error *e) {
  *out = NULL;
  size_t have = tern_memory_available();
  arena a = {0};
  tern_session *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "session: out of memory");
  s->model = m;
  s->team = team;
  if (choose_sizes(s, &m->facts, p, e)) goto failed;
  if (tern_session_plan(&m->facts, p, tern_team_size(team), &s->memory_bytes, e)) goto failed;
  if (s->memory_bytes > have) {
    tern_fail(e, TERN_FAILED,
              "session: %d positions need %.2f GB of memory, %.2f GB are available (take a shorter context or a "
              "smaller KV type)",
              s->context, (double)s->memory_bytes * 1e-9, (double)have * 1e-9);
    goto failed;
  }
  s->memory = a.base = tern_alloc(s->memory_bytes, "session", e);
  if (!s->memory) goto failed;
  place(&a, s, &m->facts, scratch_of(&m->facts), tern_team_size(team));
  *out = s;
  return 0;

failed:
  free(s);
  return TERN_FAILED;
}

void tern_session_close(tern_session *s) {
  if (!s) return;
  tern_free(s->memory, s->memory_bytes);
  free(s);
}

static int check_input(const tern_session *s, const int32_t *ids, int n, tern_error *e) {
  int vocab = s->model->facts.vocab;
  if (n < 1) return tern_fail(e, TERN_FAILED, "session: no tokens given");
  if (n > s->context - s->position) {
    return tern_fail(e, TERN_FAILED, "context full: %d positions, %d used, %d more tokens given", s->context,
                     s->position, n);
  }
  for (int i = 0; i < n; i++) {
    if (ids[i] >= 0 && ids[i] < vocab) continue;
    return tern_fail(e, TERN_FAILED, "token id %d is outside the vocabulary of %d", ids[i], vocab);
  }
  return 0;
}

/* One chunk through the team; the lanes hold the answer. */
static int run_chunk(tern_forward *f, tern_error *e) {
  tern_session *s = f->s;
  if (tern_interrupt_check(e)) return (int)e->status;
  if (s->profile) tern_profile_begin(s->profile, tern_team_size(s->team));
  tern_team_run(s->team, tern_forward_job, f);
  if (s->profile) tern_profile_finish(s->profile, f->tokens);
  for (int i = 0; f->wanted && i < tern_team_size(s->team); i++) {
    if (!s->lanes[i].bad) continue;
    return tern_fail(e, TERN_FAILED, "logits at position %d are not finite: the weights are damaged",
                     s->position + f->tokens - 1);
  }
  s->position += f->tokens;
  return 0;
}

int tern_session_eval(tern_session *s, const int32_t *ids, int n, tern_want want, float *logits, tern_error *e) {
  int start = s->position;
  if (check_input(s, ids, n, e)) return TERN_FAILED;
  for (int done = 0; done < n;) {
    tern_forward f = {.s = s, .ids = ids + done, .tokens = n - done < s->batch ? n - done : s->batch, .logits = logits};
    bool last = done + f.tokens == n;
    if (want == TERN_WANT_ALL) {
      f.wanted = f.tokens;
      f.logits = logits + (size_t)done * (size_t)s->model->facts.vocab;
    } else if (want == TERN_WANT_LAST) {
      f.wanted = last;
    }
    if (run_chunk(&f, e)) {
      s->position = start;
      return (int)e->status;
    }
    done += f.tokens;
  }
  return 0;
}

static void collect(const tern_session *s, int32_t *next, int *rescored) {
  const tern_lane *best = NULL;
  int rows = 0;
  for (int i = 0; i < tern_team_size(s->team); i++) { /* members' rows ascend: on ties the first member's id is lower */
    const tern_lane *l = &s->lanes[i];
    rows += l->rescored;
    if (l->best_id >= 0 && (!best || l->best > best->best)) best = l;
  }
  *next = best ? best->best_id : -1;
  if (rescored) *rescored = rows;
}

/* Appends n tokens; `last` tells what the last one is to give. */
static int append(tern_session *s, const int32_t *ids, int n, const tern_forward *last, tern_error *e) {
  int start = s->position;
  if (check_input(s, ids, n, e)) return TERN_FAILED;
  for (int done = 0; done < n;) {
    tern_forward f = *last;
    f.ids = ids + done;
    f.tokens = n - done < s->batch ? n - done : s->batch;
    f.wanted = done + f.tokens == n;
    if (run_chunk(&f, e)) {
      s->position = start;
      return (int)e->status;
    }
    done += f.tokens;
  }
  return 0;
}

int tern_session_greedy(tern_session *s, const int32_t *ids, int n, int32_t *next, int *rescored, tern_error *e) {
  const tern_forward f = {.s = s, .logits = s->model->scan.matrix.data ? NULL : s->logits, .chosen = s->logits};
  if (append(s, ids, n, &f, e)) return (int)e->status;
  collect(s, next, rescored);
  return 0;
}

int tern_session_top(tern_session *s, const int32_t *ids, int n, const tern_top *top, float *logits, int *rescored,
                     tern_error *e) {
  const tern_forward f = {.s = s, .logits = s->model->scan.matrix.data ? NULL : logits, .chosen = logits, .top = top};
  int32_t best;
  if (append(s, ids, n, &f, e)) return (int)e->status;
  collect(s, &best, rescored);
  return 0;
}

int tern_session_position(const tern_session *s) {
  return s->position;
}

void tern_session_rewind(tern_session *s, int position) {
  if (position >= 0 && position < s->position) s->position = position;
}

void tern_session_touch(tern_session *s) {
  memset(s->kv.k, 0, s->kv.bytes);
  memset(s->kv.v, 0, s->kv.bytes);
}

size_t tern_session_kv_bytes(const tern_session *s) {
  return 2 * (s->kv.bytes + s->kv.scale_bytes);
}

int tern_session_context(const tern_session *s) {
  return s->context;
}

void tern_session_profile(tern_session *s, tern_profile *p) {
  s->profile = p;
}
