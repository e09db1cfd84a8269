/* Rows through a tern_view. What a row needs beyond its bytes is in the view,
 * so every type's functions are pure but for a master's mean, which is found
 * by whoever asks first (several may; all find the same). */
#include "engine/format/view.h"

#include <math.h>
#include <stdlib.h>

#include "engine/format/dtype_rows.h"

enum { VIEW = 0x20000, MASTER = VIEW | 0x100, PACKED_ROWS, PACKED_LLAMA2C, CODES_A_BYTE = 4 };
static const float least_mean = 1e-5f;

static const tern_view *view_of(const uint8_t *data) {
  return (const tern_view *)(const void *)data;
}

/* The stored row that is row `row` here. GGUF's pair 2 j, 2 j + 1 of a head is
 * element j of its first and of its second half. */
static int stored_row(const tern_view *v, int rows, int row) {
  if (v->heads == 0) return row;
  int size = rows / v->heads, in = row % size;
  return row - in + in % 2 * (size / 2) + in / 2;
}

static void row_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  const tern_view *v = view_of(data);
  v->stored->row_floats(v->rows, rows, cols, stored_row(v, rows, row), order, out);
  if (v->shift == 0) return;
  for (int i = 0; i < cols; i++) out[i] += v->shift;
}

static size_t f32_bytes(int64_t rows, int64_t cols) {
  return tern_dtype_f32.bytes(rows, cols);
}
static size_t half_bytes(int64_t rows, int64_t cols) {
  return tern_dtype_f16.bytes(rows, cols);
}

static const tern_dtype floats[] = {
    {.id = TERN_DISK_F32, .name = "F32", .block = 1, .bytes = f32_bytes, .row_floats = row_floats},
    {.id = TERN_DISK_F16, .name = "F16", .block = 1, .bytes = half_bytes, .row_floats = row_floats},
    {.id = TERN_DISK_BF16, .name = "BF16", .block = 1, .bytes = half_bytes, .row_floats = row_floats},
};

const tern_dtype *tern_view_floats(const tern_dtype *stored) {
  for (size_t i = 0; i < sizeof floats / sizeof *floats; i++) {
    if (floats[i].id == stored->id) return &floats[i];
  }
  return NULL;
}

/* ---- masters */

/* One order of summing: the same mean on every machine. */
static float mean_of(const tern_view *v, int rows, int cols, float *row) {
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    double part = 0;
    v->stored->row_floats(v->rows, rows, cols, r, TERN_I2S_AUTO, row);
    for (int c = 0; c < cols; c++) part += fabs((double)row[c]);
    sum += part;
  }
  double mean = sum / ((double)rows * cols);
  return mean < (double)least_mean ? least_mean : (float)mean; /* NaN stays: the caller refuses it */
}

static float scale_of(const uint8_t *data, int rows, int cols, float *row) {
  tern_view *v = (tern_view *)(uintptr_t)data;
  float mean = atomic_load(&v->mean);
  if (mean != 0) return mean;
  mean = mean_of(v, rows, cols, row);
  atomic_store(&v->mean, mean);
  return mean;
}

/* Quantised in place: codes as floats. */
static void master_quantised(const uint8_t *data, int rows, int cols, int row, float *out, float *scale) {
  *scale = scale_of(data, rows, cols, out);
  row_floats(data, rows, cols, row, TERN_I2S_AUTO, out);
  const float inverse = 1 / *scale;
  for (int i = 0; i < cols; i++) {
    float q = rintf(out[i] * inverse);
    out[i] = q > 1 ? 1 : q < -1 ? -1 : q;
  }
}

static void master_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  float scale;
  (void)order;
  master_quantised(data, rows, cols, row, out, &scale);
  for (int i = 0; i < cols; i++) out[i] *= scale;
}

static int master_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  float *values = malloc(tern_mul((size_t)cols, sizeof *values));
  (void)order;
  *scale = NAN;
  if (!values) return 1;
  master_quantised(data, rows, cols, row, values, scale);
  bool broken = !isfinite(*scale);
  for (int i = 0; i < cols && !broken; i++) {
    broken = isnan(values[i]);
    codes[i] = broken ? 0 : (int8_t)values[i];
  }
  free(values);
  return broken;
}

/* Through a type's codes, NaN where they are none. */
static void through_codes(const tern_dtype *type, const uint8_t *data, int rows, int cols, int row, float *out) {
  int8_t *codes = (int8_t *)out + 3 * (size_t)cols; /* read from the front while floats grow from there */
  float scale;
  type->row_codes(data, rows, cols, row, TERN_I2S_AUTO, codes, &scale);
  for (int i = 0; i < cols; i++) {
    int8_t code = codes[i];
    out[i] = code > 1 ? NAN : scale * (float)code;
  }
}

/* ---- packed codes */

static size_t rows_bytes(int64_t rows, int64_t cols) {
  if (rows < 0 || rows % CODES_A_BYTE) return SIZE_MAX;
  return tern_block_bytes(rows / CODES_A_BYTE, cols, 1, 1);
}

static int rows_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale) {
  const tern_view *v = view_of(data);
  int from = stored_row(v, rows, row), packed = rows / CODES_A_BYTE, shift = 2 * (from / packed);
  const uint8_t *bytes = v->rows + (size_t)(from % packed) * (size_t)cols;
  uint8_t broken = 0;
  (void)order;
  *scale = v->scale;
  for (int i = 0; i < cols; i++) {
    uint8_t q = bytes[i] >> shift & 3;
    broken |= q & q >> 1;
    codes[i] = (int8_t)(q - 1);
  }
  return broken || !isfinite(v->scale);
}

static void rows_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)order;
  through_codes(&tern_dtype_packed_rows, data, rows, cols, row, out);
}

static size_t llama2c_bytes(int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, CODES_A_BYTE, 1);
}

static int llama2c_codes(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes,
                         float *scale) {
  static const int8_t code[4] = {0, 1, 2, -1};
  const tern_view *v = view_of(data);
  const uint8_t *bytes = v->rows + (size_t)row * (size_t)(cols / CODES_A_BYTE);
  bool broken = !isfinite(v->scale);
  (void)rows, (void)order;
  *scale = v->scale;
  for (int i = 0; i < cols; i++) {
    codes[i] = code[bytes[i / 4] >> (6 - 2 * (i % 4)) & 3];
    broken |= codes[i] == 2;
  }
  return broken;
}

static void llama2c_floats(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out) {
  (void)order;
  through_codes(&tern_dtype_packed_llama2c, data, rows, cols, row, out);
}

const tern_dtype tern_dtype_master = {.id = MASTER,
                                      .name = "master",
                                      .ternary = true,
                                      .block = 1,
                                      .bytes = half_bytes,
                                      .row_floats = master_floats,
                                      .row_codes = master_codes};
const tern_dtype tern_dtype_packed_rows = {.id = PACKED_ROWS,
                                           .name = "U8x4",
                                           .ternary = true,
                                           .block = 1,
                                           .bytes = rows_bytes,
                                           .row_floats = rows_floats,
                                           .row_codes = rows_codes};
const tern_dtype tern_dtype_packed_llama2c = {.id = PACKED_LLAMA2C,
                                              .name = "2bit",
                                              .ternary = true,
                                              .block = CODES_A_BYTE,
                                              .bytes = llama2c_bytes,
                                              .row_floats = llama2c_floats,
                                              .row_codes = llama2c_codes};
