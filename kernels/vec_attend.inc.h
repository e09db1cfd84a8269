/* Attention over the KV cache (vec.h: attend), written once over 16 lanes;
 * vec_<isa>.c includes it after vec_ops.inc.h. All query heads of a KV head go
 * together, so that the cache is read once: keys by tiles of queries x
 * positions, values by tiles of queries x dimensions over blocks of positions
 * that stay in the first-level cache. */
#include "kernels/lanes_unroll.h"

enum {
  ATTEND_QUERIES = 16, /* query heads at once; more take another pass over the cache */
  ATTEND_BLOCK = 32,   /* positions a value block */
  ATTEND_LEAD = 16     /* positions fetched ahead of the arithmetic */
};

/* What to fetch next: whole lines in the order of memory, whatever the order of
 * the arithmetic, as DRAM and the hardware's own prefetchers like it: through
 * the keys, then the values, at the pace of the arithmetic. */
typedef struct fetcher {
  const unsigned char *row;
  size_t at, row_bytes, stride;
  const unsigned char *end, *next; /* where `row` jumps on, and where to */
  int on;                          /* for the first queries that read a block */
} fetcher;

typedef struct attention {
  const float *q;
  size_t q_stride;
  int queries, head_dim, positions;
  const unsigned char *k, *v;
  size_t kv_stride;
  float *score; /* [queries][score_stride], afterwards the weights */
  size_t score_stride;
  float *out;
  size_t out_stride;
  fetcher fetch;
} attention;

LANES_INLINE size_t kv_bytes(tern_kv_type type) {
  return type == TERN_KV_F32 ? sizeof(float) : type == TERN_KV_F16 ? sizeof(uint16_t) : sizeof(int8_t);
}

/* Sixteen elements of a cached vector from element i; `part` < 16: only so many. */
LANES_INLINE lanes kv_load(const unsigned char *vector, int i, int part, tern_kv_type type) {
  unsigned char padded[16 * sizeof(float)] __attribute__((aligned(64)));
  const unsigned char *p = vector + (size_t)i * kv_bytes(type);
  if (part < 16) {
    memset(padded, 0, sizeof padded);
    memcpy(padded, p, (size_t)part * kv_bytes(type));
    p = padded;
  }
  if (type == TERN_KV_F32) return lanes_load((const float *)p);
  if (type == TERN_KV_F16) return lanes_load_f16((const uint16_t *)p);
  return lanes_load_int8((const int8_t *)p);
}

LANES_INLINE lanes part_load(const float *p, int part) {
  return part < 16 ? lanes_load_part(p, part) : lanes_load(p);
}

LANES_INLINE void fetch(fetcher *f, size_t bytes) {
  if (!f->on) return;
  for (size_t b = 0; b < bytes; b += 64) __builtin_prefetch(f->row + f->at + b);
  f->at += bytes;
  if (f->at < f->row_bytes) return;
  f->at = 0;
  f->row += f->stride;
  if (f->row == f->end) f->row = f->next;
}

/* One step of score_tile: dimensions d..d+part-1. */
LANES_INLINE void score_step(lanes *acc, attention *a, tern_kv_type type, const float *q,
                             const unsigned char *const *keys, int d, int part, int queries, int positions) {
  lanes k[4];
  LANES_UNROLL
  for (int p = 0; p < positions; p++) k[p] = kv_load(keys[p], d, part, type);
  fetch(&a->fetch, 16 * (size_t)positions * kv_bytes(type));
  LANES_UNROLL
  for (int i = 0; i < queries; i++) {
    lanes x = part_load(q + (size_t)i * a->q_stride + d, part);
    LANES_UNROLL
    for (int p = 0; p < positions; p++) acc[i * positions + p] = lanes_fma(x, k[p], acc[i * positions + p]);
  }
}

/* Dots of `queries` queries with `positions` keys (compile-time constants whose
 * product is 4 or 16) into score[query][position]. */
LANES_INLINE void score_tile(attention *a, tern_kv_type type, const float *q, float *score,
                             const unsigned char *const *keys, int queries, int positions) {
  lanes acc[16];
  float sums[16];
  int d = 0;
  LANES_UNROLL
  for (int i = 0; i < queries * positions; i++) acc[i] = lanes_all(0.0f);
  for (; d + 16 <= a->head_dim; d += 16) score_step(acc, a, type, q, keys, d, 16, queries, positions);
  if (d < a->head_dim) score_step(acc, a, type, q, keys, d, a->head_dim - d, queries, positions);
  if (queries * positions == 16)
    lanes_sum16(sums, acc);
  else
    lanes_sum4(sums, acc[0], acc[1], acc[2], acc[3]);
  LANES_UNROLL
  for (int i = 0; i < queries; i++)
    memcpy(score + (size_t)i * a->score_stride, sums + i * positions, (size_t)positions * sizeof *sums);
}

/* Dots of all queries with the keys of positions t0..t0+15, as far as they exist. */
LANES_INLINE void score_block(attention *a, tern_kv_type type, int t0, int last) {
  const int end = last - t0 < 16 ? last : t0 + 16;
  for (int i = 0; i < a->queries;) {
    const int tile = a->queries - i >= LANES_SCORE_QUERIES;
    const float *q = a->q + (size_t)i * a->q_stride;
    a->fetch.on = i == 0;
    for (int t = t0; t < end; t += tile ? LANES_SCORE_POSITIONS : 4) {
      float *score = a->score + (size_t)i * a->score_stride + t;
      const unsigned char *keys[4]; /* past the end: the last one again */
      for (int p = 0; p < 4; p++) keys[p] = a->k + (size_t)(t + p < end ? t + p : end - 1) * a->kv_stride;
      if (tile)
        score_tile(a, type, q, score, keys, LANES_SCORE_QUERIES, LANES_SCORE_POSITIONS);
      else
        score_tile(a, type, q, score, keys, 1, 4);
    }
    i += tile ? LANES_SCORE_QUERIES : 1;
  }
}

/* Turns one query's dots into weights; returns 1 / their sum. The scores past
 * the end become -inf and their weights 0. */
static float softmax(float *s, int positions, const float *k_scale, const float *v_scale, float factor) {
  const lanes f = lanes_all(factor);
  lanes max = lanes_all(-INFINITY), sum = lanes_all(0.0f);
  for (int t = 0; t < positions; t += 16) {
    const int part = positions - t < 16 ? positions - t : 16;
    lanes x = part_load(s + t, part);
    if (k_scale) x = lanes_mul(x, part_load(k_scale + t, part));
    x = lanes_mul(x, f);
    lanes_store(s + t, x);
    if (part < 16) {
      for (int l = part; l < 16; l++) s[t + l] = -INFINITY;
      x = lanes_load(s + t);
    }
    max = lanes_max(x, max);
  }
  max = lanes_all(lanes_maximum(max));
  for (int t = 0; t < positions; t += 16) {
    lanes p = lanes_exp(lanes_sub(lanes_load(s + t), max));
    sum = lanes_add(sum, p);
    if (v_scale) p = lanes_mul(p, part_load(v_scale + t, positions - t < 16 ? positions - t : 16));
    lanes_store(s + t, p);
  }
  return 1.0f / lanes_sum(sum);
}

/* Adds the values of positions t0..t1-1 to `queries` x `depth` lanes of the
 * output (compile-time constants), from dimension d on. */
LANES_INLINE void value_tile(attention *a, tern_kv_type type, int i0, int d, int part, int t0, int t1, int queries,
                             int depth) {
  lanes acc[16];
  float *out = a->out + (size_t)i0 * a->out_stride + d;
  const float *weight = a->score + (size_t)i0 * a->score_stride;
  LANES_UNROLL
  for (int i = 0; i < queries; i++) {
    LANES_UNROLL
    for (int j = 0; j < depth; j++)
      acc[i * depth + j] = t0 ? part_load(out + (size_t)i * a->out_stride + 16 * j, part) : lanes_all(0.0f);
  }
  for (int t = t0; t < t1; t++) {
    const unsigned char *value = a->v + (size_t)t * a->kv_stride;
    lanes v[4];
    LANES_UNROLL
    for (int j = 0; j < depth; j++) v[j] = kv_load(value, d + 16 * j, part, type);
    fetch(&a->fetch, 16 * (size_t)depth * kv_bytes(type));
    LANES_UNROLL
    for (int i = 0; i < queries; i++) {
      lanes w = lanes_all(weight[(size_t)i * a->score_stride + (size_t)t]);
      LANES_UNROLL
      for (int j = 0; j < depth; j++) acc[i * depth + j] = lanes_fma(w, v[j], acc[i * depth + j]);
    }
  }
  LANES_UNROLL
  for (int i = 0; i < queries; i++) {
    LANES_UNROLL
    for (int j = 0; j < depth; j++) {
      float *at = out + (size_t)i * a->out_stride + 16 * j;
      if (part < 16)
        lanes_store_part(at, acc[i * depth + j], part);
      else
        lanes_store(at, acc[i * depth + j]);
    }
  }
}

LANES_INLINE void value_block(attention *a, tern_kv_type type, int i, int queries, int depth, int t0, int t1) {
  const int n = a->head_dim;
  a->fetch.on = i == 0;
  int d = 0;
  for (; d + 16 * depth <= n; d += 16 * depth) value_tile(a, type, i, d, 16, t0, t1, queries, depth);
  for (; depth > 1 && d + 16 <= n; d += 16) value_tile(a, type, i, d, 16, t0, t1, queries, 1);
  if (d < n) value_tile(a, type, i, d, n - d, t0, t1, queries, 1);
}

LANES_INLINE void attend_typed(attention *a, tern_kv_type type, const float *k_scale, const float *v_scale,
                               float factor, int stagger) {
  const int last = a->positions + (a->queries - 1) * stagger;
  float inverse[ATTEND_QUERIES];
  for (int t = 0; t < last; t += 16) score_block(a, type, t, last);
  for (int i = 0; i < a->queries; i++)
    inverse[i] = softmax(a->score + (size_t)i * a->score_stride, a->positions + i * stagger, k_scale, v_scale, factor);
  for (int t = 0; t < a->positions; t += ATTEND_BLOCK) { /* what all queries see */
    const int end = a->positions - t < ATTEND_BLOCK ? a->positions : t + ATTEND_BLOCK;
    int i = 0;
    for (; i + LANES_VALUE_QUERIES <= a->queries; i += LANES_VALUE_QUERIES)
      value_block(a, type, i, LANES_VALUE_QUERIES, LANES_VALUE_DEPTH, t, end);
    for (; i < a->queries; i++) value_block(a, type, i, 1, 4, t, end);
  }
  for (int i = 1; stagger && i < a->queries; i++)
    value_block(a, type, i, 1, 4, a->positions, a->positions + i * stagger);
  for (int i = 0; i < a->queries; i++) scale(a->out + (size_t)i * a->out_stride, inverse[i], a->head_dim);
}

/* Query i sees positions + i * stagger positions. */
static void attend_staggered(float *out, size_t out_stride, const float *q, size_t q_stride, int queries, const void *k,
                             const void *v, const float *k_scale, const float *v_scale, size_t kv_stride, int head_dim,
                             int positions, float factor, tern_kv_type type, float *scratch, int stagger) {
  for (int i = 0; i < queries; i += ATTEND_QUERIES) {
    attention a = {.q = q + (size_t)i * q_stride,
                   .q_stride = q_stride,
                   .queries = queries - i < ATTEND_QUERIES ? queries - i : ATTEND_QUERIES,
                   .head_dim = head_dim,
                   .positions = positions + i * stagger,
                   .k = k,
                   .v = v,
                   .kv_stride = kv_stride,
                   .score = scratch,
                   .out = out + (size_t)i * out_stride,
                   .out_stride = out_stride};
    const int last = a.positions + (a.queries - 1) * stagger, lead = ATTEND_LEAD < last ? ATTEND_LEAD : 0;
    a.score_stride = ((size_t)last + 15) / 16 * 16;
    a.fetch = (fetcher){.row = (lead ? a.k : a.v) + (size_t)lead * kv_stride,
                        .row_bytes = (size_t)head_dim * kv_bytes(type),
                        .stride = kv_stride,
                        .end = a.k + (size_t)last * kv_stride,
                        .next = a.v};
    if (type == TERN_KV_F32)
      attend_typed(&a, TERN_KV_F32, NULL, NULL, factor, stagger);
    else if (type == TERN_KV_F16)
      attend_typed(&a, TERN_KV_F16, NULL, NULL, factor, stagger);
    else
      attend_typed(&a, TERN_KV_INT8, k_scale, v_scale, factor, stagger);
  }
}

static void attend(float *out, size_t out_stride, const float *q, size_t q_stride, int queries, const void *k,
                   const void *v, const float *k_scale, const float *v_scale, size_t kv_stride, int head_dim,
                   int positions, float factor, tern_kv_type type, float *scratch) {
  attend_staggered(out, out_stride, q, q_stride, queries, k, v, k_scale, v_scale, kv_stride, head_dim, positions,
                   factor, type, scratch, 0);
}

static void attend_tokens(float *out, size_t out_stride, const float *q, size_t q_stride, int tokens, const void *k,
                          const void *v, const float *k_scale, const float *v_scale, size_t kv_stride, int head_dim,
                          int positions, float factor, tern_kv_type type, float *scratch) {
  attend_staggered(out, out_stride, q, q_stride, tokens, k, v, k_scale, v_scale, kv_stride, head_dim, positions, factor,
                   type, scratch, 1);
}
