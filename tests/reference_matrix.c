/* Weights and products of the reference (reference_matrix.h). */
#include "tests/reference_matrix.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *reference_get(size_t count, size_t size) {
  void *p = calloc(count, size);
  if (!p) abort();
  return p;
}

void reference_stop(const char *what) {
  fprintf(stderr, "reference: %s\n", what);
  abort();
}

float reference_tree(float *lane) {
  for (int step = 8; step; step /= 2) {
    for (int l = 0; l < step; l++) lane[l] = lane[l] + lane[l + step];
  }
  return lane[0];
}

float reference_dot(const float *a, const float *b, int n) {
  float lane[16] = {0};
  for (int i = 0; i < n; i++) lane[i % 16] = fmaf(a[i], b[i], lane[i % 16]);
  return reference_tree(lane);
}

float reference_absmax(const float *x, int n) {
  float m = 0;
  for (int i = 0; i < n; i++) m = fabsf(x[i]) > m ? fabsf(x[i]) : m;
  return m;
}

int8_t reference_clamped(float v) {
  v = rintf(v);
  return (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
}

static float bf16(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &u, sizeof u);
  return x;
}

float reference_round(const char *type, float x) {
  if (!strcmp(type, "f16")) return tern_f32_from_f16(tern_f16_from_f32(x));
  return !strcmp(type, "bf16") ? bf16(x) : x;
}

static size_t blocks_of(const matrix *m) {
  return m->block ? ((size_t)m->cols + (size_t)m->block - 1) / (size_t)m->block : 1;
}

float reference_weight(const matrix *m, int row, int col) {
  size_t at = (size_t)row * (size_t)m->cols + (size_t)col;
  if (m->w) return m->w[at];
  return (float)m->q[at] * m->scale[(size_t)row * blocks_of(m) + (m->block ? (size_t)(col / m->block) : 0)];
}

/* The exact sum of columns [first, end) with x quantised by s. */
static float integer_sum(const matrix *m, int row, int first, int end, const float *x, float s) {
  int64_t sum = 0;
  for (int c = first; c < end; c++)
    sum += m->q[(size_t)row * (size_t)m->cols + (size_t)c] * reference_clamped(x[c] * s);
  return (float)sum;
}

/* 127 / the greatest of x's columns [first, end). */
static float quantiser(const float *x, int first, int end) {
  float max = reference_absmax(x + first, end - first);
  return 127 / (max > 1e-5f ? max : 1e-5f);
}

static float block_product(const matrix *m, int row, const float *x) {
  float y = 0;
  for (int first = 0, b = 0; first < m->cols; first += m->block, b++) {
    int end = first + m->block < m->cols ? first + m->block : m->cols;
    float s = quantiser(x, first, end), x_scale = 1 / s;
    y = fmaf(integer_sum(m, row, first, end, x, s), m->scale[(size_t)row * blocks_of(m) + (size_t)b] * x_scale, y);
  }
  return y;
}

static float float_product(const matrix *m, int row, const float *x) {
  float acc = 0;
  for (int c = 0; c < m->cols; c++) acc = fmaf(m->w[(size_t)row * (size_t)m->cols + (size_t)c], x[c], acc);
  return acc;
}

void reference_multiply(float *y, const matrix *m, const float *x) {
  float s = quantiser(x, 0, m->cols), x_scale = 1 / s;
  for (int r = 0; r < m->rows; r++) {
    y[r] = m->w       ? float_product(m, r, x)
           : m->block ? block_product(m, r, x)
                      : integer_sum(m, r, 0, m->cols, x, s) * (m->scale[r] * x_scale);
  }
}

const tern_gguf_tensor *reference_tensor(const tern_gguf *g, int layer, const char *name, const char *suffix) {
  char full[64];
  if (layer < 0) {
    snprintf(full, sizeof full, "%s.%s", name, suffix);
  } else {
    snprintf(full, sizeof full, "blk.%d.%s.%s", layer, name, suffix);
  }
  return tern_gguf_tensor_find(g, full);
}

float *reference_vector(const tern_gguf *g, int layer, const char *name, const char *suffix) {
  const tern_gguf_tensor *t = reference_tensor(g, layer, name, suffix);
  if (!t) return NULL;
  float *values = reference_get((size_t)t->shape[0], sizeof *values);
  t->type->row_floats(t->data, 1, (int)t->shape[0], 0, TERN_I2S_128, values);
  return values;
}

static void quantise_row(matrix *m, int r, const float *w) {
  float max = reference_absmax(w, m->cols);
  for (int c = 0; c < m->cols; c++) {
    m->q[(size_t)r * (size_t)m->cols + (size_t)c] = max > 0 ? reference_clamped(w[c] * (127 / max)) : 0;
  }
  m->scale[r] = max / 127;
}

/* Ternary blocks: the scale is the greatest magnitude, codes are signs. */
static void ternary_blocks(matrix *m, int r, const float *w) {
  for (int c = 0; c < m->cols; c++) {
    int end = c / m->block * m->block + m->block;
    float *scale = &m->scale[(size_t)r * blocks_of(m) + (size_t)(c / m->block)];
    *scale = reference_absmax(w + c / m->block * m->block, (end < m->cols ? end : m->cols) - c / m->block * m->block);
    m->q[(size_t)r * (size_t)m->cols + (size_t)c] = (int8_t)((w[c] > 0) - (w[c] < 0));
  }
}

/* Int8 and 4-bit blocks: the file's own, or those of the disk type of that form. */
static void number_blocks(matrix *m, int r, const tern_gguf_tensor *t, const char *form, const float *w) {
  const tern_dtype *type = tern_dtype_by_name(form);
  int padded = (m->cols + 31) / 32 * 32;
  float *row = reference_get((size_t)padded, sizeof *row);
  uint8_t *bytes = reference_get((size_t)padded, 2);
  int8_t *codes = reference_get((size_t)padded, 1);
  uint16_t *halves = reference_get((size_t)padded, 2);
  memcpy(row, w, (size_t)m->cols * sizeof *row);
  type->put_floats(bytes, 1, padded, 0, 1, row);
  if (t->type == type) {
    type->row_blocks(t->data, m->cols, r, codes, halves);
  } else {
    type->row_blocks(bytes, padded, 0, codes, halves);
  }
  memcpy(m->q + (size_t)r * (size_t)m->cols, codes, (size_t)m->cols);
  for (size_t b = 0; b < blocks_of(m); b++) m->scale[(size_t)r * blocks_of(m) + b] = tern_f32_from_f16(halves[b]);
  free(row), free(bytes), free(codes), free(halves);
}

static const struct {
  const char *layout, *form; /* disk type; NULL: ternary */
  int block;
} block_layouts[] = {{"t2b64", NULL, 64}, {"t2b128", NULL, 128}, {"q8b32", "Q8_0", 32}, {"q4b32", "Q4_0", 32}};

static bool load_blocks(matrix *m, const tern_gguf_tensor *t, const char *layout, float factor) {
  for (size_t i = 0; i < sizeof block_layouts / sizeof *block_layouts; i++) {
    if (strcmp(layout, block_layouts[i].layout)) continue;
    m->block = block_layouts[i].block;
    m->q = reference_get((size_t)m->rows * (size_t)m->cols, 1);
    m->scale = reference_get((size_t)m->rows * blocks_of(m), sizeof(float));
    float *row = reference_get((size_t)m->cols, sizeof *row);
    for (int r = 0; r < m->rows; r++) {
      t->type->row_floats(t->data, m->rows, m->cols, r, TERN_I2S_128, row);
      for (int c = 0; c < m->cols; c++) row[c] *= factor;
      if (block_layouts[i].form) {
        number_blocks(m, r, t, block_layouts[i].form, row);
      } else {
        ternary_blocks(m, r, row);
      }
    }
    free(row);
    return true;
  }
  return false;
}

/* One row as floats or integers with one scale. */
static void load_row(matrix *m, int r, const tern_gguf_tensor *t, const char *layout, float factor, float *row,
                     int8_t *codes) {
  size_t cols = (size_t)m->cols, at = (size_t)r * cols;
  float scale = 0;
  bool ternary = t->type->ternary, one_scale = true;
  if (ternary) one_scale = t->type->row_codes(t->data, m->rows, m->cols, r, TERN_I2S_128, codes, &scale) == 0;
  if (!one_scale && layout[0] == 't') reference_stop("not ternary with one scale");
  t->type->row_floats(t->data, m->rows, m->cols, r, TERN_I2S_128, row);
  scale *= factor;
  for (size_t c = 0; c < cols; c++) {
    row[c] *= factor;
    if (ternary && one_scale) row[c] = (float)codes[c] * scale;
    if (m->w) m->w[at + c] = reference_round(layout, row[c]);
    if (m->q && ternary) m->q[at + c] = (int8_t)(codes[c] * (layout[0] == 't' ? 1 : 127));
  }
  if (!m->q) return;
  if (ternary && one_scale) {
    m->scale[r] = layout[0] == 't' ? scale : scale / 127;
  } else {
    quantise_row(m, r, row);
  }
}

matrix reference_load(const tern_gguf *g, int layer, const char *name, const char *layout) {
  const tern_gguf_tensor *t = reference_tensor(g, layer, name, "weight");
  if (!t) reference_stop(name);
  matrix m = {.rows = (int)t->shape[1], .cols = (int)t->shape[0]};
  size_t n = (size_t)m.rows * (size_t)m.cols, cols = (size_t)m.cols;
  float *more = reference_vector(g, layer, name, "scale"), factor = more ? *more : 1;
  free(more);
  if (load_blocks(&m, t, layout, factor)) return m;
  if (!strcmp(layout, "q8") || layout[0] == 't') {
    m.q = reference_get(n, 1);
    m.scale = reference_get((size_t)m.rows, sizeof(float));
  } else {
    m.w = reference_get(n, sizeof(float));
  }
  float *row = reference_get(cols, sizeof *row);
  int8_t *codes = reference_get(cols, 1);
  for (int r = 0; r < m.rows; r++) load_row(&m, r, t, layout, factor, row, codes);
  free(row);
  free(codes);
  return m;
}

void reference_free(matrix *m) {
  free(m->w);
  free(m->q);
  free(m->scale);
}
