/* q8 for the ARMv8.2 dot product: flipping the top bit takes the bias away. */
#include <arm_neon.h>

#include "kernels/q8.h"
#include "kernels/tile.h"

enum { STEP = TERN_Q8_COL_BLOCK, FIELDS = STEP / TERN_Q8_COLUMNS, STEP_BYTES = FIELDS * TERN_Q8_BLOCK, OFFSET = 0 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
}

TERN_INLINE int8x16_t decode(const uint8_t *step, int quad, int f) {
  const uint8x16_t biased = vld1q_u8(step + f * TERN_Q8_BLOCK + 16 * quad);
  return vreinterpretq_s8_u8(veorq_u8(biased, vdupq_n_u8(TERN_Q8_BIAS)));
}

#include "kernels/neondot_tiles.h"

const tern_kernel tern_kernel_q8_neondot = {"q8_neondot", &tern_layout_q8, TERN_ISA_NEONDOT, 0, run};
