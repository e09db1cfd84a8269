/* Sixteen float lanes in plain C: the definition of every lane operation.
 * The other lanes_<isa>.h give the same names and the same bits. Comparisons
 * are written out because instruction sets differ on NaN and signed zero. */
#ifndef TERN_KERNELS_LANES_SCALAR_H
#define TERN_KERNELS_LANES_SCALAR_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/math_half.h"

/* Register tiles: queries x key positions, queries x lanes of value
 * dimensions, and lanes of weight rows x tokens. */
#define LANES_SCORE_QUERIES 1
#define LANES_SCORE_POSITIONS 4
#define LANES_VALUE_QUERIES 1
#define LANES_VALUE_DEPTH 1
#define LANES_GEMM_ROWS 1
#define LANES_GEMM_TOKENS 6

#define LANES_EACH for (int l_ = 0; l_ < 16; l_++)

typedef struct lanes {
  float v[16];
} lanes;
typedef struct lanes_int {
  int32_t v[16];
} lanes_int;

static inline lanes lanes_all(float x) {
  lanes r;
  LANES_EACH r.v[l_] = x;
  return r;
}

static inline lanes lanes_load(const float *p) {
  lanes r;
  memcpy(r.v, p, sizeof r.v);
  return r;
}

/* The first n lanes; the others are zero. 0 <= n <= 16 for all _part. */
static inline lanes lanes_load_part(const float *p, int n) {
  lanes r = lanes_all(0.0f);
  memcpy(r.v, p, (size_t)n * sizeof *p);
  return r;
}

static inline void lanes_store(float *p, lanes a) {
  memcpy(p, a.v, sizeof a.v);
}

static inline void lanes_store_part(float *p, lanes a, int n) {
  memcpy(p, a.v, (size_t)n * sizeof *p);
}

static inline lanes lanes_add(lanes a, lanes b) {
  LANES_EACH a.v[l_] = a.v[l_] + b.v[l_];
  return a;
}

static inline lanes lanes_sub(lanes a, lanes b) {
  LANES_EACH a.v[l_] = a.v[l_] - b.v[l_];
  return a;
}

static inline lanes lanes_mul(lanes a, lanes b) {
  LANES_EACH a.v[l_] = a.v[l_] * b.v[l_];
  return a;
}

static inline lanes lanes_div(lanes a, lanes b) {
  LANES_EACH a.v[l_] = a.v[l_] / b.v[l_];
  return a;
}

/* a * b + c, rounded once. */
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
  LANES_EACH c.v[l_] = fmaf(a.v[l_], b.v[l_], c.v[l_]);
  return c;
}

/* a * b - c, rounded once. */
static inline lanes lanes_fms(lanes a, lanes b, lanes c) {
  LANES_EACH c.v[l_] = fmaf(a.v[l_], b.v[l_], -c.v[l_]);
  return c;
}

/* a > b ? a : b: the second when one is NaN. */
static inline lanes lanes_max(lanes a, lanes b) {
  LANES_EACH a.v[l_] = a.v[l_] > b.v[l_] ? a.v[l_] : b.v[l_];
  return a;
}

static inline lanes lanes_abs(lanes a) {
  LANES_EACH a.v[l_] = fabsf(a.v[l_]);
  return a;
}

/* a < b ? x : y. */
static inline lanes lanes_select_less(lanes a, lanes b, lanes x, lanes y) {
  LANES_EACH x.v[l_] = a.v[l_] < b.v[l_] ? x.v[l_] : y.v[l_];
  return x;
}

/* x where x is NaN, else y. */
static inline lanes lanes_keep_nan(lanes x, lanes y) {
  LANES_EACH y.v[l_] = x.v[l_] != x.v[l_] ? x.v[l_] : y.v[l_];
  return y;
}

/* p with the low bits of n's representation added to its exponent field. */
static inline lanes lanes_exponent_add(lanes p, lanes n) {
  LANES_EACH p.v[l_] = tern_bits_float(tern_float_bits(p.v[l_]) + (tern_float_bits(n.v[l_]) << 23));
  return p;
}

static inline lanes lanes_load_f16(const uint16_t *p) {
  lanes r;
  LANES_EACH r.v[l_] = tern_f16_to_f32(p[l_]);
  return r;
}

static inline lanes lanes_load_bf16(const uint16_t *p) {
  lanes r;
  LANES_EACH r.v[l_] = tern_bf16_to_f32(p[l_]);
  return r;
}

static inline lanes lanes_load_int8(const int8_t *p) {
  lanes r;
  LANES_EACH r.v[l_] = (float)p[l_];
  return r;
}

static inline void lanes_store_f16(uint16_t *p, lanes a) {
  LANES_EACH p[l_] = tern_f32_to_f16(a.v[l_]);
}

static inline void lanes_store_bf16(uint16_t *p, lanes a) {
  LANES_EACH p[l_] = tern_f32_to_bf16(a.v[l_]);
}

static inline lanes_int lanes_int_zero(void) {
  lanes_int r = {{0}};
  return r;
}

/* Round half to even of |a| < 2^31; NaN gives 0. */
static inline lanes_int lanes_round(lanes a) {
  lanes_int r;
  LANES_EACH r.v[l_] = a.v[l_] == a.v[l_] ? (int32_t)rintf(a.v[l_]) : 0;
  return r;
}

static inline lanes_int lanes_int_add(lanes_int a, lanes_int b) {
  LANES_EACH a.v[l_] += b.v[l_];
  return a;
}

static inline int32_t lanes_int_sum(lanes_int a) {
  int32_t sum = 0;
  LANES_EACH sum += a.v[l_];
  return sum;
}

/* Low bytes of the lanes. */
static inline void lanes_store_int8(int8_t *p, lanes_int a) {
  LANES_EACH p[l_] = (int8_t)a.v[l_];
}

/* The tree (l, l+8), (l, l+4), (l, l+2), (l, l+1). */
static inline float lanes_sum(lanes a) {
  for (int half = 8; half > 0; half /= 2)
    for (int l = 0; l < half; l++) a.v[l] = a.v[l] + a.v[l + half];
  return a.v[0];
}

static inline void lanes_sum4(float *out, lanes a, lanes b, lanes c, lanes d) {
  out[0] = lanes_sum(a);
  out[1] = lanes_sum(b);
  out[2] = lanes_sum(c);
  out[3] = lanes_sum(d);
}

static inline void lanes_sum16(float *out, const lanes *a) {
  for (int i = 0; i < 16; i += 4) lanes_sum4(out + i, a[i], a[i + 1], a[i + 2], a[i + 3]);
}

/* Largest lane; no lane is NaN. */
static inline float lanes_maximum(lanes a) {
  float m = a.v[0];
  LANES_EACH m = a.v[l_] > m ? a.v[l_] : m;
  return m;
}

#endif
