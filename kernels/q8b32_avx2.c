/* q8b32 for AVX2. Few tokens: as blocks_avx2.inc.h. A batch: words instead of
 * bytes (words_avx2.h), which leaves two multiplications and two additions for
 * 32 weights, and three operations a block of 32 columns for eight outputs;
 * outputs wait in memory meanwhile, for registers hold a block's sums. */
#include <immintrin.h>
#include <string.h>

enum { BITS = 8, BLOCK = 32, LOWEST = -127, WIDE_TOKENS = 4, SCRATCH = 1 << 18 };

#define run run_few
#include "kernels/blocks_avx2.inc.h"
#undef run
#include "kernels/words_avx2.h"

/* Adds a block's products of 16 rows; x[t] are words. */
TERN_INLINE void add_block(__m256i sums[WIDE_TOKENS][2], const uint8_t *codes, const int16_t *const *x,
                           const int tokens) {
  for (int c = 0; c < BLOCK; c += 4, codes += TERN_BLOCKS_UNIT) tern_word_columns(sums, codes, x, c, tokens);
}

/* g->x is scratch here. */
TERN_INLINE void wide_tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *step = (const uint8_t *)g->weights + tern_blocks_at(BITS, BLOCK, g->cols, row, 0);
  const int16_t *x[WIDE_TOKENS];
  float y[WIDE_TOKENS][2][8] __attribute__((aligned(32)));
  memset(y, 0, sizeof y);
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) x[t] = (const int16_t *)g->x + (size_t)(token + t) * g->x_stride;
  for (int k = 0, index = 0; k < g->cols; k += BLOCK, index++) {
    const size_t at = (size_t)token * g->x_block_stride + (size_t)index;
    __m256i sums[WIDE_TOKENS][2];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++)
      sums[t][0] = sums[t][1] = _mm256_set1_epi32(LOWEST * g->x_sum[at + (size_t)t * g->x_block_stride]);
    add_block(sums, step + TERN_BLOCKS_SCALES + (size_t)(index % 2) * tern_blocks_codes(BITS, BLOCK), x, tokens);
    TERN_UNROLL
    for (int h = 0; h < 2; h++) {
      const __m256 w_scale = _mm256_cvtph_ps(_mm_load_si128((const void *)(step + index % 2 * 32 + 16 * h)));
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const float scale = g->x_scale[at + (size_t)t * g->x_block_stride];
        _mm256_store_ps(y[t][h], finish(_mm256_load_ps(y[t][h]), sums[t][h], w_scale, scale));
      }
    }
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) x[t] += BLOCK;
    if (index % 2) step += tern_blocks_step(BITS, BLOCK);
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    put(g, row, token + t, _mm256_load_ps(y[t][0]));
    put(g, row + 8, token + t, _mm256_load_ps(y[t][1]));
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
    .panel_rows = 16, .panels = 1, .tokens = WIDE_TOKENS, .at = {{wide_1, wide_2, wide_3, wide_4}}};

static void run(const tern_gemm *g, int row0, int row1) {
  const size_t columns = ((size_t)g->cols + BLOCK - 1) / BLOCK * BLOCK, room = SCRATCH / sizeof(int16_t) / columns;
  if (g->tokens < WIDE_TOKENS || room < WIDE_TOKENS) {
    run_few(g, row0, row1);
    return;
  }
  const int most = (int)room / WIDE_TOKENS * WIDE_TOKENS;
  for (int token = 0; token < g->tokens; token += most) {
    const int tokens = g->tokens - token < most ? g->tokens - token : most;
    const tern_gemm part = tern_words_part(g, token, tokens, columns, g->x_block_stride);
    tern_tiles_run(&wide_tiles, &part, row0, row1);
  }
}

const tern_kernel tern_kernel_q8b32_avx2 = {"q8b32_avx2", &tern_layout_q8b32, TERN_ISA_AVX2, SCRATCH, run};
