/* Q8_0: blocks of 32 int8 values with one f16 scale in front.
 * A block of ternary values (0 and +-a) is written with a = q * scale, q the
 * largest power of two up to 64 for which that is exact, so that the int8 twin
 * of a ternary matrix has its values. */
#include <math.h>
#include <string.h>

#include "engine/format/dtype_rows.h"

enum { BLOCK = 32, BYTES = 2 + BLOCK };

static size_t bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, BLOCK, BYTES);
}

static void row_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  data += (size_t)row * bytes(1, cols);
  for (int c = 0; c < cols; c += BLOCK, data += BYTES) {
    uint16_t h;
    memcpy(&h, data, 2);
    float d = tern_f32_from_f16(h);
    for (int i = 0; i < BLOCK; i++) out[c + i] = d * (float)(int8_t)data[2 + i];
  }
}

static int row_blocks(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  data += (size_t)row * bytes(1, cols);
  for (int c = 0; c < cols; c += BLOCK, data += BYTES) {
    memcpy(scales++, data, sizeof *scales);
    memcpy(codes + c, data + 2, BLOCK);
  }
  return 0;
}

/* The scale of a block, as f16. */
static uint16_t block_scale(const float *x) {
  float most = 0, least = INFINITY; /* least: of what is not zero */
  for (int i = 0; i < BLOCK; i++) {
    float a = fabsf(x[i]);
    if (a > most) most = a;
    if (a > 0 && a < least) least = a;
  }
  for (float q = 64; least == most && q >= 1; q /= 2) {
    uint16_t exact = tern_f16_from_f32(most / q);
    if (tern_f32_from_f16(exact) * q == most) return exact;
  }
  return tern_f16_from_f32(most / 127);
}

static void put_block(uint8_t *data, const float *x) {
  uint16_t h = block_scale(x);
  float d = tern_f32_from_f16(h);
  memcpy(data, &h, 2);
  for (int i = 0; i < BLOCK; i++) {
    float q = d > 0 ? rintf(x[i] / d) : 0;
    data[2 + i] = (uint8_t)(int8_t)(q > 127 ? 127 : q > -127 ? q : -127); /* NaN: -127 */
  }
}

static void put_floats(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  data += (size_t)row0 * bytes(1, cols);
  size_t blocks = (size_t)count * (size_t)(cols / BLOCK);
  for (size_t b = 0; b < blocks; b++) put_block(data + b * BYTES, values + b * BLOCK);
}

const tern_dtype tern_dtype_q8_0 = {.id = TERN_DISK_Q8_0,
                                    .name = "Q8_0",
                                    .block = BLOCK,
                                    .bytes = bytes,
                                    .row_floats = row_floats,
                                    .scale_block = BLOCK,
                                    .row_blocks = row_blocks,
                                    .put_floats = put_floats};
