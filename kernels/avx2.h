/* AVX2 pieces of the integer kernels. The 16 sums of a panel are two vectors. */
#ifndef TERN_KERNELS_AVX2_H
#define TERN_KERNELS_AVX2_H

#include <immintrin.h>

#include "kernels/tile.h"

typedef int32_t __attribute__((may_alias, aligned(1))) tern_any32;

/* Four activations in every lane. */
TERN_INLINE __m256i tern_four(const int8_t *x) {
  return _mm256_set1_epi32(*(const tern_any32 *)(const void *)x);
}

/* Additions to running sums are assembly: gcc 12 otherwise collects addends of
 * several steps first and spills, or keeps a sum in memory (a third slower). */

/* sum16 += pairs of u8 . s8 */
TERN_INLINE __m256i tern_pairs(__m256i sum16, __m256i u8, __m256i s8) {
  const __m256i pairs = _mm256_maddubs_epi16(u8, s8);
  __asm__("vpaddw %1, %0, %0" : "+x"(sum16) : "x"(pairs));
  return sum16;
}

/* sum32 += pairs of sum16 */
TERN_INLINE __m256i tern_widen(__m256i sum32, __m256i sum16) {
  const __m256i pairs = _mm256_madd_epi16(sum16, _mm256_set1_epi16(1));
  __asm__("vpaddd %1, %0, %0" : "+x"(sum32) : "x"(pairs));
  return sum32;
}

/* sum32 += products of words */
TERN_INLINE __m256i tern_products(__m256i sum32, __m256i a, __m256i b) {
  const __m256i products = _mm256_madd_epi16(a, b);
  __asm__("vpaddd %1, %0, %0" : "+x"(sum32) : "x"(products));
  return sum32;
}

/* Adds four columns of 16 rows, `codes` unsigned bytes; x[t] + k are words, even columns before odd ones. */
TERN_INLINE void tern_word_columns(__m256i sums[][2], const uint8_t *codes, const int16_t *const *x, int k,
                                   const int tokens) {
  __m256i even[2], odd[2];
  TERN_UNROLL
  for (int h = 0; h < 2; h++) {
    const __m256i u = _mm256_load_si256((const void *)(codes + 32 * h));
    even[h] = _mm256_and_si256(u, _mm256_set1_epi16(0xff));
    odd[h] = _mm256_srli_epi16(u, 8);
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    const __m256i x_even = tern_four((const int8_t *)(x[t] + k)), x_odd = tern_four((const int8_t *)(x[t] + k + 2));
    TERN_UNROLL
    for (int h = 0; h < 2; h++) sums[t][h] = tern_products(tern_products(sums[t][h], even[h], x_even), odd[h], x_odd);
  }
}

/* Stores the sums of eight rows, less `offset` (what unsigned weights added). */
static inline void tern_put_half(const tern_gemm *g, int row, int token, __m256i sum, int32_t offset) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i rows = _mm256_cmpgt_epi32(_mm256_set1_epi32(g->rows - row), lanes);
  const size_t at = (size_t)token * g->y_stride + (size_t)row;
  sum = _mm256_sub_epi32(sum, _mm256_set1_epi32(offset));
  if (g->y_int) {
    _mm256_maskstore_epi32(g->y_int + at, rows, sum);
    return;
  }
  const __m256 w_scale =
      g->w_scale_stride == 0 ? _mm256_set1_ps(g->w_scale[0]) : _mm256_maskload_ps(g->w_scale + row, rows);
  const __m256 scale = _mm256_mul_ps(w_scale, _mm256_set1_ps(g->x_scale[token]));
  _mm256_maskstore_ps(g->y + at, rows, _mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale));
}

#endif
