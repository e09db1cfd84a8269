/* Buffers of a member, all in one block. */
#include "engine/train/desk.h"

#include <stdlib.h>

#include "engine/base/memory.h"

static void *take(char *base, size_t *used, size_t count, size_t element) {
  void *at = base ? base + *used : NULL;
  *used += (tern_mul(count, element) + 63) / 64 * 64;
  return at;
}

static int most(int a, int b) {
  return a > b ? a : b;
}

static void place_fed(tern_fed *f, const tern_net *n, int cols, size_t tokens, char *base, size_t *used) {
  if (!n->ternary) {
    f->stride = (size_t)cols;
    f->floats = take(base, used, tokens * f->stride, sizeof(float));
    return;
  }
  f->stride = ((size_t)cols + 63) / 64 * 64;
  f->q = take(base, used, tokens * f->stride, 1);
  f->scale = take(base, used, tokens, sizeof(float));
  f->sum = take(base, used, tokens, sizeof(int32_t));
}

static size_t place(tern_desk *d, const tern_net *n, char *base) {
  const size_t tokens = (size_t)d->capacity, hidden = (size_t)n->hidden, context = tern_desk_row(n->context);
  const size_t widest = (size_t)most(most(n->ffn, n->hidden), n->qkv);
  const size_t heads = (size_t)(n->heads / n->kv_heads);
  const size_t attend = tern_attend_scratch(heads * (size_t)n->context, context, (size_t)n->head_dim);
  const size_t block = TERN_DESK_QUERIES * context;
  size_t used = 0;
  for (int i = 0; i < d->layers; i++) {
    tern_desk_layer *l = &d->layer[i];
    l->x_attn = take(base, &used, tokens * hidden, sizeof(float));
    l->qkv = take(base, &used, tokens * (size_t)n->qkv, sizeof(float));
    l->attention = take(base, &used, tokens * hidden, sizeof(float));
    l->x_ffn = take(base, &used, tokens * hidden, sizeof(float));
    l->gate_up = take(base, &used, tokens * 2 * (size_t)n->ffn, sizeof(float));
    for (int j = 0; j < TERN_TRAIN_LINEARS; j++)
      place_fed(&l->in[j], n, n->layer[i].linear[j].cols, tokens, base, &used);
  }
  d->x = take(base, &used, tokens * hidden, sizeof(float));
  d->dx = take(base, &used, tokens * hidden, sizeof(float));
  d->projection = take(base, &used, tokens * hidden, sizeof(float));
  d->wide = take(base, &used, tokens * widest, sizeof(float));
  d->change = take(base, &used, tokens * widest, sizeof(float));
  d->dqkv = take(base, &used, tokens * (size_t)n->qkv, sizeof(float));
  d->row = take(base, &used, widest, sizeof(float));
  d->row2 = take(base, &used, widest, sizeof(float));
  d->logits_stride = ((size_t)n->vocab + 15) / 16 * 16 + 16; /* rows that don't all fall on the same cache lines */
  d->logits = take(base, &used, TERN_DESK_HEAD * d->logits_stride, sizeof(float));
  d->scored = take(base, &used, tokens, sizeof(int));
  d->scores = take(base, &used, attend > block ? attend : block, sizeof(float));
  d->dscores = take(base, &used, block, sizeof(float));
  d->keys = take(base, &used, (size_t)n->head_dim * context, sizeof(float));
  d->values = take(base, &used, (size_t)n->head_dim * context, sizeof(float));
  d->low = take(base, &used, tokens * (size_t)n->rank, sizeof(float));
  d->dlow = take(base, &used, tokens * (size_t)n->rank, sizeof(float));
  d->dense = take(base, &used, TERN_DENSE_SCRATCH, sizeof(float));
  d->kernel = take(base, &used, n->kernel->scratch, 1);
  return used;
}

size_t tern_desk_row(int tokens) {
  return ((size_t)tokens + 15) / 16 * 16 | 16;
}

int tern_desk_open(tern_desk **out, const tern_net *n, int capacity, tern_error *e) {
  tern_desk *d = calloc(1, sizeof *d);
  if (d) d->layer = calloc((size_t)n->layers, sizeof *d->layer);
  if (!d || !d->layer) {
    free(d);
    return tern_fail(e, TERN_FAILED, "training buffers: out of memory");
  }
  d->capacity = capacity;
  d->layers = n->layers;
  d->memory_bytes = place(d, n, NULL);
  d->memory = tern_alloc(d->memory_bytes, "training buffers", e);
  if (!d->memory) {
    tern_desk_close(d);
    return TERN_FAILED;
  }
  place(d, n, d->memory);
  *out = d;
  return TERN_OK;
}

void tern_desk_close(tern_desk *d) {
  if (!d) return;
  tern_free(d->memory, d->memory_bytes);
  free(d->layer);
  free(d);
}
