/* The int8 matrix product of ARMv8.6: 2 rows x 8 columns times 8 columns x 2
 * tokens, and the store of a tile of such sums. */
#ifndef TERN_KERNELS_NEONI8MM_H
#define TERN_KERNELS_NEONI8MM_H

#include "kernels/neon_sums.h"

enum { ROWS = 16, ROW_PAIRS = ROWS / 2 };

/* acc += w . x^T: [r0 t0, r0 t1, r1 t0, r1 t1]. Assembly as in neondot.h. */
TERN_INLINE int32x4_t product(int32x4_t acc, int8x16_t w, int8x16_t x) {
  __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(w), "w"(x));
  return acc;
}

/* Two fields of four rows (4 columns each) as two pairs of rows of eight columns. */
TERN_INLINE void pair_fields(int8x16_t a, int8x16_t b, int8x16_t *low, int8x16_t *high) {
  const int32x4_t first = vreinterpretq_s32_s8(a), second = vreinterpretq_s32_s8(b);
  *low = vreinterpretq_s8_s32(vzip1q_s32(first, second));
  *high = vreinterpretq_s8_s32(vzip2q_s32(first, second));
}

/* Sums of ROWS rows of the pair of tokens: the first token's at sums, the second's after them. */
TERN_INLINE void split_tokens(int32_t *sums, const int32x4_t *acc) {
  TERN_UNROLL
  for (int r = 0; r < ROW_PAIRS; r += 2) {
    vst1q_s32(sums + 2 * r, vuzp1q_s32(acc[r], acc[r + 1]));
    vst1q_s32(sums + ROWS + 2 * r, vuzp2q_s32(acc[r], acc[r + 1]));
  }
}

#endif
