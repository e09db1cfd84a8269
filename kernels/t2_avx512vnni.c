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

/* All masks before the first dot product: in turns with them, Zen 4 reaches 85 %
 * of the dot product's rate instead of 96 %; and one load for the four of them. */
TERN_INLINE void strip_fields(__m512i u[FIELDS], const uint8_t *step) {
  __m512i block = _mm512_load_si512(step);
  __asm__("" : "+v"(block));
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) u[f] = _mm512_and_si512(block, _mm512_set1_epi8((char)(3 << 2 * f)));
  __asm__("" : "+v"(u[0]), "+v"(u[1]), "+v"(u[2]), "+v"(u[3]));
}

#include "kernels/vnni_tiles.h"

const tern_kernel tern_kernel_t2_avx512vnni = {"t2_avx512vnni", &tern_layout_t2, TERN_ISA_AVX512VNNI, 0, run};
