/* t5 for the ARMv8.6 int8 matrix product; one token is the dot product's. */
#include "kernels/t5_neon.h"

#include "kernels/neoni8mm_tiles.h"

extern const tern_kernel tern_kernel_t5_neondot;

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens == 1)
    tern_kernel_t5_neondot.run(g, row0, row1);
  else
    tern_tiles_run(&tiles, g, row0, row1);
}

const tern_kernel tern_kernel_t5_neoni8mm = {"t5_neoni8mm", &tern_layout_t5, TERN_ISA_NEONI8MM, 0, run};
