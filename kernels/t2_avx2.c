/* t2 for AVX2. */
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

#include "kernels/avx2_tiles.h"

const tern_kernel tern_kernel_t2_avx2 = {"t2_avx2", &tern_layout_t2, TERN_ISA_AVX2, 0, run};
