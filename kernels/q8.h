/* Layout q8: a byte a weight, u = w + 128. A panel is 16 rows; its 64-byte
 * blocks of 4 columns follow each other. In a block the 32-bit lane is the row
 * and its four bytes are four columns, so that one block meets four consecutive
 * activations broadcast to all lanes. Unsigned because the x86 dot product wants
 * one unsigned side; a kernel that does subtracts 128 times the activations'
 * sum. */
#ifndef TERN_KERNELS_Q8_H
#define TERN_KERNELS_Q8_H

#include "kernels/kernel.h"

enum {
  TERN_Q8_ROWS = 16,   /* rows of a panel */
  TERN_Q8_COLUMNS = 4, /* columns of a block */
  TERN_Q8_BLOCK = 64,  /* bytes of a block */
  TERN_Q8_BIAS = 128,
  TERN_Q8_COL_BLOCK = 16
};

static inline int tern_q8_padded(int cols) {
  return (cols + TERN_Q8_COL_BLOCK - 1) / TERN_Q8_COL_BLOCK * TERN_Q8_COL_BLOCK;
}

/* Offset of `row`'s lane in the first block of its panel. */
static inline size_t tern_q8_offset(int cols, int row) {
  return (size_t)(row / TERN_Q8_ROWS) * TERN_Q8_ROWS * (size_t)tern_q8_padded(cols) + (size_t)(row % TERN_Q8_ROWS) * 4;
}

/* Weight at column c of the row whose first lane is given. */
static inline int tern_q8_weight(const uint8_t *lane, int c) {
  return lane[(size_t)(c / TERN_Q8_COLUMNS) * TERN_Q8_BLOCK + (size_t)(c % TERN_Q8_COLUMNS)] - TERN_Q8_BIAS;
}

#endif
