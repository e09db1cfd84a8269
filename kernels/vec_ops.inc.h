/* The vector operations of vec.h but attention, written once over 16 lanes
 * and compiled for each instruction set by vec_<isa>.c, which includes its
 * lanes_<isa>.h first. Tails are padded by zero lanes, never read past. */
#include <math.h>
#include <string.h>

#include "kernels/lanes_exp.h"
#include "kernels/vec.h"

static float dot(const float *a, const float *b, int n) {
  lanes acc = lanes_all(0.0f);
  int i = 0;
  for (; i + 16 <= n; i += 16) acc = lanes_fma(lanes_load(a + i), lanes_load(b + i), acc);
  if (i < n) acc = lanes_fma(lanes_load_part(a + i, n - i), lanes_load_part(b + i, n - i), acc);
  return lanes_sum(acc);
}

static float sum_squares(const float *x, int n) {
  return dot(x, x, n);
}

static void rmsnorm(float *y, const float *x, const float *gain, int n, float eps) {
  const lanes r = lanes_all(1.0f / sqrtf(dot(x, x, n) / (float)n + eps));
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    lanes v = lanes_mul(lanes_load(x + i), r);
    lanes_store(y + i, gain ? lanes_mul(v, lanes_load(gain + i)) : v);
  }
  if (i < n) {
    lanes v = lanes_mul(lanes_load_part(x + i, n - i), r);
    lanes_store_part(y + i, gain ? lanes_mul(v, lanes_load_part(gain + i, n - i)) : v, n - i);
  }
}

/* Largest |x|, NaN left out. */
static float absmax(const float *x, int n) {
  lanes m = lanes_all(0.0f);
  int i = 0;
  for (; i + 16 <= n; i += 16) m = lanes_max(lanes_abs(lanes_load(x + i)), m);
  if (i < n) m = lanes_max(lanes_abs(lanes_load_part(x + i, n - i)), m);
  return lanes_maximum(m);
}

/* q = round_half_even(x * factor), NaN to 0; returns the sum of q. The caller's
 * factor is at most 127 / max|x|, so that no product leaves -127..127 by more
 * than its rounding and nothing needs clamping. */
static int32_t quantise_by(int8_t *q, const float *x, int n, float factor) {
  const lanes f = lanes_all(factor);
  lanes_int sum = lanes_int_zero();
  int i = 0;
  for (; i + 16 <= n; i += 16) {
    lanes_int v = lanes_round(lanes_mul(lanes_load(x + i), f));
    sum = lanes_int_add(sum, v);
    lanes_store_int8(q + i, v);
  }
  if (i < n) {
    int8_t tail[16];
    lanes_int v = lanes_round(lanes_mul(lanes_load_part(x + i, n - i), f));
    sum = lanes_int_add(sum, v);
    lanes_store_int8(tail, v);
    memcpy(q + i, tail, (size_t)(n - i));
  }
  return lanes_int_sum(sum);
}

static float quantise(int8_t *q, const float *x, int n, int n_padded, int32_t *sum) {
  float m = absmax(x, n);
  float s = 127.0f / (m > 1e-5f ? m : 1e-5f);
  *sum = quantise_by(q, x, n, s);
  memset(q + n, 0, (size_t)(n_padded - n));
  return 1.0f / s;
}

static void add(float *y, const float *x, int n) {
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_add(lanes_load(y + i), lanes_load(x + i)));
  if (i < n) lanes_store_part(y + i, lanes_add(lanes_load_part(y + i, n - i), lanes_load_part(x + i, n - i)), n - i);
}

static void scale(float *y, float factor, int n) {
  const lanes f = lanes_all(factor);
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_mul(lanes_load(y + i), f));
  if (i < n) lanes_store_part(y + i, lanes_mul(lanes_load_part(y + i, n - i), f), n - i);
}

static void exp_less(float *y, const float *x, float less, int n) {
  const lanes c = lanes_all(less);
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_exp(lanes_sub(lanes_load(x + i), c)));
  if (i < n) lanes_store_part(y + i, lanes_exp(lanes_sub(lanes_load_part(x + i, n - i), c)), n - i);
}

static inline lanes relu2_mul_lanes(lanes gate, lanes up) {
  lanes r = lanes_max(gate, lanes_all(0.0f));
  return lanes_mul(lanes_mul(r, r), up);
}

static inline lanes silu_mul_lanes(lanes gate, lanes up) {
  lanes e = lanes_exp(lanes_sub(lanes_all(0.0f), gate));
  return lanes_mul(lanes_div(gate, lanes_add(lanes_all(1.0f), e)), up);
}

static inline lanes gelu_mul_lanes(lanes gate, lanes up) {
  lanes inner = lanes_fma(lanes_mul(gate, gate), lanes_all(TERN_GELU_C3), lanes_all(TERN_GELU_C1));
  lanes e = lanes_exp(lanes_sub(lanes_all(0.0f), lanes_mul(gate, inner)));
  return lanes_mul(lanes_div(gate, lanes_add(lanes_all(1.0f), e)), up);
}

static void relu2_mul(float *y, const float *gate, const float *up, int n) {
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, relu2_mul_lanes(lanes_load(gate + i), lanes_load(up + i)));
  if (i < n)
    lanes_store_part(y + i, relu2_mul_lanes(lanes_load_part(gate + i, n - i), lanes_load_part(up + i, n - i)), n - i);
}

static void silu_mul(float *y, const float *gate, const float *up, int n) {
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, silu_mul_lanes(lanes_load(gate + i), lanes_load(up + i)));
  if (i < n)
    lanes_store_part(y + i, silu_mul_lanes(lanes_load_part(gate + i, n - i), lanes_load_part(up + i, n - i)), n - i);
}

static void gelu_mul(float *y, const float *gate, const float *up, int n) {
  int i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, gelu_mul_lanes(lanes_load(gate + i), lanes_load(up + i)));
  if (i < n)
    lanes_store_part(y + i, gelu_mul_lanes(lanes_load_part(gate + i, n - i), lanes_load_part(up + i, n - i)), n - i);
}

static void rope(float *x, const float *cos_, const float *sin_, int n, int neox) {
  const int half = n / 2;
  if (!neox) { /* neighbours: the same formula, element by element */
    for (int i = 0; i < half; i++) {
      float a = x[2 * i], b = x[2 * i + 1];
      x[2 * i] = fmaf(a, cos_[i], -(b * sin_[i]));
      x[2 * i + 1] = fmaf(a, sin_[i], b * cos_[i]);
    }
    return;
  }
  int i = 0;
  for (; i + 16 <= half; i += 16) {
    lanes a = lanes_load(x + i), b = lanes_load(x + half + i), c = lanes_load(cos_ + i), s = lanes_load(sin_ + i);
    lanes_store(x + i, lanes_fms(a, c, lanes_mul(b, s)));
    lanes_store(x + half + i, lanes_fma(a, s, lanes_mul(b, c)));
  }
  if (i < half) {
    const int part = half - i;
    lanes a = lanes_load_part(x + i, part), b = lanes_load_part(x + half + i, part);
    lanes c = lanes_load_part(cos_ + i, part), s = lanes_load_part(sin_ + i, part);
    lanes_store_part(x + i, lanes_fms(a, c, lanes_mul(b, s)), part);
    lanes_store_part(x + half + i, lanes_fma(a, s, lanes_mul(b, c)), part);
  }
}

static void f16_to_f32(float *y, const uint16_t *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_load_f16(x + i));
  if (i < n) {
    uint16_t tail[16] = {0};
    memcpy(tail, x + i, (n - i) * sizeof *x);
    lanes_store_part(y + i, lanes_load_f16(tail), (int)(n - i));
  }
}

static void f32_to_f16(uint16_t *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) lanes_store_f16(y + i, lanes_load(x + i));
  if (i < n) {
    uint16_t tail[16];
    lanes_store_f16(tail, lanes_load_part(x + i, (int)(n - i)));
    memcpy(y + i, tail, (n - i) * sizeof *y);
  }
}

static void bf16_to_f32(float *y, const uint16_t *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) lanes_store(y + i, lanes_load_bf16(x + i));
  if (i < n) {
    uint16_t tail[16] = {0};
    memcpy(tail, x + i, (n - i) * sizeof *x);
    lanes_store_part(y + i, lanes_load_bf16(tail), (int)(n - i));
  }
}

static void f32_to_bf16(uint16_t *y, const float *x, size_t n) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) lanes_store_bf16(y + i, lanes_load(x + i));
  if (i < n) {
    uint16_t tail[16];
    lanes_store_bf16(tail, lanes_load_part(x + i, (int)(n - i)));
    memcpy(y + i, tail, (n - i) * sizeof *y);
  }
}

static void kv_store(void *slot, float *slot_scale, const float *x, int n, tern_kv_type type) {
  if (type == TERN_KV_F32) {
    memcpy(slot, x, (size_t)n * sizeof *x);
  } else if (type == TERN_KV_F16) {
    f32_to_f16(slot, x, (size_t)n);
  } else { /* a vector that small keeps only its scale: 127 / m could overflow */
    float m = absmax(x, n);
    quantise_by(slot, x, n, m > 1e-30f ? 127.0f / m : 0.0f);
    *slot_scale = m / 127.0f;
  }
}
