/* Q2_0: blocks of 64 weights, an f16 scale in front of four weights a byte, low
 * bits first; code 3 stands for +2. The first published Ternary-Bonsai files
 * have blocks of 128 under the same id; the GGUF reader tells them by their
 * tensors' bytes. */
#include <string.h>

#include "engine/format/dtype_blocks.h"

enum { CODES = 2, SMALL = 64, LARGE = 128 };

static void unpack(const uint8_t *codes, uint8_t *q, int weights) {
  for (int i = 0; i < weights; i++) q[i] = codes[i / 4] >> 2 * (i % 4) & 3;
}

static void pack(uint8_t *to, const int8_t *codes, int weights) {
  memset(to, 0, (size_t)weights / 4);
  for (int i = 0; i < weights; i++) to[i / 4] |= (uint8_t)((codes[i] + 1) << 2 * (i % 4));
}

static void small_unpack(const uint8_t *block, uint8_t *q) {
  unpack(block + CODES, q, SMALL);
}
static void small_pack(uint8_t *block, const int8_t *codes) {
  pack(block + CODES, codes, SMALL);
}
static void large_unpack(const uint8_t *block, uint8_t *q) {
  unpack(block + CODES, q, LARGE);
}
static void large_pack(uint8_t *block, const int8_t *codes) {
  pack(block + CODES, codes, LARGE);
}

static const tern_block_form q2 = {SMALL, CODES + SMALL / 4, 0, small_unpack, small_pack},
                             q2l = {LARGE, CODES + LARGE / 4, 0, large_unpack, large_pack};

static size_t q2_bytes(int64_t rows, int64_t cols) {
  return tern_blocks_bytes(&q2, rows, cols);
}
static void q2_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  tern_blocks_floats(&q2, data, cols, row, out);
}
static int q2_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  return tern_blocks_codes(&q2, data, cols, row, codes, scale);
}
static int q2_rows(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  return tern_blocks_rows(&q2, data, cols, row, codes, scales);
}
static void q2_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  tern_blocks_put(&q2, data, cols, row0, count, codes, scale);
}
const tern_dtype tern_dtype_q2_0 = {.id = TERN_DISK_Q2_0,
                                    .name = "Q2_0",
                                    .ternary = true,
                                    .block = SMALL,
                                    .bytes = q2_bytes,
                                    .row_floats = q2_floats,
                                    .row_codes = q2_codes,
                                    .scale_block = SMALL,
                                    .row_blocks = q2_rows,
                                    .put_codes = q2_put};

static size_t q2l_bytes(int64_t rows, int64_t cols) {
  return tern_blocks_bytes(&q2l, rows, cols);
}
static void q2l_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  tern_blocks_floats(&q2l, data, cols, row, out);
}
static int q2l_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  return tern_blocks_codes(&q2l, data, cols, row, codes, scale);
}
static int q2l_rows(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales) {
  return tern_blocks_rows(&q2l, data, cols, row, codes, scales);
}
static void q2l_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  tern_blocks_put(&q2l, data, cols, row0, count, codes, scale);
}
const tern_dtype tern_dtype_q2_0_128 = {.id = TERN_DISK_Q2_0_128,
                                        .name = "Q2_0_128",
                                        .ternary = true,
                                        .block = LARGE,
                                        .bytes = q2l_bytes,
                                        .row_floats = q2l_floats,
                                        .row_codes = q2l_codes,
                                        .scale_block = LARGE,
                                        .row_blocks = q2l_rows,
                                        .put_codes = q2l_put};
