/* Layout t5l: five weights in a byte (1.6 bits each), ordered for table lookups.
 * A byte holds the balanced ternary number of five consecutive columns, V = 81
 * w0 + 27 w1 + 9 w2 + 3 w3 + w4, as sign (top bit) and magnitude (0..121): five
 * activations have 122 partial sums and their negatives. A 64-byte block is one
 * group of five columns for a panel of 64 rows; the blocks of up to four panels
 * (a strip) follow each other, then the strip's next group, up to the end of a
 * chunk of columns; then the chunk's next strip, then the next chunk. So one
 * table serves many bytes at once, the tables of a chunk stay near, and weights
 * are read strictly in order. A block's rows are ordered so that unpacking its
 * bytes with others gives sums in the order of rows. */
#ifndef TERN_KERNELS_T5L_H
#define TERN_KERNELS_T5L_H

#include "kernels/kernel.h"

enum {
  TERN_T5L_ROWS = 64,  /* rows of a panel, bytes of a block */
  TERN_T5L_PANELS = 4, /* of a strip; fewer at the end of the matrix */
  TERN_T5L_STRIP = TERN_T5L_ROWS * TERN_T5L_PANELS,
  TERN_T5L_DIGITS = 5,  /* columns of a group */
  TERN_T5L_GROUPS = 48, /* groups of a chunk: 48 sums of five activations fit 16 bits */
  TERN_T5L_SIGN = 0x80
};

/* Groups in a row. */
static inline int tern_t5l_groups(int cols) {
  return (cols + TERN_T5L_DIGITS - 1) / TERN_T5L_DIGITS;
}

/* Groups of the chunk that starts at group `first`. */
static inline int tern_t5l_chunk(int cols, int first) {
  const int left = tern_t5l_groups(cols) - first;
  return left < TERN_T5L_GROUPS ? left : TERN_T5L_GROUPS;
}

/* Panels of the strip that holds `row`. */
static inline int tern_t5l_strip(int rows, int row) {
  const int left = (rows + TERN_T5L_ROWS - 1) / TERN_T5L_ROWS - row / TERN_T5L_STRIP * TERN_T5L_PANELS;
  return left < TERN_T5L_PANELS ? left : TERN_T5L_PANELS;
}

/* Offset of the block of `row`'s panel and group `group`. */
static inline size_t tern_t5l_block(int rows, int cols, int row, int group) {
  const size_t panels = ((size_t)rows + TERN_T5L_ROWS - 1) / TERN_T5L_ROWS;
  const int first = group / TERN_T5L_GROUPS * TERN_T5L_GROUPS;
  const size_t chunk = panels * (size_t)first;
  const size_t strip = (size_t)(row / TERN_T5L_STRIP) * TERN_T5L_PANELS * (size_t)tern_t5l_chunk(cols, first);
  const size_t block = (size_t)(group - first) * (size_t)tern_t5l_strip(rows, row);
  return (chunk + strip + block + (size_t)(row % TERN_T5L_STRIP / TERN_T5L_ROWS)) * TERN_T5L_ROWS;
}

/* Place of a row in its blocks. */
static inline size_t tern_t5l_place(int row) {
  const int r = row % TERN_T5L_ROWS;
  return (size_t)(r % 32 / 8 * 16 + r / 32 * 8 + r % 8);
}

/* Weight `digit` of a byte. */
static inline int tern_t5l_code(uint8_t byte, int digit) {
  static const int power[TERN_T5L_DIGITS] = {81, 27, 9, 3, 1};
  const int code = ((byte & ~TERN_T5L_SIGN & 0xff) + 121) / power[digit] % 3 - 1;
  return byte & TERN_T5L_SIGN ? -code : code;
}

#endif
