/* A float layout, included by f32.c, f16.c and bf16.c, which define
 *   FLOAT_ELEMENT        type of a weight
 *   FLOAT_PUT(v, d, s, n) converts n floats s to weights d by vector table v
 *   FLOAT_GET(w)         float of one weight
 * then TERN_FLOAT_LAYOUT(name, what). Layout of a matrix: panel after panel,
 * element (r, c) of a panel at c * 64 + r; rows past the end are zero. */
#include <string.h>

#include "kernels/float.h"
#include "kernels/layout.h"
#include "kernels/vec.h"

static size_t bytes(int rows, int cols) {
  size_t panels = ((size_t)rows + FLOAT_PANEL - 1) / FLOAT_PANEL;
  return panels * FLOAT_PANEL * (size_t)cols * sizeof(FLOAT_ELEMENT);
}

/* One panel of `count` <= 64 rows, by square tiles that stay in cache. */
static void pack_panel(const tern_vec *v, FLOAT_ELEMENT *panel, int cols, int count, const float *rows) {
  FLOAT_ELEMENT tile[FLOAT_PANEL][FLOAT_PANEL];
  (void)v; /* f32 needs no conversion */
  memset(tile, 0, sizeof tile);
  for (int c0 = 0; c0 < cols; c0 += FLOAT_PANEL) {
    int n = cols - c0 < FLOAT_PANEL ? cols - c0 : FLOAT_PANEL;
    for (int r = 0; r < count; r++) FLOAT_PUT(v, tile[r], rows + (size_t)r * (size_t)cols + c0, (size_t)n);
    for (int c = 0; c < n; c++)
      for (int r = 0; r < FLOAT_PANEL; r++) panel[(size_t)(c0 + c) * FLOAT_PANEL + (size_t)r] = tile[r][c];
  }
}

static void pack(void *dst, int rows, int cols, int row0, int count, const void *canonical) {
  const tern_vec *v = tern_vec_find(TERN_ISA_COUNT);
  (void)rows;
  for (int r = 0; r < count; r += FLOAT_PANEL)
    pack_panel(v, (FLOAT_ELEMENT *)dst + (size_t)(row0 + r) * (size_t)cols, cols,
               count - r < FLOAT_PANEL ? count - r : FLOAT_PANEL, (const float *)canonical + (size_t)r * (size_t)cols);
}

static void unpack(const void *packed, int rows, int cols, int row, void *canonical) {
  (void)rows;
  size_t panel = (size_t)(row / FLOAT_PANEL) * FLOAT_PANEL * (size_t)cols;
  const FLOAT_ELEMENT *w = (const FLOAT_ELEMENT *)packed + panel + row % FLOAT_PANEL;
  for (int c = 0; c < cols; c++) ((float *)canonical)[c] = FLOAT_GET(w[(size_t)c * FLOAT_PANEL]);
}

#define TERN_FLOAT_LAYOUT(id, text)                                                                                    \
  const tern_layout tern_layout_##id = {.name = #id,                                                                   \
                                        .what = text,                                                                  \
                                        .kind = TERN_KIND_FLOAT,                                                       \
                                        .row_block = FLOAT_PANEL,                                                      \
                                        .col_block = 1,                                                                \
                                        .bits = 8.0 * sizeof(FLOAT_ELEMENT),                                           \
                                        .bytes = bytes,                                                                \
                                        .pack = pack,                                                                  \
                                        .unpack = unpack}
