/* t2 for the 256-bit dot product: t2_avxvnni.c and t2_avx512vlvnni.c are this. */
#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4, OFFSET = 1 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE __m256i decode(const uint8_t *half, int f) {
  __asm__ volatile("" ::: "memory"); /* load again: kept blocks would drive a sum out of its register */
  const __m256i raw = _mm256_load_si256((const void *)half);
  return _mm256_and_si256(_mm256_srli_epi16(raw, 2 * f), _mm256_set1_epi8(3));
}

#include "kernels/vnni256_tiles.h"
