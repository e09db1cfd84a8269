/* t5l for AVX-512 VBMI: nothing is multiplied. The 122 sums of five activations
 * are tables in four registers, split as 32 high + low so that both halves are
 * bytes; a weight byte's magnitude is looked up in both (vpermi2b takes the low
 * seven bits), negated where its sign is set, and added in bytes: of six groups
 * (6 * 20 and 6 * 16 fit), then in 16 bits over a chunk (48 * 640 fits), then
 * into the output, which holds 32-bit partial sums until the last chunk.
 * Bound by vector operations: eight a block of 320 weights, two of them
 * permutes (Zen 4 does two and one a cycle). */
#include <immintrin.h>
#include <string.h>

#include "kernels/t5l.h"
#include "kernels/vnni.h"

enum {
  SIX = 6,           /* groups whose halves add up in bytes */
  TABLE_BYTES = 256, /* low halves of magnitudes 0..127, then high halves */
  BATCH = 16,        /* tokens whose tables of a chunk are in scratch */
  CHUNK_TABLES = TERN_T5L_GROUPS * TABLE_BYTES
};

/* Magnitude m = 9 h + l: its sum is that of three activations for h = 0..13 plus
 * that of two for l = -4..4. Both come from one register of 16-bit words, made
 * of signed digits times x + 128: words 0..13 for h, 14..22 for l. */
#define EIGHT(f, m) f(m), f(m + 1), f(m + 2), f(m + 3), f(m + 4), f(m + 5), f(m + 6), f(m + 7)
#define WORDS(f, m)                                                                                                    \
  { EIGHT(f, m), EIGHT(f, m + 16), EIGHT(f, m + 32), EIGHT(f, m + 48) }
#define HIGH(m) (m + 4) / 9
#define LOW(m) 14 + (m + 4) % 9
/* The magnitudes of four registers of words: what the split into bytes puts in order. */
static const uint16_t high_word[4][32] = {WORDS(HIGH, 0), WORDS(HIGH, 8), WORDS(HIGH, 64), WORDS(HIGH, 72)};
static const uint16_t low_word[4][32] = {WORDS(LOW, 0), WORDS(LOW, 8), WORDS(LOW, 64), WORDS(LOW, 72)};

#define DIGIT(v, power) ((v + 40) / power % 3 - 1)
#define OF_HIGHS(f) EIGHT(f, 0), f(8), f(9), f(10), f(11), f(12), f(13)
#define OF_LOWS(f) f(-4), f(-3), f(-2), f(-1), f(0), f(1), f(2), f(3), f(4)
#define PAIR_HIGH(h) DIGIT(h, 9), DIGIT(h, 3)
#define PAIR_LOW(l) DIGIT(l, 3), DIGIT(l, 1)
#define LAST_HIGH(h) DIGIT(h, 1), 0
#define COLUMNS_HIGH(h) 0, 1
#define COLUMNS_LOW(l) 3, 4
/* Takes the 128s off again; 16 so that a shift rounds to nearest. */
#define BIAS_HIGH(h) 16 - 128 * (DIGIT(h, 9) + DIGIT(h, 3) + DIGIT(h, 1))
#define BIAS_LOW(l) -128 * (DIGIT(l, 3) + DIGIT(l, 1))
static const int8_t pair_columns[64] = {OF_HIGHS(COLUMNS_HIGH), OF_LOWS(COLUMNS_LOW)};
static const int8_t pairs[64] = {OF_HIGHS(PAIR_HIGH), OF_LOWS(PAIR_LOW)};
static const int8_t lasts[64] = {OF_HIGHS(LAST_HIGH)};
static const int16_t biases[32] = {OF_HIGHS(BIAS_HIGH), OF_LOWS(BIAS_LOW)};

TERN_INLINE __m512i load(const void *p) {
  return _mm512_loadu_si512(p);
}

/* 32 sums (less 16, in words) to 32 low halves (even dwords) and high ones. */
TERN_INLINE __m512 halves(__m512i sums) {
  const __m512i shifts = _mm512_set1_epi64(0x3525150530201000);
  return _mm512_castsi512_ps(_mm512_multishift_epi64_epi8(shifts, sums));
}

/* The five low bits of sum + 16, as the signed -16..15 that they stand for. */
TERN_INLINE __m512i low_half(__m512 bytes) {
  const __m512i extend = _mm512_set1_epi64(0x0102040810101010);
  return _mm512_gf2p8affine_epi64_epi8(_mm512_castps_si512(bytes), extend, 0xf0);
}

TERN_INLINE void make_table(uint8_t *table, const int8_t *x) {
  uint32_t four;
  memcpy(&four, x, sizeof four);
  const uint64_t five = ((uint64_t)(uint8_t)x[4] << 32 | four) ^ UINT64_C(0x8080808080);
  const __m512i all = _mm512_set1_epi64((long long)five);
  const __m512i two = _mm512_maddubs_epi16(_mm512_shuffle_epi8(all, load(pair_columns)), load(pairs));
  const __m512i one = _mm512_maddubs_epi16(_mm512_shuffle_epi8(all, _mm512_set1_epi8(2)), load(lasts));
  const __m512i parts = _mm512_add_epi16(_mm512_add_epi16(two, one), load(biases));
  __m512 both[4];
  TERN_UNROLL
  for (int i = 0; i < 4; i++)
    both[i] = halves(_mm512_add_epi16(_mm512_permutexvar_epi16(load(high_word[i]), parts),
                                      _mm512_permutexvar_epi16(load(low_word[i]), parts)));
  _mm512_store_si512(table, low_half(_mm512_shuffle_ps(both[0], both[1], 0x88)));
  _mm512_store_si512(table + 64, low_half(_mm512_shuffle_ps(both[2], both[3], 0x88)));
  _mm512_store_ps(table + 128, _mm512_shuffle_ps(both[0], both[1], 0xdd));
  _mm512_store_ps(table + 192, _mm512_shuffle_ps(both[2], both[3], 0xdd));
}

/* Additions to running sums are assembly: gcc 12 otherwise copies each sum twice. */
TERN_INLINE __m512i add_bytes(__m512i sum, __m512i bytes) {
  __asm__("vpaddb %1, %0, %0" : "+v"(sum) : "v"(bytes));
  return sum;
}

/* The looked-up half of each byte of a block, with its sign. */
TERN_INLINE __m512i look_up(__m512i block, __mmask64 negative, __m512i low, __m512i high) {
  const __m512i half = _mm512_permutex2var_epi8(low, block, high);
  return _mm512_mask_sub_epi8(half, negative, _mm512_setzero_si512(), half);
}

/* Words 32 high + low of 32 interleaved pairs of halves. */
TERN_INLINE __m512i join(__m512i pairs_of_halves) {
  return _mm512_maddubs_epi16(_mm512_set1_epi16(0x2001), pairs_of_halves);
}

/* Adds the sums of 16 rows to what the output holds, and ends them after the last chunk. */
TERN_INLINE void put(const tern_gemm *g, int row, int token, __m256i words, bool first, bool last) {
  const int left = g->rows - row;
  if (left <= 0) return;
  const __mmask16 rows = (__mmask16)(left >= 16 ? 0xffffu : (1u << left) - 1u);
  const size_t at = (size_t)token * g->y_stride + (size_t)row;
  void *y = g->y_int ? (void *)(g->y_int + at) : (void *)(g->y + at);
  __m512i sum = _mm512_cvtepi16_epi32(words);
  if (!first) sum = _mm512_add_epi32(sum, _mm512_maskz_loadu_epi32(rows, y));
  if (last)
    tern_put_panel(g, row, token, sum, 0);
  else
    _mm512_mask_storeu_epi32(y, rows, sum);
}

typedef struct span {
  int first, groups; /* of the chunk */
  bool last;
} span;

/* One token and up to TERN_T5L_PANELS panels over a chunk. */
TERN_INLINE void tile(const tern_gemm *g, const uint8_t *table, span s, int row, int token, const int panels) {
  const size_t step = (size_t)tern_t5l_strip(g->rows, row) * TERN_T5L_ROWS;
  const uint8_t *w = (const uint8_t *)g->weights + tern_t5l_block(g->rows, g->cols, row, s.first);
  __m512i sums[TERN_T5L_PANELS][2];
  TERN_UNROLL
  for (int p = 0; p < panels; p++) sums[p][0] = sums[p][1] = _mm512_setzero_si512();
  for (int group = 0; group < s.groups;) {
    const int stop = s.groups - group < SIX ? s.groups : group + SIX;
    __m512i low[TERN_T5L_PANELS], high[TERN_T5L_PANELS];
    TERN_UNROLL
    for (int p = 0; p < panels; p++) low[p] = high[p] = _mm512_setzero_si512();
    for (; group < stop; group++, w += step, table += TABLE_BYTES) {
      const __m512i t0 = load(table), t1 = load(table + 64), t2 = load(table + 128), t3 = load(table + 192);
      TERN_UNROLL
      for (int p = 0; p < panels; p++) {
        const __m512i block = load(w + p * TERN_T5L_ROWS);
        const __mmask64 negative = _mm512_movepi8_mask(block);
        low[p] = add_bytes(low[p], look_up(block, negative, t0, t1));
        high[p] = add_bytes(high[p], look_up(block, negative, t2, t3));
      }
    }
    TERN_UNROLL
    for (int p = 0; p < panels; p++) {
      sums[p][0] = _mm512_add_epi16(sums[p][0], join(_mm512_unpacklo_epi8(low[p], high[p])));
      sums[p][1] = _mm512_add_epi16(sums[p][1], join(_mm512_unpackhi_epi8(low[p], high[p])));
    }
  }
  TERN_UNROLL
  for (int p = 0; p < panels; p++) {
    TERN_UNROLL
    for (int i = 0; i < 4; i++) {
      const __m256i words =
          i % 2 ? _mm512_extracti64x4_epi64(sums[p][i / 2], 1) : _mm512_castsi512_si256(sums[p][i / 2]);
      put(g, row + TERN_T5L_ROWS * p + 16 * i, token, words, s.first == 0, s.last);
    }
  }
}

#define TILE(panels)                                                                                                   \
  static void tile_##panels(const tern_gemm *g, const uint8_t *table, span s, int row, int token) {                    \
    tile(g, table, s, row, token, panels);                                                                             \
  }
TILE(1)
TILE(2)
TILE(3)
TILE(4)
#undef TILE
static void (*const tiles[TERN_T5L_PANELS])(const tern_gemm *, const uint8_t *, span, int, int) = {tile_1, tile_2,
                                                                                                   tile_3, tile_4};

static void run_chunk(const tern_gemm *g, span s, int row0, int row1, int token0, int token1) {
  uint8_t *tables = g->scratch;
  for (int token = token0; token < token1; token++) {
    const int8_t *x = (const int8_t *)g->x + (size_t)token * g->x_stride + (size_t)s.first * TERN_T5L_DIGITS;
    uint8_t *table = tables + (size_t)(token - token0) * CHUNK_TABLES;
    for (int i = 0; i < s.groups; i++) make_table(table + (size_t)i * TABLE_BYTES, x + i * TERN_T5L_DIGITS);
  }
  for (int row = row0, next; row < row1; row = next) { /* strips, or what the range has of them */
    next = row / TERN_T5L_STRIP * TERN_T5L_STRIP + TERN_T5L_STRIP;
    const int panels = ((next < row1 ? next : row1) - row + TERN_T5L_ROWS - 1) / TERN_T5L_ROWS;
    for (int token = token0; token < token1; token++)
      tiles[panels - 1](g, tables + (size_t)(token - token0) * CHUNK_TABLES, s, row, token);
  }
}

static void run(const tern_gemm *g, int row0, int row1) {
  for (int token = 0; token < g->tokens; token += BATCH) {
    const int next = g->tokens - token < BATCH ? g->tokens : token + BATCH;
    for (int group = 0; group < tern_t5l_groups(g->cols); group += TERN_T5L_GROUPS) {
      const int groups = tern_t5l_chunk(g->cols, group);
      const span s = {group, groups, group + groups == tern_t5l_groups(g->cols)};
      run_chunk(g, s, row0, row1, token, next);
    }
  }
}

const tern_kernel tern_kernel_t5l_avx512vbmi = {"t5l_avx512vbmi", &tern_layout_t5l, TERN_ISA_AVX512VBMI,
                                                BATCH *CHUNK_TABLES, run};
