/* t2 for ARMv8.0 (Cortex-A53, A72): byte products added up in 16 bits. */
#include <arm_neon.h>

#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE int8x16_t decode(const uint8_t *step, int quad, int f) {
  const uint8x16_t raw = vshlq_u8(vld1q_u8(step + 16 * quad), vdupq_n_s8((int8_t)(-2 * f)));
  return vreinterpretq_s8_u8(f == 3 ? raw : vandq_u8(raw, vdupq_n_u8(3)));
}

#include "kernels/neon_tiles.h"

const tern_kernel tern_kernel_t2_neon = {"t2_neon", &tern_layout_t2, TERN_ISA_NEON, 0, run};
