/* Layout t5l: pack and unpack (t5l.h says what lies where). */
#include "kernels/t5l.h"

#include <string.h>

static size_t bytes(int rows, int cols) {
  return (size_t)tern_t5l_panels(rows) * (size_t)tern_t5l_groups(cols) * TERN_T5L_ROWS;
}

static uint8_t pack_group(const int8_t codes[TERN_T5L_DIGITS]) {
  int v = 0;
  for (int d = 0; d < TERN_T5L_DIGITS; d++) v = 3 * v + codes[d];
  return (uint8_t)(v < 0 ? TERN_T5L_SIGN - v : v);
}

/* A row of codes; NULL: of zeros. */
static void pack_row(uint8_t *packed, int rows, int cols, int row, const int8_t *codes) {
  for (int first = 0; first < tern_t5l_groups(cols); first += TERN_T5L_BUNDLE) {
    uint8_t *at = packed + tern_t5l_block(rows, cols, row, first) + tern_t5l_place(row);
    for (int i = 0; i < tern_t5l_bundle(cols, first); i++, at += TERN_T5L_ROWS) {
      const int k = (first + i) * TERN_T5L_DIGITS, left = cols - k;
      int8_t five[TERN_T5L_DIGITS] = {0};
      if (codes && left >= TERN_T5L_DIGITS)
        memcpy(five, codes + k, sizeof five);
      else if (codes)
        memcpy(five, codes + k, (size_t)left);
      *at = pack_group(five);
    }
  }
}

static void pack(void *dst, int rows, int cols, int row0, int count, const void *canonical) {
  const int8_t *codes = canonical;
  for (int i = 0; i < count; i++) pack_row(dst, rows, cols, row0 + i, codes + (size_t)i * (size_t)cols);
  if (row0 + count < rows) return;
  for (int row = rows; row % TERN_T5L_ROWS != 0; row++) pack_row(dst, rows, cols, row, NULL);
}

static void unpack(const void *packed, int rows, int cols, int row, void *canonical) {
  int8_t *codes = canonical;
  for (int c = 0; c < cols; c++) {
    const size_t block = tern_t5l_block(rows, cols, row, c / TERN_T5L_DIGITS);
    codes[c] = (int8_t)tern_t5l_code(((const uint8_t *)packed)[block + tern_t5l_place(row)], c % TERN_T5L_DIGITS);
  }
}

const tern_layout tern_layout_t5l = {
    .name = "t5l",
    .what = "ternary, 5 weights a byte (1.6 bits) in the order of table lookups, 64 rows x 5 columns in 64 bytes",
    .kind = TERN_KIND_TERNARY,
    .row_block = TERN_T5L_ROWS,
    .col_block = TERN_T5L_DIGITS,
    .bits = 1.6,
    .bytes = bytes,
    .pack = pack,
    .unpack = unpack,
};
