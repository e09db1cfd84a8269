/* t5 for the ARMv8.6 int8 matrix product; few tokens are the dot product's. */
#include "kernels/t5_neon.h"

#include "kernels/neoni8mm_batch.h"

extern const tern_kernel tern_kernel_t5_neondot;

enum { FEW_TOKENS = 4 };

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens <= FEW_TOKENS)
    tern_kernel_t5_neondot.run(g, row0, row1);
  else
    batch(g, row0, row1);
}

const tern_kernel tern_kernel_t5_neoni8mm = {"t5_neoni8mm", &tern_layout_t5, TERN_ISA_NEONI8MM, BATCH_SCRATCH, run};
