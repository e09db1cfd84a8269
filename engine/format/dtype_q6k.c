/* Q6_K: blocks of 256 = 16 groups of 16. Value = d * scale[group] * (q - 32),
 * d f16, scales int8, q six bits: low nibbles in ql[128], high pairs in qh[64].
 * Within a half of 128: element l + 32 k (l < 32) has its nibble in byte
 * ql[l + 32 (k & 1)], upper one for k >= 2, and its pair in qh[l] at 2 k. */
#include <math.h>
#include <string.h>

#include "engine/format/dtype_rows.h"

enum { BLOCK = 256, GROUP = 16, QH = 128, SCALES = 192, D = 208, BYTES = 210 };

static size_t bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, BLOCK, BYTES);
}

/* Where element i of a block keeps its bits. */
typedef struct place {
  int low, low_shift, high, high_shift;
} place;
static place place_of(int i) {
  int half = i / 128, k = i % 128 / 32, l = i % 32;
  return (place){.low = half * 64 + (k & 1) * 32 + l,
                 .low_shift = k >= 2 ? 4 : 0,
                 .high = QH + half * 32 + l,
                 .high_shift = 2 * k};
}

static void row_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  data += (size_t)row * bytes(1, cols);
  for (int c = 0; c < cols; c += BLOCK, data += BYTES) {
    uint16_t h;
    memcpy(&h, data + D, 2);
    float d = tern_f32_from_f16(h);
    for (int i = 0; i < BLOCK; i++) {
      place p = place_of(i);
      int q = (data[p.low] >> p.low_shift & 15) | (data[p.high] >> p.high_shift & 3) << 4;
      out[c + i] = d * (float)(int8_t)data[SCALES + i / GROUP] * (float)(q - 32);
    }
  }
}

/* Step of a group: its largest value sits at -32, the longer end of the range. */
static float group_step(const float *x) {
  float most = 0;
  for (int i = 0; i < GROUP; i++) {
    if (fabsf(x[i]) > fabsf(most)) most = x[i];
  }
  return most / -32;
}

static float clamp(float x, float lo, float hi) {
  return x > hi ? hi : x > lo ? x : lo;
}

static void put_block(uint8_t *data, const float *x) {
  float steps[BLOCK / GROUP], most = 0;
  for (int g = 0; g < BLOCK / GROUP; g++) {
    steps[g] = group_step(x + g * GROUP);
    if (fabsf(steps[g]) > most) most = fabsf(steps[g]);
  }
  uint16_t h = tern_f16_from_f32(most / 127);
  float d = tern_f32_from_f16(h);
  memset(data, 0, BYTES);
  memcpy(data + D, &h, 2);
  for (int g = 0; g < BLOCK / GROUP; g++) {
    float scale = d > 0 ? clamp(rintf(steps[g] / d), -127, 127) : 0, step = d * scale;
    data[SCALES + g] = (uint8_t)(int8_t)scale;
    for (int i = g * GROUP; i < (g + 1) * GROUP; i++) {
      int q = step != 0 ? 32 + (int)clamp(rintf(x[i] / step), -32, 31) : 32;
      place p = place_of(i);
      data[p.low] |= (uint8_t)((q & 15) << p.low_shift);
      data[p.high] |= (uint8_t)((q >> 4) << p.high_shift);
    }
  }
}

static void put_floats(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  data += (size_t)row0 * bytes(1, cols);
  size_t blocks = (size_t)count * (size_t)(cols / BLOCK);
  for (size_t b = 0; b < blocks; b++) put_block(data + b * BYTES, values + b * BLOCK);
}

const tern_dtype tern_dtype_q6_k = {.id = TERN_DISK_Q6_K,
                                    .name = "Q6_K",
                                    .block = BLOCK,
                                    .bytes = bytes,
                                    .row_floats = row_floats,
                                    .put_floats = put_floats};
