/* Elementary functions with the same bits on every CPU and libm: only
 * + - * / and fma in double, integer operations, and tables of constants.
 * Reductions are by Cody and Waite with constants split by rounding; the
 * series are Taylor's, long enough for the reduced range. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/math_exp.h"
#include "kernels/math_half.h"
#include "kernels/vec.h"

static uint64_t double_bits(double x) {
  uint64_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static double bits_double(uint64_t u) {
  double x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* 2^n for a normal result. */
static double power_of_two(int n) {
  return bits_double((uint64_t)(n + 1023) << 52);
}

float tern_expf(float x) {
  if (x != x) return x;
  if (x < TERN_EXP_LOW) return 0.0f;
  if (x > TERN_EXP_HIGH) return INFINITY;
  float shifted = fmaf(x, TERN_EXP_LOG2E, TERN_EXP_ROUND), n = shifted - TERN_EXP_ROUND;
  float r = fmaf(n, -TERN_EXP_LN2_HIGH, x);
  r = fmaf(n, -TERN_EXP_LN2_LOW, r);
  float p = fmaf(TERN_EXP_C6, r, TERN_EXP_C5);
  p = fmaf(p, r, TERN_EXP_C4);
  p = fmaf(p, r, TERN_EXP_C3);
  p = fmaf(p, r, TERN_EXP_C2);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  return tern_bits_float(tern_float_bits(p) + (tern_float_bits(shifted) << 23));
}

/* Coefficients run from the highest power to the lowest. */
static double polynomial(const double *c, int n, double x) {
  double p = c[0];
  for (int i = 1; i < n; i++) p = fma(p, x, c[i]);
  return p;
}

double tern_exp(double x) {
  static const double c[] = {
      1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
      1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  if (x != x) return x;
  if (x < -745.2) return 0.0;
  if (x > 709.79) return INFINITY;
  double n = fma(x, 0x1.71547652b82fep0, 0x1.8p52) - 0x1.8p52;
  double r = fma(n, -0x1.a39ef35793c76p-33, fma(n, -0x1.62e42feep-1, x));
  double p = polynomial(c, (int)(sizeof c / sizeof c[0]), r);
  int k = (int)n, half = k / 2; /* in two steps: subnormal results, and 2^1024 */
  return p * power_of_two(half) * power_of_two(k - half);
}

double tern_log(double x) {
  static const double c[] = {1.0 / 25, 1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15,
                             1.0 / 13, 1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
  if (x != x || x == INFINITY) return x;
  if (x == 0.0) return -INFINITY;
  if (x < 0.0) return NAN;
  int exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  uint64_t bits = double_bits(x), fraction = bits & 0xfffffffffffffu;
  int above = fraction > 0x6a09e667f3bcdu; /* keep the mantissa within sqrt(1/2)..sqrt(2) */
  exponent += (int)(bits >> 52) - 1023 + above;
  double m = bits_double(fraction | (uint64_t)(1023 - above) << 52);
  double f = m - 1.0, s = f / (2.0 + f), z = s * s;
  double tail = z * polynomial(c, (int)(sizeof c / sizeof c[0]), z);
  /* log(1 + f) = 2s + 2s tail, and 2s = f - s f. */
  double low = fma(exponent, 0x1.a39ef35793c76p-33, -s * (f - 2.0 * tail));
  return fma(exponent, 0x1.62e42feep-1, f + low);
}

void tern_sincos(double x, double *s, double *c) {
  static const double odd[] = {1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
                               1.0 / 362880,          -1.0 / 5040,          1.0 / 120,        -1.0 / 6};
  static const double even[] = {-1.0 / 6402373705728000,
                                1.0 / 20922789888000,
                                -1.0 / 87178291200,
                                1.0 / 479001600,
                                -1.0 / 3628800,
                                1.0 / 40320,
                                -1.0 / 720,
                                1.0 / 24,
                                -0.5};
  double n = fma(x, 0x1.45f306dc9c883p-1, 0x1.8p52) - 0x1.8p52;
  double r = fma(n, -0x1.921fb54442d18p0, x); /* exact: a multiple of x's last place below 1 */
  r = fma(n, -0x1.1a62633145c07p-54, r);
  double z = r * r;
  double sine = fma(r * z, polynomial(odd, (int)(sizeof odd / sizeof odd[0]), z), r);
  double cosine = fma(z, polynomial(even, (int)(sizeof even / sizeof even[0]), z), 1.0);
  unsigned quadrant = (unsigned)(int64_t)n & 3u;
  double a = quadrant & 1u ? cosine : sine, b = quadrant & 1u ? sine : cosine;
  *s = quadrant & 2u ? -a : a;
  *c = quadrant == 1 || quadrant == 2 ? -b : b;
}
