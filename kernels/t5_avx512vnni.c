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

TERN_INLINE void strip_fields(__m512i u[FIELDS], const uint8_t *step) {
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) u[f] = decode(step, f);
}
#define OWN_STRIP_1

#include "kernels/vnni_tiles.h"

/* Sums of 3 n_k x_k less n_{k+1} x_k over `cols` columns: 256 times the result
 * modulo 2^32, exact for up to WIDEST columns (|256 * 2 * 128 * cols| < 2^31). */
enum { WIDEST = 32760 };

TERN_INLINE __m512i undecoded(const uint8_t *w, const int8_t *x, int cols) {
  __m512i now[2], next[2];
  now[0] = now[1] = next[0] = next[1] = _mm512_setzero_si512();
  for (int k = 0; k < cols; k += STEP, w += STEP_BYTES) {
    __m512i n = _mm512_load_si512(w);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      const __m512i four = tern_four(x + k + 4 * f);
      now[f % 2] = tern_dpbusd(now[f % 2], n, four);
      n = triple(n);
      next[f % 2] = tern_dpbusd(next[f % 2], n, four);
    }
  }
  const __m512i a = _mm512_add_epi32(now[0], now[1]), b = _mm512_add_epi32(next[0], next[1]);
  return _mm512_srai_epi32(_mm512_sub_epi32(_mm512_add_epi32(_mm512_add_epi32(a, a), a), b), 8);
}

static void strip_1(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  __m512i sum = _mm512_setzero_si512();
  for (int k = 0; k < g->cols; k += WIDEST) {
    const int cols = g->cols - k < WIDEST ? g->cols - k : WIDEST;
    sum = _mm512_add_epi32(sum, undecoded(w + (size_t)(k / STEP) * STEP_BYTES, activations(g, token) + k, cols));
  }
  tern_put_panel(g, row, token, sum, OFFSET * g->x_sum[token]);
}

const tern_kernel tern_kernel_t5_avx512vnni = {"t5_avx512vnni", &tern_layout_t5, TERN_ISA_AVX512VNNI, 0, run};
