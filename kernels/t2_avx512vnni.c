/* t2 for AVX-512 VNNI. Strips (one panel, few tokens) leave the fields where
 * they are: field f then weighs 4^f and has its own sums, shifted once at the
 * end. Tiles (more panels) shift and mask a block once for all their tokens. */
#include "kernels/t2.h"
#include "kernels/vnni.h"

enum { STRIP_TOKENS = 5 }; /* four sums a token: 20 of 32 registers */

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_t2_offset(g->cols, row, 0);
}

TERN_INLINE const int8_t *activations(const tern_gemm *g, int token) {
  return (const int8_t *)g->x + (size_t)token * g->x_stride;
}

TERN_INLINE void strip(const tern_gemm *g, int row, int token, const int tokens) {
  const __m512i field[4] = {_mm512_set1_epi8(0x03), _mm512_set1_epi8(0x0c), _mm512_set1_epi8(0x30),
                            _mm512_set1_epi8((char)0xc0)};
  const uint8_t *w = panel(g, row);
  const int8_t *x[STRIP_TOKENS];
  __m512i acc[STRIP_TOKENS][4];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = activations(g, token + t);
    TERN_UNROLL
    for (int f = 0; f < 4; f++) acc[t][f] = _mm512_setzero_si512();
  }
  for (int k = 0; k < g->cols; k += TERN_T2_COLUMNS) {
    const __m512i block = _mm512_load_si512(w + (size_t)k * 4);
    TERN_UNROLL
    for (int f = 0; f < 4; f++) {
      const __m512i u = _mm512_and_si512(block, field[f]);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) acc[t][f] = tern_dpbusd_four(acc[t][f], u, x[t] + k + 4 * f);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    __m512i sum = acc[t][0];
    TERN_UNROLL
    for (int f = 1; f < 4; f++) sum = _mm512_add_epi32(sum, _mm512_srai_epi32(acc[t][f], (unsigned)(2 * f)));
    tern_put_panel(g, row, token + t, sum, g->x_sum[token + t]);
  }
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int panels, const int tokens) {
  const __m512i low = _mm512_set1_epi8(3);
  const uint8_t *w[TERN_TILE_PANELS];
  const int8_t *x[TERN_TILE_TOKENS];
  __m512i acc[TERN_TILE_PANELS][TERN_TILE_TOKENS];
  TERN_UNROLL
  for (int p = 0; p < panels; p++) w[p] = panel(g, row + p * TERN_T2_ROWS);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = activations(g, token + t);
    TERN_UNROLL
    for (int p = 0; p < panels; p++) acc[p][t] = _mm512_setzero_si512();
  }
  for (int k = 0; k < g->cols; k += TERN_T2_COLUMNS) {
    __m512i block[TERN_TILE_PANELS], u[TERN_TILE_PANELS];
    TERN_UNROLL
    for (int p = 0; p < panels; p++) block[p] = _mm512_load_si512(w[p] + (size_t)k * 4);
    TERN_UNROLL
    for (int f = 0; f < 4; f++) {
      TERN_UNROLL
      for (int p = 0; p < panels; p++) {
        u[p] = _mm512_and_si512(block[p], low);
        block[p] = _mm512_srli_epi16(block[p], 2);
      }
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const __m512i four = tern_four(x[t] + k + 4 * f);
        TERN_UNROLL
        for (int p = 0; p < panels; p++) acc[p][t] = tern_dpbusd(acc[p][t], u[p], four);
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int p = 0; p < panels; p++)
      tern_put_panel(g, row + p * TERN_T2_ROWS, token + t, acc[p][t], g->x_sum[token + t]);
  }
}

#define STRIP(t)                                                                                                       \
  static void strip_##t(const tern_gemm *g, int row, int token) {                                                      \
    strip(g, row, token, t);                                                                                           \
  }
#define TILE(p, t)                                                                                                     \
  static void tile_##p##x##t(const tern_gemm *g, int row, int token) {                                                 \
    tile(g, row, token, p, t);                                                                                         \
  }
STRIP(1)
STRIP(2)
STRIP(3)
STRIP(4)
STRIP(5)
TILE(1, 6)
TILE(1, 7)
TILE(1, 8)
TILE(2, 4)
TILE(2, 5)
TILE(2, 6)
TILE(2, 7)
TILE(2, 8)
TILE(3, 4)
TILE(3, 5)
TILE(3, 6)
TILE(3, 7)
TILE(3, 8)

static const tern_tiles tiles = {
    .panel_rows = TERN_T2_ROWS,
    .panels = 3,
    .tokens = 8,
    .narrow = STRIP_TOKENS,
    .at = {{strip_1, strip_2, strip_3, strip_4, strip_5, tile_1x6, tile_1x7, tile_1x8},
           {NULL, NULL, NULL, tile_2x4, tile_2x5, tile_2x6, tile_2x7, tile_2x8},
           {NULL, NULL, NULL, tile_3x4, tile_3x5, tile_3x6, tile_3x7, tile_3x8}},
};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}

const tern_kernel tern_kernel_t2_avx512vnni = {"t2_avx512vnni", &tern_layout_t2, TERN_ISA_AVX512VNNI, 0, run};
