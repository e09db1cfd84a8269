/* Vector operations of the forward pass. One written order for every ISA:
 * reductions run over 16 lanes (lane l takes elements l, l+16, ...; a short
 * tail is padded by zeros), each lane by explicit fma, and the lanes are added
 * by the tree (l, l+8), (l, l+4), (l, l+2), (l, l+1). Maxima are a > b ? a : b
 * and so pass over NaN.
 * Elementwise operations are exactly the formula given. Results are therefore
 * the same bits on every CPU. Compiled without contraction. */
#ifndef TERN_KERNELS_VEC_H
#define TERN_KERNELS_VEC_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu.h"

/* How keys and values lie in the KV cache: one vector of head_dim a position.
 * int8: value = q * scale, scale = max|x| / 127 of the vector. */
typedef enum tern_kv_type { TERN_KV_F32, TERN_KV_F16, TERN_KV_INT8, TERN_KV_TYPES } tern_kv_type;
extern const char *const tern_kv_names[TERN_KV_TYPES + 1]; /* NULL at the end */

/* Attention of query heads that share one KV head: `heads` of each of `tokens`
 * consecutive tokens of a sequence, the first of which sees `positions`
 * positions and each further one a position more. For every head of a token:
 *   score[t] = dot(q, K[t]) * scale, t = 0..seen-1 (16-lane dot; int8 keys:
 *   dot(q, float(k)) * k_scale[t] * scale)
 *   p = exp(score - max); sum over 16 lanes; out[d] = chain over t ascending
 *   of fma(p[t], V[t][d], out[d]) (int8 values: p[t] * v_scale[t] first),
 *   then out * (1 / sum).
 * Neither how many go in one call nor how they are grouped shows in a result. */
typedef struct tern_attend {
  const float *q; /* head h of token i: q + i * q_token + h * q_head */
  size_t q_token, q_head;
  float *out;
  size_t out_token, out_head;
  int heads, tokens, positions, head_dim; /* >= 1 */
  const void *k, *v;                      /* vectors of kv_stride bytes */
  size_t kv_stride;
  const float *k_scale, *v_scale; /* int8 only */
  tern_kv_type type;
  float scale;
  float *scratch; /* tern_attend_scratch floats */
} tern_attend;

/* Rows (heads of tokens) that go together, and positions widened at once. */
enum { TERN_ATTEND_ROWS = 64, TERN_ATTEND_WIDE = 64 };

/* Floats of scratch for `rows` heads of tokens, the last of which sees `positions`. */
size_t tern_attend_scratch(size_t rows, size_t positions, size_t head_dim);

#define TERN_GELU_C1 0x1.988454p+0f /* 2 sqrt(2 / pi) */
#define TERN_GELU_C3 0x1.2444f2p-4f /* 0.044715 of it */

typedef struct tern_vec {
  const char *name; /* "vec_avx2" */
  tern_isa isa;

  float (*dot)(const float *a, const float *b, int n);
  float (*sum_squares)(const float *x, int n);

  /* y = x * (1 / sqrtf(sum_squares(x) / n + eps)) * gain; gain NULL: no gain
   * factor. x == y allowed. */
  void (*rmsnorm)(float *y, const float *x, const float *gain, int n, float eps);

  /* Absmax int8 of one token (2402.17764 section 2): s = 127 / max(max|x|, 1e-5),
   * q = clamp(round_half_even(x * s), -128, 127), zeros from n up to n_padded;
   * returns x_scale = 1 / s and stores sum of q. NaN counts as 0 (and so does
   * infinity, whose x_scale is infinite). */
  float (*quantise)(int8_t *q, const float *x, int n, int n_padded, int32_t *sum);

  void (*add)(float *y, const float *x, int n);                           /* y += x */
  void (*scale)(float *y, float factor, int n);                           /* y *= factor */
  void (*relu2_mul)(float *y, const float *gate, const float *up, int n); /* max(g,0)^2 * u: (r*r)*u */
  void (*silu_mul)(float *y, const float *gate, const float *up, int n);  /* (g / (1 + exp(-g))) * u */
  /* GELU by tanh, 0.5 g (1 + tanh(sqrt(2/pi) (g + 0.044715 g^3))), as
   * (g / (1 + exp(-(g * fma(g * g, C3, C1))))) * u with the constants below. */
  void (*gelu_mul)(float *y, const float *gate, const float *up, int n);

  void (*exp_less)(float *y, const float *x, float less, int n); /* exp(x - less) */

  /* Rotates one head of `n` floats by the angles whose cos/sin are given
   * [n/2]. Pairs are (i, i + n/2) when neox != 0, else (2i, 2i + 1):
   * a' = fma(a, c, -(b * s)), b' = fma(a, s, b * c). */
  void (*rope)(float *x, const float *cos_, const float *sin_, int n, int neox);

  /* Stores one head vector into the cache slot (and its scale for int8). */
  void (*kv_store)(void *slot, float *slot_scale, const float *x, int n, tern_kv_type type);

  void (*attend)(const tern_attend *a);

  void (*f16_to_f32)(float *y, const uint16_t *x, size_t n);
  void (*f32_to_f16)(uint16_t *y, const float *x, size_t n); /* round to nearest even */
  void (*bf16_to_f32)(float *y, const uint16_t *x, size_t n);
  void (*f32_to_bf16)(uint16_t *y, const float *x, size_t n); /* round to nearest even */
} tern_vec;

/* Table of the highest usable level not above `cap`; all compiled tables,
 * NULL-terminated, for tests. */
const tern_vec *tern_vec_find(tern_isa cap);
const tern_vec *const *tern_vecs(void);

/* Our own elementary functions, same bits everywhere (libm's differ by
 * version): expf within 2 ulp, 0 where it would be subnormal; the others
 * within 1 ulp of float after rounding. */
float tern_expf(float x);
double tern_exp(double x);
double tern_log(double x);
void tern_sincos(double x, double *s, double *c); /* |x| <= 1e7 */

#endif
