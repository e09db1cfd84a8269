/* TQ2_0 and TQ1_0: blocks of 256 ternary weights with an f16 scale behind.
 * TQ2_0: 64 bytes; weight 128 h + 32 k + m is byte 32 h + m at bits 2 k.
 * TQ1_0: bytes of five base-3 digits (as a fraction: digit n of byte b is
 * 3 * (b * 3^n mod 256) >> 8), the last four bytes of four. */
#include "engine/format/dtype_blocks.h"

enum { BLOCK = 256 };

static void tq2_unpack(const uint8_t *data, uint8_t *q) {
  for (int h = 0; h < 2; h++) {
    for (int k = 0; k < 4; k++) {
      for (int m = 0; m < 32; m++) q[128 * h + 32 * k + m] = data[32 * h + m] >> 2 * k & 3;
    }
  }
}

static void tq2_pack(uint8_t *data, const int8_t *codes) {
  for (int h = 0; h < 2; h++) {
    const int8_t *c = codes + 128 * h;
    for (int m = 0; m < 32; m++) {
      data[32 * h + m] = (uint8_t)((c[m] + 1) | (c[32 + m] + 1) << 2 | (c[64 + m] + 1) << 4 | (c[96 + m] + 1) << 6);
    }
  }
}

/* Runs of TQ1_0: `bytes` bytes from `first`, each of `digits` weights that lie `bytes` apart. */
static const struct { int first, bytes, digits, weight; } runs[] = {{0, 32, 5, 0}, {32, 16, 5, 160}, {48, 4, 4, 240}};
enum { RUNS = sizeof runs / sizeof *runs };

static void tq1_unpack(const uint8_t *data, uint8_t *q) {
  static const uint8_t power[5] = {1, 3, 9, 27, 81};
  for (int r = 0; r < RUNS; r++) {
    for (int n = 0; n < runs[r].digits; n++) {
      uint8_t *to = q + runs[r].weight + n * runs[r].bytes;
      for (int m = 0; m < runs[r].bytes; m++) {
        uint8_t shifted = (uint8_t)(data[runs[r].first + m] * power[n]);
        to[m] = (uint8_t)(shifted * 3 >> 8);
      }
    }
  }
}

static void tq1_pack(uint8_t *data, const int8_t *codes) {
  for (int r = 0; r < RUNS; r++) {
    for (int m = 0; m < runs[r].bytes; m++) {
      int number = 0;
      for (int n = 0; n < 5; n++) {
        number *= 3;
        if (n < runs[r].digits) number += codes[runs[r].weight + n * runs[r].bytes + m] + 1;
      }
      data[runs[r].first + m] = (uint8_t)((number * 256 + 242) / 243);
    }
  }
}

static const tern_block_form tq2 = {BLOCK, 66, 64, tq2_unpack, tq2_pack}, tq1 = {BLOCK, 54, 52, tq1_unpack, tq1_pack};

static size_t tq2_bytes(int64_t rows, int64_t cols) {
  return tern_blocks_bytes(&tq2, rows, cols);
}
static void tq2_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  tern_blocks_floats(&tq2, data, cols, row, out);
}
static int tq2_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  return tern_blocks_codes(&tq2, data, cols, row, codes, scale);
}
static int tq2_rows(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  return tern_blocks_rows(&tq2, data, cols, row, codes, scales);
}
static void tq2_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  tern_blocks_put(&tq2, data, cols, row0, count, codes, scale);
}
const tern_dtype tern_dtype_tq2_0 = {.id = TERN_DISK_TQ2_0,
                                     .name = "TQ2_0",
                                     .ternary = true,
                                     .block = BLOCK,
                                     .bytes = tq2_bytes,
                                     .row_floats = tq2_floats,
                                     .row_codes = tq2_codes,
                                     .scale_block = BLOCK,
                                     .row_blocks = tq2_rows,
                                     .put_codes = tq2_put};

static size_t tq1_bytes(int64_t rows, int64_t cols) {
  return tern_blocks_bytes(&tq1, rows, cols);
}
static void tq1_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  tern_blocks_floats(&tq1, data, cols, row, out);
}
static int tq1_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  return tern_blocks_codes(&tq1, data, cols, row, codes, scale);
}
static int tq1_rows(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  return tern_blocks_rows(&tq1, data, cols, row, codes, scales);
}
static void tq1_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  tern_blocks_put(&tq1, data, cols, row0, count, codes, scale);
}
const tern_dtype tern_dtype_tq1_0 = {.id = TERN_DISK_TQ1_0,
                                     .name = "TQ1_0",
                                     .ternary = true,
                                     .block = BLOCK,
                                     .bytes = tq1_bytes,
                                     .row_floats = tq1_floats,
                                     .row_codes = tq1_codes,
                                     .scale_block = BLOCK,
                                     .row_blocks = tq1_rows,
                                     .put_codes = tq1_put};
