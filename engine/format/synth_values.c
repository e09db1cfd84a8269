/* Values of synthetic weights. Only integers and exactly rounded operations
 * (sqrt, division, products by powers of two), so that they are the same bits
 * on every machine. */
#include <math.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/format/synth_private.h"

/* Streams of numbers that are no tensor's values stand apart by this bit. */
static const uint64_t scale_stream = UINT64_C(1) << 63;

float tern_synth_scale(uint64_t seed, uint64_t stream, int cols, double size) {
  double spread = 0.875 + 0.25 * tern_random_unit(tern_random_at(seed, stream | scale_stream, 0));
  double scale = size * spread / sqrt(2.0 * cols / 3.0); /* two thirds of the codes are not zero */
  return tern_f32_from_bf16(tern_bf16_from_f32((float)scale));
}

/* A random word gives 32 codes: 8 times the upper digit to base 81, which is
 * four codes. The remainder left by 32 digits biases the last by 1e-4. */
void tern_synth_codes(uint64_t seed, uint64_t stream, int cols, int row, int8_t *codes) {
  int8_t four[81][4];
  for (int i = 0; i < 81; i++) {
    const int8_t digits[4] = {(int8_t)(i / 27 - 1), (int8_t)(i / 9 % 3 - 1), (int8_t)(i / 3 % 3 - 1),
                              (int8_t)(i % 3 - 1)};
    memcpy(four[i], digits, sizeof digits);
  }
  uint64_t words = ((uint64_t)cols + 31) / 32;
  for (uint64_t w = 0; w < words; w++, codes += 32) {
    uint64_t r = tern_random_at(seed, stream, (uint64_t)row * words + w);
    for (int i = 0; i < 32; i += 4) {
      unsigned __int128 product = (unsigned __int128)r * 81;
      memcpy(codes + i, four[product >> 64], 4);
      r = (uint64_t)product;
    }
  }
}

/* Sum of four uniform numbers: close to normal, deviation 1.15, an f16 number. */
static float embedding_value(uint64_t r) {
  int32_t sum = (int32_t)(r & 0xffff) + (int32_t)(r >> 16 & 0xffff) + (int32_t)(r >> 32 & 0xffff) + (int32_t)(r >> 48);
  return tern_f32_from_f16(tern_f16_from_f32((float)(sum - 2 * 0xffff) * 0x1p-15f));
}

/* Gains about +-1/64: logits then have a deviation near 1. */
static float last_gain(uint64_t r, float small) {
  return (r & 1 ? 0x1p-6f : -0x1p-6f) * (1 + small);
}

void tern_synth_floats(uint64_t seed, uint64_t stream, synth_fill fill, int cols, int row, float *values) {
  uint64_t first = (uint64_t)row * (uint64_t)cols;
  for (int c = 0; c < cols; c++) {
    uint64_t r = tern_random_at(seed, stream, first + (uint64_t)c);
    float small = (float)((int)(r >> 54) - 512) * 0x1p-12f; /* -0.125 .. 0.125 */
    values[c] = fill == FILL_EMBEDDING   ? embedding_value(r)
                : fill == FILL_NORM      ? 1 + small
                : fill == FILL_LAST_NORM ? last_gain(r, small)
                                         : small;
  }
}

void tern_synth_rope(double factor, double theta, int half, float *values) {
  const double pi = 3.14159265358979323846, trained = 8192, low = 1, high = 4;
  for (int i = 0; i < half; i++) {
    double turns = trained * exp(-log(theta) * i / half) / (2 * pi), share = (turns - low) / (high - low);
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    double divisor = 1 / (share + (1 - share) / factor);
    values[i] = tern_f32_from_f16(tern_f16_from_f32((float)divisor)); /* too coarse to show which libm it was */
  }
}
