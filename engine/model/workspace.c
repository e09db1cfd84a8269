/* Workspaces: one block of memory for all buffers of a chunk, sized from the
 * model's facts alone, so that it can be planned without a model. */
#include "engine/model/workspace.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum { DEFAULT_CONTEXT = 4096 };

void *tern_arena_take(tern_arena *a, size_t bytes) {
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
  size_t blocks; /* scales and sums of an input row */
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
    w.blocks = larger(w.blocks, tern_matrix_x_blocks(&m));
  }
  return w;
}

static tern_input take_input(tern_arena *a, size_t rows, const widths *w) {
  return (tern_input){.data = tern_arena_take(a, rows * w->input),
                      .scale = tern_arena_take(a, rows * w->blocks * sizeof(float)),
                      .sum = tern_arena_take(a, rows * w->blocks * sizeof(int32_t))};
}

static void take_lane(tern_arena *a, tern_lane *l, const tern_workspace *s, const tern_model_facts *f, const widths *w,
                      size_t scratch) {
  size_t rows = (size_t)(f->heads / f->kv_heads) * (size_t)s->batch;
  size_t scores = tern_attend_scratch(rows, (size_t)s->context, (size_t)f->head_dim);
  tern_lane lane = {.x = tern_arena_take(a, w->hidden * sizeof(float)),
                    .row = tern_arena_take(a, w->widest * sizeof(float)),
                    .canonical = tern_arena_take(a, tern_matrix_canonical(w->widest)),
                    .in = take_input(a, 1, w),
                    .scan_in = f->scan_bytes ? take_input(a, 2, w) : (tern_input){0},
                    .kept = f->scan_bytes ? tern_arena_take(a, 2 * TERN_TOP_MOST * sizeof(float)) : NULL,
                    .scores = tern_arena_take(a, scores * sizeof(float)),
                    .scratch = tern_arena_take(a, scratch)};
  if (l) *l = lane;
}

/* Places everything; context, batch and rows are set. */
static void place(tern_arena *a, tern_workspace *s, const tern_model_facts *f, size_t scratch, int threads) {
  widths w = widths_of(f);
  size_t batch = (size_t)s->batch, vocab = (size_t)f->vocab, real = sizeof(float);
  s->qkv_width = w.query + 2 * w.kv;
  s->x = tern_arena_take(a, batch * w.hidden * real);
  s->qkv = tern_arena_take(a, batch * s->qkv_width * real);
  s->attention = tern_arena_take(a, batch * w.query * real);
  s->projection = tern_arena_take(a, batch * w.hidden * real);
  s->gate = tern_arena_take(a, batch * w.ffn * real);
  s->up = tern_arena_take(a, batch * w.ffn * real);
  for (int i = 0; i < (f->window ? 2 : 1); i++) {
    s->cosine[i] = tern_arena_take(a, batch * (size_t)(f->rotated / 2) * real);
    s->sine[i] = tern_arena_take(a, batch * (size_t)(f->rotated / 2) * real);
  }
  s->in = take_input(a, batch, &w);
  s->logits = tern_arena_take(a, (size_t)s->rows * vocab * real);
  if (f->scan_bytes) {
    s->scan_sums = tern_arena_take(a, 2 * vocab * sizeof(int32_t));
    s->scan_value = tern_arena_take(a, vocab * real);
  }
  s->ids = tern_arena_take(a, batch * sizeof *s->ids);
  s->owner = tern_arena_take(a, batch * sizeof *s->owner);
  s->parts = tern_arena_take(a, batch * sizeof *s->parts);
  s->wanted = tern_arena_take(a, batch * sizeof *s->wanted);
  s->lanes = tern_arena_take(a, (size_t)threads * sizeof(tern_lane));
  for (int i = 0; i < threads; i++) take_lane(a, s->lanes ? &s->lanes[i] : NULL, s, f, &w, scratch);
}

int tern_context_choose(int *context, const tern_model_facts *f, int wanted, tern_error *e) {
  int most = f->context < DEFAULT_CONTEXT ? f->context : DEFAULT_CONTEXT;
  *context = wanted > 0 ? wanted : most;
  if (*context <= f->context) return 0;
  return tern_fail(e, TERN_FAILED, "context %d is more than the model's %d positions", *context, f->context);
}

static int choose_sizes(tern_workspace *s, const tern_model_facts *f, const tern_workspace_params *p, tern_error *e) {
  if (tern_context_choose(&s->context, f, p->context, e)) return TERN_FAILED;
  s->batch = p->batch > 0 ? p->batch : TERN_DEFAULT_BATCH;
  s->rows = p->rows > 0 ? p->rows : 1;
  if (s->rows > s->batch) s->rows = s->batch;
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

int tern_workspace_plan(const tern_model_facts *f, const tern_workspace_params *p, int threads, size_t *bytes,
                        tern_error *e) {
  tern_workspace s = {0};
  tern_arena a = {0};
  if (choose_sizes(&s, f, p, e)) return TERN_FAILED;
  place(&a, &s, f, scratch_of(f), threads);
  *bytes = a.used;
  return 0;
}

int tern_workspace_open(tern_workspace **out, const tern_model *m, tern_team *team, const tern_workspace_params *p,
                        tern_error *e) {
  *out = NULL;
  tern_arena a = {0};
  tern_workspace *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "workspace: out of memory");
  s->model = m;
  s->team = team;
  if (choose_sizes(s, &m->facts, p, e)) goto failed;
  if (tern_workspace_plan(&m->facts, p, tern_team_size(team), &s->memory_bytes, e)) goto failed;
  s->memory = a.base = tern_alloc(s->memory_bytes, "workspace", e);
  if (!s->memory) goto failed;
  place(&a, s, &m->facts, scratch_of(&m->facts), tern_team_size(team));
  *out = s;
  return 0;

failed:
  free(s);
  return TERN_FAILED;
}

void tern_workspace_close(tern_workspace *s) {
  if (!s) return;
  tern_free(s->memory, s->memory_bytes);
  free(s);
}

void tern_workspace_profile(tern_workspace *s, tern_profile *p) {
  s->profile = p;
}
