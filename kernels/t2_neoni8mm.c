/* t2 for the ARMv8.6 int8 matrix product; one token is the dot product's. */
#include "kernels/t2_neon.h"

#include "kernels/neoni8mm_tiles.h"

#include "kernels/neoni8mm_batch.h"

extern const tern_kernel tern_kernel_t2_neondot;

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens == 1)
    tern_kernel_t2_neondot.run(g, row0, row1);
  else if (g->tokens <= FEW_TOKENS)
    tern_tiles_run(&few, g, row0, row1);
  else
    batch(g, row0, row1);
}

const tern_kernel tern_kernel_t2_neoni8mm = {"t2_neoni8mm", &tern_layout_t2, TERN_ISA_NEONI8MM, BATCH_SCRATCH, run};
