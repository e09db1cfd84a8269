/* Sixteen float lanes in two AVX2 registers, with FMA and F16C. Meanings:
 * lanes_scalar.h. */
#ifndef TERN_KERNELS_LANES_AVX2_H
#define TERN_KERNELS_LANES_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES_SCORE_QUERIES 2
#define LANES_SCORE_POSITIONS 2
#define LANES_VALUE_QUERIES 4
#define LANES_VALUE_DEPTH 1
#define LANES_GEMM_ROWS 1
#define LANES_GEMM_TOKENS 6

typedef struct lanes {
  __m256 a, b;
} lanes;
typedef struct lanes_int {
  __m256i a, b;
} lanes_int;

static inline lanes lanes_of(__m256 a, __m256 b) {
  lanes r = {a, b};
  return r;
}

static inline lanes lanes_all(float x) {
  return lanes_of(_mm256_set1_ps(x), _mm256_set1_ps(x));
}
static inline lanes lanes_load(const float *p) {
  return lanes_of(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
}

static inline lanes lanes_load_part(const float *p, int n) {
  float padded[16] = {0};
  memcpy(padded, p, (size_t)n * sizeof *p);
  return lanes_load(padded);
}

static inline void lanes_store(float *p, lanes x) {
  _mm256_storeu_ps(p, x.a);
  _mm256_storeu_ps(p + 8, x.b);
}

static inline void lanes_store_part(float *p, lanes x, int n) {
  float whole[16];
  lanes_store(whole, x);
  memcpy(p, whole, (size_t)n * sizeof *p);
}

static inline lanes lanes_add(lanes x, lanes y) {
  return lanes_of(_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b));
}
static inline lanes lanes_sub(lanes x, lanes y) {
  return lanes_of(_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b));
}
static inline lanes lanes_mul(lanes x, lanes y) {
  return lanes_of(_mm256_mul_ps(x.a, y.a), _mm256_mul_ps(x.b, y.b));
}
static inline lanes lanes_div(lanes x, lanes y) {
  return lanes_of(_mm256_div_ps(x.a, y.a), _mm256_div_ps(x.b, y.b));
}
static inline lanes lanes_max(lanes x, lanes y) {
  return lanes_of(_mm256_max_ps(x.a, y.a), _mm256_max_ps(x.b, y.b));
}

static inline lanes lanes_fma(lanes x, lanes y, lanes z) {
  return lanes_of(_mm256_fmadd_ps(x.a, y.a, z.a), _mm256_fmadd_ps(x.b, y.b, z.b));
}

static inline lanes lanes_fms(lanes x, lanes y, lanes z) {
  return lanes_of(_mm256_fmsub_ps(x.a, y.a, z.a), _mm256_fmsub_ps(x.b, y.b, z.b));
}

static inline lanes lanes_abs(lanes x) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return lanes_of(_mm256_andnot_ps(sign, x.a), _mm256_andnot_ps(sign, x.b));
}

static inline lanes lanes_select_less(lanes x, lanes y, lanes yes, lanes no) {
  return lanes_of(_mm256_blendv_ps(no.a, yes.a, _mm256_cmp_ps(x.a, y.a, _CMP_LT_OQ)),
                  _mm256_blendv_ps(no.b, yes.b, _mm256_cmp_ps(x.b, y.b, _CMP_LT_OQ)));
}

static inline lanes lanes_keep_nan(lanes x, lanes y) {
  return lanes_of(_mm256_blendv_ps(y.a, x.a, _mm256_cmp_ps(x.a, x.a, _CMP_UNORD_Q)),
                  _mm256_blendv_ps(y.b, x.b, _mm256_cmp_ps(x.b, x.b, _CMP_UNORD_Q)));
}

static inline __m256 lanes_exponent_add_half(__m256 p, __m256 n) {
  __m256i shifted = _mm256_slli_epi32(_mm256_castps_si256(n), 23);
  return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), shifted));
}

static inline lanes lanes_exponent_add(lanes p, lanes n) {
  return lanes_of(lanes_exponent_add_half(p.a, n.a), lanes_exponent_add_half(p.b, n.b));
}

static inline lanes lanes_load_f16(const uint16_t *p) {
  return lanes_of(_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)),
                  _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p + 8))));
}

static inline __m256 lanes_load_bf16_half(const uint16_t *p) {
  __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static inline lanes lanes_load_bf16(const uint16_t *p) {
  return lanes_of(lanes_load_bf16_half(p), lanes_load_bf16_half(p + 8));
}

static inline lanes lanes_load_int8(const int8_t *p) {
  __m128i q = _mm_loadu_si128((const __m128i *)p);
  return lanes_of(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(q)),
                  _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(q, q))));
}

static inline void lanes_store_f16(uint16_t *p, lanes x) {
  enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(x.a, NEAREST));
  _mm_storeu_si128((__m128i *)(p + 8), _mm256_cvtps_ph(x.b, NEAREST));
}

/* bf16 bits in the low halves of the 32-bit lanes. */
static inline __m256i lanes_bf16_half(__m256 x) {
  __m256i bits = _mm256_castps_si256(x), high = _mm256_srli_epi32(bits, 16);
  __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
  __m256i up = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
  __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(_mm256_srli_epi32(up, 16), quiet, nan);
}

static inline void lanes_store_bf16(uint16_t *p, lanes x) {
  __m256i mixed = _mm256_packus_epi32(lanes_bf16_half(x.a), lanes_bf16_half(x.b));
  _mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(mixed, 0xd8));
}

static inline lanes_int lanes_int_zero(void) {
  lanes_int r = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  return r;
}

static inline __m256i lanes_round_half(__m256 x) {
  return _mm256_cvtps_epi32(_mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q)));
}

static inline lanes_int lanes_round(lanes x) {
  lanes_int r = {lanes_round_half(x.a), lanes_round_half(x.b)};
  return r;
}

static inline lanes_int lanes_int_add(lanes_int x, lanes_int y) {
  lanes_int r = {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)};
  return r;
}

static inline int32_t lanes_int_sum(lanes_int x) {
  __m256i s = _mm256_add_epi32(x.a, x.b);
  __m128i h = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
  h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4e));
  h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0xb1));
  return _mm_cvtsi128_si32(h);
}

static inline void lanes_store_int8(int8_t *p, lanes_int x) {
  __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(x.a, x.b), 0xd8);
  _mm_storeu_si128((__m128i *)p, _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
}

/* Four trees at once; each step halves the lanes and doubles the sums a register holds. */
static inline void lanes_sum4(float *out, lanes w, lanes x, lanes y, lanes z) {
  __m256 a = _mm256_add_ps(w.a, w.b), b = _mm256_add_ps(x.a, x.b);
  __m256 c = _mm256_add_ps(y.a, y.b), d = _mm256_add_ps(z.a, z.b);
  __m256 ab = _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  __m256 cd = _mm256_add_ps(_mm256_permute2f128_ps(c, d, 0x20), _mm256_permute2f128_ps(c, d, 0x31));
  /* a and c in the low half, b and d in the high half, two lanes each */
  __m256 two = _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  __m256 one = _mm256_add_ps(two, _mm256_shuffle_ps(two, two, 0xb1)); /* a a c c, b b d d */
  _mm_storeu_ps(out, _mm_blend_ps(_mm256_castps256_ps128(one), _mm256_extractf128_ps(one, 1), 0xa));
}

static inline float lanes_sum(lanes x) {
  float out[4];
  lanes_sum4(out, x, x, x, x);
  return out[0];
}

static inline void lanes_sum16(float *out, const lanes *a) {
  for (int i = 0; i < 16; i += 4) lanes_sum4(out + i, a[i], a[i + 1], a[i + 2], a[i + 3]);
}

static inline float lanes_maximum(lanes x) {
  __m256 m = _mm256_max_ps(x.a, x.b);
  __m128 h = _mm_max_ps(_mm256_castps256_ps128(m), _mm256_extractf128_ps(m, 1));
  h = _mm_max_ps(h, _mm_shuffle_ps(h, h, 0x4e));
  h = _mm_max_ps(h, _mm_shuffle_ps(h, h, 0xb1));
  return _mm_cvtss_f32(h);
}

#endif
