/* t5 for ARMv8.0 (Cortex-A53, A72): byte products added up in 16 bits. */
#include "kernels/t5_neon.h"

#include "kernels/neon_batch.h"

enum { RUN = FIELDS_FIT / FIELDS * STEP };

static void one(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  const int8_t *const start = (const int8_t *)g->x + (size_t)token * g->x_stride, *x = start;
  const codebook book = learn();
  int32x4_t wide[2 * QUADS];
  TERN_UNROLL
  for (int i = 0; i < 2 * QUADS; i++) wide[i] = vdupq_n_s32(0);
  for (int k0 = 0; k0 < g->cols; k0 += RUN) {
    const int k1 = g->cols - k0 < RUN ? g->cols : k0 + RUN;
    int16x8_t low[QUADS], high[QUADS];
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) low[q] = high[q] = vdupq_n_s16(0);
    for (int k = k0; k < k1; k += STEP, w += STEP_BYTES) {
      int8x16_t four[FIELDS];
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) four[f] = broadcast_next(&x, start);
      TERN_UNROLL
      for (int q = 0; q < QUADS; q++) {
        int8x16_t u[FIELDS];
        unpack(&book, w, q, u);
        TERN_UNROLL
        for (int f = 0; f < FIELDS; f++) add(&low[q], &high[q], u[f], four[f]);
      }
    }
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) widen(wide + 2 * q, low[q], high[q]);
  }
  int32_t sums[ROWS];
  pair_lanes(sums, wide);
  put_tile(g, row, ROWS, token, 1, sums, OFFSET);
}

const tern_kernel tern_kernel_t5_neon = {"t5_neon", &tern_layout_t5, TERN_ISA_NEON, BATCH_SCRATCH, run};
