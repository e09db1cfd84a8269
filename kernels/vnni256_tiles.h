/* Tiles of an integer layout for the 256-bit dot product, which has two
 * encodings: VEX (AVX-VNNI) and EVEX (AVX-512 VL). One source for both, so that
 * running either tests what the other is made of; sixteen registers suffice.
 * Included once by a file that has defined
 *   DPBUSD                    the instruction in the wanted encoding
 *   STEP, STEP_BYTES, FIELDS  columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)             first step of the panel that starts at `row`
 *   decode(half, f)           field f of half a step (8 rows): 8 rows x 4 columns as u8
 *   OFFSET                    what u8 codes add to a weight
 * and gives the table `tiles`. Few tokens have several sums each, so that one
 * does not wait for another. Bound by the dot product (two a cycle on Zen 4). */
#include "kernels/avx2.h"

enum { TILE_TOKENS = 5 };

TERN_INLINE __m256i dot(__m256i acc, __m256i u8, __m256i s8) { /* assembly: see vnni.h */
  __asm__(DPBUSD " %2, %1, %0" : "+x"(acc) : "x"(u8), "x"(s8));
  return acc;
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int sets = tokens == 1 ? 4 : tokens == 2 ? 2 : 1;
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  __m256i acc[TILE_TOKENS][4][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int s = 0; s < sets; s++) acc[t][s][0] = acc[t][s][1] = _mm256_setzero_si256();
  }
  for (int k = 0; k < g->cols; k += STEP, w += STEP_BYTES) {
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      const __m256i u0 = decode(w, f), u1 = decode(w + 32, f);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const __m256i four = tern_four(x[t] + k + 4 * f);
        acc[t][f % sets][0] = dot(acc[t][f % sets][0], u0, four);
        acc[t][f % sets][1] = dot(acc[t][f % sets][1], u1, four);
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int h = 0; h < 2; h++) {
      __m256i sum = acc[t][0][h];
      TERN_UNROLL
      for (int s = 1; s < sets; s++) sum = _mm256_add_epi32(sum, acc[t][s][h]);
      tern_put_half(g, row + 8 * h, token + t, sum, OFFSET * g->x_sum[token + t]);
    }
  }
}

#define TILE(tokens)                                                                                                   \
  static void tile_##tokens(const tern_gemm *g, int row, int token) {                                                  \
    tile(g, row, token, tokens);                                                                                       \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
TILE(5)
#undef TILE

static const tern_tiles tiles = {
    .panel_rows = 16, .panels = 1, .tokens = TILE_TOKENS, .at = {{tile_1, tile_2, tile_3, tile_4, tile_5}}};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}
