/* t2 as the ARM kernels read it: codes 0, 1, 2 are positive as signed bytes. */
#ifndef TERN_KERNELS_T2_NEON_H
#define TERN_KERNELS_T2_NEON_H

#include <arm_neon.h>

#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4, OFFSET = 1 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE int8x16_t decode(const uint8_t *step, int quad, int f) {
  const uint8x16_t raw = vshlq_u8(vld1q_u8(step + 16 * quad), vdupq_n_s8((int8_t)(-2 * f)));
  return vreinterpretq_s8_u8(f == 3 ? raw : vandq_u8(raw, vdupq_n_u8(3)));
}

#endif
