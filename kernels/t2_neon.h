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

/* Four rows' bytes that hold field f, and the field in them. */
TERN_INLINE uint8x16_t packed(const uint8_t *step, int quad, int f) {
  (void)f;
  return vld1q_u8(step + 16 * quad);
}

TERN_INLINE int8x16_t decode(uint8x16_t bytes, int f) {
  const uint8x16_t low = vshlq_u8(bytes, vdupq_n_s8((int8_t)(-2 * f)));
  return vreinterpretq_s8_u8(f == 3 ? low : vandq_u8(low, vdupq_n_u8(3)));
}

typedef struct codebook {
  char unused;
} codebook;

TERN_INLINE codebook learn(void) {
  return (codebook){0};
}

TERN_INLINE void unpack(const codebook *book, const uint8_t *step, int quad, int8x16_t *fields) {
  (void)book;
  const uint8x16_t bytes = packed(step, quad, 0);
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) fields[f] = decode(bytes, f);
}

#endif
