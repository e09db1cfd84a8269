/* Layout t2: two bits a weight, u = w + 1. A panel is 16 rows; within it
 * 64-byte blocks of 16 columns follow each other, so that a product reads
 * memory strictly in order. In a block the 32-bit lane is the row and field f
 * (bits 2f, 2f+1) of the lane's byte b holds column 4f + b: one masked block
 * meets four consecutive activations broadcast to all lanes, and sums stay in
 * lanes. Padding has code 0 (u = 1) and meets zero activations. */
#ifndef TERN_KERNELS_T2_H
#define TERN_KERNELS_T2_H

#include "kernels/kernel.h"

enum {
  TERN_T2_ROWS = 16,    /* rows of a panel */
  TERN_T2_COLUMNS = 16, /* columns of a block */
  TERN_T2_BLOCK = 64,   /* bytes of a block */
  TERN_T2_COL_BLOCK = 64
};

static inline int tern_t2_padded(int cols) {
  return (cols + TERN_T2_COL_BLOCK - 1) / TERN_T2_COL_BLOCK * TERN_T2_COL_BLOCK;
}

/* Bytes of one panel. */
static inline size_t tern_t2_panel(int cols) {
  return (size_t)tern_t2_padded(cols) / TERN_T2_COLUMNS * TERN_T2_BLOCK;
}

/* Offset of `row`'s lane in the block of column k (a multiple of 16). */
static inline size_t tern_t2_offset(int cols, int row, int k) {
  return (size_t)(row / TERN_T2_ROWS) * tern_t2_panel(cols) + (size_t)k / TERN_T2_COLUMNS * TERN_T2_BLOCK +
         (size_t)(row % TERN_T2_ROWS) * 4;
}

/* Code at column c of the row whose first lane is given. */
static inline int tern_t2_code(const uint8_t *lane, int c) {
  const int byte = lane[(size_t)(c / TERN_T2_COLUMNS) * TERN_T2_BLOCK + (size_t)(c % 4)];
  return (byte >> 2 * (c % TERN_T2_COLUMNS / 4) & 3) - 1;
}

#endif
