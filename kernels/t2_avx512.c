/* t2 for AVX-512 without VNNI. */
#include <immintrin.h>

#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE __m512i decode(const uint8_t *step, int f) {
  return _mm512_and_si512(_mm512_srli_epi32(_mm512_load_si512(step), 2 * (unsigned)f), _mm512_set1_epi8(3));
}

#include "kernels/avx512_tiles.h"

const tern_kernel tern_kernel_t2_avx512 = {"t2_avx512", &tern_layout_t2, TERN_ISA_AVX512, 0, run};
