/* t5 for the 256-bit dot product: t5_avxvnni.c and t5_avx512vlvnni.c are this.
 * Digits as in t5_avx2.c. */
#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS, OFFSET = 1 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

TERN_INLINE __m256i decode(const uint8_t *half, int f) {
  __m256i n = _mm256_load_si256((const void *)half);
  TERN_UNROLL
  for (int i = 0; i < f; i++) n = _mm256_add_epi8(_mm256_add_epi8(n, n), n); /* shared between fields */
  const __m256i s = _mm256_add_epi8(n, _mm256_set1_epi8(-1));
  const __m256i quarters = _mm256_avg_epu8(s, _mm256_avg_epu8(s, _mm256_setzero_si256()));
  return _mm256_and_si256(_mm256_srli_epi16(quarters, 6), _mm256_set1_epi8(3));
}

#include "kernels/vnni256_tiles.h"
