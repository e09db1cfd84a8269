/* Layout t2: pack and unpack (t2.h says what lies where). */
#include "kernels/t2.h"

#include <string.h>

enum { ZEROS = 0x55 }; /* four times code 0 */

static size_t bytes(int rows, int cols) {
  const size_t panels = ((size_t)rows + TERN_T2_ROWS - 1) / TERN_T2_ROWS;
  return panels * tern_t2_panel(cols);
}

/* One row of a block: 16 codes to 4 bytes. Bytes -1, 0, 1 become 0, 1, 2 by
 * adding one modulo 4. */
static uint32_t pack_lane(const int8_t codes[TERN_T2_COLUMNS]) {
  const uint32_t low = 0x03030303u;
  uint32_t lane = 0;
  for (int f = 0; f < 4; f++) {
    uint32_t four;
    memcpy(&four, codes + 4 * f, sizeof four);
    lane |= (((four & low) + 0x01010101u) & low) << 2 * f;
  }
  return lane;
}

static void pack_row(uint8_t *lane, int cols, const int8_t *codes) {
  for (int c = 0; c < tern_t2_padded(cols); c += TERN_T2_COLUMNS, lane += TERN_T2_BLOCK) {
    int8_t block[TERN_T2_COLUMNS] = {0};
    if (c < cols) memcpy(block, codes + c, cols - c < TERN_T2_COLUMNS ? (size_t)(cols - c) : sizeof block);
    const uint32_t packed = pack_lane(block);
    memcpy(lane, &packed, sizeof packed);
  }
}

static void pack(void *dst, int rows, int cols, int row0, int count, const void *canonical) {
  const int8_t *codes = canonical;
  uint8_t *panels = dst;
  for (int i = 0; i < count; i++)
    pack_row(panels + tern_t2_offset(cols, row0 + i, 0), cols, codes + (size_t)i * (size_t)cols);
  if (row0 + count < rows) return;
  for (int row = rows; row % TERN_T2_ROWS != 0; row++)
    for (int k = 0; k < tern_t2_padded(cols); k += TERN_T2_COLUMNS)
      memset(panels + tern_t2_offset(cols, row, k), ZEROS, 4);
}

static void unpack(const void *packed, int rows, int cols, int row, void *canonical) {
  (void)rows;
  int8_t *codes = canonical;
  const uint8_t *lane = (const uint8_t *)packed + tern_t2_offset(cols, row, 0);
  for (int c = 0; c < cols; c++) codes[c] = (int8_t)tern_t2_code(lane, c);
}

const tern_layout tern_layout_t2 = {
    .name = "t2",
    .what = "ternary, 2 bits a weight, 16 rows x 16 columns in 64 bytes",
    .kind = TERN_KIND_TERNARY,
    .row_block = TERN_T2_ROWS,
    .col_block = TERN_T2_COL_BLOCK,
    .bits = 2,
    .bytes = bytes,
    .pack = pack,
    .unpack = unpack,
};
