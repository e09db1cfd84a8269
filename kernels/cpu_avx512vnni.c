/* Trial of the VNNI level: the dot product of bytes. */
#include <immintrin.h>

int tern_trial_avx512vnni(void);

int tern_trial_avx512vnni(void) {
  volatile int seed = -3;
  const __m512i sum = _mm512_dpbusd_epi32(_mm512_set1_epi32(5), _mm512_set1_epi8(2), _mm512_set1_epi8((char)seed));
  return _mm512_reduce_add_epi32(sum) == 16 * (5 - 4 * 2 * 3);
}
