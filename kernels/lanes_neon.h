/* Sixteen float lanes in four ARMv8.0 registers. Meanings: lanes_scalar.h. */
#ifndef TERN_KERNELS_LANES_NEON_H
#define TERN_KERNELS_LANES_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "kernels/lanes_unroll.h"

#define LANES_SCORE_QUERIES 2
#define LANES_SCORE_POSITIONS 2
#define LANES_VALUE_QUERIES 4
#define LANES_VALUE_DEPTH 1
#define LANES_GEMM_ROWS 1
#define LANES_GEMM_TOKENS 5

typedef struct lanes {
  float32x4_t v[4];
} lanes;
typedef struct lanes_int {
  int32x4_t v[4];
} lanes_int;

#define LANES_EACH LANES_UNROLL for (int l_ = 0; l_ < 4; l_++)

static inline lanes lanes_all(float x) {
  lanes r;
  LANES_EACH r.v[l_] = vdupq_n_f32(x);
  return r;
}

static inline lanes lanes_load(const float *p) {
  lanes r;
  LANES_EACH r.v[l_] = vld1q_f32(p + 4 * l_);
  return r;
}

static inline lanes lanes_load_part(const float *p, int n) {
  float padded[16] = {0};
  memcpy(padded, p, (size_t)n * sizeof *p);
  return lanes_load(padded);
}

static inline void lanes_store(float *p, lanes a) {
  LANES_EACH vst1q_f32(p + 4 * l_, a.v[l_]);
}

static inline void lanes_store_part(float *p, lanes a, int n) {
  float whole[16];
  lanes_store(whole, a);
  memcpy(p, whole, (size_t)n * sizeof *p);
}

static inline lanes lanes_add(lanes a, lanes b) {
  LANES_EACH a.v[l_] = vaddq_f32(a.v[l_], b.v[l_]);
  return a;
}

static inline lanes lanes_sub(lanes a, lanes b) {
  LANES_EACH a.v[l_] = vsubq_f32(a.v[l_], b.v[l_]);
  return a;
}

static inline lanes lanes_mul(lanes a, lanes b) {
  LANES_EACH a.v[l_] = vmulq_f32(a.v[l_], b.v[l_]);
  return a;
}

static inline lanes lanes_div(lanes a, lanes b) {
  LANES_EACH a.v[l_] = vdivq_f32(a.v[l_], b.v[l_]);
  return a;
}

static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
  LANES_EACH c.v[l_] = vfmaq_f32(c.v[l_], a.v[l_], b.v[l_]);
  return c;
}

static inline lanes lanes_fms(lanes a, lanes b, lanes c) {
  LANES_EACH c.v[l_] = vfmaq_f32(vnegq_f32(c.v[l_]), a.v[l_], b.v[l_]);
  return c;
}

static inline lanes lanes_max(lanes a, lanes b) {
  LANES_EACH a.v[l_] = vbslq_f32(vcgtq_f32(a.v[l_], b.v[l_]), a.v[l_], b.v[l_]);
  return a;
}

static inline lanes lanes_abs(lanes a) {
  LANES_EACH a.v[l_] = vabsq_f32(a.v[l_]);
  return a;
}

static inline lanes lanes_select_less(lanes a, lanes b, lanes x, lanes y) {
  LANES_EACH x.v[l_] = vbslq_f32(vcltq_f32(a.v[l_], b.v[l_]), x.v[l_], y.v[l_]);
  return x;
}

static inline lanes lanes_keep_nan(lanes x, lanes y) {
  LANES_EACH y.v[l_] = vbslq_f32(vceqq_f32(x.v[l_], x.v[l_]), y.v[l_], x.v[l_]);
  return y;
}

static inline lanes lanes_exponent_add(lanes p, lanes n) {
  LANES_EACH {
    uint32x4_t shifted = vshlq_n_u32(vreinterpretq_u32_f32(n.v[l_]), 23);
    p.v[l_] = vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(p.v[l_]), shifted));
  }
  return p;
}

static inline lanes lanes_load_f16(const uint16_t *p) {
  lanes r;
  LANES_EACH r.v[l_] = vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * l_)));
  return r;
}

static inline lanes lanes_load_bf16(const uint16_t *p) {
  lanes r;
  LANES_EACH r.v[l_] = vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p + 4 * l_), 16));
  return r;
}

static inline lanes lanes_load_int8(const int8_t *p) {
  int8x16_t q = vld1q_s8(p);
  int16x8_t low = vmovl_s8(vget_low_s8(q)), high = vmovl_s8(vget_high_s8(q));
  lanes r = {{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(low))),
              vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_s16(vget_high_s16(high)))}};
  return r;
}

static inline void lanes_store_f16(uint16_t *p, lanes a) {
  LANES_EACH vst1_u16(p + 4 * l_, vreinterpret_u16_f16(vcvt_f16_f32(a.v[l_])));
}

static inline void lanes_store_bf16(uint16_t *p, lanes a) {
  LANES_EACH {
    uint32x4_t bits = vreinterpretq_u32_f32(a.v[l_]), high = vshrq_n_u32(bits, 16);
    uint32x4_t odd = vandq_u32(high, vdupq_n_u32(1));
    uint32x4_t up = vaddq_u32(vaddq_u32(bits, vdupq_n_u32(0x7fff)), odd);
    uint32x4_t quiet = vorrq_u32(high, vdupq_n_u32(0x40));
    uint32x4_t number = vceqq_f32(a.v[l_], a.v[l_]);
    vst1_u16(p + 4 * l_, vmovn_u32(vbslq_u32(number, vshrq_n_u32(up, 16), quiet)));
  }
}

static inline lanes_int lanes_int_zero(void) {
  lanes_int r;
  LANES_EACH r.v[l_] = vdupq_n_s32(0);
  return r;
}

static inline lanes_int lanes_round(lanes a) {
  lanes_int r;
  LANES_EACH r.v[l_] = vcvtnq_s32_f32(a.v[l_]);
  return r;
}

static inline lanes_int lanes_int_add(lanes_int a, lanes_int b) {
  LANES_EACH a.v[l_] = vaddq_s32(a.v[l_], b.v[l_]);
  return a;
}

static inline int32_t lanes_int_sum(lanes_int a) {
  return vaddvq_s32(vaddq_s32(vaddq_s32(a.v[0], a.v[1]), vaddq_s32(a.v[2], a.v[3])));
}

static inline void lanes_store_int8(int8_t *p, lanes_int a) {
  int16x8_t low = vcombine_s16(vmovn_s32(a.v[0]), vmovn_s32(a.v[1]));
  int16x8_t high = vcombine_s16(vmovn_s32(a.v[2]), vmovn_s32(a.v[3]));
  vst1q_s8(p, vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
}

/* Lanes 0..3 after the steps (l, l+8) and (l, l+4). */
static inline float32x4_t lanes_quarter(lanes a) {
  return vaddq_f32(vaddq_f32(a.v[0], a.v[2]), vaddq_f32(a.v[1], a.v[3]));
}

static inline void lanes_sum4(float *out, lanes w, lanes x, lanes y, lanes z) {
  float32x4_t a = lanes_quarter(w), b = lanes_quarter(x), c = lanes_quarter(y), d = lanes_quarter(z);
  float32x4_t ab =
      vaddq_f32(vcombine_f32(vget_low_f32(a), vget_low_f32(b)), vcombine_f32(vget_high_f32(a), vget_high_f32(b)));
  float32x4_t cd =
      vaddq_f32(vcombine_f32(vget_low_f32(c), vget_low_f32(d)), vcombine_f32(vget_high_f32(c), vget_high_f32(d)));
  vst1q_f32(out, vpaddq_f32(ab, cd));
}

static inline float lanes_sum(lanes a) {
  float out[4];
  lanes_sum4(out, a, a, a, a);
  return out[0];
}

static inline void lanes_sum16(float *out, const lanes *a) {
  for (int i = 0; i < 16; i += 4) lanes_sum4(out + i, a[i], a[i + 1], a[i + 2], a[i + 3]);
}

static inline float lanes_maximum(lanes a) {
  return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.v[0], a.v[1]), vmaxq_f32(a.v[2], a.v[3])));
}

#endif
