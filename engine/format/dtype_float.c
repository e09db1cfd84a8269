/* F32, F16, BF16: plain little-endian rows. Data may lie at any address, so
 * values are copied, never pointed at. */
#include <string.h>

#include "engine/format/dtype_rows.h"

static size_t f32_bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, 1, 4);
}
static size_t half_bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, 1, 2);
}

static size_t at(int row, int cols, size_t size) {
  return (size_t)row * (size_t)cols * size;
}

static void f32_row(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  memcpy(out, data + at(row, cols, 4), (size_t)cols * 4);
}

static void f32_put(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  memcpy(data + at(row0, cols, 4), values, at(count, cols, 4));
}

static void half_row(const uint8_t *data, int cols, int row, float (*convert)(uint16_t), float *out) {
  data += at(row, cols, 2);
  for (int i = 0; i < cols; i++) {
    uint16_t h;
    memcpy(&h, data + 2 * (size_t)i, 2);
    out[i] = convert(h);
  }
}

static void half_put(uint8_t *data, int cols, int row0, int count, uint16_t (*convert)(float), const float *values) {
  data += at(row0, cols, 2);
  size_t n = at(count, cols, 1);
  for (size_t i = 0; i < n; i++) {
    uint16_t h = convert(values[i]);
    memcpy(data + 2 * i, &h, 2);
  }
}

static void f16_row(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  half_row(data, cols, row, tern_f32_from_f16, out);
}

static void f16_put(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  half_put(data, cols, row0, count, tern_f16_from_f32, values);
}

static void bf16_row(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)rows, (void)order;
  half_row(data, cols, row, tern_f32_from_bf16, out);
}

static void bf16_put(uint8_t *data, int rows, int cols, int row0, int count, const float *values) {
  (void)rows;
  half_put(data, cols, row0, count, tern_bf16_from_f32, values);
}

const tern_dtype tern_dtype_f32 = {
    .id = TERN_DISK_F32, .name = "F32", .block = 1, .bytes = f32_bytes, .row_floats = f32_row, .put_floats = f32_put};
const tern_dtype tern_dtype_f16 = {
    .id = TERN_DISK_F16, .name = "F16", .block = 1, .bytes = half_bytes, .row_floats = f16_row, .put_floats = f16_put};
const tern_dtype tern_dtype_bf16 = {.id = TERN_DISK_BF16,
                                    .name = "BF16",
                                    .block = 1,
                                    .bytes = half_bytes,
                                    .row_floats = bf16_row,
                                    .put_floats = bf16_put};
