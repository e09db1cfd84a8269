/* Batches for the ARMv8.2 dot product: eight rows are decoded to bytes once, in
 * scratch, and meet all tokens from there, eight at a time. Included once by
 * <layout>_neondot.c after <layout>_neon.h, which defines, beside what
 * neondot_tiles.h says,
 *   unpack(book, step, quad, fields)  all fields of rows 4 quad..4 quad + 3
 *   codebook, learn()                 what that wants in registers
 * Gives batch(g, row0, row1) for two tokens or more. */
#include "kernels/neondot.h"

enum {
  BATCH_ROWS = 8,
  BATCH_TOKENS = 8,
  BATCH_COLUMNS = 16,
  BATCH_SCRATCH = BATCH_ROWS * (65536 + 64) /* columns, and what padding adds */
};

/* Bytes of groups of four columns, eight rows each; zeros up to a multiple of BATCH_COLUMNS. */
static void unpack_rows(const uint8_t *w, int8_t *to, int cols) {
  const codebook book = learn();
  int k = 0;
  for (; k < cols; k += STEP, w += STEP_BYTES, to += STEP * BATCH_ROWS) {
    int8x16_t fields[2][FIELDS];
    unpack(&book, w, 0, fields[0]);
    unpack(&book, w, 1, fields[1]);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      vst1q_s8(to + 32 * f, fields[0][f]);
      vst1q_s8(to + 32 * f + 16, fields[1][f]);
    }
  }
  for (; k % BATCH_COLUMNS; k += 4, to += 32) {
    vst1q_s8(to, vdupq_n_s8(0));
    vst1q_s8(to + 16, vdupq_n_s8(0));
  }
}

/* Activations are read up to a multiple of BATCH_COLUMNS: inside the aligned row. */
TERN_INLINE void batch_tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int8_t *w = g->scratch;
  const int8_t *x[BATCH_TOKENS];
  int32x4_t acc[BATCH_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    acc[t][0] = acc[t][1] = vdupq_n_s32(0);
  }
  const size_t cols = (size_t)g->cols;
  for (size_t k = 0; k < cols; k += BATCH_COLUMNS, w += BATCH_COLUMNS * BATCH_ROWS) {
    int8x16_t some[BATCH_TOKENS];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) some[t] = vld1q_s8(x[t] + k);
    TERN_UNROLL
    for (int f = 0; f < 4; f++) {
      const int8x16_t first = vld1q_s8(w + 32 * f), second = vld1q_s8(w + 32 * f + 16);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        acc[t][0] = dot(acc[t][0], first, some[t], f);
        acc[t][1] = dot(acc[t][1], second, some[t], f);
      }
    }
  }
  int32_t sums[BATCH_TOKENS * BATCH_ROWS];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    vst1q_s32(sums + BATCH_ROWS * t, acc[t][0]);
    vst1q_s32(sums + BATCH_ROWS * t + 4, acc[t][1]);
  }
  put_tile(g, row, BATCH_ROWS, token, tokens, sums, OFFSET);
}

#define BATCH_TILE(n)                                                                                                  \
  static void batch_##n(const tern_gemm *g, int row, int token) {                                                      \
    batch_tile(g, row, token, n);                                                                                      \
  }
BATCH_TILE(2)
BATCH_TILE(3)
BATCH_TILE(4)
BATCH_TILE(5)
BATCH_TILE(6)
BATCH_TILE(7)
BATCH_TILE(8)

static const tern_tiles batch_tiles = {
    .panel_rows = BATCH_ROWS,
    .panels = 1,
    .tokens = BATCH_TOKENS,
    .at = {{NULL, batch_2, batch_3, batch_4, batch_5, batch_6, batch_7, batch_8}},
};

static void batch(const tern_gemm *g, int row0, int row1) {
  for (int row = row0; row < row1; row += BATCH_ROWS) {
    unpack_rows(panel(g, row), g->scratch, g->cols);
    tern_tiles_run(&batch_tiles, g, row, row1 - row < BATCH_ROWS ? row1 : row + BATCH_ROWS);
  }
}
