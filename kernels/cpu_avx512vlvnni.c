/* Trial of VNNI at 256 bits. */
#include <immintrin.h>

int tern_trial_avx512vlvnni(void);

int tern_trial_avx512vlvnni(void) {
  volatile int seed = -3;
  const __m256i sum = _mm256_dpbusd_epi32(_mm256_set1_epi32(5), _mm256_set1_epi8(2), _mm256_set1_epi8((char)seed));
  const __m256i wanted = _mm256_set1_epi32(5 - 4 * 2 * 3);
  return _mm256_movemask_epi8(_mm256_cmpeq_epi32(sum, wanted)) == -1;
}
