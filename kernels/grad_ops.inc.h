/* Backward operations (grad.h), written once over 16 lanes and compiled for
 * each instruction set by grad_<isa>.c. Tails are padded by zero lanes. */
#include <math.h>
#include <string.h>

#include "kernels/grad.h"
#include "kernels/lanes_exp.h"
#include "kernels/vec.h"

static inline lanes part_load(const float *p, int part) {
  return part < 16 ? lanes_load_part(p, part) : lanes_load(p);
}
static inline void part_store(float *p, lanes x, int part) {
  if (part < 16)
    lanes_store_part(p, x, part);
  else
    lanes_store(p, x);
}
/* Loop over n elements: i is the first of up to 16, `part` how many. */
#define EACH_LANES(n) for (int i = 0, part; part = (n)-i < 16 ? (n)-i : 16, i < (n); i += 16)

static void rmsnorm_back(float *dx, float *dgain, const float *x, const float *gain, const float *dy, int n,
                         float eps) {
  lanes squares = lanes_all(0.0f), shared = lanes_all(0.0f);
  EACH_LANES(n) {
    const lanes v = part_load(x + i, part), h = lanes_mul(part_load(dy + i, part), part_load(gain + i, part));
    squares = lanes_fma(v, v, squares);
    shared = lanes_fma(h, v, shared);
  }
  const float r = 1.0f / sqrtf(lanes_sum(squares) / (float)n + eps);
  const lanes rate = lanes_all(r), along = lanes_all(r * r * lanes_sum(shared) / (float)n);
  EACH_LANES(n) {
    const lanes v = part_load(x + i, part), d = part_load(dy + i, part), g = part_load(gain + i, part);
    const lanes change = lanes_mul(rate, lanes_sub(lanes_mul(d, g), lanes_mul(v, along)));
    part_store(dx + i, lanes_add(part_load(dx + i, part), change), part);
    part_store(dgain + i, lanes_add(part_load(dgain + i, part), lanes_mul(lanes_mul(d, v), rate)), part);
  }
}

static void relu2_back(float *dgate, float *dup, const float *gate, const float *up, const float *dy, int n) {
  EACH_LANES(n) {
    const lanes r = lanes_max(part_load(gate + i, part), lanes_all(0.0f)), d = part_load(dy + i, part);
    const lanes u = part_load(up + i, part);
    part_store(dup + i, lanes_mul(lanes_mul(r, r), d), part);
    part_store(dgate + i, lanes_mul(lanes_mul(lanes_add(r, r), u), d), part);
  }
}

/* With s = 1 / (1 + exp(-g)): the slope of g s is s (1 + g (1 - s)). */
static void silu_back(float *dgate, float *dup, const float *gate, const float *up, const float *dy, int n) {
  const lanes one = lanes_all(1.0f);
  EACH_LANES(n) {
    const lanes g = part_load(gate + i, part), u = part_load(up + i, part), d = part_load(dy + i, part);
    const lanes s = lanes_div(one, lanes_add(one, lanes_exp(lanes_sub(lanes_all(0.0f), g))));
    const lanes slope = lanes_mul(s, lanes_fma(g, lanes_sub(one, s), one));
    part_store(dup + i, lanes_mul(lanes_mul(g, s), d), part);
    part_store(dgate + i, lanes_mul(lanes_mul(slope, u), d), part);
  }
}

static float softmax(float *x, int n, int n_padded, float factor) {
  const lanes f = lanes_all(factor);
  lanes max = lanes_all(-INFINITY), sum = lanes_all(0.0f);
  int whole = n / 16 * 16;
  for (int i = 0; i < whole; i += 16) max = lanes_max(lanes_mul(lanes_load(x + i), f), max);
  float most = lanes_maximum(max);
  for (int i = whole; i < n; i++) most = x[i] * factor > most ? x[i] * factor : most;
  max = lanes_all(most);
  for (int i = 0; i < whole; i += 16) {
    const lanes p = lanes_exp_low(lanes_sub(lanes_mul(lanes_load(x + i), f), max));
    sum = lanes_add(sum, p);
    lanes_store(x + i, p);
  }
  if (whole < n) {
    const lanes p = lanes_exp_low(lanes_sub(lanes_mul(lanes_load_part(x + whole, n - whole), f), max));
    lanes_store_part(x + whole, p, n - whole);
    sum = lanes_add(sum, lanes_load_part(x + whole, n - whole));
  }
  memset(x + n, 0, (size_t)(n_padded - n) * sizeof *x);
  return lanes_sum(sum);
}

static void softmax_back(float *p, float *dp, int n, float inverse, float shift, float factor) {
  const lanes scale = lanes_all(inverse), d = lanes_all(shift), f = lanes_all(factor);
  EACH_LANES(n) {
    const lanes share = lanes_mul(part_load(p + i, part), scale);
    part_store(p + i, share, part);
    part_store(dp + i, lanes_mul(lanes_mul(share, lanes_sub(part_load(dp + i, part), d)), f), part);
  }
}

static void scale_row(float *x, float factor, int n) {
  const lanes f = lanes_all(factor);
  EACH_LANES(n) part_store(x + i, lanes_mul(part_load(x + i, part), f), part);
}

static double entropy(float *logits, int n, int target, float weight) {
  const float sum = softmax(logits, n, n, 1.0f), share = logits[target];
  scale_row(logits, weight / sum, n);
  logits[target] -= weight;
  return tern_log((double)sum) - tern_log(share > 0x1p-126f ? (double)share : 0x1p-126);
}

static void dequantise(float *y, const int8_t *q, float scale, int n) {
  const lanes f = lanes_all(scale);
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_mul(lanes_load_int8(q + i), f));
  for (; i < n; i++) y[i] = (float)q[i] * scale;
}

static float sum_abs(const float *x, int n) {
  lanes sum = lanes_all(0.0f);
  EACH_LANES(n) sum = lanes_add(sum, lanes_abs(part_load(x + i, part)));
  return lanes_sum(sum);
}

static void ternary(int8_t *codes, float *values, const float *w, float inverse, float scale, int n) {
  const lanes f = lanes_all(inverse), one = lanes_all(1.0f), low = lanes_all(-1.0f);
  EACH_LANES(n) {
    int8_t tail[16];
    lanes x = lanes_mul(part_load(w + i, part), f);
    x = lanes_max(x, low); /* NaN becomes -1: the loss is NaN before that */
    x = lanes_select_less(x, one, x, one);
    lanes_store_int8(tail, lanes_round(x));
    memcpy(codes + i, tail, (size_t)part);
    part_store(values + i, lanes_mul(lanes_load_int8(tail), lanes_all(scale)), part);
  }
}

static void add_scaled(float *y, const float *x, float factor, int n) {
  const lanes f = lanes_all(factor);
  EACH_LANES(n) part_store(y + i, lanes_fma(part_load(x + i, part), f, part_load(y + i, part)), part);
}

static void adamw(float *restrict w, float *restrict m, float *restrict v, const float *restrict g, int n,
                  const tern_adamw *a) {
  const tern_adamw o = *a;
  const float rest1 = 1.0f - o.beta1, rest2 = 1.0f - o.beta2;
  for (int i = 0; i < n; i++) {
    const float d = g[i] * o.clip;
    m[i] = fmaf(o.beta1, m[i], rest1 * d);
    v[i] = fmaf(o.beta2, v[i], rest2 * d * d);
    w[i] = fmaf(-o.rate, m[i] * o.m_fix / (sqrtf(v[i] * o.v_fix) + o.eps), w[i] * o.keep);
  }
}
