/* Tiles of a ternary layout for ARMv8.0, without a dot product: included once
 * by <layout>_neon.c after <layout>_neon.h (STEP, FIELDS, panel, decode); gives
 * the table `tiles`. A 16-bit lane is one row's column modulo 4; it
 * takes 2 * -128 or 2 * 127 a field, so 128 fields fit, then pairs are widened. */
#include "kernels/integer.h"

enum { TILE_TOKENS = 2, FIELDS_FIT = 128, RUN = FIELDS_FIT / FIELDS * STEP };

/* Rows 4q, 4q + 1 in low, 4q + 2, 4q + 3 in high; two lanes a row. */
typedef struct wide_quad {
  int32x4_t low, high;
} wide_quad;

TERN_INLINE int8x16_t broadcast(const int8_t *x) {
  int32_t four;
  __builtin_memcpy(&four, x, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

static inline void put_quad(const tern_gemm *g, int row, int token, const wide_quad *sum) {
  int32_t sums[4];
  vst1q_s32(sums, vsubq_s32(vpaddq_s32(sum->low, sum->high), vdupq_n_s32(g->x_sum[token])));
  for (int i = 0; i < 4 && row + i < g->rows; i++) tern_put_sum(g, token, row + i, sums[i]);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  wide_quad acc[TILE_TOKENS][4];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int q = 0; q < 4; q++) acc[t][q].low = acc[t][q].high = vdupq_n_s32(0);
  }
  for (int k0 = 0; k0 < g->cols; k0 += RUN) {
    const int k1 = g->cols - k0 < RUN ? g->cols : k0 + RUN;
    int16x8_t low[TILE_TOKENS][4], high[TILE_TOKENS][4];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int q = 0; q < 4; q++) low[t][q] = high[t][q] = vdupq_n_s16(0);
    }
    for (int k = k0; k < k1; k += STEP, w += STEP_BYTES) {
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        int8x16_t four[TILE_TOKENS];
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) four[t] = broadcast(x[t] + k + 4 * f);
        TERN_UNROLL
        for (int q = 0; q < 4; q++) {
          const int8x16_t u = decode(w, q, f);
          TERN_UNROLL
          for (int t = 0; t < tokens; t++) {
            low[t][q] = vmlal_s8(low[t][q], vget_low_s8(u), vget_low_s8(four[t]));
            high[t][q] = vmlal_high_s8(high[t][q], u, four[t]);
          }
        }
      }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int q = 0; q < 4; q++) {
        acc[t][q].low = vpadalq_s16(acc[t][q].low, low[t][q]);
        acc[t][q].high = vpadalq_s16(acc[t][q].high, high[t][q]);
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int q = 0; q < 4; q++) put_quad(g, row + 4 * q, token + t, &acc[t][q]);
  }
}

#include "kernels/pair_tiles.h"
