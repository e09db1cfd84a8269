/* Trial of the AVX-512 level: F, BW, DQ and VL instructions. */
#include <immintrin.h>

int tern_trial_avx512(void);

int tern_trial_avx512(void) {
  volatile int seed = 3;
  const int three = seed;
  const __m512i bytes = _mm512_maddubs_epi16(_mm512_set1_epi8((char)three), _mm512_set1_epi8(2)); /* BW: 12 */
  const __m512i words = _mm512_madd_epi16(bytes, _mm512_set1_epi16(1));                           /* 24 */
  const __m512 wide = _mm512_and_ps(_mm512_cvtepi32_ps(words), _mm512_set1_ps(-0.0f));            /* DQ: 0 */
  const __m256i half = _mm256_ternarylogic_epi32(_mm512_castsi512_si256(words), _mm256_setzero_si256(),
                                                 _mm256_setzero_si256(), 0xf0); /* VL: 24 */
  return _mm512_reduce_add_epi32(words) == 16 * 24 && _mm512_reduce_add_ps(wide) == 0.0f &&
         _mm256_extract_epi32(half, 7) == 24;
}
