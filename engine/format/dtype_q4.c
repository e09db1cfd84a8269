/* Four-bit types.
 * Q4_0: blocks of 32, an f16 scale, then 16 bytes: weight i in the low nibble of
 * byte i, weight i + 16 in the high one; value = d * (q - 8).
 * Q4_K: blocks of 256 = 8 groups of 32: f16 d and dmin, 12 bytes of 6-bit
 * scales and minima, 128 bytes of nibbles: groups 2 k and 2 k + 1 in the low and
 * high nibbles of bytes 32 k..32 k + 31; value = d * scale * q - dmin * min.
 * Group g < 4: scale = s[g] & 63, min = s[g + 4] & 63; g >= 4: low nibble and
 * high nibble of s[g + 4], their top pairs the top bits of s[g - 4] and s[g]. */
#include <math.h>
#include <string.h>

#include "engine/format/dtype_rows.h"

enum {
  Q4_BLOCK = 32,
  Q4_BYTES = 18,
  K_BLOCK = 256,
  K_GROUP = 32,
  K_GROUPS = 8,
  K_SCALES = 4,
  K_NIBBLES = 16,
  K_BYTES = 144
};

static float half_at(const uint8_t *data) {
  uint16_t h;
  memcpy(&h, data, 2);
  return tern_f32_from_f16(h);
}
static float put_half(uint8_t *data, float x) {
  uint16_t h = tern_f16_from_f32(x);
  memcpy(data, &h, 2);
  return tern_f32_from_f16(h);
}
static int clamp(float x, int lo, int hi) {
  return x > (float)lo ? x < (float)hi ? (int)x : hi : lo; /* NaN: lo */
}

static size_t q4_bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, Q4_BLOCK, Q4_BYTES);
}

static void q4_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  data += (size_t)row * q4_bytes(1, cols);
  for (int c = 0; c < cols; c += Q4_BLOCK, data += Q4_BYTES) {
    float d = half_at(data);
    for (int i = 0; i < Q4_BLOCK; i++) out[c + i] = d * (float)((data[2 + i % 16] >> i / 16 * 4 & 15) - 8);
  }
}

static int q4_rows(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  data += (size_t)row * q4_bytes(1, cols);
  for (int c = 0; c < cols; c += Q4_BLOCK, data += Q4_BYTES) {
    memcpy(scales++, data, sizeof *scales);
    for (int i = 0; i < Q4_BLOCK; i++) codes[c + i] = (int8_t)((data[2 + i % 16] >> i / 16 * 4 & 15) - 8);
  }
  return 0;
}

/* The value of greatest magnitude sits at -8, the longer end of the range. */
static void q4_block(uint8_t *data, const float *x) {
  float most = 0;
  for (int i = 0; i < Q4_BLOCK; i++)
    if (fabsf(x[i]) > fabsf(most)) most = x[i];
  float d = put_half(data, most / -8);
  memset(data + 2, 0, Q4_BYTES - 2);
  for (int i = 0; i < Q4_BLOCK; i++) {
    int q = d != 0 ? clamp(rintf(x[i] / d) + 8, 0, 15) : 8;
    data[2 + i % 16] |= (uint8_t)(q << i / 16 * 4);
  }
}

static void q4_put(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  data += (size_t)row0 * q4_bytes(1, cols);
  size_t blocks = (size_t)count * (size_t)(cols / Q4_BLOCK);
  for (size_t b = 0; b < blocks; b++) q4_block(data + b * Q4_BYTES, values + b * Q4_BLOCK);
}

static size_t k_bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, K_BLOCK, K_BYTES);
}

static void k_get(const uint8_t *s, int g, int *scale, int *least) {
  *scale = g < 4 ? s[g] & 63 : (s[g + 4] & 15) | s[g - 4] >> 6 << 4;
  *least = g < 4 ? s[g + 4] & 63 : s[g + 4] >> 4 | s[g] >> 6 << 4;
}
static void k_set(uint8_t *s, int g, int scale, int least) {
  if (g < 4) {
    s[g] |= (uint8_t)scale;
    s[g + 4] |= (uint8_t)least;
  } else {
    s[g + 4] = (uint8_t)((scale & 15) | (least & 15) << 4);
    s[g - 4] |= (uint8_t)(scale >> 4 << 6);
    s[g] |= (uint8_t)(least >> 4 << 6);
  }
}

static void k_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  data += (size_t)row * k_bytes(1, cols);
  for (int c = 0; c < cols; c += K_BLOCK, data += K_BYTES) {
    float d = half_at(data), dmin = half_at(data + 2);
    for (int g = 0; g < K_GROUPS; g++) {
      int scale, least;
      k_get(data + K_SCALES, g, &scale, &least);
      float step = d * (float)scale, low = dmin * (float)least;
      const uint8_t *nibbles = data + K_NIBBLES + g / 2 * K_GROUP;
      for (int i = 0; i < K_GROUP; i++) out[c + g * K_GROUP + i] = step * (float)(nibbles[i] >> g % 2 * 4 & 15) - low;
    }
  }
}

/* Each group spans from its minimum (at most 0) to its maximum in 15 steps. */
static void k_block(uint8_t *data, const float *x) {
  float steps[K_GROUPS], lows[K_GROUPS], most_step = 0, most_low = 0;
  memset(data, 0, K_BYTES);
  for (int g = 0; g < K_GROUPS; g++) {
    float low = 0, high = 0;
    for (int i = 0; i < K_GROUP; i++) {
      low = fminf(low, x[g * K_GROUP + i]);
      high = fmaxf(high, x[g * K_GROUP + i]);
    }
    steps[g] = (high - low) / 15;
    lows[g] = -low;
    most_step = fmaxf(most_step, steps[g]);
    most_low = fmaxf(most_low, lows[g]);
  }
  float d = put_half(data, most_step / 63), dmin = put_half(data + 2, most_low / 63);
  for (int g = 0; g < K_GROUPS; g++) {
    int scale = d > 0 ? clamp(rintf(steps[g] / d), 0, 63) : 0,
        least = dmin > 0 ? clamp(rintf(lows[g] / dmin), 0, 63) : 0;
    float step = d * (float)scale, low = dmin * (float)least;
    k_set(data + K_SCALES, g, scale, least);
    for (int i = 0; i < K_GROUP; i++) {
      int q = step > 0 ? clamp(rintf((x[g * K_GROUP + i] + low) / step), 0, 15) : 0;
      data[K_NIBBLES + g / 2 * K_GROUP + i] |= (uint8_t)(q << g % 2 * 4);
    }
  }
}

static void k_put(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  data += (size_t)row0 * k_bytes(1, cols);
  size_t blocks = (size_t)count * (size_t)(cols / K_BLOCK);
  for (size_t b = 0; b < blocks; b++) k_block(data + b * K_BYTES, values + b * K_BLOCK);
}

const tern_dtype tern_dtype_q4_0 = {.id = TERN_DISK_Q4_0,
                                    .name = "Q4_0",
                                    .block = Q4_BLOCK,
                                    .bytes = q4_bytes,
                                    .row_floats = q4_floats,
                                    .scale_block = Q4_BLOCK,
                                    .row_blocks = q4_rows,
                                    .put_floats = q4_put};
const tern_dtype tern_dtype_q4_k = {.id = TERN_DISK_Q4_K,
                                    .name = "Q4_K",
                                    .block = K_BLOCK,
                                    .bytes = k_bytes,
                                    .row_floats = k_floats,
                                    .put_floats = k_put};
