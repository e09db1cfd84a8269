/* t5 for AVX-512 without VNNI: digits as in t5_avx2.c. */
#include <immintrin.h>

#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

TERN_INLINE __m512i decode(const uint8_t *step, int f) {
  __m512i n = _mm512_load_si512(step);
  TERN_UNROLL
  for (int i = 0; i < f; i++) n = _mm512_add_epi8(_mm512_add_epi8(n, n), n); /* shared between fields */
  const __m512i s = _mm512_add_epi8(n, _mm512_set1_epi8(-1));
  const __m512i quarters = _mm512_avg_epu8(s, _mm512_avg_epu8(s, _mm512_setzero_si512()));
  return _mm512_and_si512(_mm512_srli_epi16(quarters, 6), _mm512_set1_epi8(3));
}

#include "kernels/avx512_tiles.h"

const tern_kernel tern_kernel_t5_avx512 = {"t5_avx512", &tern_layout_t5, TERN_ISA_AVX512, 0, run};
