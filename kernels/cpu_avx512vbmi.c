/* Trial of the VBMI level: byte permutes over two registers, and GFNI. */
#include <immintrin.h>

int tern_trial_avx512vbmi(void);

int tern_trial_avx512vbmi(void) {
  volatile int seed = 0x7f;
  const __m512i last = _mm512_set1_epi8((char)seed);
  const __m512i table = _mm512_set1_epi8((char)(seed - 0x7a));                        /* 5 */
  const __m512i five = _mm512_permutex2var_epi8(_mm512_setzero_si512(), last, table); /* its last byte: 5 */
  const __m512i same = _mm512_gf2p8affine_epi64_epi8(five, _mm512_set1_epi64(0x0102040810204080), 0);
  const __m512i low = _mm512_multishift_epi64_epi8(_mm512_set1_epi64(8), same); /* 0x05050505 >> 8 */
  return _mm512_reduce_add_epi32(low) == 16 * 0x05050505 - 0;
}
