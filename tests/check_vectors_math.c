/* The elementary functions against long double libm, and the half-precision
 * conversions against their definition. Plain main: runs under qemu too. */
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "kernels/vec.h"

static int failures;

#define EXPECT(condition, ...)                                                                                         \
  do {                                                                                                                 \
    if (!(condition) && failures++ < 20) {                                                                             \
      fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                  \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
    }                                                                                                                  \
  } while (0)

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static uint32_t bits_of(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

/* Error of a double in units of its last place. */
static double ulps(double got, long double exact) {
  int exponent;
  frexp((double)exact, &exponent);
  return (double)fabsl(((long double)got - exact) / ldexpl(1.0L, exponent - 53));
}

static void float_exponential_is_within_two_ulp(void) {
  const float low = -87.33654f, high = 88.72283f;
  double worst = 0;
  for (uint32_t step = 0; step < 0x43000000u; step += 4099) /* |x| up to 128 */
    for (uint32_t sign = 0; sign < 2; sign++) {
      float x = float_of(step | sign << 31), y = tern_expf(x);
      if (x < low || x > high) continue;
      long double exact = expl((long double)x);
      int exponent;
      frexp((double)exact, &exponent);
      double error = (double)fabsl(((long double)y - exact) / ldexpl(1.0L, exponent - 24));
      if (error > worst) worst = error;
    }
  EXPECT(worst <= 2.0, "tern_expf is off by %g ulp", worst);
  printf("tern_expf: %.3f ulp\n", worst);
}

static void float_exponential_at_its_ends(void) {
  EXPECT(tern_expf(0.0f) == 1.0f && tern_expf(-0.0f) == 1.0f, "exp(0) is not 1");
  EXPECT(tern_expf(-INFINITY) == 0.0f && !signbit(tern_expf(-INFINITY)), "exp(-inf) is not +0");
  EXPECT(tern_expf(INFINITY) == INFINITY, "exp(inf) is not inf");
  EXPECT(isnan(tern_expf(NAN)), "exp(NaN) is not NaN");
  EXPECT(tern_expf(-1e30f) == 0.0f && tern_expf(1e30f) == INFINITY, "far arguments");
  for (uint32_t x = bits_of(-87.0f); x < bits_of(-88.0f); x++) { /* never subnormal, 0 only below 2^-126 */
    float y = tern_expf(float_of(x));
    int tiny = expl((long double)float_of(x)) < (long double)FLT_MIN;
    EXPECT(tiny ? y == 0.0f : y >= FLT_MIN, "exp(%a) = %a", (double)float_of(x), (double)y);
  }
  for (uint32_t x = bits_of(88.7f); x < bits_of(88.75f); x++) {
    float y = tern_expf(float_of(x));
    int large = expl((long double)float_of(x)) > (long double)FLT_MAX;
    EXPECT(large ? y == INFINITY : isfinite(y), "exp(%a) = %a", (double)float_of(x), (double)y);
  }
}

static void double_functions_are_accurate(void) {
  double worst[3] = {0};
  for (int i = 0; i < 200000; i++) {
    double x = -740.0 + i * 0.00721;
    if (x > -708 && x < 709.7) worst[0] = fmax(worst[0], ulps(tern_exp(x), expl((long double)x)));
    double y = ldexp(1.0 + i * 3.7e-6, i % 2000 - 1000);
    worst[1] = fmax(worst[1], ulps(tern_log(y), logl((long double)y)));
    double z = (i % 2 ? 1.0 : -1.0) * i * (i % 7 ? 0.0137 : 49.9), s, c;
    tern_sincos(z, &s, &c);
    double error = fmax(fabs(s - (double)sinl((long double)z)), fabs(c - (double)cosl((long double)z)));
    worst[2] = fmax(worst[2], error);
  }
  printf("tern_exp: %.2f ulp, tern_log: %.2f ulp, tern_sincos: %.2g absolute\n", worst[0], worst[1], worst[2]);
  EXPECT(worst[0] < 4 && worst[1] < 4, "exp or log inaccurate");
  EXPECT(worst[2] < 4e-16, "sin or cos off by %g", worst[2]);
}

static void double_functions_at_their_ends(void) {
  double s, c;
  EXPECT(tern_exp(0) == 1 && tern_exp(-INFINITY) == 0 && tern_exp(INFINITY) == INFINITY && isnan(tern_exp(NAN)),
         "tern_exp at special values");
  EXPECT(fabs(tern_exp(-740) / exp(-740) - 1) < 0.1 && tern_exp(-800) == 0 && tern_exp(710) == INFINITY,
         "tern_exp near the ends of double");
  EXPECT(isfinite(tern_exp(709.78)), "tern_exp overflows early");
  EXPECT(tern_log(1) == 0 && tern_log(0) == -INFINITY && tern_log(INFINITY) == INFINITY && isnan(tern_log(-1)) &&
             isnan(tern_log(NAN)),
         "tern_log at special values");
  EXPECT(ulps(tern_log(5e-324), logl((long double)5e-324)) < 4, "tern_log of a subnormal");
  tern_sincos(0, &s, &c);
  EXPECT(s == 0 && c == 1, "sincos(0)");
  tern_sincos(-1e7, &s, &c);
  EXPECT(fabs(s - sin(-1e7)) < 4e-16 && fabs(c - cos(-1e7)) < 4e-16, "sincos(-1e7)");
}

/* Value of a half by its definition. */
static double half_value(unsigned h, int exponent_bits, int fraction_bits) {
  unsigned fraction = h & ((1u << fraction_bits) - 1u);
  int exponent = (int)(h >> fraction_bits & ((1u << exponent_bits) - 1u)), bias = (1 << (exponent_bits - 1)) - 1;
  double sign = h & 0x8000u ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * ldexp(fraction, 1 - bias - fraction_bits);
  return sign * ldexp(fraction + (1u << fraction_bits), exponent - bias - fraction_bits);
}

static void halves_survive_the_round_trip(const tern_vec *v) {
  for (unsigned h = 0; h < 65536; h++) {
    uint16_t in = (uint16_t)h, out;
    float x;
    v->f16_to_f32(&x, &in, 1);
    v->f32_to_f16(&out, &x, 1);
    int nan = (h & 0x7fffu) > 0x7c00u;
    EXPECT(nan ? isnan(x) : (double)x == half_value(h, 5, 10), "%s: f16 %04x gives %a", v->name, h, (double)x);
    EXPECT(out == (nan ? (h | 0x200u) : h), "%s: f16 %04x comes back as %04x", v->name, h, out);
    v->bf16_to_f32(&x, &in, 1);
    v->f32_to_bf16(&out, &x, 1);
    nan = (h & 0x7fffu) > 0x7f80u;
    EXPECT(nan ? isnan(x) : (double)x == half_value(h, 8, 7), "%s: bf16 %04x gives %a", v->name, h, (double)x);
    EXPECT(out == (nan ? (h | 0x40u) : h), "%s: bf16 %04x comes back as %04x", v->name, h, out);
  }
}

/* Between neighbours a < b: just below the middle gives a, above gives b, the
 * middle the even one. */
static void halves_round_to_nearest_even(const tern_vec *v) {
  for (int kind = 0; kind < 2; kind++) {
    void (*narrow)(uint16_t *, const float *, size_t) = kind ? v->f32_to_bf16 : v->f32_to_f16;
    const unsigned infinity = kind ? 0x7f80u : 0x7c00u;
    for (unsigned h = kind ? 0x80u : 0; h < infinity - 1; h++) {
      double a = half_value(h, kind ? 8 : 5, kind ? 7 : 10), b = half_value(h + 1, kind ? 8 : 5, kind ? 7 : 10);
      float middle = (float)((a + b) / 2), x[3] = {nextafterf(middle, 0.0f), middle, nextafterf(middle, INFINITY)};
      uint16_t out[3];
      narrow(out, x, 3);
      EXPECT(out[0] == h && out[1] == h + (h & 1u) && out[2] == h + 1, "%s: rounding near %04x gives %04x %04x %04x",
             v->name, h, out[0], out[1], out[2]);
    }
  }
  float x[2] = {65519.996f, -65520.0f};
  uint16_t out[2];
  v->f32_to_f16(out, x, 2);
  EXPECT(out[0] == 0x7bffu && out[1] == 0xfc00u, "%s: f16 overflow", v->name);
}

int main(void) {
  float_exponential_is_within_two_ulp();
  float_exponential_at_its_ends();
  double_functions_are_accurate();
  double_functions_at_their_ends();
  for (const tern_vec *const *v = tern_vecs(); *v; v++) {
    if (!tern_isa_usable((*v)->isa)) continue;
    halves_survive_the_round_trip(*v);
    halves_round_to_nearest_even(*v);
  }
  printf("%d failures\n", failures);
  return failures != 0;
}
