/* t2 for AVX2. With one token, every second field is left where it is and has
 * sums of its own, four times too great: one shift a block's half, not three. */
#include <immintrin.h>

#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE __m256i decode(const uint8_t *half, int f) {
  const __m256i raw = _mm256_load_si256((const void *)half);
  return _mm256_and_si256(_mm256_srli_epi16(raw, 2 * f), _mm256_set1_epi8(3));
}

#define run run_tiles
#include "kernels/avx2_tiles.h"
#undef run

enum { FOURFOLD_FIT = 128 }; /* columns whose pairs times four fit 16 bits: 16 * 4 * 2 * 2 * 128, negative */

typedef struct half_sums {
  __m256i plain, fourfold; /* words */
} half_sums;

TERN_INLINE half_sums add_half(half_sums s, const uint8_t *half, const __m256i four[FIELDS]) {
  __m256i raw = _mm256_load_si256((const void *)half);
  __asm__("" : "+x"(raw)); /* one load for five uses */
  const __m256i low = _mm256_set1_epi8(3), next = _mm256_set1_epi8(12), top = _mm256_srli_epi16(raw, 4);
  __m256i u0 = _mm256_and_si256(raw, low), u1 = _mm256_and_si256(raw, next);
  __m256i u2 = _mm256_and_si256(top, low), u3 = _mm256_and_si256(top, next);
  __asm__("" : "+x"(u0), "+x"(u1), "+x"(u2), "+x"(u3)); /* all masks before the products, as in t2_avx512vnni.c */
  s.plain = tern_pairs(tern_pairs(s.plain, u0, four[0]), u2, four[2]);
  s.fourfold = tern_pairs(tern_pairs(s.fourfold, u1, four[1]), u3, four[3]);
  return s;
}

static void one_token(const tern_gemm *g, int row) {
  const uint8_t *w = panel(g, row);
  const int8_t *x = g->x;
  __m256i acc[2];
  acc[0] = acc[1] = _mm256_setzero_si256();
  for (int k0 = 0; k0 < g->cols; k0 += FOURFOLD_FIT) {
    const int k1 = g->cols - k0 < FOURFOLD_FIT ? g->cols : k0 + FOURFOLD_FIT;
    half_sums s[2];
    s[0] = s[1] = (half_sums){_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int k = k0; k < k1; k += STEP, w += STEP_BYTES) {
      __m256i four[FIELDS];
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) four[f] = tern_four(x + k + 4 * f);
      s[0] = add_half(s[0], w, four);
      s[1] = add_half(s[1], w + 32, four);
    }
    TERN_UNROLL
    for (int h = 0; h < 2; h++)
      acc[h] = tern_widen(acc[h], _mm256_add_epi16(s[h].plain, _mm256_srai_epi16(s[h].fourfold, 2)));
  }
  tern_put_half(g, row, 0, acc[0], g->x_sum[0]);
  tern_put_half(g, row + 8, 0, acc[1], g->x_sum[0]);
}

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens > 1) {
    run_tiles(g, row0, row1);
    return;
  }
  for (int row = row0; row < row1; row += TERN_T2_ROWS) one_token(g, row);
}

const tern_kernel tern_kernel_t2_avx2 = {"t2_avx2", &tern_layout_t2, TERN_ISA_AVX2, 0, run};
