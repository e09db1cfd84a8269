/* Merging: adapters become part of the weights. */
#include "engine/train/merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

/* All masters have one magnitude, which makes their mean the scale. */
int tern_net_put_codes(tern_net *n, const tern_param *matrix, const int8_t *codes, float scale) {
  const size_t size = (size_t)matrix->rows * (size_t)matrix->cols;
  float *w = n->w + matrix->at;
  size_t count = 0;
  for (size_t i = 0; i < size; i++) count += codes[i] != 0;
  if (count && (!(scale >= 1e-5f) || tern_f32_from_f16(tern_f16_from_f32(scale)) != scale)) return 1;
  const float master = count ? (float)((double)scale * (double)size / (double)count) : 0;
  for (size_t i = 0; i < size; i++) w[i] = (float)codes[i] * master;
  return 0;
}

static int8_t nearest_code(float x) {
  return (int8_t)(x > 0.5f ? 1 : x < -0.5f ? -1 : 0);
}

typedef struct sums {
  double update, lost; /* squares */
} sums;

static int merge_ternary(tern_net *n, const tern_param *p, tern_train_merged *out, sums *s, tern_error *e) {
  const size_t size = (size_t)p->rows * (size_t)p->cols, bytes = tern_mul(size, sizeof(float) + 1);
  const float *base = n->values + p->at;
  float *merged = tern_alloc(bytes, "matrix to merge", e), scale = 0;
  if (!merged) return TERN_FAILED;
  int8_t *codes = (int8_t *)(merged + size);
  memcpy(merged, base, size * sizeof(float));
  tern_adapter_add(n, p, merged);
  for (size_t i = 0; i < size; i++) scale = fmaxf(scale, fabsf(base[i]));
  for (size_t i = 0; i < size; i++) {
    codes[i] = scale > 0 ? nearest_code(merged[i] / scale) : 0;
    const double kept = (double)codes[i] * (double)scale, update = (double)merged[i] - (double)base[i];
    out->changed += kept != (double)base[i];
    s->update += update * update;
    s->lost += ((double)merged[i] - kept) * ((double)merged[i] - kept);
  }
  out->codes += size;
  tern_net_put_codes(n, p, codes, scale); /* the base's scale, which it made itself */
  tern_free(merged, bytes);
  return TERN_OK;
}

int tern_train_merge(tern_trainer *t, tern_train_merged *out, tern_error *e) {
  tern_net *n = &t->net;
  atomic_int next = 0;
  sums s = {0};
  *out = (tern_train_merged){0};
  tern_net_prepare(n, &next);
  for (int i = 0; i < n->base_count; i++) {
    const tern_param *p = &n->params[i];
    if (!p->adapter || !p->matrix) continue;
    if (!n->ternary)
      tern_adapter_add(n, p, n->w + p->at);
    else if (merge_ternary(n, p, out, &s, e) != TERN_OK)
      return TERN_FAILED;
    const tern_param *b = &n->params[p->adapter + 1];
    memset(n->w + b->at, 0, (size_t)b->rows * (size_t)b->cols * sizeof(float));
  }
  out->lost = s.update > 0 ? sqrt(s.lost / s.update) : 0;
  return TERN_OK;
}

/* FNV-1a over the bits of floats. */
uint64_t tern_net_fingerprint(const tern_net *n) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (int i = 0; i < n->base_count; i++) {
    const tern_param *p = &n->params[i];
    const float *x = p->at == n->embedding ? n->table : (p->matrix && n->values ? n->values : n->w) + p->at;
    for (size_t k = 0; k < (size_t)p->rows * (size_t)p->cols; k++) {
      uint32_t bits;
      memcpy(&bits, x + k, sizeof bits);
      h = (h ^ bits) * UINT64_C(0x100000001b3);
    }
  }
  return h >> 1; /* readers of GGUF files take numbers as signed */
}
