/* t5 in plain C: the definition that every other t5 kernel must equal. */
#include "kernels/integer.h"
#include "kernels/t5.h"

static void run(const tern_gemm *g, int row0, int row1) {
  for (int token = 0; token < g->tokens; token++) {
    const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride;
    for (int row = row0; row < row1; row++) {
      const uint8_t *lane = (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
      int32_t sum = 0;
      for (int c = 0; c < g->cols; c++) sum += tern_t5_code(lane, c) * x[c];
      tern_put_sum(g, token, row, sum);
    }
  }
}

const tern_kernel tern_kernel_t5_scalar = {"t5_scalar", &tern_layout_t5, TERN_ISA_SCALAR, 0, run};
