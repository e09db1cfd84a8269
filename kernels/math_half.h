/* Exact f16 and bf16 conversions in integers: the definition that every
 * instruction set's own instructions must equal. Rounding is to nearest even;
 * NaN stays NaN with its sign and upper payload bits, made quiet. */
#ifndef TERN_KERNELS_MATH_HALF_H
#define TERN_KERNELS_MATH_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t tern_float_bits(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static inline float tern_bits_float(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

static inline float tern_f16_to_f32(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, magnitude = h & 0x7fffu;
  if (magnitude < 0x400u) { /* zero and subnormals: units of 2^-24 */
    float x = (float)magnitude * 0x1p-24f;
    return sign ? -x : x;
  }
  if (magnitude < 0x7c00u) return tern_bits_float(sign | ((magnitude << 13) + 0x38000000u));
  uint32_t quiet = magnitude > 0x7c00u ? 0x400000u : 0;
  return tern_bits_float(sign | 0x7f800000u | quiet | (magnitude & 0x3ffu) << 13);
}

static inline uint16_t tern_f32_to_f16(float x) {
  uint32_t bits = tern_float_bits(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu, h;
  if (magnitude > 0x7f800000u)
    h = 0x7e00u | (magnitude >> 13 & 0x3ffu);
  else if (magnitude >= 0x477ff000u) /* 65520 and more round to infinity */
    h = 0x7c00u;
  else if (magnitude < 0x38800000u) /* below 2^-14: the sum with 0.5 rounds at 2^-24 */
    h = tern_float_bits(tern_bits_float(magnitude) + 0.5f) - 0x3f000000u;
  else
    h = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
  return (uint16_t)(sign | h);
}

static inline float tern_bf16_to_f32(uint16_t h) {
  return tern_bits_float((uint32_t)h << 16);
}

static inline uint16_t tern_f32_to_bf16(float x) {
  uint32_t bits = tern_float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

#endif
