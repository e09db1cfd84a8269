/* A block-scaled layout in plain C, the definition: included by
 * <layout>_scalar.c after BITS, BLOCK and LOWEST. */
#include "kernels/blocks.h"
#include "kernels/math_half.h"

#include <math.h>

static int32_t block_sum(const uint8_t *step, int row, int index, const int8_t *x, int columns) {
  int32_t sum = 0;
  for (int c = 0; c < columns; c++) {
    int shift;
    const int byte = step[tern_blocks_byte(BITS, BLOCK, row, index, c, &shift)];
    sum += ((byte >> shift & ((1 << BITS) - 1)) + LOWEST) * x[c];
  }
  return sum;
}

static float output(const tern_gemm *g, int token, int row) {
  const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride;
  const float *x_scale = g->x_scale + (size_t)token * g->x_block_stride;
  float y = 0;
  for (int k = 0, index = 0; k < g->cols; k += BLOCK, index++) {
    const uint8_t *step = (const uint8_t *)g->weights + tern_blocks_at(BITS, BLOCK, g->cols, row, index);
    uint16_t half;
    memcpy(&half, step + tern_blocks_scale(row, index), sizeof half);
    const int columns = g->cols - k < BLOCK ? g->cols - k : BLOCK;
    y = fmaf((float)block_sum(step, row, index, x + k, columns), tern_f16_to_f32(half) * x_scale[index], y);
  }
  return y;
}

static void run(const tern_gemm *g, int row0, int row1) {
  for (int token = 0; token < g->tokens; token++)
    for (int row = row0; row < row1; row++) g->y[(size_t)token * g->y_stride + (size_t)row] = output(g, token, row);
}
