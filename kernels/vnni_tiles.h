/* Strips and tiles of an integer layout for AVX-512 VNNI: included once by
 * <layout>_avx512vnni.c after it has defined
 *   STEP, STEP_BYTES, FIELDS   columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)              first step of the panel that starts at `row`
 *   decode(step, f)            field f of a step: 16 rows x 4 columns as u8
 *   DECODE_SHIFT               decode() gives weights times 2^DECODE_SHIFT
 *   strip_fields(u, step), STRIP_SHIFT(f)  all fields of a step for strips, times 2^STRIP_SHIFT(f)
 *   OFFSET                     what u8 codes add to a weight
 *   OWN_STRIP_1                when it has a better way with a single token: strip_1()
 * and gives the table `tiles`. A strip is one panel and few tokens, each field
 * with sums of its own; a tile is up to three panels that share each broadcast. */
#include "kernels/vnni.h"

enum { STRIP_TOKENS = 5 };

TERN_INLINE const int8_t *activations(const tern_gemm *g, int token) {
  return (const int8_t *)g->x + (size_t)token * g->x_stride;
}

TERN_INLINE void strip(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[STRIP_TOKENS];
  __m512i acc[STRIP_TOKENS][FIELDS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = activations(g, token + t);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) acc[t][f] = _mm512_setzero_si512();
  }
  for (int k = 0; k < g->cols; k += STEP, w += STEP_BYTES) {
    __m512i u[FIELDS];
    strip_fields(u, w);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) acc[t][f] = tern_dpbusd_four(acc[t][f], u[f], x[t] + k + 4 * f);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    __m512i sum = _mm512_setzero_si512();
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) sum = _mm512_add_epi32(sum, _mm512_srai_epi32(acc[t][f], STRIP_SHIFT(f)));
    tern_put_panel(g, row, token + t, sum, OFFSET * g->x_sum[token + t]);
  }
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int panels, const int tokens) {
  const uint8_t *w[TERN_TILE_PANELS];
  const int8_t *x[TERN_TILE_TOKENS];
  __m512i acc[TERN_TILE_PANELS][TERN_TILE_TOKENS];
  TERN_UNROLL
  for (int p = 0; p < panels; p++) w[p] = panel(g, row + p * 16);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = activations(g, token + t);
    TERN_UNROLL
    for (int p = 0; p < panels; p++) acc[p][t] = _mm512_setzero_si512();
  }
  size_t at = 0;
  for (int k = 0; k < g->cols; k += STEP, at += STEP_BYTES) {
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      __m512i u[TERN_TILE_PANELS];
      TERN_UNROLL
      for (int p = 0; p < panels; p++) u[p] = decode(w[p] + at, f);
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
      tern_put_panel(g, row + p * 16, token + t, _mm512_srai_epi32(acc[p][t], DECODE_SHIFT),
                     OFFSET * g->x_sum[token + t]);
  }
}

#define TILE(shape, how, ...)                                                                                          \
  static void shape(const tern_gemm *g, int row, int token) {                                                          \
    how(g, row, token, __VA_ARGS__);                                                                                   \
  }
#ifdef OWN_STRIP_1
static void strip_1(const tern_gemm *g, int row, int token);
#else
TILE(strip_1, strip, 1)
#endif
TILE(strip_2, strip, 2)
TILE(strip_3, strip, 3)
TILE(strip_4, strip, 4)
TILE(strip_5, strip, 5)
TILE(tile_1x6, tile, 1, 6)
TILE(tile_1x7, tile, 1, 7)
TILE(tile_1x8, tile, 1, 8)
TILE(tile_2x4, tile, 2, 4)
TILE(tile_2x5, tile, 2, 5)
TILE(tile_2x6, tile, 2, 6)
TILE(tile_2x7, tile, 2, 7)
TILE(tile_2x8, tile, 2, 8)
TILE(tile_3x4, tile, 3, 4)
TILE(tile_3x5, tile, 3, 5)
TILE(tile_3x6, tile, 3, 6)
TILE(tile_3x7, tile, 3, 7)
TILE(tile_3x8, tile, 3, 8)
#undef TILE

static const tern_tiles tiles = {
    .panel_rows = 16,
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
