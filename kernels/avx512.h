/* AVX-512 pieces of the integer kernels, with or without VNNI: broadcasts, and
 * the 16 sums of a panel on their way to the output. */
#ifndef TERN_KERNELS_AVX512_H
#define TERN_KERNELS_AVX512_H

#include <immintrin.h>

#include "kernels/tile.h"

typedef int32_t __attribute__((may_alias, aligned(1))) tern_any32;

/* Four activations in every lane. */
TERN_INLINE __m512i tern_four(const void *x) {
  return _mm512_set1_epi32(*(const tern_any32 *)x);
}

/* Stores the sums of 16 rows, less `offset` (what unsigned weights added). */
static inline void tern_put_panel(const tern_gemm *g, int row, int token, __m512i sum, int32_t offset) {
  const int left = g->rows - row;
  const unsigned bits = left >= 16 ? 0xffffu : (1u << left) - 1u;
  const __mmask16 rows = (__mmask16)bits;
  const size_t at = (size_t)token * g->y_stride + (size_t)row;
  sum = _mm512_sub_epi32(sum, _mm512_set1_epi32(offset));
  if (g->y_int) {
    _mm512_mask_storeu_epi32(g->y_int + at, rows, sum);
    return;
  }
  const __m512 w_scale =
      g->w_scale_stride == 0 ? _mm512_set1_ps(g->w_scale[0]) : _mm512_maskz_loadu_ps(rows, g->w_scale + row);
  const __m512 scale = _mm512_mul_ps(w_scale, _mm512_set1_ps(g->x_scale[token]));
  _mm512_mask_storeu_ps(g->y + at, rows, _mm512_mul_ps(_mm512_cvtepi32_ps(sum), scale));
}

#endif
