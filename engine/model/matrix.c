/* Packed matrices: allocation and single rows. */
#include <string.h>

#include "engine/base/memory.h"
#include "engine/model/parts.h"

int tern_matrix_alloc(tern_matrix *m, tern_pool *weights, const tern_choice *choice, int rows, int cols,
                      tern_error *e) {
  const tern_layout *layout = choice->layout;
  *m = (tern_matrix){.rows = rows, .cols = cols, .layout = layout, .bytes = layout->bytes(rows, cols)};
  memcpy(m->kernels, choice->kernels, sizeof m->kernels);
  m->data = tern_pool_take(weights, m->bytes, "weights", e);
  if (!m->data) return TERN_FAILED;
  if (layout->kind == TERN_KIND_FLOAT) return 0;
  m->scale_stride = 1;
  m->scale_bytes = (size_t)rows * sizeof(float);
  m->scale = tern_alloc(m->scale_bytes, "weight scales", e);
  return m->scale ? 0 : TERN_FAILED;
}

void tern_matrix_free(tern_matrix *m, const tern_pool *weights) {
  tern_pool_give(weights, m->data, m->bytes);
  tern_free(m->scale, m->scale_bytes);
  *m = (tern_matrix){0};
}

size_t tern_matrix_x_stride(const tern_matrix *m) {
  size_t block = (size_t)m->layout->col_block, cols = ((size_t)m->cols + block - 1) / block * block;
  return (cols + 63) / 64 * 64;
}

void tern_matrix_row(const tern_matrix *m, int row, float *out, void *canonical) {
  if (m->layout->kind == TERN_KIND_FLOAT) {
    m->layout->unpack(m->data, m->rows, m->cols, row, out);
    return;
  }
  const int8_t *q = canonical;
  float scale = m->scale[(size_t)row * (size_t)m->scale_stride];
  m->layout->unpack(m->data, m->rows, m->cols, row, canonical);
  for (int i = 0; i < m->cols; i++) out[i] = (float)q[i] * scale;
}
