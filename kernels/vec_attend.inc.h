/* Attention over the KV cache (vec.h: attend), written once over 16 lanes;
 * vec_<isa>.c includes it after vec_ops.inc.h. Queries go in blocks of rows (a
 * head of a token each) that read the cache together: scores by tiles of rows x
 * positions, then each row's softmax, then values by tiles of rows x dimensions.
 * A block of many rows turns cached vectors into floats once, a piece of the
 * first-level cache at a time; few rows, as in decoding, do so in registers and
 * fetch ahead. Which way, and which tile, shows in no bit. */
#include "kernels/lanes_unroll.h"

enum {
  ATTEND_WIDEN = 8, /* rows from which on vectors are widened once for all */
  ATTEND_LEAD = 16, /* positions fetched ahead of the arithmetic */
  SCORE_BLOCK = 16, /* positions a pass over the rows */
  VALUE_BLOCK = 32, /* the same of values, straight from the cache */
  VALUE_CHUNK = 64  /* dimensions of widened values that lie together */
};

/* What to fetch next: whole lines in the order of memory, whatever the order of
 * the arithmetic, as DRAM and the hardware's own prefetchers like it: through
 * the keys, then the values, at the pace of the arithmetic. */
typedef struct fetcher {
  const unsigned char *row;
  size_t at, row_bytes, stride;
  const unsigned char *end, *next; /* where `row` jumps on, and where to */
  int on;                          /* for the first rows that read a block */
} fetcher;

typedef struct attention {
  const tern_attend *call;
  int rows;
  const float *q[TERN_ATTEND_ROWS];
  float *out[TERN_ATTEND_ROWS];
  int seen[TERN_ATTEND_ROWS]; /* positions, never less than of the row before */
  float *score;               /* [rows][score_stride], afterwards the weights */
  size_t score_stride;
  float *wide; /* room for a block of widened vectors */
} attention;

/* Vectors of a block of positions. Dimensions lie together by VALUE_CHUNK. */
typedef struct vectors {
  const unsigned char *first;
  size_t stride, chunk;
} vectors;

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

/* Dimension d of the vector at `vector`. */
LANES_INLINE const unsigned char *dimension_of(const vectors *v, const unsigned char *vector, int d,
                                               tern_kv_type type) {
  return vector + (size_t)(d / VALUE_CHUNK) * v->chunk + (size_t)(d % VALUE_CHUNK) * kv_bytes(type);
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

/* `count` vectors as floats; dimensions in chunks of `chunk`, a multiple of 16. */
LANES_INLINE vectors widen_typed(float *to, const unsigned char *from, size_t stride, int count, int n, int chunk,
                                 tern_kv_type type) {
  for (int c = 0; c < n; c += chunk) {
    const int end = n - c < chunk ? n : c + chunk;
    float *row = to + (size_t)c * (size_t)count;
    for (int t = 0; t < count; t++, row += chunk) {
      const unsigned char *vector = from + (size_t)t * stride;
      int d = c;
      for (; d + 16 <= end; d += 16) lanes_store(row + (d - c), kv_load(vector, d, 16, type));
      if (d < end) lanes_store(row + (d - c), kv_load(vector, d, end - d, type));
    }
  }
  return (vectors){.first = (const unsigned char *)to,
                   .stride = (size_t)chunk * sizeof(float),
                   .chunk = (size_t)count * VALUE_CHUNK * sizeof(float)};
}

static vectors widen(float *to, const unsigned char *from, size_t stride, int count, int n, int chunk,
                     tern_kv_type type) {
  if (type == TERN_KV_F16) return widen_typed(to, from, stride, count, n, chunk, TERN_KV_F16);
  return widen_typed(to, from, stride, count, n, chunk, TERN_KV_INT8);
}

/* The cached vectors of positions t0..t1-1, as they lie or widened. */
LANES_INLINE vectors take_vectors(const attention *a, const void *cached, int t0, int t1, int chunk, int direct) {
  const tern_attend *c = a->call;
  const unsigned char *first = (const unsigned char *)cached + (size_t)t0 * c->kv_stride;
  if (!direct) return widen(a->wide, first, c->kv_stride, t1 - t0, c->head_dim, chunk, c->type);
  return (vectors){.first = first, .stride = c->kv_stride, .chunk = VALUE_CHUNK * kv_bytes(c->type)};
}

/* One step of score_tile: dimensions d..d+part-1. */
LANES_INLINE void score_step(lanes *acc, tern_kv_type type, fetcher *ahead, const float *const *q,
                             const unsigned char *const *keys, int d, int part, int rows, int positions) {
  lanes k[4];
  LANES_UNROLL
  for (int p = 0; p < positions; p++) k[p] = kv_load(keys[p], d, part, type);
  if (ahead) fetch(ahead, 16 * (size_t)positions * kv_bytes(type));
  LANES_UNROLL
  for (int i = 0; i < rows; i++) {
    lanes x = part_load(q[i] + d, part);
    LANES_UNROLL
    for (int p = 0; p < positions; p++) acc[i * positions + p] = lanes_fma(x, k[p], acc[i * positions + p]);
  }
}

/* Dots of `rows` queries from row i0 on with `positions` keys (compile-time
 * constants whose product is 4 or 16) into the scores of positions t... */
LANES_INLINE void score_tile(attention *a, tern_kv_type type, fetcher *ahead, int i0, int t,
                             const unsigned char *const *keys, int rows, int positions) {
  const int n = a->call->head_dim;
  const float *q[4];
  lanes acc[16];
  float sums[16], *score = a->score + (size_t)i0 * a->score_stride + t;
  int d = 0;
  LANES_UNROLL
  for (int i = 0; i < rows; i++) q[i] = a->q[i0 + i];
  LANES_UNROLL
  for (int i = 0; i < rows * positions; i++) acc[i] = lanes_all(0.0f);
  for (; d + 16 <= n; d += 16) score_step(acc, type, ahead, q, keys, d, 16, rows, positions);
  if (d < n) score_step(acc, type, ahead, q, keys, d, n - d, rows, positions);
  if (rows * positions == 16)
    lanes_sum16(sums, acc);
  else
    lanes_sum4(sums, acc[0], acc[1], acc[2], acc[3]);
  LANES_UNROLL
  for (int i = 0; i < rows; i++)
    memcpy(score + (size_t)i * a->score_stride, sums + i * positions, (size_t)positions * sizeof *sums);
}

/* Dots of all rows with the keys of positions t0..t1-1, at most SCORE_BLOCK, as
 * far as a tile's last row sees them. */
LANES_INLINE void score_block(attention *a, tern_kv_type type, fetcher *ahead, const vectors *v, int t0, int t1) {
  for (int i = 0; i < a->rows;) {
    const int tile = a->rows - i >= LANES_SCORE_QUERIES, rows = tile ? LANES_SCORE_QUERIES : 1;
    const int end = a->seen[i + rows - 1] < t1 ? a->seen[i + rows - 1] : t1;
    if (ahead) ahead->on = i == 0;
    for (int t = t0; t < end; t += tile ? LANES_SCORE_POSITIONS : 4) {
      const unsigned char *keys[4]; /* past the end: the last one again */
      for (int p = 0; p < 4; p++) keys[p] = v->first + (size_t)((t + p < t1 ? t + p : t1 - 1) - t0) * v->stride;
      if (tile)
        score_tile(a, type, ahead, i, t, keys, LANES_SCORE_QUERIES, LANES_SCORE_POSITIONS);
      else
        score_tile(a, type, ahead, i, t, keys, 1, 4);
    }
    i += rows;
  }
}

/* Turns one row's dots into weights; returns 1 / their sum. The scores past the
 * end become -inf and their weights 0. */
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
    lanes p = lanes_exp_low(lanes_sub(lanes_load(s + t), max));
    sum = lanes_add(sum, p);
    if (v_scale) p = lanes_mul(p, part_load(v_scale + t, positions - t < 16 ? positions - t : 16));
    lanes_store(s + t, p);
  }
  return 1.0f / lanes_sum(sum);
}

/* Adds the values of positions t0..t1-1, the first of which is at `value`, to
 * `depth` lanes of `rows` outputs (compile-time constants) from dimension d on. */
LANES_INLINE void value_tile(attention *a, tern_kv_type type, fetcher *ahead, int i0, int d, int part,
                             const unsigned char *value, size_t stride, int t0, int t1, int rows, int depth) {
  lanes acc[16];
  float *out[4];
  const size_t w_stride = a->score_stride;
  const float *weight = a->score + (size_t)i0 * w_stride + t0;
  LANES_UNROLL
  for (int i = 0; i < rows; i++) {
    out[i] = a->out[i0 + i] + d;
    LANES_UNROLL
    for (int j = 0; j < depth; j++) acc[i * depth + j] = t0 ? part_load(out[i] + 16 * j, part) : lanes_all(0.0f);
  }
  for (int t = t0; t < t1; t++, value += stride, weight++) {
    lanes v[4];
    LANES_UNROLL
    for (int j = 0; j < depth; j++) v[j] = kv_load(value, 16 * j, part, type);
    if (ahead) fetch(ahead, 16 * (size_t)depth * kv_bytes(type));
    LANES_UNROLL
    for (int i = 0; i < rows; i++) {
      lanes w = lanes_all(weight[(size_t)i * w_stride]);
      LANES_UNROLL
      for (int j = 0; j < depth; j++) acc[i * depth + j] = lanes_fma(w, v[j], acc[i * depth + j]);
    }
  }
  LANES_UNROLL
  for (int i = 0; i < rows; i++) {
    LANES_UNROLL
    for (int j = 0; j < depth; j++) {
      if (part < 16)
        lanes_store_part(out[i] + 16 * j, acc[i * depth + j], part);
      else
        lanes_store(out[i] + 16 * j, acc[i * depth + j]);
    }
  }
}

/* The same over all dimensions; v starts at position `first`. */
LANES_INLINE void value_rows(attention *a, tern_kv_type type, fetcher *ahead, int i, const vectors *v, int first,
                             int t0, int t1, int rows, int depth) {
  const int n = a->call->head_dim;
  const unsigned char *at = v->first + (size_t)(t0 - first) * v->stride;
  int d = 0;
  if (t0 >= t1) return;
  for (; d + 16 * depth <= n; d += 16 * depth)
    value_tile(a, type, ahead, i, d, 16, dimension_of(v, at, d, type), v->stride, t0, t1, rows, depth);
  for (; depth > 1 && d + 16 <= n; d += 16)
    value_tile(a, type, ahead, i, d, 16, dimension_of(v, at, d, type), v->stride, t0, t1, rows, 1);
  if (d < n) value_tile(a, type, ahead, i, d, n - d, dimension_of(v, at, d, type), v->stride, t0, t1, rows, 1);
}

/* Positions t0..t1-1 for all rows: tiles of rows as far as all of a tile see,
 * the rest row by row. */
LANES_INLINE void value_block(attention *a, tern_kv_type type, fetcher *ahead, const vectors *v, int t0, int t1) {
  for (int i = 0; i < a->rows;) {
    const int tile = a->rows - i >= LANES_VALUE_QUERIES, rows = tile ? LANES_VALUE_QUERIES : 1;
    int common = t0;
    if (ahead) ahead->on = i == 0;
    if (tile) {
      common = a->seen[i] < t0 ? t0 : a->seen[i] < t1 ? a->seen[i] : t1;
      value_rows(a, type, ahead, i, v, t0, t0, common, LANES_VALUE_QUERIES, LANES_VALUE_DEPTH);
    }
    for (int k = i; k < i + rows; k++)
      value_rows(a, type, ahead, k, v, t0, common, a->seen[k] < t1 ? a->seen[k] : t1, 1, 4);
    i += rows;
  }
}

/* Vectors are used where they lie, and fetched, or with `ahead` NULL, and as
 * floats, widened first. */
LANES_INLINE void attend_rows(const attention *rows, tern_kv_type type, fetcher *ahead) {
  attention own = *rows, *const a = &own; /* a copy, so that no store can be taken to change it */
  const tern_attend *c = a->call;
  const int n = c->head_dim, last = a->seen[a->rows - 1], block = ahead ? VALUE_BLOCK : TERN_ATTEND_WIDE;
  const int scaled = c->type == TERN_KV_INT8;
  float inverse[TERN_ATTEND_ROWS];
  for (int t = 0; t < last; t += SCORE_BLOCK) {
    const int end = last - t < SCORE_BLOCK ? last : t + SCORE_BLOCK;
    const vectors keys = take_vectors(a, c->k, t, end, (n + 15) / 16 * 16, ahead != NULL);
    score_block(a, type, ahead, &keys, t, end);
  }
  for (int i = 0; i < a->rows; i++) {
    float *score = a->score + (size_t)i * a->score_stride;
    inverse[i] = softmax(score, a->seen[i], scaled ? c->k_scale : NULL, scaled ? c->v_scale : NULL, c->scale);
  }
  for (int t = 0; t < last; t += block) {
    const int end = last - t < block ? last : t + block;
    const vectors values = take_vectors(a, c->v, t, end, VALUE_CHUNK, ahead != NULL);
    value_block(a, type, ahead, &values, t, end);
  }
  for (int i = 0; i < a->rows; i++) scale(a->out[i], inverse[i], n);
}

static __attribute__((noinline)) void attend_wide(const attention *a) {
  attend_rows(a, TERN_KV_F32, NULL);
}

LANES_INLINE void attend_direct(const attention *a, tern_kv_type type) {
  const tern_attend *c = a->call;
  const int last = a->seen[a->rows - 1], lead = ATTEND_LEAD < last ? ATTEND_LEAD : 0;
  const unsigned char *k = c->k, *v = c->v;
  fetcher ahead = {.row = (lead ? k : v) + (size_t)lead * c->kv_stride,
                   .row_bytes = (size_t)c->head_dim * kv_bytes(type),
                   .stride = c->kv_stride,
                   .end = k + (size_t)last * c->kv_stride,
                   .next = v};
  attend_rows(a, type, &ahead);
}

static __attribute__((noinline)) void attend_f32(const attention *a) {
  attend_direct(a, TERN_KV_F32);
}

static __attribute__((noinline)) void attend_f16(const attention *a) {
  attend_direct(a, TERN_KV_F16);
}

static __attribute__((noinline)) void attend_int8(const attention *a) {
  attend_direct(a, TERN_KV_INT8);
}

/* Rows r0.. of the call, as many as go together. */
static void take_rows(attention *a, const tern_attend *c, int r0) {
  const int left = c->heads * c->tokens - r0;
  *a = (attention){.call = c, .rows = left < TERN_ATTEND_ROWS ? left : TERN_ATTEND_ROWS, .score = c->scratch};
  for (int i = 0; i < a->rows; i++) {
    const int token = (r0 + i) / c->heads, head = (r0 + i) % c->heads;
    a->q[i] = c->q + (size_t)token * c->q_token + (size_t)head * c->q_head;
    a->out[i] = c->out + (size_t)token * c->out_token + (size_t)head * c->out_head;
    a->seen[i] = c->positions + token;
  }
  a->score_stride = ((size_t)a->seen[a->rows - 1] + 15) / 16 * 16;
  a->wide = a->score + (size_t)a->rows * a->score_stride;
}

static void attend(const tern_attend *c) {
  static void (*const direct[])(const attention *) = {
      [TERN_KV_F32] = attend_f32, [TERN_KV_F16] = attend_f16, [TERN_KV_INT8] = attend_int8};
  attention a;
  for (int r = 0; r < c->heads * c->tokens; r += TERN_ATTEND_ROWS) {
    take_rows(&a, c, r);
    (a.rows >= ATTEND_WIDEN && c->type != TERN_KV_F32 ? attend_wide : direct[c->type])(&a);
  }
}
