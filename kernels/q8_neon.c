/* q8 for ARMv8.0: the products of two columns (at most 2 * 127 * 128) fit a
 * 16-bit lane, then pairs are widened. */
#include "kernels/q8_neon.h"

#include "kernels/neon_sums.h"

enum { TILE_TOKENS = 2, ROWS = 16, QUADS = ROWS / 4, PAIR_COLUMNS = 2 * TERN_Q8_COLUMNS };

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS], *start[TILE_TOKENS];
  int32x4_t low[TILE_TOKENS][QUADS], high[TILE_TOKENS][QUADS]; /* two lanes a row */
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = start[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) low[t][q] = high[t][q] = vdupq_n_s32(0);
  }
  for (int k = 0; k < g->cols; k += PAIR_COLUMNS, w += 2 * TERN_Q8_BLOCK) {
    int8x16_t first[TILE_TOKENS], second[TILE_TOKENS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      first[t] = broadcast_next(&x[t], start[t]);
      second[t] = broadcast_next(&x[t], start[t]);
    }
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) {
      const int8x16_t a = decode(packed(w, q, 0), 0), b = decode(packed(w, q, 1), 1);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const int16x8_t l = vmull_s8(vget_low_s8(a), vget_low_s8(first[t])), h = vmull_high_s8(a, first[t]);
        low[t][q] = vpadalq_s16(low[t][q], vmlal_s8(l, vget_low_s8(b), vget_low_s8(second[t])));
        high[t][q] = vpadalq_s16(high[t][q], vmlal_high_s8(h, b, second[t]));
      }
    }
  }
  int32_t sums[TILE_TOKENS * ROWS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) vst1q_s32(sums + ROWS * t + 4 * q, vpaddq_s32(low[t][q], high[t][q]));
  }
  put_tile(g, row, ROWS, token, tokens, sums, OFFSET);
}

#include "kernels/pair_tiles.h"

const tern_kernel tern_kernel_q8_neon = {"q8_neon", &tern_layout_q8, TERN_ISA_NEON, 0, run};
