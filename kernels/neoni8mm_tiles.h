/* Tiles of an integer layout for the ARMv8.6 matrix product (smmla: 2 rows x 8
 * columns times 8 columns x 2 tokens): included once by <layout>_neoni8mm.c
 * after <layout>_neon.h; gives the table `tiles` of two to four tokens. Two
 * fields of four rows, zipped, are two pairs of rows of eight columns. */
#include "kernels/integer.h"

enum { TILE_TOKENS = 4, TOKEN_PAIRS = TILE_TOKENS / 2, ROW_PAIRS = 8 };

/* acc += w . x^T: [r0 t0, r0 t1, r1 t0, r1 t1]. Assembly as in neondot_tiles.h. */
TERN_INLINE int32x4_t product(int32x4_t acc, int8x16_t w, int8x16_t x) {
  __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(acc) : "w"(w), "w"(x));
  return acc;
}

/* Activations of fields f and f + 1; zeros past the step. */
TERN_INLINE int8x8_t activations(const int8_t *x, int f) {
  if (f + 2 <= FIELDS) return vld1_s8(x + 4 * f);
  int32_t four;
  __builtin_memcpy(&four, x + 4 * f, sizeof four);
  return vreinterpret_s8_s32(vset_lane_s32(four, vdup_n_s32(0), 0));
}

TERN_INLINE int32x4_t field(const uint8_t *step, int quad, int f) {
  return f < FIELDS ? vreinterpretq_s32_s8(decode(step, quad, f)) : vdupq_n_s32(0);
}

static inline void put_one(const tern_gemm *g, int row, int token, int32_t sum) {
  if (row < g->rows) tern_put_sum(g, token, row, sum - OFFSET * g->x_sum[token]);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const int pairs = (tokens + 1) / 2; /* an odd last token is its own partner */
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  int32x4_t acc[TOKEN_PAIRS][ROW_PAIRS];
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
      int8x16_t both[TOKEN_PAIRS];
      TERN_UNROLL
      for (int p = 0; p < pairs; p++)
        both[p] = vcombine_s8(activations(x[2 * p] + k, f), activations(x[2 * p + 1] + k, f));
      TERN_UNROLL
      for (int q = 0; q < 4; q++) {
        const int32x4_t a = field(w, q, f), b = field(w, q, f + 1);
        const int8x16_t low = vreinterpretq_s8_s32(vzip1q_s32(a, b)), high = vreinterpretq_s8_s32(vzip2q_s32(a, b));
        TERN_UNROLL
        for (int p = 0; p < pairs; p++) {
          acc[p][2 * q] = product(acc[p][2 * q], low, both[p]);
          acc[p][2 * q + 1] = product(acc[p][2 * q + 1], high, both[p]);
        }
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int r = 0; r < ROW_PAIRS; r++) {
      const int32x4_t sums = acc[t / 2][r];
      put_one(g, row + 2 * r, token + t, t % 2 ? vgetq_lane_s32(sums, 1) : vgetq_lane_s32(sums, 0));
      put_one(g, row + 2 * r + 1, token + t, t % 2 ? vgetq_lane_s32(sums, 3) : vgetq_lane_s32(sums, 2));
    }
  }
}

static void tile_1(const tern_gemm *g, int row, int token) {
  tile(g, row, token, 1);
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

static const tern_tiles tiles = {
    .panel_rows = 16, .panels = 1, .tokens = TILE_TOKENS, .at = {{tile_1, tile_2, tile_3, tile_4}}};
