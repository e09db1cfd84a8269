/* Tiles of an integer layout for the ARMv8.2 dot product: included once by
 * <layout>_neondot.c after <layout>_neon.h, which defines
 *   STEP, STEP_BYTES, FIELDS  columns and bytes of a panel's step; groups of four columns in it
 *   panel(g, row)             first step of the panel that starts at `row`
 *   decode(step, quad, f)     field f of rows 4 quad..4 quad + 3: 4 rows x 4 columns as s8
 *   OFFSET                    what the codes add to a weight
 * and gives the table `tiles`. */
#include "kernels/integer.h"

enum { TILE_TOKENS = 4 };

/* acc[l] += w[4l..4l+3] . x[4 lane..4 lane + 3]. Assembly because gcc 12 moves
 * the intrinsic's accumulators through the stack. */
TERN_INLINE int32x4_t dot(int32x4_t acc, int8x16_t w, int8x16_t x, int lane) {
#define SDOT(i) __asm__("sdot %0.4s, %1.16b, %2.4b[" #i "]" : "+w"(acc) : "w"(w), "w"(x))
  if (lane == 0) SDOT(0);
  if (lane == 1) SDOT(1);
  if (lane == 2) SDOT(2);
  if (lane == 3) SDOT(3);
#undef SDOT
  return acc;
}

/* Activations of the fields from f on: up to sixteen, never past the step. */
TERN_INLINE int8x16_t activations(const int8_t *x, int f) {
  if (f + 4 <= FIELDS) return vld1q_s8(x + 4 * f);
  int32_t four;
  __builtin_memcpy(&four, x + 4 * f, sizeof four);
  return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

static inline void put_quad(const tern_gemm *g, int row, int token, int32x4_t sum) {
  int32_t sums[4];
  vst1q_s32(sums, vsubq_s32(sum, vdupq_n_s32(OFFSET * g->x_sum[token])));
  for (int i = 0; i < 4 && row + i < g->rows; i++) tern_put_sum(g, token, row + i, sums[i]);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  int8x16_t some[TILE_TOKENS];
  int32x4_t acc[TILE_TOKENS][4];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    TERN_UNROLL
    for (int q = 0; q < 4; q++) acc[t][q] = vdupq_n_s32(0);
  }
  for (int k = 0; k < g->cols; k += STEP, w += STEP_BYTES) {
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      int8x16_t weights[4];
      TERN_UNROLL
      for (int q = 0; q < 4; q++) weights[q] = decode(w, q, f);
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        if (f % 4 == 0) some[t] = activations(x[t] + k, f);
        TERN_UNROLL
        for (int q = 0; q < 4; q++) acc[t][q] = dot(acc[t][q], weights[q], some[t], f % 4);
      }
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int q = 0; q < 4; q++) put_quad(g, row + 4 * q, token + t, acc[t][q]);
  }
}

#include "kernels/panel_tiles.h"
