/* t2 for the ARMv8.2 dot product. One token takes fields where they lie: masked,
 * field f is the code times 4^f, and shifting its sum back at the end is exact
 * (a sum is at most 16 * 2 * 128 * 16384). */
#include "kernels/t2_neon.h"

#include "kernels/neondot_tiles.h"

#include "kernels/neondot_batch.h"

enum { STEPS = TERN_T2_COL_BLOCK / STEP };

static void tile_1(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride;
  const uint8x16_t lowest = vdupq_n_u8(0x03), second = vdupq_n_u8(0x0c), third = vdupq_n_u8(0x30);
  int32x4_t acc[QUADS], by4[QUADS], by16[QUADS];
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) acc[q] = by4[q] = by16[q] = vdupq_n_s32(0);
  for (int k = 0; k < g->cols; k += TERN_T2_COL_BLOCK, x += TERN_T2_COL_BLOCK, w += STEPS * STEP_BYTES) {
    TERN_UNROLL
    for (int s = 0; s < STEPS; s++) {
      const int8x16_t some = vld1q_s8(x + s * STEP);
      uint8x16_t raw[QUADS]; /* side by side: loaded in pairs */
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) raw[q] = packed(w + s * STEP_BYTES, q, 0);
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) {
        acc[q] = dot(acc[q], vreinterpretq_s8_u8(vandq_u8(raw[q], lowest)), some, 0);
        by4[q] = dot(by4[q], vreinterpretq_s8_u8(vandq_u8(raw[q], second)), some, 1);
        by16[q] = dot(by16[q], vreinterpretq_s8_u8(vandq_u8(raw[q], third)), some, 2);
        acc[q] = dot(acc[q], vreinterpretq_s8_u8(vshrq_n_u8(raw[q], 6)), some, 3);
      }
    }
  }
  int32_t sums[FEW_ROWS];
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) vst1q_s32(sums + 4 * q, vsraq_n_s32(vsraq_n_s32(acc[q], by4[q], 2), by16[q], 4));
  put_tile(g, row, FEW_ROWS, token, 1, sums, OFFSET);
}

static const tern_tiles few = {
    .panel_rows = FEW_ROWS, .panels = 1, .tokens = FEW_TOKENS, .at = {{tile_1, tile_2, tile_3, tile_4}}};

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens <= FEW_TOKENS)
    tern_tiles_run(&few, g, row0, row1);
  else
    batch(g, row0, row1);
}

const tern_kernel tern_kernel_t2_neondot = {"t2_neondot", &tern_layout_t2, TERN_ISA_NEONDOT, BATCH_SCRATCH, run};
