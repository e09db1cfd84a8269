/* q8 for AVX2, which has no exact product of full bytes. Few tokens: |x| times
 * the weight with the sign of x; a pair is at most 2 * 128 * 127 = 32512 and
 * fits 16 bits, but no two pairs do, so each is widened at once. A batch: words
 * instead of bytes, activations widened once into scratch (even columns of four,
 * then odd ones), so that nothing but products and sums is left in the loop.
 * Both take two multiplications of 256 bits for 32 weights: that is the bound. */
#include "kernels/avx2.h"
#include "kernels/q8.h"
#include "kernels/words_avx2.h"

enum { TILE_TOKENS = 4, SCRATCH = 1 << 18 };

TERN_INLINE const uint8_t *panel(const tern_gemm *g, int row) {
  return (const uint8_t *)g->weights + tern_q8_offset(g->cols, row);
}

/* Few tokens. */

TERN_INLINE __m256i weights(const uint8_t *half) {
  return _mm256_xor_si256(_mm256_load_si256((const void *)half), _mm256_set1_epi8(-128));
}

TERN_INLINE __m256i dot(__m256i acc, __m256i w, __m256i x, __m256i x_abs) {
  return tern_widen(acc, _mm256_maddubs_epi16(x_abs, _mm256_sign_epi8(w, x)));
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int8_t *x[TILE_TOKENS];
  __m256i acc[TILE_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    acc[t][0] = acc[t][1] = _mm256_setzero_si256();
  }
  for (int k = 0; k < g->cols; k += TERN_Q8_COLUMNS, w += TERN_Q8_BLOCK) {
    const __m256i w0 = weights(w), w1 = weights(w + 32);
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) {
      const __m256i four = tern_four(x[t] + k), four_abs = _mm256_abs_epi8(four);
      acc[t][0] = dot(acc[t][0], w0, four, four_abs);
      acc[t][1] = dot(acc[t][1], w1, four, four_abs);
    }
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    tern_put_half(g, row, token + t, acc[t][0], 0);
    tern_put_half(g, row + 8, token + t, acc[t][1], 0);
  }
}

#define run run_few
#include "kernels/panel_tiles.h"
#undef run

/* A batch: g->x is scratch, words in the order of tern_words_widen(). */

TERN_INLINE void wide_tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *w = panel(g, row);
  const int16_t *x[TILE_TOKENS];
  __m256i acc[TILE_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int16_t *)g->x + (size_t)(token + t) * g->x_stride;
    acc[t][0] = acc[t][1] = _mm256_setzero_si256();
  }
  for (int k = 0; k < g->cols; k += TERN_Q8_COLUMNS, w += TERN_Q8_BLOCK) tern_word_columns(acc, w, x, k, tokens);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    const int32_t bias = TERN_Q8_BIAS * g->x_sum[token + t];
    tern_put_half(g, row, token + t, acc[t][0], bias);
    tern_put_half(g, row + 8, token + t, acc[t][1], bias);
  }
}

#define WIDE(tokens)                                                                                                   \
  static void wide_##tokens(const tern_gemm *g, int row, int token) {                                                  \
    wide_tile(g, row, token, tokens);                                                                                  \
  }
WIDE(1)
WIDE(2)
WIDE(3)
WIDE(4)
static const tern_tiles wide_tiles = {
    .panel_rows = 16, .panels = 1, .tokens = TILE_TOKENS, .at = {{wide_1, wide_2, wide_3, wide_4}}};

static void run(const tern_gemm *g, int row0, int row1) {
  const size_t columns = (size_t)tern_q8_padded(g->cols), room = SCRATCH / sizeof(int16_t) / columns;
  if (g->tokens < TILE_TOKENS || room < TILE_TOKENS) {
    run_few(g, row0, row1);
    return;
  }
  const int most = (int)room / TILE_TOKENS * TILE_TOKENS;
  for (int token = 0; token < g->tokens; token += most) {
    const int tokens = g->tokens - token < most ? g->tokens - token : most;
    const tern_gemm part = tern_words_part(g, token, tokens, columns, 1);
    tern_tiles_run(&wide_tiles, &part, row0, row1);
  }
}

const tern_kernel tern_kernel_q8_avx2 = {"q8_avx2", &tern_layout_q8, TERN_ISA_AVX2, SCRATCH, run};
