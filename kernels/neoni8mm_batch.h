/* Batches for the ARMv8.6 matrix product: 16 rows are decoded to bytes once, in
 * scratch, as the product wants them, and meet all tokens from there. Included
 * once by <layout>_neoni8mm.c after <layout>_neon.h (STEP, STEP_BYTES, FIELDS,
 * panel, learn, unpack, OFFSET); gives batch(g, row0, row1) for three tokens or more. */
#include "kernels/neoni8mm.h"

enum {
  BATCH_TOKENS = 6,
  BATCH_PAIRS = BATCH_TOKENS / 2,
  BATCH_COLUMNS = 16,
  EIGHT = 8 * ROWS,                   /* bytes of eight columns */
  UNIT = FIELDS % 2 ? 2 : 1,          /* steps whose fields pair up */
  BATCH_SCRATCH = ROWS * (65536 + 64) /* columns, and what padding adds */
};

/* Groups of eight columns, eight pairs of rows each; zeros up to a multiple of BATCH_COLUMNS. */
static void unpack_rows(const uint8_t *w, int8_t *to, int cols) {
  const codebook book = learn();
  int k = 0;
  for (; k < cols; k += UNIT * STEP, w += UNIT * STEP_BYTES, to += UNIT * STEP * ROWS) {
    TERN_UNROLL
    for (int q = 0; q < ROWS / 4; q++) {
      int8x16_t fields[UNIT * FIELDS];
      unpack(&book, w, q, fields);
      if (UNIT == 2 && k + STEP < cols) {
        unpack(&book, w + STEP_BYTES, q, fields + (UNIT - 1) * FIELDS);
      } else if (UNIT == 2) {
        for (int f = FIELDS; f < UNIT * FIELDS; f++) fields[f] = vdupq_n_s8(0);
      }
      TERN_UNROLL
      for (int f = 0; f < UNIT * FIELDS; f += 2) {
        int8x16_t low, high;
        pair_fields(fields[f], fields[f + 1], &low, &high);
        vst1q_s8(to + EIGHT * (f / 2) + 32 * q, low);
        vst1q_s8(to + EIGHT * (f / 2) + 32 * q + 16, high);
      }
    }
  }
  for (; k % BATCH_COLUMNS; k += 8, to += EIGHT) {
    for (int r = 0; r < ROW_PAIRS; r++) vst1q_s8(to + 16 * r, vdupq_n_s8(0));
  }
}

/* Activations are read up to a multiple of BATCH_COLUMNS: inside the aligned row. */
TERN_INLINE void batch_tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int pairs = (tokens + 1) / 2; /* an odd last token is its own partner */
  const int8_t *w = g->scratch;
  const int8_t *x[BATCH_TOKENS];
  int32x4_t acc[BATCH_PAIRS][ROW_PAIRS];
  TERN_UNROLL
  for (int t = 0; t < 2 * pairs; t++) {
    const int own = t < tokens ? t : tokens - 1;
    x[t] = (const int8_t *)g->x + (size_t)(token + own) * g->x_stride;
  }
  TERN_UNROLL
  for (int p = 0; p < pairs; p++) {
    TERN_UNROLL
    for (int r = 0; r < ROW_PAIRS; r++) acc[p][r] = vdupq_n_s32(0);
  }
  const size_t cols = (size_t)g->cols;
  for (size_t k = 0; k < cols; k += BATCH_COLUMNS, w += 2 * EIGHT) {
    int8x16_t both[2][BATCH_PAIRS];
    TERN_UNROLL
    for (int p = 0; p < pairs; p++) {
      const int64x2_t a = vreinterpretq_s64_s8(vld1q_s8(x[2 * p] + k)),
                      b = vreinterpretq_s64_s8(vld1q_s8(x[2 * p + 1] + k));
      both[0][p] = vreinterpretq_s8_s64(vzip1q_s64(a, b));
      both[1][p] = vreinterpretq_s8_s64(vzip2q_s64(a, b));
    }
    TERN_UNROLL
    for (int h = 0; h < 2; h++) {
      TERN_UNROLL
      for (int r = 0; r < ROW_PAIRS; r += 2) {
        const int8x16_t a = vld1q_s8(w + EIGHT * h + 16 * r), b = vld1q_s8(w + EIGHT * h + 16 * r + 16);
        TERN_UNROLL
        for (int p = 0; p < pairs; p++) {
          acc[p][r] = product(acc[p][r], a, both[h][p]);
          acc[p][r + 1] = product(acc[p][r + 1], b, both[h][p]);
        }
      }
    }
  }
  int32_t sums[BATCH_TOKENS * ROWS];
  TERN_UNROLL
  for (int p = 0; p < pairs; p++) split_tokens(sums + 2 * ROWS * p, acc[p]);
  put_tile(g, row, ROWS, token, tokens, sums, OFFSET);
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

static const tern_tiles batch_tiles = {
    .panel_rows = ROWS,
    .panels = 1,
    .tokens = BATCH_TOKENS,
    .at = {{NULL, batch_2, batch_3, batch_4, batch_5, batch_6}},
};

static void batch(const tern_gemm *g, int row0, int row1) {
  for (int row = row0; row < row1; row += ROWS) {
    unpack_rows(panel(g, row), g->scratch, g->cols);
    tern_tiles_run(&batch_tiles, g, row, row1 - row < ROWS ? row1 : row + ROWS);
  }
}
