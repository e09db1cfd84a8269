/* q8 for ARMv8.0: the products of two columns (at most 2 * 127 * 128) fit a
 * 16-bit lane, then pairs are widened. */
#include "kernels/q8_neon.h"

#include "kernels/integer.h"

enum { TILE_TOKENS = 2, PAIR_COLUMNS = 2 * TERN_Q8_COLUMNS };

TERN_INLINE int8x16_t broadcast(const int8_t *x) {
  int32_t four;
  __builtin_memcpy(&four, x, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

static inline void put_quad(const tern_gemm *g, int row, int token, int32x4_t sum) {
  int32_t sums[4];
  vst1q_s32(sums, sum);
  for (int i = 0; i < 4 && row + i < g->rows; i++) tern_put_sum(g, token, row + i, sums[i]);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  int32x4_t low[TILE_TOKENS][4], high[TILE_TOKENS][4]; /* two lanes a row */
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int q = 0; q < 4; q++) low[t][q] = high[t][q] = vdupq_n_s32(0);
  }
  for (int k = 0; k < g->cols; k += PAIR_COLUMNS, w += 2 * TERN_Q8_BLOCK) {
    int8x16_t first[TILE_TOKENS], second[TILE_TOKENS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      first[t] = broadcast(x[t] + k);
      second[t] = broadcast(x[t] + k + TERN_Q8_COLUMNS);
    }
    TERN_UNROLL
    for (int q = 0; q < 4; q++) {
      const int8x16_t a = decode(w, q, 0), b = decode(w, q, 1);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const int16x8_t l = vmull_s8(vget_low_s8(a), vget_low_s8(first[t])), h = vmull_high_s8(a, first[t]);
        low[t][q] = vpadalq_s16(low[t][q], vmlal_s8(l, vget_low_s8(b), vget_low_s8(second[t])));
        high[t][q] = vpadalq_s16(high[t][q], vmlal_high_s8(h, b, second[t]));
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int q = 0; q < 4; q++) put_quad(g, row + 4 * q, token + t, vpaddq_s32(low[t][q], high[t][q]));
  }
}

#include "kernels/pair_tiles.h"

const tern_kernel tern_kernel_q8_neon = {"q8_neon", &tern_layout_q8, TERN_ISA_NEON, 0, run};
