/* Memory read, 256-bit loads, eight chains. */
#include <immintrin.h>

#include "kernels/read.h"

enum { CHAINS = 8 };

static uint64_t run(const void *p, size_t bytes) {
  const __m256i *x = p;
  __m256i sum[CHAINS];
  for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_setzero_si256();
  for (size_t i = 0; i < bytes / sizeof *x; i += CHAINS)
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm256_xor_si256(sum[c], _mm256_load_si256(x + i + c));
  for (int c = 1; c < CHAINS; c++) sum[0] = _mm256_xor_si256(sum[0], sum[c]);
  uint64_t word[4];
  _mm256_storeu_si256((__m256i *)word, sum[0]);
  return word[0] ^ word[1] ^ word[2] ^ word[3];
}

const tern_reader tern_reader_avx2 = {"read_avx2", TERN_ISA_AVX2, run};
