/* q8 for AVX-512 VNNI: blocks go into the dot product as they lie. Sums may
 * wrap on the way; the difference with 128 * x_sum is exact modulo 2^32. */
#include <immintrin.h>

#include "kernels/q8.h"
#include "kernels/tile.h"

enum {
  STEP = TERN_Q8_COL_BLOCK,
  FIELDS = STEP / TERN_Q8_COLUMNS,
  STEP_BYTES = FIELDS * TERN_Q8_BLOCK,
  DECODE_SHIFT = 0,
  OFFSET = TERN_Q8_BIAS
};
#define STRIP_SHIFT(f) 0

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
}

TERN_INLINE __m512i decode(const uint8_t *step, int f) {
  return _mm512_load_si512(step + f * TERN_Q8_BLOCK);
}

TERN_INLINE void strip_fields(__m512i u[FIELDS], const uint8_t *step) {
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) u[f] = decode(step, f);
}

#include "kernels/vnni_tiles.h"

const tern_kernel tern_kernel_q8_avx512vnni = {"q8_avx512vnni", &tern_layout_q8, TERN_ISA_AVX512VNNI, 0, run};
