/* Tiles of a ternary layout for AVX2: included once by <layout>_avx2.c after it
 * has defined
 *   STEP, STEP_BYTES, FIELDS  columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)             first step of the panel that starts at `row`
 *   decode(half, f)           field f of half a step (8 rows): 8 rows x 4 columns as u8 0, 1, 2
 * and gives the table `tiles`. The byte product's pairs (at most 2 * 2 * 128)
 * are added up in 16 bits: 64 of them fit (-32768 .. 32512), then they are
 * widened. A tile is one panel: memory stays one stream. */
#include "kernels/avx2.h"

enum { TILE_TOKENS = 4, PAIRS_FIT = 64, RUN = PAIRS_FIT / FIELDS * STEP };

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  __m256i acc[TILE_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    acc[t][0] = acc[t][1] = _mm256_setzero_si256();
  }
  for (int k0 = 0; k0 < g->cols; k0 += RUN) {
    const int k1 = g->cols - k0 < RUN ? g->cols : k0 + RUN;
    __m256i sum[TILE_TOKENS][2];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) sum[t][0] = sum[t][1] = _mm256_setzero_si256();
    for (int k = k0; k < k1; k += STEP, w += STEP_BYTES) {
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        const __m256i u0 = decode(w, f), u1 = decode(w + 32, f);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
          const __m256i four = tern_four(x[t] + k + 4 * f);
          sum[t][0] = tern_pairs(sum[t][0], u0, four);
          sum[t][1] = tern_pairs(sum[t][1], u1, four);
        }
      }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      acc[t][0] = tern_widen(acc[t][0], sum[t][0]);
      acc[t][1] = tern_widen(acc[t][1], sum[t][1]);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    tern_put_half(g, row, token + t, acc[t][0], g->x_sum[token + t]);
    tern_put_half(g, row + 8, token + t, acc[t][1], g->x_sum[token + t]);
  }
}

#include "kernels/panel_tiles.h"
