/* Memory read, 512-bit loads, eight chains. */
#include <immintrin.h>

#include "kernels/read.h"

enum { CHAINS = 8 };

static uint64_t run(const void *p, size_t bytes) {
  const __m512i *x = p;
  __m512i sum[CHAINS];
  for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_setzero_si512();
  for (size_t i = 0; i < bytes / sizeof *x; i += CHAINS)
    for (int c = 0; c < CHAINS; c++) sum[c] = _mm512_xor_si512(sum[c], _mm512_load_si512(x + i + c));
  for (int c = 1; c < CHAINS; c++) sum[0] = _mm512_xor_si512(sum[0], sum[c]);
  uint64_t word[8], all = 0;
  _mm512_storeu_si512(word, sum[0]);
  for (int w = 0; w < 8; w++) all ^= word[w];
  return all;
}

const tern_reader tern_reader_avx512 = {"read_avx512", TERN_ISA_AVX512, run};
