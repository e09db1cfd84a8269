/* q8 for AVX-512 without VNNI: words instead of bytes, since sums of full byte
 * products do not fit 16 bits. Activations are widened once into scratch, even
 * columns of four, then odd ones. Bound by two multiplications of 512 bits for
 * 64 weights and a token. */
#include <immintrin.h>

#include "kernels/avx512.h"
#include "kernels/q8.h"
#include "kernels/words_avx2.h"

enum { TILE_TOKENS = 6, SCRATCH = 1 << 18 };

TERN_INLINE __m512i add_products(__m512i acc, __m512i w, __m512i x) { /* assembly: see avx512_tiles.h */
  const __m512i products = _mm512_madd_epi16(w, x);
  __asm__("vpaddd %1, %0, %0" : "+v"(acc) : "v"(products));
  return acc;
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int panels, const int tokens) {
  const uint8_t *w[2];
  const int16_t *x[TILE_TOKENS]; /* g->x is scratch here */
  __m512i acc[2][TILE_TOKENS];
  TERN_UNROLL
  for (int p = 0; p < panels; p++) w[p] = (const uint8_t *)g->weights + tern_q8_offset(g->cols, row + 16 * p);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int16_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int p = 0; p < panels; p++) acc[p][t] = _mm512_setzero_si512();
  }
  size_t at = 0;
  for (int k = 0; k < g->cols; k += TERN_Q8_COLUMNS, at += TERN_Q8_BLOCK) {
    __m512i even[2], odd[2];
    TERN_UNROLL
    for (int p = 0; p < panels; p++) {
      const __m512i u = _mm512_load_si512(w[p] + at);
      even[p] = _mm512_and_si512(u, _mm512_set1_epi16(0xff));
      odd[p] = _mm512_srli_epi16(u, 8);
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      const __m512i x_even = tern_four(x[t] + k), x_odd = tern_four(x[t] + k + 2);
      TERN_UNROLL
      for (int p = 0; p < panels; p++)
        acc[p][t] = add_products(add_products(acc[p][t], even[p], x_even), odd[p], x_odd);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int p = 0; p < panels; p++)
      tern_put_panel(g, row + 16 * p, token + t, acc[p][t], TERN_Q8_BIAS * g->x_sum[token + t]);
  }
}

#define run run_wide
#include "kernels/two_panels.h"
#undef run

static void run(const tern_gemm *g, int row0, int row1) {
  const size_t columns = (size_t)tern_q8_padded(g->cols);
  const int room = (int)(SCRATCH / sizeof(int16_t) / columns); /* two tokens at least: cols <= 65536 */
  const int most = room < TILE_TOKENS ? room : room / TILE_TOKENS * TILE_TOKENS;
  for (int token = 0; token < g->tokens; token += most) {
    const int tokens = g->tokens - token < most ? g->tokens - token : most;
    const tern_gemm part = tern_words_part(g, token, tokens, columns, 1);
    run_wide(&part, row0, row1);
  }
}

const tern_kernel tern_kernel_q8_avx512 = {"q8_avx512", &tern_layout_q8, TERN_ISA_AVX512, SCRATCH, run};
