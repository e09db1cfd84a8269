/* A block-scaled layout for AVX-512 VNNI: included by <layout>_avx512vnni.c
 * after BITS, BLOCK and LOWEST. Codes are unsigned for the dot product:
 * a block's sum starts at what that adds. Beside BLOCK / 4 dot products for 16
 * rows and a token there are four float operations: that is the bound. */
#include "kernels/blocks.h"
#include "kernels/vnni.h"

enum { FIELDS = 8 / BITS, UNITS = BLOCK / (4 * FIELDS), MOST_TOKENS = 6, MOST_PANELS = 2 };

TERN_INLINE __m512i decode(const uint8_t *unit, int f) {
  __asm__ volatile("" ::: "memory"); /* load again: kept units would drive sums out of their registers */
  const __m512i raw = _mm512_load_si512(unit);
  if (BITS == 8) return raw;
  return _mm512_and_si512(_mm512_srli_epi32(raw, BITS * (unsigned)f), _mm512_set1_epi8((char)((1 << BITS) - 1)));
}

typedef struct inputs {
  const int8_t *x;
  const float *scale;
  const int32_t *sum;
} inputs;

/* y += scales times the block's exact sums. */
TERN_INLINE __m512 finish(__m512 y, __m512i sums, __m512 w_scale, const float *x_scale) {
  return _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums), _mm512_mul_ps(w_scale, _mm512_set1_ps(*x_scale)), y);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int panels, const int tokens) {
  const int sets = panels * tokens == 1 && FIELDS > 1 ? 2 : 1; /* so that one sum does not wait for another */
  const uint8_t *w[MOST_PANELS];
  inputs in[MOST_TOKENS];
  __m512 y[MOST_PANELS][MOST_TOKENS];
  for (int p = 0; p < panels; p++)
    w[p] = (const uint8_t *)g->weights + tern_blocks_at(BITS, BLOCK, g->cols, row + 16 * p, 0);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    const size_t at = (size_t)(token + t);
    in[t] = (inputs){(const int8_t *)g->x + at * g->x_stride, g->x_scale + at * g->x_block_stride,
                     g->x_sum + at * g->x_block_stride};
    TERN_UNROLL
    for (int p = 0; p < panels; p++) y[p][t] = _mm512_setzero_ps();
  }
  size_t at = 0, scales = 0; /* of the block's codes and scales in a panel, less the step's scales */
  for (int k = 0, index = 0; k < g->cols; k += BLOCK, index++) {
    __m512i sums[MOST_PANELS][MOST_TOKENS], second = _mm512_setzero_si512();
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      TERN_UNROLL
      for (int p = 0; p < panels; p++) sums[p][t] = _mm512_set1_epi32(LOWEST * in[t].sum[index]);
    }
    for (int unit = 0; unit < UNITS; unit++) {
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        __m512i u[MOST_PANELS];
        TERN_UNROLL
        for (int p = 0; p < panels; p++) u[p] = decode(w[p] + at + TERN_BLOCKS_SCALES + unit * TERN_BLOCKS_UNIT, f);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
          const __m512i four = tern_four(in[t].x + k + 4 * (unit * FIELDS + f));
          TERN_UNROLL
          for (int p = 0; p < panels; p++) {
            if (sets == 2 && f % 2)
              second = tern_dpbusd(second, u[p], four);
            else
              sums[p][t] = tern_dpbusd(sums[p][t], u[p], four);
          }
        }
      }
    }
    if (sets == 2) sums[0][0] = _mm512_add_epi32(sums[0][0], second);
    TERN_UNROLL
    for (int p = 0; p < panels; p++) {
      const __m512 w_scale = _mm512_cvtph_ps(_mm256_load_si256((const void *)(w[p] + scales)));
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) y[p][t] = finish(y[p][t], sums[p][t], w_scale, in[t].scale + index);
    }
    at += tern_blocks_codes(BITS, BLOCK);
    scales += 32;
    if (index % 2) {
      at += TERN_BLOCKS_SCALES;
      scales = at;
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    TERN_UNROLL
    for (int p = 0; p < panels; p++) {
      const int left = g->rows - row - 16 * p;
      const __mmask16 rows = (__mmask16)(left >= 16 ? 0xffffu : (1u << left) - 1u);
      _mm512_mask_storeu_ps(g->y + (size_t)(token + t) * g->y_stride + (size_t)(row + 16 * p), rows, y[p][t]);
    }
  }
}

#include "kernels/two_panels.h"
