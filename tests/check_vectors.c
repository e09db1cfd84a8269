/* The vector operations against formulas written out here: to the last bit
 * where vec.h states an order (this file spells it with its own loops), within
 * rounding against plain double arithmetic. Plain main: runs under qemu too. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/vec.h"

enum { LONGEST = 300 };

static int failures;

#define EXPECT(condition, ...)                                                                                         \
  do {                                                                                                                 \
    if (!(condition) && failures++ < 20) {                                                                             \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                  \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
    }                                                                                                                  \
  } while (0)

static uint32_t seed = 1;

static float uniform(void) { /* -1..1 */
  seed = seed * 1664525u + 1013904223u;
  return (float)(int32_t)seed * 0x1p-31f;
}

static void fill(float *x, int n) {
  for (int i = 0; i < n; i++) x[i] = uniform() * (i % 7 ? 1.0f : 30.0f);
}

static int same(const float *a, const float *b, int n) {
  return memcmp(a, b, (size_t)n * sizeof *a) == 0;
}

/* The written order of reductions. */
static float tree(float *lane) {
  for (int l = 0; l < 8; l++) lane[l] += lane[l + 8];
  for (int l = 0; l < 4; l++) lane[l] += lane[l + 4];
  for (int l = 0; l < 2; l++) lane[l] += lane[l + 2];
  return lane[0] + lane[1];
}

static float ordered_dot(const float *a, const float *b, int n) {
  float lane[16] = {0};
  for (int i = 0; i < n; i++) lane[i % 16] = fmaf(a[i], b[i], lane[i % 16]);
  return tree(lane);
}

static void reductions_follow_the_written_order(const tern_vec *v) {
  float a[LONGEST], b[LONGEST];
  for (int n = 1; n <= LONGEST; n++) {
    fill(a, n);
    fill(b, n);
    float got = v->dot(a, b, n), squares = v->sum_squares(a, n), want = ordered_dot(a, b, n);
    EXPECT(got == want, "%s: dot of %d is %a, not %a", v->name, n, (double)got, (double)want);
    EXPECT(squares == ordered_dot(a, a, n), "%s: sum_squares of %d", v->name, n);
    double plain = 0, size = 0;
    for (int i = 0; i < n; i++) {
      plain += (double)a[i] * b[i];
      size += fabs((double)a[i] * b[i]);
    }
    EXPECT(fabs((double)got - plain) <= 1e-6 * size, "%s: dot of %d is %g, not %g", v->name, n, (double)got, plain);
  }
}

static void norm_scales_to_unit_mean_square(const tern_vec *v) {
  float x[LONGEST], y[LONGEST], gain[LONGEST], want[LONGEST];
  for (int n = 1; n <= LONGEST; n++) {
    fill(x, n);
    fill(gain, n);
    float r = 1.0f / sqrtf(ordered_dot(x, x, n) / (float)n + 1e-5f);
    for (int i = 0; i < n; i++) want[i] = x[i] * r * gain[i];
    v->rmsnorm(y, x, gain, n, 1e-5f);
    EXPECT(same(y, want, n), "%s: rmsnorm with gain of %d", v->name, n);
    v->rmsnorm(x, x, NULL, n, 1e-5f); /* in place */
    double mean = 0;
    for (int i = 0; i < n; i++) mean += (double)x[i] * x[i] / n;
    EXPECT(fabs(mean - 1) < 1e-3, "%s: mean square after rmsnorm of %d is %g", v->name, n, mean);
  }
}

static void quantiser_rounds_half_to_even(const tern_vec *v) {
  float x[LONGEST];
  int8_t q[LONGEST + 64];
  for (int n = 1; n <= LONGEST; n++) {
    fill(x, n);
    float largest = 1e-5f;
    for (int i = 0; i < n; i++)
      if (fabsf(x[i]) > largest) largest = fabsf(x[i]);
    const float s = 127.0f / largest;
    int32_t sum, want_sum = 0;
    int8_t expected[LONGEST + 20] = {0};
    for (int i = 0; i < n; i++) expected[i] = (int8_t)nearbyint((double)(x[i] * s));
    for (int i = 0; i < n; i++) want_sum += expected[i];
    memset(q, 99, sizeof q);
    float scale = v->quantise(q, x, n, n + 20, &sum);
    EXPECT(scale == 1.0f / s, "%s: quantise scale", v->name);
    EXPECT(memcmp(q, expected, (size_t)n + 20) == 0, "%s: quantise of %d", v->name, n);
    EXPECT(sum == want_sum && q[n + 20] == 99, "%s: quantise of %d: sum or end", v->name, n);
  }
  const float ties[] = {127.0f, 0.5f, 1.5f, -0.5f, -2.5f, NAN, 126.5f, -126.5f, -127.0f};
  const int8_t want[] = {127, 0, 2, 0, -2, 0, 126, -126, -127};
  int32_t sum;
  v->quantise(q, ties, 9, 9, &sum);
  EXPECT(memcmp(q, want, 9) == 0, "%s: quantise of ties", v->name);
  const float tiny[] = {1e-6f, -3e-6f};
  EXPECT(v->quantise(q, tiny, 2, 2, &sum) == 1.0f / (127.0f / 1e-5f) && q[0] == 13 && q[1] == -38, "%s: small values",
         v->name);
}

/* The formula as written, and the function it stands for. */
static void gelu_is_its_formula(const tern_vec *v) {
  float a[LONGEST], b[LONGEST], y[LONGEST], want[LONGEST];
  for (int n = 1; n <= LONGEST; n++) {
    fill(a, n);
    fill(b, n);
    for (int i = 0; i < n; i++) {
      float inner = fmaf(a[i] * a[i], TERN_GELU_C3, TERN_GELU_C1);
      want[i] = a[i] / (1.0f + tern_expf(-(a[i] * inner))) * b[i];
    }
    v->gelu_mul(y, a, b, n);
    EXPECT(same(y, want, n), "%s: gelu_mul of %d", v->name, n);
    for (int i = 0; i < n; i++) {
      double g = a[i], u = 0.7978845608028654 * (g + 0.044715 * g * g * g);
      double plain = 0.5 * g * (1 + tanh(u)) * b[i];
      EXPECT(fabs((double)y[i] - plain) <= 1e-6 * (2 + fabs(u)) * fabs(plain) + 1e-12 * fabs(g * (double)b[i]),
             "%s: gelu(%g)", v->name, g);
    }
  }
}

static void elementwise_formulas_hold(const tern_vec *v) {
  float a[LONGEST], b[LONGEST], y[LONGEST], want[LONGEST];
  for (int n = 1; n <= LONGEST; n++) {
    fill(a, n);
    fill(b, n);
    for (int i = 0; i < n; i++) want[i] = b[i] + a[i];
    memcpy(y, b, sizeof y);
    v->add(y, a, n);
    EXPECT(same(y, want, n), "%s: add of %d", v->name, n);
    for (int i = 0; i < n; i++) want[i] = b[i] * 0.3f;
    memcpy(y, b, sizeof y);
    v->scale(y, 0.3f, n);
    EXPECT(same(y, want, n), "%s: scale of %d", v->name, n);
    for (int i = 0; i < n; i++) want[i] = tern_expf(a[i] - b[0]);
    v->exp_less(y, a, b[0], n);
    EXPECT(same(y, want, n), "%s: exp_less of %d", v->name, n);
    for (int i = 0; i < n; i++) want[i] = a[i] > 0 ? a[i] * a[i] * b[i] : 0.0f * b[i];
    v->relu2_mul(y, a, b, n);
    EXPECT(same(y, want, n), "%s: relu2_mul of %d", v->name, n);
    for (int i = 0; i < n; i++) want[i] = a[i] / (1.0f + tern_expf(-a[i])) * b[i];
    v->silu_mul(y, a, b, n);
    EXPECT(same(y, want, n), "%s: silu_mul of %d", v->name, n);
    for (int i = 0; i < n; i++) {
      double plain = a[i] / (1 + exp(-(double)a[i])) * b[i];
      EXPECT(fabs((double)y[i] - plain) <= 1e-6 * fabs(plain) + 1e-30, "%s: silu(%g)", v->name, (double)a[i]);
    }
  }
}

static void rope_rotates_pairs(const tern_vec *v) {
  float x[LONGEST], y[LONGEST], c[LONGEST], s[LONGEST];
  for (int n = 2; n <= LONGEST; n += 2)
    for (int neox = 0; neox < 2; neox++) {
      fill(x, n);
      memcpy(y, x, sizeof y);
      for (int i = 0; i < n / 2; i++) {
        double angle = 0.37 * i + n;
        c[i] = (float)cos(angle);
        s[i] = (float)sin(angle);
      }
      v->rope(y, c, s, n, neox);
      for (int i = 0; i < n / 2; i++) {
        int p = neox ? i : 2 * i, q = neox ? i + n / 2 : 2 * i + 1;
        float first = fmaf(x[p], c[i], -(x[q] * s[i])), second = fmaf(x[p], s[i], x[q] * c[i]);
        EXPECT(y[p] == first && y[q] == second, "%s: rope of %d, pair %d, neox %d", v->name, n, i, neox);
        double size = hypot((double)x[p], (double)x[q]);
        EXPECT(fabs(hypot((double)y[p], (double)y[q]) - size) <= 1e-6 * size, "%s: rope changes lengths", v->name);
      }
    }
}

/* A cache of one KV head, and what it holds as floats. */
typedef struct cache {
  tern_kv_type type;
  int dim, positions;
  size_t stride;
  unsigned char *k, *v;
  float *k_scale, *v_scale, *k_float, *v_float; /* _float: for int8 the bare integers */
} cache;

static void *take(size_t bytes) {
  void *p = calloc(1, bytes);
  if (!p) exit(1);
  return p;
}

static cache cache_make(const tern_vec *v, tern_kv_type type, int dim, int positions) {
  static const size_t widths[] = {4, 2, 1};
  cache c = {.type = type, .dim = dim, .positions = positions, .stride = (size_t)dim * widths[type]};
  size_t floats = (size_t)positions * (size_t)dim;
  c.k = take(c.stride * (size_t)positions);
  c.v = take(c.stride * (size_t)positions);
  c.k_scale = take((size_t)positions * 4);
  c.v_scale = take((size_t)positions * 4);
  c.k_float = take(floats * 4);
  c.v_float = take(floats * 4);
  for (int t = 0; t < 2 * positions; t++) {
    unsigned char *slot = (t & 1 ? c.v : c.k) + (size_t)(t / 2) * c.stride;
    float *plain = (t & 1 ? c.v_float : c.k_float) + (size_t)(t / 2) * (size_t)dim;
    float *scale = (t & 1 ? c.v_scale : c.k_scale) + t / 2, x[256];
    fill(x, dim);
    v->kv_store(slot, scale, x, dim, type);
    if (type == TERN_KV_F32) memcpy(plain, slot, c.stride);
    if (type == TERN_KV_F16) v->f16_to_f32(plain, (const uint16_t *)slot, (size_t)dim);
    for (int d = 0; d < dim; d++) {
      if (type == TERN_KV_INT8) plain[d] = (float)((int8_t *)slot)[d];
      double value = type == TERN_KV_INT8 ? (double)plain[d] * *scale : (double)plain[d];
      double allowed = type == TERN_KV_F32 ? 0 : type == TERN_KV_F16 ? fabs((double)x[d]) * 0x1p-11 : 0.51 * *scale;
      EXPECT(fabs(value - (double)x[d]) <= allowed + 1e-7, "%s: cache type %d holds %g for %g", v->name, (int)type,
             value, (double)x[d]);
    }
  }
  return c;
}

static void cache_drop(cache *c) {
  void *all[] = {c->k, c->v, c->k_scale, c->v_scale, c->k_float, c->v_float};
  for (int i = 0; i < 6; i++) free(all[i]);
}

/* vec.h's attention for one query, in its written order; and in double. */
static void attention_by_hand(const cache *c, const float *q, float factor, float *out, double *plain) {
  float p[LONGEST + 16], max = -INFINITY, lane[16] = {0};
  double sum = 0;
  for (int t = 0; t < c->positions; t++) {
    p[t] = ordered_dot(q, c->k_float + (size_t)t * (size_t)c->dim, c->dim);
    if (c->type == TERN_KV_INT8) p[t] *= c->k_scale[t];
    p[t] *= factor;
    if (p[t] > max) max = p[t];
  }
  memset(out, 0, (size_t)c->dim * 4);
  memset(plain, 0, (size_t)c->dim * 8);
  for (int t = 0; t < c->positions; t++) {
    double w = exp((double)p[t] - max), scale = c->type == TERN_KV_INT8 ? c->v_scale[t] : 1.0;
    sum += w;
    p[t] = tern_expf(p[t] - max);
    lane[t % 16] += p[t];
    if (c->type == TERN_KV_INT8) p[t] *= c->v_scale[t];
    for (int d = 0; d < c->dim; d++) {
      float value = c->v_float[(size_t)t * (size_t)c->dim + (size_t)d];
      out[d] = fmaf(p[t], value, out[d]);
      plain[d] += w * value * scale;
    }
  }
  float inverse = 1.0f / tree(lane);
  for (int d = 0; d < c->dim; d++) {
    out[d] *= inverse;
    plain[d] /= sum;
  }
}

/* All rows, [tokens][heads]; the last token sees the whole cache. */
static void attend(const tern_vec *v, const cache *c, const float *q, float *out, int heads, int tokens, float factor) {
  const size_t dim = (size_t)c->dim, row = dim * (size_t)heads;
  float *scratch = take(tern_attend_scratch((size_t)(heads * tokens), (size_t)c->positions, dim) * 4);
  const tern_attend call = {.q = q,
                            .q_token = row,
                            .q_head = dim,
                            .out = out,
                            .out_token = row,
                            .out_head = dim,
                            .heads = heads,
                            .tokens = tokens,
                            .positions = c->positions - tokens + 1,
                            .head_dim = c->dim,
                            .k = c->k,
                            .v = c->v,
                            .kv_stride = c->stride,
                            .k_scale = c->k_scale,
                            .v_scale = c->v_scale,
                            .type = c->type,
                            .scale = factor,
                            .scratch = scratch};
  v->attend(&call);
  free(scratch);
}

static void attention_follows_the_written_order(const tern_vec *v) {
  static const int shapes[][3] = {/* queries, head_dim, positions */
                                  {1, 8, 1},   {4, 128, 1},  {4, 128, 16}, {4, 128, 131}, {3, 64, 33},
                                  {5, 80, 47}, {1, 48, 290}, {17, 16, 20}, {2, 20, 5},    {8, 128, 64}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int type = 0; type < 3; type++) {
      int queries = shapes[i][0], dim = shapes[i][1], positions = shapes[i][2];
      cache c = cache_make(v, (tern_kv_type)type, dim, positions);
      float *q = take((size_t)(queries * dim) * 4), *out = take((size_t)(queries * dim) * 4), want[256];
      float factor = 0.3f / sqrtf((float)dim);
      double plain[256];
      fill(q, queries * dim);
      attend(v, &c, q, out, queries, 1, factor);
      for (int h = 0; h < queries; h++) {
        attention_by_hand(&c, q + h * dim, factor, want, plain);
        EXPECT(same(out + h * dim, want, dim), "%s: attend, %d queries of %d over %d, type %d, head %d", v->name,
               queries, dim, positions, type, h);
        for (int d = 0; d < dim; d++)
          EXPECT(fabs((double)want[d] - plain[d]) < 1e-3, "attention by hand is %g, in double %g", (double)want[d],
                 plain[d]);
      }
      free(q);
      free(out);
      cache_drop(&c);
    }
}

/* Blocks of rows that begin and end within a token, more positions than are
 * widened at once, and tokens that see different numbers of them. */
static void tokens_at_once_follow_it_too(const tern_vec *v) {
  static const int shapes[][4] = {/* heads, tokens, head_dim, positions */
                                  {1, 37, 80, 42},
                                  {4, 9, 128, 140},
                                  {3, 25, 20, 25},
                                  {5, 13, 64, 77},
                                  {2, 4, 100, 66}};
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
    for (int type = 0; type < 3; type++) {
      const int heads = shapes[i][0], tokens = shapes[i][1], dim = shapes[i][2], rows = heads * tokens;
      cache c = cache_make(v, (tern_kv_type)type, dim, shapes[i][3]);
      float *q = take((size_t)(rows * dim) * 4), *out = take((size_t)(rows * dim) * 4), want[256];
      double plain[256];
      fill(q, rows * dim);
      attend(v, &c, q, out, heads, tokens, 0.1f);
      for (int r = 0; r < rows; r++) {
        cache seen = c;
        seen.positions = c.positions - tokens + 1 + r / heads;
        attention_by_hand(&seen, q + r * dim, 0.1f, want, plain);
        EXPECT(same(out + r * dim, want, dim), "%s: attend, %d tokens of %d heads, type %d, row %d", v->name, tokens,
               heads, type, r);
      }
      free(q);
      free(out);
      cache_drop(&c);
    }
}

int main(void) {
  for (const tern_vec *const *v = tern_vecs(); *v; v++) {
    if (!tern_isa_usable((*v)->isa)) continue;
    printf("%s\n", (*v)->name);
    reductions_follow_the_written_order(*v);
    norm_scales_to_unit_mean_square(*v);
    quantiser_rounds_half_to_even(*v);
    elementwise_formulas_hold(*v);
    gelu_is_its_formula(*v);
    rope_rotates_pairs(*v);
    attention_follows_the_written_order(*v);
    tokens_at_once_follow_it_too(*v);
  }
  printf("%d failures\n", failures);
  return failures != 0;
}
