/* q8 for AVX2. The byte product wants one unsigned side: |x| and the weight with
 * the sign of x. A pair is at most 2 * 128 * 127 = 32512, so each pair fits 16
 * bits, but no two pairs do: they are widened at once. */
#include "kernels/avx2.h"
#include "kernels/q8.h"

enum { TILE_TOKENS = 4 };

TERN_INLINE __m256i weights(const uint8_t *half) {
  return _mm256_xor_si256(_mm256_load_si256((const void *)half), _mm256_set1_epi8(-128));
}

TERN_INLINE __m256i dot(__m256i acc, __m256i w, __m256i x, __m256i x_abs) {
  return tern_widen(acc, _mm256_maddubs_epi16(x_abs, _mm256_sign_epi8(w, x)));
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
  const int8_t *x[TILE_TOKENS];
  __m256i acc[TILE_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    acc[t][0] = acc[t][1] = _mm256_setzero_si256();
  }
  for (int k = 0; k < g->cols; k += TERN_Q8_COLUMNS, w += TERN_Q8_BLOCK) {
    const __m256i w0 = weights(w), w1 = weights(w + 32);
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      const __m256i four = tern_four(x[t] + k), four_abs = _mm256_abs_epi8(four);
      acc[t][0] = dot(acc[t][0], w0, four, four_abs);
      acc[t][1] = dot(acc[t][1], w1, four, four_abs);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    tern_put_half(g, row, token + t, acc[t][0], 0);
    tern_put_half(g, row + 8, token + t, acc[t][1], 0);
  }
}

#include "kernels/panel_tiles.h"

const tern_kernel tern_kernel_q8_avx2 = {"q8_avx2", &tern_layout_q8, TERN_ISA_AVX2, 0, run};
