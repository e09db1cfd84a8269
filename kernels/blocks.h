/* Block-scaled layouts: codes of 2, 4 or 8 bits, u = w - lowest, and an f16
 * scale for each row's block of 32, 64 or 128 columns. A panel is 16 rows; it is
 * a sequence of steps of two blocks: 64 bytes of scales (16 rows, then 16 of the
 * second block), then the codes of both. Codes lie as in t2 and q8: in 64 bytes
 * the 32-bit lane is the row and field f of its byte b is column 4f + b of
 * 4 * 8 / bits columns. Read strictly in order. Padding has zero weights and
 * zero scales. Formats: Q2_0, Q8_0 and Q4_0 of GGUF, see docs/kernels.md. */
#ifndef TERN_KERNELS_BLOCKS_H
#define TERN_KERNELS_BLOCKS_H

#include "kernels/kernel.h"

enum { TERN_BLOCKS_ROWS = 16, TERN_BLOCKS_UNIT = 64, TERN_BLOCKS_SCALES = 64 };

/* Bytes of a block's codes, and of a step. */
static inline size_t tern_blocks_codes(int bits, int block) {
  return (size_t)block * TERN_BLOCKS_ROWS * (size_t)bits / 8;
}
static inline size_t tern_blocks_step(int bits, int block) {
  return TERN_BLOCKS_SCALES + 2 * tern_blocks_codes(bits, block);
}

/* Bytes of a panel. */
static inline size_t tern_blocks_panel(int bits, int block, int cols) {
  return ((size_t)cols + 2 * (size_t)block - 1) / (2 * (size_t)block) * tern_blocks_step(bits, block);
}

/* Offset of the step that holds block `index` of `row`'s panel. */
static inline size_t tern_blocks_at(int bits, int block, int cols, int row, int index) {
  return (size_t)(row / TERN_BLOCKS_ROWS) * tern_blocks_panel(bits, block, cols) +
         (size_t)(index / 2) * tern_blocks_step(bits, block);
}

/* Byte of the step that holds column c (of the block) of `row`; its bits start at *shift. */
static inline size_t tern_blocks_byte(int bits, int block, int row, int index, int c, int *shift) {
  const int columns = 4 * 8 / bits;
  *shift = c % columns / 4 * bits;
  return TERN_BLOCKS_SCALES + (size_t)(index % 2) * tern_blocks_codes(bits, block) +
         (size_t)(c / columns) * TERN_BLOCKS_UNIT + (size_t)(row % TERN_BLOCKS_ROWS) * 4 + (size_t)(c % 4);
}

/* Byte of the step that holds the scale of `row`. */
static inline size_t tern_blocks_scale(int row, int index) {
  return (size_t)(index % 2) * 32 + (size_t)(row % TERN_BLOCKS_ROWS) * 2;
}

#endif
