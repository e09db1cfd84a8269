/* t5 as the ARM kernels read it: the halving addition gives floor(3n / 4), whose
 * two top bits are the digit (t5.h). */
#ifndef TERN_KERNELS_T5_NEON_H
#define TERN_KERNELS_T5_NEON_H

#include <arm_neon.h>

#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS, OFFSET = 1 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

TERN_INLINE int8x16_t decode(const uint8_t *step, int quad, int f) {
  static const uint8_t power[TERN_T5_DIGITS] = {1, 3, 9, 27, 81};
  const uint8x16_t n = vmulq_u8(vld1q_u8(step + 16 * quad), vdupq_n_u8(power[f]));
  return vreinterpretq_s8_u8(vshrq_n_u8(vhaddq_u8(n, vshrq_n_u8(n, 1)), 6));
}

#endif
