/* t5l for AVX-512 VBMI. Few tokens: nothing is multiplied by a weight. The 122
 * sums of five activations are tables in four registers, split as t = sum - 16 =
 * 31 high + low so that both halves are bytes; a weight byte's magnitude is
 * looked up in both (vpermi2b takes the low seven bits), and where its sign is
 * set both are inverted: 31 (-1 - high) + (-1 - low) = -sum - 16, so that the 16
 * is the same with either sign and is added back once. Halves of three groups
 * add up in bytes (3 * 21 and 3 * 20 fit); two such sums, interleaved by rows,
 * meet the dot product's (31, 1, 31, 1) and add to 32-bit sums of 64 rows.
 * Bound by vector operations: 8.3 a block of 320 weights, two of them permutes
 * (Zen 4 does two and one a cycle). From DRAM what counts is that nothing but
 * weights leaves the first-level cache: the tables of six groups are made anew
 * for each slice rather than kept. */
#include <immintrin.h>
#include <string.h>

#include "kernels/t5l.h"
#include "kernels/vnni.h"

enum {
  TABLE_BYTES = 256, /* low halves of magnitudes 0..127, then high halves */
  BUNDLE_TABLES = TERN_T5L_BUNDLE * TABLE_BYTES,
  BATCH = 8, /* tokens whose sums of a slice are in scratch */
  SLICE_ROWS = TERN_T5L_PANELS * TERN_T5L_ROWS
};

typedef struct scratch {
  int32_t sums[BATCH][SLICE_ROWS];
  uint8_t tables[BUNDLE_TABLES];
} scratch;

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
/* Takes the 128s off again, and 16 (see the head). */
#define BIAS_HIGH(h) -16 - 128 * (DIGIT(h, 9) + DIGIT(h, 3) + DIGIT(h, 1))
#define BIAS_LOW(l) -128 * (DIGIT(l, 3) + DIGIT(l, 1))
static const int8_t pair_columns[64] = {OF_HIGHS(COLUMNS_HIGH), OF_LOWS(COLUMNS_LOW)};
static const int8_t pairs[64] = {OF_HIGHS(PAIR_HIGH), OF_LOWS(PAIR_LOW)};
static const int8_t lasts[64] = {OF_HIGHS(LAST_HIGH)};
static const int16_t biases[32] = {OF_HIGHS(BIAS_HIGH), OF_LOWS(BIAS_LOW)};

TERN_INLINE __m512i load(const void *p) {
  return _mm512_loadu_si512(p);
}

TERN_INLINE void make_table(uint8_t *table, const int8_t *x) {
  uint32_t four;
  memcpy(&four, x, sizeof four);
  const uint64_t five = ((uint64_t)(uint8_t)x[4] << 32 | four) ^ UINT64_C(0x8080808080);
  const __m512i all = _mm512_set1_epi64((long long)five);
  const __m512i two = _mm512_maddubs_epi16(_mm512_shuffle_epi8(all, load(pair_columns)), load(pairs));
  const __m512i one = _mm512_maddubs_epi16(_mm512_shuffle_epi8(all, _mm512_set1_epi8(2)), load(lasts));
  const __m512i parts = _mm512_add_epi16(_mm512_add_epi16(two, one), load(biases));
  __m512i low[4], high[4];
  TERN_UNROLL
  for (int i = 0; i < 4; i++) {
    const __m512i t = _mm512_add_epi16(_mm512_permutexvar_epi16(load(high_word[i]), parts),
                                       _mm512_permutexvar_epi16(load(low_word[i]), parts));
    high[i] = _mm512_mulhrs_epi16(t, _mm512_set1_epi16(1057)); /* round(t / 31) */
    low[i] = _mm512_sub_epi16(t, _mm512_sub_epi16(_mm512_slli_epi16(high[i], 5), high[i]));
  }
  _mm512_store_si512(table, _mm512_packs_epi16(low[0], low[1]));
  _mm512_store_si512(table + 64, _mm512_packs_epi16(low[2], low[3]));
  _mm512_store_si512(table + 128, _mm512_packs_epi16(high[0], high[1]));
  _mm512_store_si512(table + 192, _mm512_packs_epi16(high[2], high[3]));
}

typedef struct halves {
  __m512i low, high;
} halves;

/* Both halves of a block's sums, with their signs. Assembly: compilers load the
 * block once for each use, and loads are short here. */
TERN_INLINE halves look_up(const uint8_t *at, const __m512i *table) {
  static const uint64_t sign_everywhere = UINT64_C(0x8080808080808080);
  __m512i low = load(at), high, sign;
  __asm__("vgf2p8affineqb $0, %[everywhere]%{1to8%}, %[low], %[sign]\n\t"
          "vmovdqa64 %[low], %[high]\n\t"
          "vpermi2b %[t1], %[t0], %[low]\n\t"
          "vpermi2b %[t3], %[t2], %[high]\n\t"
          "vpxorq %[sign], %[low], %[low]\n\t"
          "vpxorq %[sign], %[high], %[high]"
          : [low] "+v"(low), [high] "=&v"(high), [sign] "=&v"(sign)
          : [everywhere] "m"(sign_everywhere), [t0] "v"(table[0]), [t1] "v"(table[1]), [t2] "v"(table[2]),
            [t3] "v"(table[3]));
  return (halves){low, high};
}

/* Additions to running sums are assembly: gcc 12 otherwise copies each sum twice. */
TERN_INLINE __m512i add_bytes(__m512i sum, __m512i bytes) {
  __asm__("vpaddb %1, %0, %0" : "+v"(sum) : "v"(bytes));
  return sum;
}

/* Adds the halves of groups first..end-1 of a panel. */
TERN_INLINE halves add_up(const uint8_t *blocks, __m512i tables[TERN_T5L_BUNDLE][4], const int first, const int end) {
  if (first == end) return (halves){_mm512_setzero_si512(), _mm512_setzero_si512()};
  halves sum = look_up(blocks + first * TERN_T5L_ROWS, tables[first]);
  TERN_UNROLL
  for (int i = first + 1; i < end; i++) {
    const halves next = look_up(blocks + i * TERN_T5L_ROWS, tables[i]);
    sum.low = add_bytes(sum.low, next.low);
    sum.high = add_bytes(sum.high, next.high);
  }
  return sum;
}

TERN_INLINE void add_words(int32_t *sums, __m512i words) {
  _mm512_store_si512(sums, tern_dpbusd(_mm512_load_si512(sums), _mm512_set1_epi16(0x1f01), words));
}

/* A bundle of `groups` groups meets panels whose blocks follow each other. */
TERN_INLINE void sweep(const uint8_t *w, const uint8_t *table, int32_t *sums, int panels, const int groups) {
  __m512i tables[TERN_T5L_BUNDLE][4];
  TERN_UNROLL
  for (int i = 0; i < groups; i++) {
    TERN_UNROLL
    for (int j = 0; j < 4; j++) tables[i][j] = load(table + i * TABLE_BYTES + 64 * j);
  }
  for (int p = 0; p < panels; p++, w += groups * TERN_T5L_ROWS, sums += TERN_T5L_ROWS) {
    const halves a = add_up(w, tables, 0, (groups + 1) / 2);
    const __m512i a0 = _mm512_unpacklo_epi8(a.low, a.high), a1 = _mm512_unpackhi_epi8(a.low, a.high);
    const halves b = add_up(w, tables, (groups + 1) / 2, groups);
    const __m512i b0 = _mm512_unpacklo_epi8(b.low, b.high), b1 = _mm512_unpackhi_epi8(b.low, b.high);
    add_words(sums, _mm512_unpacklo_epi16(a0, b0));
    add_words(sums + 16, _mm512_unpackhi_epi16(a0, b0));
    add_words(sums + 32, _mm512_unpacklo_epi16(a1, b1));
    add_words(sums + 48, _mm512_unpackhi_epi16(a1, b1));
  }
}

#define SWEEP(groups)                                                                                                  \
  static void sweep_##groups(const uint8_t *w, const uint8_t *table, int32_t *sums, int panels) {                      \
    sweep(w, table, sums, panels, groups);                                                                             \
  }
SWEEP(1)
SWEEP(2)
SWEEP(3)
SWEEP(4)
SWEEP(5)
SWEEP(6)
static void (*const sweeps[TERN_T5L_BUNDLE])(const uint8_t *, const uint8_t *, int32_t *,
                                             int) = {sweep_1, sweep_2, sweep_3, sweep_4, sweep_5, sweep_6};

/* Rows row0..row1-1, which lie in one slice, and at most BATCH tokens. */
static void run_slice(const tern_gemm *g, int row0, int row1, int token0, int tokens) {
  scratch *s = g->scratch;
  const int panels = (row1 - row0 + TERN_T5L_ROWS - 1) / TERN_T5L_ROWS, all = tern_t5l_groups(g->cols);
  for (int t = 0; t < tokens; t++) memset(s->sums[t], 0, (size_t)panels * TERN_T5L_ROWS * sizeof(int32_t));
  for (int first = 0; first < all; first += TERN_T5L_BUNDLE) {
    const int groups = tern_t5l_bundle(g->cols, first);
    const uint8_t *w = (const uint8_t *)g->weights + tern_t5l_block(g->rows, g->cols, row0, first);
    for (int t = 0; t < tokens; t++) {
      const int8_t *x = (const int8_t *)g->x + (size_t)(token0 + t) * g->x_stride + first * TERN_T5L_DIGITS;
      for (int i = 0; i < groups; i++) make_table(s->tables + i * TABLE_BYTES, x + i * TERN_T5L_DIGITS);
      sweeps[groups - 1](w, s->tables, s->sums[t], panels);
    }
  }
  for (int t = 0; t < tokens; t++)
    for (int row = row0; row < row1; row += 16)
      tern_put_panel(g, row, token0 + t, _mm512_load_si512(s->sums[t] + (row - row0)), -16 * all);
}

static void run(const tern_gemm *g, int row0, int row1) {
  for (int row = row0, next; row < row1; row = next) {
    const tern_t5l_slice slice = tern_t5l_slice_of(g->rows, row / TERN_T5L_ROWS);
    const int end = (slice.first + slice.panels) * TERN_T5L_ROWS;
    next = end < row1 ? end : row1;
    for (int token = 0; token < g->tokens; token += BATCH)
      run_slice(g, row, next, token, g->tokens - token < BATCH ? g->tokens - token : BATCH);
  }
}

const tern_kernel tern_kernel_t5l_avx512vbmi = {"t5l_avx512vbmi", &tern_layout_t5l, TERN_ISA_AVX512VBMI,
                                                sizeof(scratch), run};
