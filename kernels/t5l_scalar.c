/* t5l in plain C: the definition that every other t5l kernel must equal. */
#include "kernels/integer.h"
#include "kernels/t5l.h"

static int32_t sum_of_row(const tern_gemm *g, int row, const int8_t *x) {
  int32_t sum = 0;
  for (int k = 0; k < g->cols; k += TERN_T5L_DIGITS) {
    const size_t block = tern_t5l_block(g->rows, g->cols, row, k / TERN_T5L_DIGITS);
    const uint8_t byte = ((const uint8_t *)g->weights)[block + tern_t5l_place(row)];
    const int digits = g->cols - k < TERN_T5L_DIGITS ? g->cols - k : TERN_T5L_DIGITS;
    for (int d = 0; d < digits; d++) sum += tern_t5l_code(byte, d) * x[k + d];
  }
  return sum;
}

static void run(const tern_gemm *g, int row0, int row1) {
  for (int token = 0; token < g->tokens; token++)
    for (int row = row0; row < row1; row++)
      tern_put_sum(g, token, row, sum_of_row(g, row, (const int8_t *)g->x + (size_t)token * g->x_stride));
}

const tern_kernel tern_kernel_t5l_scalar = {"t5l_scalar", &tern_layout_t5l, TERN_ISA_SCALAR, 0, run};
