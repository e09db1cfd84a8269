/* Ternary layouts on ARMv8.0, without a dot product: a 16-bit lane is one row's
 * column modulo 4; it takes 2 * -128 or 2 * 127 a field, so FIELDS_FIT fields fit,
 * then pairs are widened. Batches: 16 rows are decoded to bytes once, in scratch,
 * and meet all tokens from there, three at a time. Included once by
 * <layout>_neon.c after <layout>_neon.h (STEP, STEP_BYTES, FIELDS, panel, learn,
 * unpack, OFFSET); gives run(), which wants the tile of a single token, one(). */
#include "kernels/neon_sums.h"

enum {
  ROWS = 16,
  QUADS = ROWS / 4,
  FIELDS_FIT = 128,
  BATCH_TOKENS = 3,
  BATCH_COLUMNS = 16,
  BATCH_RUN = FIELDS_FIT * 4,         /* columns */
  BATCH_SCRATCH = ROWS * (65536 + 64) /* columns, and what padding adds */
};

static void one(const tern_gemm *g, int row, int token);

/* Adds the products of four rows: rows 0, 1 to low, 2, 3 to high. */
TERN_INLINE void add(int16x8_t *low, int16x8_t *high, int8x16_t u, int8x16_t x) {
  *low = vmlal_s8(*low, vget_low_s8(u), vget_low_s8(x));
  *high = vmlal_high_s8(*high, u, x);
}

TERN_INLINE void widen(int32x4_t *wide, int16x8_t low, int16x8_t high) {
  wide[0] = vpadalq_s16(wide[0], low);
  wide[1] = vpadalq_s16(wide[1], high);
}

/* wide: for each quad two lanes a row. */
TERN_INLINE void pair_lanes(int32_t *sums, const int32x4_t *wide) {
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) vst1q_s32(sums + 4 * q, vpaddq_s32(wide[2 * q], wide[2 * q + 1]));
}

/* Bytes of groups of four columns, 16 rows each; zeros up to a multiple of BATCH_COLUMNS. */
static void unpack_rows(const uint8_t *w, int8_t *to, int cols) {
  const codebook book = learn();
  int k = 0;
  for (; k < cols; k += STEP, w += STEP_BYTES, to += STEP * ROWS) {
    int8x16_t fields[QUADS][FIELDS];
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) unpack(&book, w, q, fields[q]);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) vst1q_s8(to + 4 * ROWS * f + 16 * q, fields[q][f]);
    }
  }
  for (; k % BATCH_COLUMNS; k += 4, to += 4 * ROWS) {
    for (int q = 0; q < QUADS; q++) vst1q_s8(to + 16 * q, vdupq_n_s8(0));
  }
}

/* Activations are read up to a multiple of BATCH_COLUMNS: inside the aligned row. */
TERN_INLINE void batch_tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int8_t *w = g->scratch;
  const int8_t *x[BATCH_TOKENS], *start[BATCH_TOKENS];
  int32x4_t wide[BATCH_TOKENS][2 * QUADS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = start[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    for (int i = 0; i < 2 * QUADS; i++) wide[t][i] = vdupq_n_s32(0);
  }
  for (int k0 = 0; k0 < g->cols; k0 += BATCH_RUN) {
    const int k1 = g->cols - k0 < BATCH_RUN ? g->cols : k0 + BATCH_RUN;
    int16x8_t low[BATCH_TOKENS][QUADS], high[BATCH_TOKENS][QUADS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) low[t][q] = high[t][q] = vdupq_n_s16(0);
    }
    for (int k = k0; k < k1; k += BATCH_COLUMNS, w += BATCH_COLUMNS * ROWS) {
      TERN_UNROLL
      for (int f = 0; f < BATCH_COLUMNS / 4; f++) {
        int8x16_t four[BATCH_TOKENS];
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) four[t] = broadcast_next(&x[t], start[t]);
        TERN_UNROLL
        for (int q = 0; q < QUADS; q += 2) {
          const int8x16_t u = vld1q_s8(w + 4 * ROWS * f + 16 * q), v = vld1q_s8(w + 4 * ROWS * f + 16 * q + 16);
          TERN_UNROLL
          for (int t = 0; t < tokens; t++) {
            add(&low[t][q], &high[t][q], u, four[t]);
            add(&low[t][q + 1], &high[t][q + 1], v, four[t]);
          }
        }
      }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) widen(wide[t] + 2 * q, low[t][q], high[t][q]);
    }
  }
  int32_t sums[BATCH_TOKENS * ROWS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) pair_lanes(sums + ROWS * t, wide[t]);
  put_tile(g, row, ROWS, token, tokens, sums, OFFSET);
}

static void batch_2(const tern_gemm *g, int row, int token) {
  batch_tile(g, row, token, 2);
}
static void batch_3(const tern_gemm *g, int row, int token) {
  batch_tile(g, row, token, 3);
}

static const tern_tiles alone = {.panel_rows = ROWS, .panels = 1, .tokens = 1, .at = {{one}}};
static const tern_tiles batch_tiles = {
    .panel_rows = ROWS, .panels = 1, .tokens = BATCH_TOKENS, .at = {{NULL, batch_2, batch_3}}};

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens == 1) {
    tern_tiles_run(&alone, g, row0, row1);
    return;
  }
  for (int row = row0; row < row1; row += ROWS) {
    unpack_rows(panel(g, row), g->scratch, g->cols);
    tern_tiles_run(&batch_tiles, g, row, row1 - row < ROWS ? row1 : row + ROWS);
  }
}
