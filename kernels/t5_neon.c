/* t5 for ARMv8.0: digits as in t5_neondot.c, byte products added up in 16 bits. */
#include <arm_neon.h>

#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

TERN_INLINE int8x16_t decode(const uint8_t *step, int quad, int f) {
  static const uint8_t power[TERN_T5_DIGITS] = {1, 3, 9, 27, 81};
  const uint8x16_t n = vmulq_u8(vld1q_u8(step + 16 * quad), vdupq_n_u8(power[f]));
  return vreinterpretq_s8_u8(vshrq_n_u8(vhaddq_u8(n, vshrq_n_u8(n, 1)), 6));
}

#include "kernels/neon_tiles.h"

const tern_kernel tern_kernel_t5_neon = {"t5_neon", &tern_layout_t5, TERN_ISA_NEON, 0, run};
