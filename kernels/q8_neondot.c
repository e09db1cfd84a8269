/* q8 for the ARMv8.2 dot product. One token is bound by loads: in pairs. */
#include "kernels/q8_neon.h"

#include "kernels/neondot_tiles.h"

#include "kernels/neondot_batch.h"

static void tile_1(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride;
  int32x4_t acc[QUADS];
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) acc[q] = vdupq_n_s32(0);
  for (int k = 0; k < g->cols; k += STEP, x += STEP, w += STEP_BYTES) {
    const int8x16_t some = vld1q_s8(x);
    TERN_UNROLL
    for (int f = 0; f < FIELDS; f++) {
      TERN_UNROLL
      for (int q = 0; q < QUADS; q += 2) {
        uint8x16_t a = packed(w, q, f), b = packed(w, q + 1, f);
        TOGETHER(a, b);
        acc[q] = dot(acc[q], decode(a, f), some, f);
        acc[q + 1] = dot(acc[q + 1], decode(b, f), some, f);
      }
    }
  }
  int32_t sums[FEW_ROWS];
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) vst1q_s32(sums + 4 * q, acc[q]);
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

const tern_kernel tern_kernel_q8_neondot = {"q8_neondot", &tern_layout_q8, TERN_ISA_NEONDOT, BATCH_SCRATCH, run};
