/* Tiles of two to four tokens for the ARMv8.6 matrix product: included once by
 * <layout>_neoni8mm.c after <layout>_neon.h (neondot_tiles.h says what that
 * defines; FIELDS is even); gives the tiles `few_2` to `few_4`. */
#include "kernels/neoni8mm.h"

enum { FEW_TOKENS = 4, FEW_PAIRS = FEW_TOKENS / 2 };

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int pairs = (tokens + 1) / 2; /* an odd last token is its own partner */
  const uint8_t *w = panel(g, row);
  const int8_t *x[FEW_TOKENS];
  int32x4_t acc[FEW_PAIRS][ROW_PAIRS];
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
  for (int k = 0; k < g->cols; k += STEP, w += STEP_BYTES) {
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f += 2) {
      int8x16_t both[FEW_PAIRS];
      TERN_UNROLL
      for (int p = 0; p < pairs; p++)
        both[p] = vcombine_s8(vld1_s8(x[2 * p] + k + 4 * f), vld1_s8(x[2 * p + 1] + k + 4 * f));
      TERN_UNROLL
      for (int q = 0; q < ROWS / 4; q++) {
        int8x16_t low, high;
        pair_fields(decode(packed(w, q, f), f), decode(packed(w, q, f + 1), f + 1), &low, &high);
        TERN_UNROLL
        for (int p = 0; p < pairs; p++) {
          acc[p][2 * q] = product(acc[p][2 * q], low, both[p]);
          acc[p][2 * q + 1] = product(acc[p][2 * q + 1], high, both[p]);
        }
      }
    }
  }
  int32_t sums[FEW_TOKENS * ROWS];
  TERN_UNROLL
  for (int p = 0; p < pairs; p++) split_tokens(sums + 2 * ROWS * p, acc[p]);
  put_tile(g, row, ROWS, token, tokens, sums, OFFSET);
}

static void few_2(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 2);
}
static void few_3(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 3);
}
static void few_4(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 4);
}

static const tern_tiles few = {
    .panel_rows = ROWS, .panels = 1, .tokens = FEW_TOKENS, .at = {{NULL, few_2, few_3, few_4}}};
