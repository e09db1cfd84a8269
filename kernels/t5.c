/* Layout t5: pack and unpack (t5.h says what lies where). */
#include "kernels/t5.h"

#include <string.h>

static size_t bytes(int rows, int cols) {
  const size_t panels = ((size_t)rows + TERN_T5_ROWS - 1) / TERN_T5_ROWS;
  return panels * ((size_t)tern_t5_padded(cols) / TERN_T5_COLUMNS) * TERN_T5_BLOCK;
}

/* One row of a block: 20 codes to 4 bytes. */
static void pack_lane(uint8_t lane[4], const int8_t codes[TERN_T5_COLUMNS]) {
  for (int b = 0; b < 4; b++) {
    int v = 0;
    for (int d = 0; d < TERN_T5_DIGITS; d++) v = 3 * v + codes[4 * d + b] + 1;
    lane[b] = (uint8_t)(v * 256 / 243 + 1);
  }
}

static void pack_row(uint8_t *lane, int cols, const int8_t *codes) {
  for (int c = 0; c < cols; c += TERN_T5_COLUMNS, lane += TERN_T5_BLOCK) {
    int8_t block[TERN_T5_COLUMNS] = {0};
    memcpy(block, codes + c, cols - c < TERN_T5_COLUMNS ? (size_t)(cols - c) : sizeof block);
    pack_lane(lane, block);
  }
}

static void pack(void *dst, int rows, int cols, int row0, int count, const void *canonical) {
  const int8_t zeros[TERN_T5_COLUMNS] = {0};
  const int8_t *codes = canonical;
  uint8_t *panels = dst;
  for (int i = 0; i < count; i++)
    pack_row(panels + tern_t5_offset(cols, row0 + i), cols, codes + (size_t)i * (size_t)cols);
  if (row0 + count < rows) return;
  for (int row = rows; row % TERN_T5_ROWS != 0; row++)
    for (int c = 0; c < cols; c += TERN_T5_COLUMNS)
      pack_lane(panels + tern_t5_offset(cols, row) + (size_t)(c / TERN_T5_COLUMNS) * TERN_T5_BLOCK, zeros);
}

static void unpack(const void *packed, int rows, int cols, int row, void *canonical) {
  (void)rows;
  int8_t *codes = canonical;
  const uint8_t *lane = (const uint8_t *)packed + tern_t5_offset(cols, row);
  for (int c = 0; c < cols; c++) codes[c] = (int8_t)tern_t5_code(lane, c);
}

const tern_layout tern_layout_t5 = {
    .name = "t5",
    .what = "ternary, 5 weights a byte (1.6 bits), 16 rows x 20 columns in 64 bytes",
    .kind = TERN_KIND_TERNARY,
    .row_block = TERN_T5_ROWS,
    .col_block = TERN_T5_COLUMNS,
    .bits = 1.6,
    .bytes = bytes,
    .pack = pack,
    .unpack = unpack,
};
