/* t5 for AVX-512 VNNI. Bytes have no multiplication: with s = n - 1,
 * avg(s, avg(s, 0)) = floor(3n / 4) exactly (avg rounds up), whose two top bits
 * are the digit; they stay in place, so that sums are 64 times too great.
 * A single token needs no digits at all: 256 d_k = 3 n_k - n_{k+1}, so two dot
 * products of the bytes themselves with the same activations, three times one
 * less the other, are 256 times the sum. */
#include <immintrin.h>

#include "kernels/t5.h"
#include "kernels/tile.h"

enum { STEP = TERN_T5_COLUMNS, STEP_BYTES = TERN_T5_BLOCK, FIELDS = TERN_T5_DIGITS, DECODE_SHIFT = 6, OFFSET = 1 };
#define STRIP_SHIFT(f) DECODE_SHIFT

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t5_offset(g->cols, row);
}

TERN_INLINE __m512i triple(__m512i n) {
  return _mm512_add_epi8(_mm512_add_epi8(n, n), n);
}

TERN_INLINE __m512i decode(const uint8_t *step, int f) {
  __m512i n = _mm512_load_si512(step);
  TERN_UNROLL
  for (int i = 0; i < f; i++) n = triple(n); /* the compiler shares these between fields */
  const __m512i s = _mm512_add_epi8(n, _mm512_set1_epi8(-1));
  const __m512i quarters = _mm512_avg_epu8(s, _mm512_avg_epu8(s, _mm512_setzero_si512()));
  return _mm512_and_si512(quarters, _mm512_set1_epi8((char)0xc0));
}
#define strip_decode decode

#include "kernels/vnni_tiles.h"

const tern_kernel tern_kernel_t5_avx512vnni = {"t5_avx512vnni", &tern_layout_t5, TERN_ISA_AVX512VNNI, 0, run};
