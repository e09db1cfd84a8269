/* t5 for the ARMv8.2 dot product. One token needs no digits: with s a byte less
 * 128 and s' = 3 s modulo 256, both signed, 3 s - s' is 256 times the weight
 * (t5.h), so that sum(w x) = (3 sum(s x) - sum(s' x)) / 256. */
#include "kernels/t5_neon.h"

#include "kernels/neondot_batch.h"

enum { ONE_ROWS = 16, QUADS = ONE_ROWS / 4, CHUNK = 1600 * STEP }; /* 4 * 128 * 128 * CHUNK fits an int32 */

/* sum += w . x over the columns from..to-1. */
TERN_INLINE void add_chunk(int32x4_t *sum, const uint8_t *w, const int8_t *x, int columns) {
  static const uint8_t powers[FIELDS] = {3, 9, 27, 81, 243};
  uint8x16_t power[FIELDS];
  TERN_UNROLL
  for (int f = 0; f < FIELDS; f++) {
    power[f] = vdupq_n_u8(powers[f]);
    __asm__("" : "+w"(power[f])); /* a known factor becomes a shift and an addition: one more */
  }
  int32x4_t here[QUADS], next[QUADS];
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) here[q] = next[q] = vdupq_n_s32(0);
  for (int k = 0; k < columns; k += STEP, x += STEP, w += STEP_BYTES) {
    const int8x16_t some = vld1q_s8(x), last = broadcast(x + 16);
    uint8x16_t n[QUADS]; /* side by side: loaded in pairs */
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) n[q] = vld1q_u8(w + 16 * q);
    TOGETHER(n[0], n[1]);
    TOGETHER(n[2], n[3]);
    TERN_UNROLL
    for (int q = 0; q < QUADS; q++) {
      const uint8x16_t first = veorq_u8(n[q], vdupq_n_u8(128));
      uint8x16_t s = first;
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        here[q] = dot(here[q], vreinterpretq_s8_u8(s), f < 4 ? some : last, f % 4);
        s = vmulq_u8(first, power[f]);
        next[q] = dot(next[q], vreinterpretq_s8_u8(s), f < 4 ? some : last, f % 4);
      }
    }
  }
  TERN_UNROLL
  for (int q = 0; q < QUADS; q++) {
    const int32x4_t whole = vsubq_s32(vaddq_s32(here[q], vaddq_s32(here[q], here[q])), next[q]);
    sum[q] = vsraq_n_s32(sum[q], whole, 8);
  }
}

static void tile_1(const tern_gemm *g, int row, int token) {
  const uint8_t *w = panel(g, row);
  const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride;
  int32x4_t sum[QUADS];
  for (int q = 0; q < QUADS; q++) sum[q] = vdupq_n_s32(0);
  for (int k = 0; k < g->cols; k += CHUNK)
    add_chunk(sum, w + (size_t)k / STEP * STEP_BYTES, x + k, g->cols - k < CHUNK ? g->cols - k : CHUNK);
  for (int q = 0; q < QUADS; q++) put_four(g, token, row + 4 * q, sum[q]);
}

static const tern_tiles one = {.panel_rows = ONE_ROWS, .panels = 1, .tokens = 1, .at = {{tile_1}}};

static void run(const tern_gemm *g, int row0, int row1) {
  if (g->tokens == 1)
    tern_tiles_run(&one, g, row0, row1);
  else
    batch(g, row0, row1);
}

const tern_kernel tern_kernel_t5_neondot = {"t5_neondot", &tern_layout_t5, TERN_ISA_NEONDOT, BATCH_SCRATCH, run};
