/* t2 for AVX-512 VNNI. Strips leave the fields where they are: field f then
 * weighs 4^f and has its own sums, shifted once at the end. */
#include <immintrin.h>

#include "kernels/t2.h"
#include "kernels/tile.h"

enum { STEP = TERN_T2_COLUMNS, STEP_BYTES = TERN_T2_BLOCK, FIELDS = 4, DECODE_SHIFT = 0, OFFSET = 1 };
#define STRIP_SHIFT(f) (2 * (unsigned)(f))

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE __m512i decode(const uint8_t *step, int f) {
  __asm__ volatile("" ::: "memory"); /* load again: kept blocks would drive a sum out of its register */
  return _mm512_and_si512(_mm512_srli_epi32(_mm512_load_si512(step), 2 * (unsigned)f), _mm512_set1_epi8(3));
}

TERN_INLINE __m512i strip_decode(const uint8_t *step, int f) {
  return _mm512_and_si512(_mm512_load_si512(step), _mm512_set1_epi8((char)(3 << 2 * f)));
}

#include "kernels/vnni_tiles.h"

const tern_kernel tern_kernel_t2_avx512vnni = {"t2_avx512vnni", &tern_layout_t2, TERN_ISA_AVX512VNNI, 0, run};
