/* Byte products in words, for AVX2 (and AVX-512 without VNNI): full bytes have
 * no exact product of 16 bits, so activations are widened once a batch, even
 * columns of each four before odd ones, and weights as they are met. */
#ifndef TERN_KERNELS_WORDS_AVX2_H
#define TERN_KERNELS_WORDS_AVX2_H

#include <immintrin.h>

#include "kernels/kernel.h"

/* Columns 0..cols-1 of a row, and up to 15 more. */
static inline void tern_words_widen(int16_t *words, const int8_t *x, int cols) {
  for (int k = 0; k < cols; k += 16) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_load_si128((const void *)(x + k)));
    _mm256_store_si256((void *)(words + k), _mm256_shufflehi_epi16(_mm256_shufflelo_epi16(wide, 0xd8), 0xd8));
  }
}

/* `tokens` of g from `token` on as a product of its own: their activations
 * widened into g's scratch, `columns` apart; scales lie scale_stride apart. */
static inline tern_gemm tern_words_part(const tern_gemm *g, int token, int tokens, size_t columns,
                                        size_t scale_stride) {
  const size_t from = (size_t)token;
  tern_gemm part = *g;
  for (size_t t = 0; t < (size_t)tokens; t++)
    tern_words_widen((int16_t *)g->scratch + t * columns, (const int8_t *)g->x + (from + t) * g->x_stride,
                     (int)columns);
  part.tokens = tokens;
  part.x = g->scratch;
  part.x_stride = columns;
  part.x_scale = g->x_scale + from * scale_stride;
  part.x_sum = g->x_sum + from * scale_stride;
  part.y = g->y ? g->y + from * g->y_stride : NULL;
  part.y_int = g->y_int ? g->y_int + from * g->y_stride : NULL;
  return part;
}

#endif
