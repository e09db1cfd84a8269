/* Sixteen float lanes in one AVX-512 register. Meanings: lanes_scalar.h. */
#ifndef TERN_KERNELS_LANES_AVX512_H
#define TERN_KERNELS_LANES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define LANES_SCORE_QUERIES 4
#define LANES_SCORE_POSITIONS 4
#define LANES_VALUE_QUERIES 4
#define LANES_VALUE_DEPTH 4
#define LANES_GEMM_ROWS 4
#define LANES_GEMM_TOKENS 6

typedef __m512 lanes;
typedef __m512i lanes_int;

static inline __mmask16 lanes_mask(int n) {
  return (__mmask16)((1u << n) - 1u);
}

static inline lanes lanes_all(float x) {
  return _mm512_set1_ps(x);
}
static inline lanes lanes_load(const float *p) {
  return _mm512_loadu_ps(p);
}
static inline lanes lanes_load_part(const float *p, int n) {
  return _mm512_maskz_loadu_ps(lanes_mask(n), p);
}
static inline void lanes_store(float *p, lanes a) {
  _mm512_storeu_ps(p, a);
}
static inline void lanes_store_part(float *p, lanes a, int n) {
  _mm512_mask_storeu_ps(p, lanes_mask(n), a);
}

static inline lanes lanes_add(lanes a, lanes b) {
  return _mm512_add_ps(a, b);
}
static inline lanes lanes_sub(lanes a, lanes b) {
  return _mm512_sub_ps(a, b);
}
static inline lanes lanes_mul(lanes a, lanes b) {
  return _mm512_mul_ps(a, b);
}
static inline lanes lanes_div(lanes a, lanes b) {
  return _mm512_div_ps(a, b);
}
static inline lanes lanes_fma(lanes a, lanes b, lanes c) {
  return _mm512_fmadd_ps(a, b, c);
}
static inline lanes lanes_fms(lanes a, lanes b, lanes c) {
  return _mm512_fmsub_ps(a, b, c);
}
static inline lanes lanes_max(lanes a, lanes b) {
  return _mm512_max_ps(a, b);
}
static inline lanes lanes_abs(lanes a) {
  return _mm512_abs_ps(a);
}

static inline lanes lanes_select_less(lanes a, lanes b, lanes x, lanes y) {
  return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), x);
}

static inline lanes lanes_keep_nan(lanes x, lanes y) {
  return _mm512_mask_mov_ps(y, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), x);
}

static inline lanes lanes_exponent_add(lanes p, lanes n) {
  __m512i shifted = _mm512_slli_epi32(_mm512_castps_si512(n), 23);
  return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), shifted));
}

static inline lanes lanes_load_f16(const uint16_t *p) {
  __m256i h = _mm256_loadu_si256((const __m256i *)p);
#if defined(__clang__) /* clang 14 would take the load apart into sixteen halves */
  __asm__("" : "+x"(h));
#endif
  return _mm512_cvtph_ps(h);
}

static inline lanes lanes_load_bf16(const uint16_t *p) {
  __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline lanes lanes_load_int8(const int8_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

static inline void lanes_store_f16(uint16_t *p, lanes a) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}

static inline void lanes_store_bf16(uint16_t *p, lanes a) {
  __m512i bits = _mm512_castps_si512(a), high = _mm512_srli_epi32(bits, 16);
  __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
  __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
  __m512i rounded = _mm512_srli_epi32(up, 16), quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
  __mmask16 nan = _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q);
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(rounded, nan, quiet)));
}

static inline lanes_int lanes_int_zero(void) {
  return _mm512_setzero_si512();
}

static inline lanes_int lanes_round(lanes a) {
  return _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask(a, a, _CMP_ORD_Q), a);
}

static inline lanes_int lanes_int_add(lanes_int a, lanes_int b) {
  return _mm512_add_epi32(a, b);
}
static inline int32_t lanes_int_sum(lanes_int a) {
  return _mm512_reduce_add_epi32(a);
}
static inline void lanes_store_int8(int8_t *p, lanes_int a) {
  _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(a));
}

/* Steps of many trees at once: each adds the halves of two operands' lanes
 * (or of what they hold) into one register; a blend and a shuffle where two
 * shuffles would compete with the multipliers. */
static inline lanes lanes_merge8(lanes a, lanes b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, 0x4e));
}

/* Quarters a0 a1 a2 a3, b0 b1 b2 b3 to a0+a1, b0+b1, a2+a3, b2+b3. */
static inline lanes lanes_merge4(lanes a, lanes b) {
  const __m512i others = _mm512_set_epi32(27, 26, 25, 24, 15, 14, 13, 12, 19, 18, 17, 16, 7, 6, 5, 4);
  return _mm512_add_ps(_mm512_mask_blend_ps(0xf0f0, a, b), _mm512_permutex2var_ps(a, others, b));
}

static inline lanes lanes_merge2(lanes a, lanes b) {
  return _mm512_add_ps(_mm512_mask_blend_ps(0xcccc, a, b), _mm512_shuffle_ps(a, b, 0x4e));
}

static inline lanes lanes_merge1(lanes a, lanes b) {
  return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
}

/* First two steps of four trees: quarter i holds four lanes of the i-th operand. */
static inline lanes lanes_quarters(lanes a, lanes b, lanes c, lanes d) {
  return lanes_merge4(lanes_merge8(a, c), lanes_merge8(b, d));
}

static inline void lanes_sum4(float *out, lanes a, lanes b, lanes c, lanes d) {
  lanes x = lanes_quarters(a, b, c, d);
  x = lanes_merge2(x, x);
  x = lanes_merge1(x, x);
  const __m512i firsts = _mm512_set_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 8, 4, 0);
  _mm_storeu_ps(out, _mm512_castps512_ps128(_mm512_permutexvar_ps(firsts, x)));
}

static inline void lanes_sum16(float *out, const lanes *a) {
  lanes x = lanes_merge2(lanes_quarters(a[0], a[4], a[8], a[12]), lanes_quarters(a[1], a[5], a[9], a[13]));
  lanes y = lanes_merge2(lanes_quarters(a[2], a[6], a[10], a[14]), lanes_quarters(a[3], a[7], a[11], a[15]));
  _mm512_storeu_ps(out, lanes_merge1(x, y));
}

static inline float lanes_sum(lanes a) {
  float out[4];
  lanes_sum4(out, a, a, a, a);
  return out[0];
}

static inline float lanes_maximum(lanes a) {
  a = _mm512_max_ps(a, _mm512_shuffle_f32x4(a, a, 0x4e));
  a = _mm512_max_ps(a, _mm512_shuffle_f32x4(a, a, 0xb1));
  a = _mm512_max_ps(a, _mm512_shuffle_ps(a, a, 0x4e));
  a = _mm512_max_ps(a, _mm512_shuffle_ps(a, a, 0xb1));
  return _mm512_cvtss_f32(a);
}

#endif
