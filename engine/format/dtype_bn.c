/* ik_llama.cpp's BitNet types: the row's scale in front (IQ1_BN: f16, IQ2_BN:
 * f32), then blocks of 64 weights.
 * IQ2_BN: weight 16 k + j is byte j at bits 2 k.
 * IQ1_BN: 13 bytes; weight 16 g + 5 b + n (b < 3) is digit n of byte 3 g + b,
 * weight 16 g + 15 digit g of byte 12; digits base 3 as in TQ1_0, lowest first. */
#include <math.h>
#include <string.h>

#include "engine/format/dtype_rows.h"

enum { BLOCK = 64, IQ1_META = 2, IQ1_BYTES = 13, IQ1_EXTRA = 12, IQ2_META = 4, IQ2_BYTES = 16 };

static size_t row_bytes(int cols, size_t meta, size_t block) {
  return meta + (size_t)(cols / BLOCK) * block;
}

static size_t bytes(int64_t rows, int64_t cols, size_t meta, size_t block) {
  size_t blocks = tern_block_bytes(1, cols, BLOCK, block);
  return rows < 0 || blocks == SIZE_MAX ? SIZE_MAX : tern_mul((size_t)rows, blocks + meta);
}

static size_t iq1_bytes(int64_t rows, int64_t cols) {
  return bytes(rows, cols, IQ1_META, IQ1_BYTES);
}
static size_t iq2_bytes(int64_t rows, int64_t cols) {
  return bytes(rows, cols, IQ2_META, IQ2_BYTES);
}

static const uint8_t power[5] = {81, 27, 9, 3, 1};
/* Where weight i of a block lies: its byte and digit. */
static void iq1_place(int i, int *byte, int *digit) {
  int g = i / 16, in = i % 16;
  *byte = in == 15 ? IQ1_EXTRA : 3 * g + in / 5;
  *digit = in == 15 ? g : in % 5;
}

static int iq1_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  uint16_t h;
  data += (size_t)row * row_bytes(cols, IQ1_META, IQ1_BYTES);
  memcpy(&h, data, sizeof h);
  *scale = tern_f32_from_f16(h);
  data += IQ1_META;
  for (int c = 0; c < cols; c++) {
    int byte, digit;
    iq1_place(c % BLOCK, &byte, &digit);
    uint8_t shifted = (uint8_t)(data[c / BLOCK * IQ1_BYTES + byte] * power[digit]);
    codes[c] = (int8_t)((shifted * 3 >> 8) - 1);
  }
  return !isfinite(*scale);
}

static int iq2_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  (void)rows, (void)order;
  bool broken = false;
  data += (size_t)row * row_bytes(cols, IQ2_META, IQ2_BYTES);
  memcpy(scale, data, sizeof *scale);
  data += IQ2_META;
  for (int c = 0; c < cols; c++) {
    int q = data[c / BLOCK * IQ2_BYTES + c % 16] >> 2 * (c % BLOCK / 16) & 3;
    broken |= q == 3;
    codes[c] = (int8_t)(q - 1);
  }
  return broken || !isfinite(*scale);
}

/* Through the codes, NaN where they are none; the row's own room holds them. */
static void floats(int (*read)(const uint8_t *, int, int, int, tern_i2s, int8_t *, float *), const uint8_t *data,
                   int rows, int cols, int row, tern_i2s order, float *out) {
  int8_t *codes = (int8_t *)out + 3 * (size_t)cols; /* read from the front while floats grow from there */
  float scale;
  read(data, rows, cols, row, order, codes, &scale);
  for (int c = 0; c < cols; c++) {
    int8_t code = codes[c];
    out[c] = code > 1 ? NAN : scale * (float)code;
  }
}

static void iq1_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  floats(iq1_codes, data, rows, cols, row, order, out);
}
static void iq2_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  floats(iq2_codes, data, rows, cols, row, order, out);
}

static void iq1_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  size_t size = row_bytes(cols, IQ1_META, IQ1_BYTES);
  uint16_t h = tern_f16_from_f32(scale);
  for (int r = 0; r < count; r++, codes += cols) {
    uint8_t *to = data + (size_t)(row0 + r) * size;
    memcpy(to, &h, sizeof h);
    to += IQ1_META;
    for (int b = 0; b < cols / BLOCK; b++, to += IQ1_BYTES) {
      int numbers[IQ1_BYTES] = {0};
      for (int i = BLOCK - 1; i >= 0; i--) { /* a byte's higher digits come later */
        int byte, digit;
        iq1_place(i, &byte, &digit);
        numbers[byte] = numbers[byte] * 3 + codes[b * BLOCK + i] + 1;
      }
      for (int n = 0; n < IQ1_BYTES; n++) to[n] = (uint8_t)((numbers[n] * 256 + 242) / 243);
    }
  }
}

static void iq2_put(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  (void)rows;
  size_t size = row_bytes(cols, IQ2_META, IQ2_BYTES);
  for (int r = 0; r < count; r++, codes += cols) {
    uint8_t *to = data + (size_t)(row0 + r) * size;
    memset(to, 0, size);
    memcpy(to, &scale, sizeof scale);
    to += IQ2_META;
    for (int c = 0; c < cols; c++)
      to[c / BLOCK * IQ2_BYTES + c % 16] |= (uint8_t)((codes[c] + 1) << 2 * (c % BLOCK / 16));
  }
}

const tern_dtype tern_dtype_iq1_bn = {.id = TERN_DISK_IQ1_BN,
                                      .name = "IQ1_BN",
                                      .ternary = true,
                                      .block = BLOCK,
                                      .bytes = iq1_bytes,
                                      .row_floats = iq1_floats,
                                      .row_codes = iq1_codes,
                                      .put_codes = iq1_put};
const tern_dtype tern_dtype_iq2_bn = {.id = TERN_DISK_IQ2_BN,
                                      .name = "IQ2_BN",
                                      .ternary = true,
                                      .block = BLOCK,
                                      .bytes = iq2_bytes,
                                      .row_floats = iq2_floats,
                                      .row_codes = iq2_codes,
                                      .put_codes = iq2_put};
