/* A block-scaled layout for AVX2: included by <layout>_avx2.c after BITS, BLOCK
 * and LOWEST. Codes below 16 are unsigned; their pairs of products add up in 16
 * bits over a block (32 * 2 * 2 * 128 and 8 * 2 * 15 * 128 fit). int8 takes |x|
 * times the weight with the sign of x: a pair fits (2 * 127 * 128), and is
 * widened at once. Bound by those operations, and by widening and scaling. */
#include "kernels/avx2.h"
#include "kernels/blocks.h"

enum { FIELDS = 8 / BITS, UNITS = BLOCK / (4 * FIELDS), MOST_TOKENS = 3 };

/* Field f of eight rows of a unit: u8, or the weights themselves when they are bytes. */
TERN_INLINE __m256i decode(const uint8_t *half, int f) {
  const __m256i raw = _mm256_load_si256((const void *)half);
  if (BITS == 8) return _mm256_add_epi8(raw, _mm256_set1_epi8(LOWEST));
  return _mm256_and_si256(_mm256_srli_epi16(raw, BITS * f), _mm256_set1_epi8((char)((1 << BITS) - 1)));
}

/* Adds four columns: to pairs in 16 bits, or in 32 bits for bytes. */
TERN_INLINE __m256i add_four(__m256i sums, __m256i w, __m256i four) {
  if (BITS < 8) return tern_pairs(sums, w, four);
  return tern_widen(sums, _mm256_maddubs_epi16(_mm256_abs_epi8(four), _mm256_sign_epi8(w, four)));
}

/* The block's exact sums of eight rows. */
TERN_INLINE __m256i exact(__m256i sums, int32_t x_sum) {
  if (BITS == 8) return sums;
  return tern_widen(_mm256_set1_epi32(LOWEST * x_sum), sums);
}

TERN_INLINE __m256 finish(__m256 y, __m256i sums, __m256 w_scale, float x_scale) {
  return _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums), _mm256_mul_ps(w_scale, _mm256_set1_ps(x_scale)), y);
}

TERN_INLINE void put(const tern_gemm *g, int row, int token, __m256 y) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i rows = _mm256_cmpgt_epi32(_mm256_set1_epi32(g->rows - row), lanes);
  _mm256_maskstore_ps(g->y + (size_t)token * g->y_stride + (size_t)row, rows, y);
}

TERN_INLINE void tile(const tern_gemm *g, int row, int token, const int tokens) {
  const uint8_t *step = (const uint8_t *)g->weights + tern_blocks_at(BITS, BLOCK, g->cols, row, 0);
  const int8_t *x[MOST_TOKENS];
  size_t blocks_at[MOST_TOKENS];
  __m256 y[MOST_TOKENS][2];
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    x[t] = (const int8_t *)g->x + (size_t)(token + t) * g->x_stride;
    blocks_at[t] = (size_t)(token + t) * g->x_block_stride;
    y[t][0] = y[t][1] = _mm256_setzero_ps();
  }
  for (int k = 0, index = 0; k < g->cols; k += BLOCK, index++) {
    const uint8_t *codes = step + TERN_BLOCKS_SCALES + (size_t)(index % 2) * tern_blocks_codes(BITS, BLOCK);
    __m256i sums[MOST_TOKENS][2];
    TERN_UNROLL
    for (int t = 0; t < tokens; t++) sums[t][0] = sums[t][1] = _mm256_setzero_si256();
    for (int unit = 0; unit < UNITS; unit++, codes += TERN_BLOCKS_UNIT) {
      TERN_UNROLL
      for (int f = 0; f < FIELDS; f++) {
        const __m256i w0 = decode(codes, f), w1 = decode(codes + 32, f);
        TERN_UNROLL
        for (int t = 0; t < tokens; t++) {
          const __m256i four = tern_four(x[t] + k + 4 * (unit * FIELDS + f));
          sums[t][0] = add_four(sums[t][0], w0, four);
          sums[t][1] = add_four(sums[t][1], w1, four);
        }
      }
    }
    TERN_UNROLL
    for (int h = 0; h < 2; h++) {
      const __m256 w_scale = _mm256_cvtph_ps(_mm_load_si128((const void *)(step + index % 2 * 32 + 16 * h)));
      TERN_UNROLL
      for (int t = 0; t < tokens; t++) {
        const size_t at = blocks_at[t] + (size_t)index;
        y[t][h] = finish(y[t][h], exact(sums[t][h], g->x_sum[at]), w_scale, g->x_scale[at]);
      }
    }
    if (index % 2) step += tern_blocks_step(BITS, BLOCK);
  }
  TERN_UNROLL
  for (int t = 0; t < tokens; t++) {
    put(g, row, token + t, y[t][0]);
    put(g, row + 8, token + t, y[t][1]);
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

static const tern_tiles tiles = {.panel_rows = 16,
                                 .panels = 1,
                                 .tokens = BITS == 8 ? 2 : MOST_TOKENS, /* what sixteen registers hold */
                                 .at = {{tile_1, tile_2, tile_3}}};

static void run(const tern_gemm *g, int row0, int row1) {
  tern_tiles_run(&tiles, g, row0, row1);
}
