/* Tiles of a few tokens for the ARMv8.2 dot product, 16 rows wide: included once
 * by <layout>_neondot.c after <layout>_neon.h, which defines
 *   STEP, STEP_BYTES, FIELDS  columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)             first step of the rows from `row` on
 *   packed(step, quad, f)     bytes that hold field f of rows 4 quad..4 quad + 3
 *   decode(bytes, f)          the field: 4 rows x 4 columns as s8
 *   OFFSET                    what the codes add to a weight
 * and gives the table `few` of one to four tokens. */
#include "kernels/neondot.h"

enum { FEW_TOKENS = 4, FEW_ROWS = 16, QUADS = FEW_ROWS / 4 };

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[FEW_TOKENS];
  int32x4_t acc[FEW_TOKENS][QUADS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) acc[t][q] = vdupq_n_s32(0);
  }
  for (int k = 0; k < g->cols; k += STEP, w += STEP_BYTES) {
    int8x16_t some[FEW_TOKENS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) some[t] = vld1q_s8(x[t] + k);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      uint8x16_t bytes[QUADS];
      int8x16_t weights[QUADS];
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) bytes[q] = packed(w, q, f); /* side by side: loaded in pairs */
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) weights[q] = decode(bytes[q], f);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        TERN_UNROLL
        for (int q = 0; q < QUADS; q++) acc[t][q] = dot(acc[t][q], weights[q], some[t], f);
      }
    }
  }
  int32_t sums[FEW_TOKENS * FEW_ROWS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) vst1q_s32(sums + FEW_ROWS * t + 4 * q, acc[t][q]);
  }
  put_tile(g, row, FEW_ROWS, token, tokens, sums, OFFSET);
}

static void tile_2(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 2);
}
static void tile_3(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 3);
}
static void tile_4(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 4);
}
