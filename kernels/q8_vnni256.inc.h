/* q8 for the 256-bit dot product: q8_avxvnni.c and q8_avx512vlvnni.c are this.
 * Sums may wrap on the way; the difference with 128 * x_sum is exact modulo 2^32. */
#include "kernels/q8.h"
#include "kernels/tile.h"

enum {
  STEP = TERN_Q8_COL_BLOCK,
  FIELDS = STEP / TERN_Q8_COLUMNS,
  STEP_BYTES = FIELDS * TERN_Q8_BLOCK,
  OFFSET = TERN_Q8_BIAS
};

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
}

TERN_INLINE __m256i decode(const uint8_t *half, int f) {
  return _mm256_load_si256((const void *)(half + f * TERN_Q8_BLOCK));
}

#include "kernels/vnni256_tiles.h"
