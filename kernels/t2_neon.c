/* t2 for ARMv8.0 (Cortex-A53, A72): byte products added up in 16 bits. For one
 * token the third field stays two bits up, in sums of its own, which saves it a
 * shift: -128 * 2 * 4 fits 32 times. */
#include "kernels/t2_neon.h"

#include "kernels/neon_batch.h"

enum { STEPS = TERN_T2_COL_BLOCK / STEP, RUN = FIELDS_FIT / FIELDS * STEP };

static void one(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  const int8_t *const start = (const int8_t *)g->x + (size_t)token * g->x_stride, *x = start;
  const uint8x16_t first = vdupq_n_u8(0x03), third = vdupq_n_u8(0x0c);
  int32x4_t wide[2 * QUADS];
  TERN_UNROLL
  for (int i = 0; i < 2 * QUADS; i++) wide[i] = vdupq_n_s32(0);
  for (int k0 = 0; k0 < g->cols; k0 += RUN) {
    const int k1 = g->cols - k0 < RUN ? g->cols : k0 + RUN;
    int16x8_t low[QUADS], high[QUADS], low4[QUADS], high4[QUADS];
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) low[q] = high[q] = low4[q] = high4[q] = vdupq_n_s16(0);
    for (int k = k0; k < k1; k += TERN_T2_COL_BLOCK, w += STEPS * STEP_BYTES) {
      TERN_UNROLL
      for (int s = 0; s < STEPS; s++) {
        int8x16_t four[FIELDS];
        TERN_UNROLL
        for (int f = 0; f < FIELDS; f++) four[f] = broadcast_next(&x, start);
        uint8x16_t raw[QUADS]; /* side by side: loaded in pairs */
        TERN_UNROLL
        for (int q = 0; q < QUADS; q++) raw[q] = packed(w + s * STEP_BYTES, q, 0);
        TERN_UNROLL
        for (int q = 0; q < QUADS; q++) {
          const uint8x16_t up = vshrq_n_u8(raw[q], 2);
          add(&low[q], &high[q], vreinterpretq_s8_u8(vandq_u8(raw[q], first)), four[0]);
          add(&low[q], &high[q], vreinterpretq_s8_u8(vandq_u8(up, first)), four[1]);
          add(&low4[q], &high4[q], vreinterpretq_s8_u8(vandq_u8(up, third)), four[2]);
          add(&low[q], &high[q], vreinterpretq_s8_u8(vshrq_n_u8(raw[q], 6)), four[3]);
        }
      }
    }
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++)
      widen(wide + 2 * q, vsraq_n_s16(low[q], low4[q], 2), vsraq_n_s16(high[q], high4[q], 2));
  }
  int32_t sums[ROWS];
  pair_lanes(sums, wide);
  put_tile(g, row, ROWS, token, 1, sums, OFFSET);
}

const tern_kernel tern_kernel_t2_neon = {"t2_neon", &tern_layout_t2, TERN_ISA_NEON, BATCH_SCRATCH, run};
