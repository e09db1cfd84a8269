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

#endif
