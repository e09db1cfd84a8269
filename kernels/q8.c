/* Layout q8: pack and unpack (q8.h says what lies where). */
#include "kernels/q8.h"

#include <string.h>

static size_t bytes(int rows, int cols) {
  const size_t panels = ((size_t)rows + TERN_Q8_ROWS - 1) / TERN_Q8_ROWS;
  return panels * TERN_Q8_ROWS * (size_t)tern_q8_padded(cols);
}

static void pack_row(uint8_t *lane, int cols, const int8_t *weights) {
  const uint32_t bias = 0x80808080u; /* + 128 modulo 256 flips the top bit */
  for (int c = 0; c < tern_q8_padded(cols); c += TERN_Q8_COLUMNS, lane += TERN_Q8_BLOCK) {
    uint32_t four = 0;
    if (c < cols) memcpy(&four, weights + c, cols - c < TERN_Q8_COLUMNS ? (size_t)(cols - c) : sizeof four);
    four ^= bias;
    memcpy(lane, &four, sizeof four);
  }
}

static void pack(void *dst, int rows, int cols, int row0, int count, const void *canonical) {
  const int8_t *weights = canonical;
  uint8_t *panels = dst;
  for (int i = 0; i < count; i++)
    pack_row(panels + tern_q8_offset(cols, row0 + i), cols, weights + (size_t)i * (size_t)cols);
  if (row0 + count < rows) return;
  for (int row = rows; row % TERN_Q8_ROWS != 0; row++)
    for (int k = 0; k < tern_q8_padded(cols); k += TERN_Q8_COLUMNS)
      memset(panels + tern_q8_offset(cols, row) + (size_t)k * TERN_Q8_ROWS, TERN_Q8_BIAS, 4);
}

static void unpack(const void *packed, int rows, int cols, int row, void *canonical) {
  (void)rows;
  int8_t *weights = canonical;
  const uint8_t *lane = (const uint8_t *)packed + tern_q8_offset(cols, row);
  for (int c = 0; c < cols; c++) weights[c] = (int8_t)tern_q8_weight(lane, c);
}

const tern_layout tern_layout_q8 = {
    .name = "q8",
    .what = "int8, 16 rows x 4 columns in 64 bytes",
    .kind = TERN_KIND_INT8,
    .row_block = TERN_Q8_ROWS,
    .col_block = TERN_Q8_COL_BLOCK,
    .bits = 8,
    .bytes = bytes,
    .pack = pack,
    .unpack = unpack,
};
