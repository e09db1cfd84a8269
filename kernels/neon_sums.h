/* The output rule of integer.h for four rows at a time, and the store of a
 * tile's sums. Same operations in the same order as the scalar rule: same bits. */
#ifndef TERN_KERNELS_NEON_SUMS_H
#define TERN_KERNELS_NEON_SUMS_H

#include <arm_neon.h>

#include "kernels/integer.h"
#include "kernels/tile.h"

TERN_INLINE void put_four(const tern_gemm *g, int token, int row, int32x4_t sum) {
  if (row + 4 > g->rows) {
    int32_t sums[4];
    vst1q_s32(sums, sum);
    for (int i = 0; i < 4 && row + i < g->rows; i++) tern_put_sum(g, token, row + i, sums[i]);
    return;
  }
  const size_t at = (size_t)token * g->y_stride + (size_t)row;
  if (g->y_int) {
    vst1q_s32(g->y_int + at, sum);
  } else {
    const float *w = g->w_scale + (ptrdiff_t)row * g->w_scale_stride;
    const float32x4_t scale = vmulq_n_f32(g->w_scale_stride ? vld1q_f32(w) : vdupq_n_f32(*w), g->x_scale[token]);
    vst1q_f32(g->y + at, vmulq_f32(vcvtq_f32_s32(sum), scale));
  }
}

/* sums: `rows` of each token, a multiple of four; offset: what codes add to a weight. */
static inline void put_tile(const tern_gemm *g, int row, int rows, int token, int tokens, const int32_t *sums,
                            int offset) {
  for (int t = 0; t < tokens; t++) {
    const int32x4_t extra = vdupq_n_s32(offset * g->x_sum[token + t]);
    for (int r = 0; r < rows; r += 4) put_four(g, token + t, row + r, vsubq_s32(vld1q_s32(sums + t * rows + r), extra));
  }
}

/* Four bytes in every lane. */
TERN_INLINE int8x16_t broadcast(const int8_t *x) {
  int32_t four;
  __builtin_memcpy(&four, x, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

/* The same, and goes on, in one instruction; row: where the activations begin (any of them may be read). */
TERN_INLINE int8x16_t broadcast_next(const int8_t **x, const int8_t *row) {
  int8x16_t four;
  __asm__("ld1r {%0.4s}, [%1], #4" : "=w"(four), "+r"(*x) : "m"(*(const int8_t(*)[65536])row));
  return four;
}

/* Both in registers from here on, so that one instruction loads neighbours. */
#define TOGETHER(a, b) __asm__("" : "+w"(a), "+w"(b))

#endif
