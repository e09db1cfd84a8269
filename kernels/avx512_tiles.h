/* Tiles of a ternary layout for AVX-512 without VNNI: included once by
 * <layout>_avx512.c after it has defined
 *   STEP, STEP_BYTES, FIELDS  columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)             first step of the panel that starts at `row`
 *   decode(step, f)           field f of a step: 16 rows x 4 columns as u8 0, 1, 2
 * and gives the table `tiles`. The byte product's pairs (at most 2 * 2 * 128)
 * are added up in 16 bits: 64 of them fit (-32768 .. 32512), then they are
 * widened. Bound by two vector operations for 64 weights and a token, of which
 * one multiplies. */
#include "kernels/avx512.h"

enum { TILE_TOKENS = 6, PAIRS_FIT = 64, RUN = PAIRS_FIT / FIELDS * STEP };

/* Assembly as in avx2.h: gcc 12 otherwise moves sums through memory. */
TERN_INLINE __m512i add_pairs(__m512i sum16, __m512i u8, __m512i s8) {
  const __m512i pairs = _mm512_maddubs_epi16(u8, s8);
  __asm__("vpaddw %1, %0, %0" : "+v"(sum16) : "v"(pairs));
  return sum16;
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int panels, const int tokens) {
  const uint8_t *w[2];
  const int8_t *x[TILE_TOKENS];
  __m512i acc[2][TILE_TOKENS];
  TERN_UNROLL
  for (int p = 0; p < panels; p++) w[p] = panel(g, row + 16 * p);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int p = 0; p < panels; p++) acc[p][t] = _mm512_setzero_si512();
  }
  size_t at = 0;
  for (int k0 = 0; k0 < g->cols; k0 += RUN) {
    const int k1 = g->cols - k0 < RUN ? g->cols : k0 + RUN;
    __m512i sum[2][TILE_TOKENS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int p = 0; p < panels; p++) sum[p][t] = _mm512_setzero_si512();
    }
    for (int k = k0; k < k1; k += STEP, at += STEP_BYTES) {
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        __m512i u[2];
        TERN_UNROLL
        for (int p = 0; p < panels; p++) u[p] = decode(w[p] + at, f);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
          const __m512i four = tern_four(x[t] + k + 4 * f);
          TERN_UNROLL
          for (int p = 0; p < panels; p++) sum[p][t] = add_pairs(sum[p][t], u[p], four);
        }
      }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int p = 0; p < panels; p++)
        acc[p][t] = _mm512_add_epi32(acc[p][t], _mm512_madd_epi16(sum[p][t], _mm512_set1_epi16(1)));
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int p = 0; p < panels; p++) tern_put_panel(g, row + 16 * p, token + t, acc[p][t], g->x_sum[token + t]);
  }
}

#include "kernels/two_panels.h"
