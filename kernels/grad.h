/* Dense products and backward operations of training. As in vec.h, each has one
 * written order, so that a training run gives the same bits on every ISA: a
 * product's output is one fma chain along k, reductions run over 16 lanes and
 * the fixed tree. Pure functions: no threads, no allocation. */
#ifndef TERN_KERNELS_GRAD_H
#define TERN_KERNELS_GRAD_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu.h"

/* c[i][j] = chain over k ascending of fma(a(i, k), b[k][j], acc), from 0 or, with
 * `add`, from c[i][j]; a(i, k) = a[i * a_row + k * a_col] and one of the two
 * strides is 1, so that a may be a matrix or its transpose. */
typedef struct tern_dense {
  const float *a;
  size_t a_row, a_col;
  const float *b; /* [k][b_row] */
  size_t b_row;
  float *c; /* [m][c_row] */
  size_t c_row;
  int m, n, k; /* n, k >= 1 */
  int add;
  float *scratch; /* TERN_DENSE_SCRATCH floats, 64-byte aligned */
} tern_dense;

enum { TERN_DENSE_PANEL = 64, TERN_DENSE_DEPTH = 256, TERN_DENSE_SCRATCH = TERN_DENSE_PANEL * TERN_DENSE_DEPTH };

/* One step of AdamW (1711.05101): with g' = g * clip,
 *   m = fma(beta1, m, (1 - beta1) * g'), v = fma(beta2, v, ((1 - beta2) * g') * g')
 *   w = fma(-rate, (m * m_fix) / (sqrt(v * v_fix) + eps), w * keep)
 * where m_fix, v_fix undo the start at zero and keep is 1 - rate * decay. */
typedef struct tern_adamw {
  float rate, beta1, beta2, eps, m_fix, v_fix, keep, clip;
} tern_adamw;

typedef struct tern_grad {
  const char *name; /* "grad_avx2" */
  tern_isa isa;

  void (*dense)(const tern_dense *d);

  /* y = x * (1 / sqrtf(sum(x^2) / n + eps)) * gain, backwards: adds to dx (and
   * dgain) what dy gives. With r = 1 / sqrtf(...), h = dy * gain:
   *   dx += r * (h - x * (r * r * dot(h, x) / n)), dgain += (dy * x) * r. */
  void (*rmsnorm_back)(float *dx, float *dgain, const float *x, const float *gain, const float *dy, int n, float eps);

  /* y = act(gate) * up, backwards: dgate and dup are written; they may be gate and up. */
  void (*relu2_back)(float *dgate, float *dup, const float *gate, const float *up, const float *dy, int n);
  void (*silu_back)(float *dgate, float *dup, const float *gate, const float *up, const float *dy, int n);

  /* x[0..n-1] becomes exp(x * factor - max), zeros up to n_padded; returns the sum of them. */
  float (*softmax)(float *x, int n, int n_padded, float factor);
  /* dp[i] = (p[i] * inverse) * (dp[i] - shift) * factor, and p *= inverse. */
  void (*softmax_back)(float *p, float *dp, int n, float inverse, float shift, float factor);

  /* Cross entropy of one token: logits become weight * (softmax - 1 at target);
   * returns -log of the target's share, not weighted. */
  double (*entropy)(float *logits, int n, int target, float weight);

  /* y = q * scale. */
  void (*dequantise)(float *y, const int8_t *q, float scale, int n);
  /* Sum of |x| in lanes. */
  float (*sum_abs)(const float *x, int n);
  /* Ternary codes of a row, clamp(round_half_even(w * inverse), -1, 1), and code * scale. */
  void (*ternary)(int8_t *codes, float *values, const float *w, float inverse, float scale, int n);
  /* y += x * factor. */
  void (*add_scaled)(float *y, const float *x, float factor, int n);
  void (*adamw)(float *w, float *m, float *v, const float *g, int n, const tern_adamw *a);
} tern_grad;

/* Table of the highest usable level not above `cap`; all compiled tables,
 * NULL-terminated, for tests. */
const tern_grad *tern_grad_find(tern_isa cap);
const tern_grad *const *tern_grads(void);

#endif
