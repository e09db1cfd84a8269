/* 16-bit floats in plain C: round to nearest even, NaN made quiet with its
 * payload cut, exactly as F16C and FCVT do it. */
#include <string.h>

#include "engine/format/dtype.h"

static uint32_t bits_of(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static float float_of(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

uint16_t tern_f16_from_f32(float x) {
  uint32_t u = bits_of(x), sign = u >> 16 & 0x8000, a = u & 0x7fffffff, h;
  if (a > 0x7f800000) {
    h = 0x7e00 | (a >> 13 & 0x3ff);
  } else if (a >= 0x47800000) { /* 65536 and up */
    h = 0x7c00;
  } else if (a < 0x38800000) { /* below 2^-14: adding 0.5 leaves steps of 2^-24, rounded by the FPU */
    h = bits_of(float_of(a) + 0.5f) - 0x3f000000;
  } else {
    h = (a + 0xfff + (a >> 13 & 1) - (UINT32_C(112) << 23)) >> 13;
  }
  return (uint16_t)(sign | h);
}

float tern_f32_from_f16(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, mantissa = h & 0x3ff;
  if (exponent == 31) return float_of(sign | 0x7f800000 | (mantissa ? 0x400000 | mantissa << 13 : 0));
  if (exponent == 0) return float_of(sign | bits_of((float)mantissa * 0x1p-24f));
  return float_of(sign | (exponent + 112) << 23 | mantissa << 13);
}

uint16_t tern_bf16_from_f32(float x) {
  uint32_t u = bits_of(x);
  if ((u & 0x7fffffff) > 0x7f800000) return (uint16_t)(u >> 16 | 0x40);
  return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

float tern_f32_from_bf16(uint16_t h) {
  return float_of((uint32_t)h << 16);
}
