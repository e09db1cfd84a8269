/* I2_S of bitnet.cpp: 2-bit codes (0, 1, 2 = -1, 0, +1), one f32 scale for the
 * tensor right after the n/4 packed bytes, 32 bytes in all behind them.
 * Orders: "128" and "64": the flat tensor in blocks of 4 g weights in g bytes
 * (g = 32, 16), weight j of a block at byte j % g, bits 6 - 2 (j / g);
 * "1x4": byte (row / 4) * cols + col, bits 6 - 2 (row % 4).
 * Written files use "128". Sources: microsoft/BitNet src/ggml-bitnet-mad.cpp,
 * Eddie-Wang1120/llama.cpp ggml_nbytes. */
#include <math.h>
#include <string.h>

#include "engine/format/dtype_rows.h"

enum { TAIL = 32, WIDE = 32, NARROW = 16 };

/* Blocks run over row ends (cols need not be a multiple of 128), but the
 * tensor must be whole blocks. */
static size_t bytes(int64_t rows, int64_t cols) {
  if (rows < 0 || cols < 0 || cols % 4) return SIZE_MAX;
  size_t packed = tern_mul((size_t)rows, (size_t)(cols / 4));
  return packed % WIDE || packed > SIZE_MAX - TAIL ? SIZE_MAX : packed + TAIL;
}

/* 2-bit codes of weights first..first+n-1 of the flat tensor; returns whether one is 3. */
static bool flat_codes(const uint8_t *data, size_t first, int n, size_t g, int8_t *codes) {
  uint8_t broken = 0;
  for (int i = 0; i < n;) {
    size_t block = (first + (size_t)i) / (4 * g), j = (first + (size_t)i) % (4 * g);
    const uint8_t *from = data + block * g + j % g;
    int shift = 6 - 2 * (int)(j / g), run = (int)(g - j % g);
    if (run > n - i) run = n - i;
    for (int k = 0; k < run; k++) {
      uint8_t q = from[k] >> shift & 3;
      broken |= q & q >> 1;
      codes[i + k] = (int8_t)(q - 1);
    }
    i += run;
  }
  return broken;
}

static bool rows4_codes(const uint8_t *from, int n, int shift, int8_t *codes) {
  uint8_t broken = 0;
  for (int c = 0; c < n; c++) {
    uint8_t q = from[c] >> shift & 3;
    broken |= q & q >> 1;
    codes[c] = (int8_t)(q - 1);
  }
  return broken;
}

/* Codes of columns c0..c0+n-1 of a row, 2 where the field is no code; returns whether one was. */
static bool read_codes(const uint8_t *data, int rows, int cols, int row, int c0, int n, tern_i2s order, int8_t *codes) {
  if (order != TERN_I2S_ROWS4) {
    return flat_codes(data, (size_t)row * (size_t)cols + (size_t)c0, n, order == TERN_I2S_64 ? NARROW : WIDE, codes);
  }
  if (rows % 4) { /* four rows a byte: there is no such tensor in this order */
    memset(codes, 2, (size_t)n);
    return true;
  }
  return rows4_codes(data + (size_t)(row / 4) * (size_t)cols + c0, n, 6 - 2 * (row % 4), codes);
}

static float scale_of(const uint8_t *data, int rows, int cols) {
  float scale;
  memcpy(&scale, data + (size_t)rows * (size_t)cols / 4, sizeof scale);
  return scale;
}

static int row_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  *scale = scale_of(data, rows, cols);
  if (!isfinite(*scale)) return 1;
  return read_codes(data, rows, cols, row, 0, cols, order, codes);
}

/* What is not ternary reads as NaN: no number stands for it in every engine. */
static void row_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  int8_t codes[1024];
  const int most = (int)sizeof codes;
  float scale = scale_of(data, rows, cols);
  for (int c = 0; c < cols; c += most) {
    int n = cols - c < most ? cols - c : most;
    read_codes(data, rows, cols, row, c, n, order, codes);
    for (int i = 0; i < n; i++) out[c + i] = codes[i] == 2 ? NAN : scale * (float)codes[i];
  }
}

static void put_one(uint8_t *data, size_t i, int8_t code) {
  size_t j = i % 128;
  uint8_t *to = data + i / 128 * WIDE + j % WIDE;
  int shift = 6 - 2 * (int)(j / WIDE);
  *to = (uint8_t)((*to & ~(3 << shift)) | (code + 1) << shift);
}

static void put_block(uint8_t *to, const int8_t *c) {
  for (int m = 0; m < WIDE; m++) {
    to[m] = (uint8_t)((c[m] + 1) << 6 | (c[32 + m] + 1) << 4 | (c[64 + m] + 1) << 2 | (c[96 + m] + 1));
  }
}

static void put_codes(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale) {
  size_t i = (size_t)row0 * (size_t)cols, end = i + (size_t)count * (size_t)cols;
  for (; i < end && i % 128; i++) put_one(data, i, *codes++); /* a block shared with the rows before */
  for (; end - i >= 128; i += 128, codes += 128) put_block(data + i / 4, codes);
  for (; i < end; i++) put_one(data, i, *codes++);
  uint8_t *tail = data + (size_t)rows * (size_t)cols / 4;
  memset(tail, 0, TAIL);
  memcpy(tail, &scale, sizeof scale);
}

const tern_dtype tern_dtype_i2_s = {.id = TERN_DISK_I2_S,
                                    .name = "I2_S",
                                    .ternary = true,
                                    .block = 4,
                                    .tail = TAIL,
                                    .bytes = bytes,
                                    .row_floats = row_floats,
                                    .row_codes = row_codes,
                                    .put_codes = put_codes};
