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
  if (layout->kind == TERN_KIND_FLOAT || layout->kind == TERN_KIND_BLOCKS) return 0;
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
  return tern_layout_x_stride(m->layout, m->cols);
}

size_t tern_matrix_x_blocks(const tern_matrix *m) {
  if (m->layout->kind != TERN_KIND_BLOCKS) return 1;
  return tern_matrix_x_stride(m) / (size_t)m->layout->scale_block; /* whole: col_block is two of them */
}

/* Codes, then block scales, of which there is one for 32 columns at most. */
static size_t codes_room(size_t cols) {
  return (cols + 63) / 64 * 64;
}
size_t tern_matrix_canonical(size_t cols) {
  return codes_room(cols) + (cols / 32 + 1) * sizeof(uint16_t);
}

void tern_matrix_row(const tern_matrix *m, int row, float *out, void *canonical) {
  const tern_layout *l = m->layout;
  int8_t *q = canonical;
  if (l->kind == TERN_KIND_FLOAT) {
    l->unpack(m->data, m->rows, m->cols, row, out);
  } else if (l->kind == TERN_KIND_BLOCKS) {
    tern_block_rows rows = {.codes = q, .scales = (uint16_t *)(void *)(q + codes_room((size_t)m->cols))};
    l->unpack(m->data, m->rows, m->cols, row, &rows);
    for (int i = 0; i < m->cols; i++) out[i] = (float)q[i] * tern_f32_from_f16(rows.scales[i / l->scale_block]);
  } else {
    float scale = m->scale[(size_t)row * (size_t)m->scale_stride];
    l->unpack(m->data, m->rows, m->cols, row, q);
    for (int i = 0; i < m->cols; i++) out[i] = (float)q[i] * scale;
  }
}
