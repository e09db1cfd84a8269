/* Trial of the AVX2 level: one of each extension it stands for. */
#include <immintrin.h>

int tern_trial_avx2(void);

int tern_trial_avx2(void) {
  volatile int seed = 2;
  const int two = seed; /* hidden from the compiler, so that everything is executed */
  const __m256i sum = _mm256_hadd_epi32(_mm256_set1_epi32(two), _mm256_set1_epi32(1));
  const __m256 x = _mm256_cvtph_ps(_mm256_cvtps_ph(_mm256_cvtepi32_ps(sum), 0));
  const __m256 y = _mm256_fmadd_ps(x, x, x);
  return (int)_mm256_cvtss_f32(y) == 20 && _pdep_u32(3u, (unsigned)(two << 1) | 1u) == 5u;
}
