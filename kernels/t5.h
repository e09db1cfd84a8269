/* Layout t5: five weights in a byte, 1.6 bits each. Panels of 16 rows, 64-byte
 * blocks of 16 rows x 20 columns: the 32-bit lane is the row, and digit d of
 * the lane's byte b is the weight of column 4d + b, plus one.
 * A byte n stands for the base-3 fraction 0.d0d1d2d3d4: with v the integer
 * d0d1d2d3d4, n = floor(256 v / 243) + 1, so that n / 256 lies strictly between
 * v / 243 and (v + 1) / 243. Then n_0 = n, d_k = floor(3 n_k / 256) and n_{k+1}
 * = 3 n_k modulo 256 give every digit by multiplication or addition of bytes. */
#ifndef TERN_KERNELS_T5_H
#define TERN_KERNELS_T5_H

#include "kernels/kernel.h"

enum {
  TERN_T5_ROWS = 16,    /* rows of a panel */
  TERN_T5_COLUMNS = 20, /* columns of a block */
  TERN_T5_BLOCK = 64,   /* bytes of a block */
  TERN_T5_DIGITS = 5
};

static inline int tern_t5_padded(int cols) {
  return (cols + TERN_T5_COLUMNS - 1) / TERN_T5_COLUMNS * TERN_T5_COLUMNS;
}

/* Offset of `row`'s lane in the first block of its panel. */
static inline size_t tern_t5_offset(int cols, int row) {
  const size_t panel = (size_t)tern_t5_padded(cols) / TERN_T5_COLUMNS * TERN_T5_BLOCK;
  return (size_t)(row / TERN_T5_ROWS) * panel + (size_t)(row % TERN_T5_ROWS) * 4;
}

/* Code at column c of the row whose first lane is given. */
static inline int tern_t5_code(const uint8_t *lane, int c) {
  static const uint8_t power[TERN_T5_DIGITS] = {81, 27, 9, 3, 1};
  const int n = lane[(size_t)(c / TERN_T5_COLUMNS) * TERN_T5_BLOCK + (size_t)(c % 4)];
  const int v = n * 243 / 256;
  return v / power[c % TERN_T5_COLUMNS / 4] % 3 - 1;
}

#endif
