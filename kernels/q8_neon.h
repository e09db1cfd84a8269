/* q8 as the ARM kernels read it: flipping the top bit takes the bias away. */
#ifndef TERN_KERNELS_Q8_NEON_H
#define TERN_KERNELS_Q8_NEON_H

#include <arm_neon.h>

#include "kernels/q8.h"
#include "kernels/tile.h"

enum { STEP = TERN_Q8_COL_BLOCK, FIELDS = STEP / TERN_Q8_COLUMNS, STEP_BYTES = FIELDS * TERN_Q8_BLOCK, OFFSET = 0 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
}

/* Four rows' bytes that hold field f, and the field in them. */
TERN_INLINE uint8x16_t packed(const uint8_t *step, int quad, int f) {
  return vld1q_u8(step + f * TERN_Q8_BLOCK + 16 * quad);
}

TERN_INLINE int8x16_t decode(uint8x16_t bytes, int f) {
  (void)f;
  return vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(TERN_Q8_BIAS)));
}

typedef struct codebook {
  char unused;
} codebook;

TERN_INLINE codebook learn(void) {
  return (codebook){0};
}

TERN_INLINE void unpack(const codebook *book, const uint8_t *step, int quad, int8x16_t *fields) {
  (void)book;
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) fields[f] = decode(packed(step, quad, f), f);
}

#endif
