#include "tests/stats_candidates.h"

#include <math.h>
#include <stdlib.h>

#include "harness/stats.h"
#include "harness/stats_ratio.h"

enum { RESAMPLES = 400 };

/* Order statistics of the median, conservative (David & Nagaraja, 7.1). */
static interval order(const double *x, int n, double level, dice *d) {
  (void)d;
  int k = 1;
  while (2 * (k + 1) <= n && tern_order_coverage(n, k + 1) >= level) k++;
  return (interval){x[k - 1], x[n - k]};
}

/* The same interpolated to the level (Hettmansperger & Sheather 1986). */
static interval order_between(const double *x, int n, double level, dice *d) {
  (void)d;
  int k = 1;
  while (2 * (k + 1) <= n && tern_order_coverage(n, k + 1) >= level) k++;
  double wide = tern_order_coverage(n, k), narrow = tern_order_coverage(n, k + 1);
  if (wide < level || 2 * (k + 1) > n) return (interval){x[k - 1], x[n - k]};
  double i = (wide - level) / (wide - narrow), share = (n - k) * i / (k + (n - 2 * k) * i);
  return (interval){x[k - 1] + share * (x[k] - x[k - 1]), x[n - k] - share * (x[n - k] - x[n - k - 1])};
}

static double normal_cdf(double z) {
  return 0.5 * erfc(-z * M_SQRT1_2);
}

/* z with P(Z <= z) = p, by bisection. */
static double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; i++) *(normal_cdf(0.5 * (low + high)) < p ? &low : &high) = 0.5 * (low + high);
  return low;
}

/* Quantile of Student's t: Cornish & Fisher's expansion from the normal one
 * (Abramowitz & Stegun 26.7.5), to four digits from four degrees on. */
static double student_quantile(double p, double v) {
  double z = normal_quantile(p), z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
  return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
         (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v) +
         (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * v * v * v * v);
}

static interval student(const double *x, int n, double level, dice *d) {
  (void)d;
  double mean = 0, squares = 0;
  for (int i = 0; i < n; i++) mean += x[i] / n;
  for (int i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
  double half = student_quantile(0.5 + 0.5 * level, n - 1) * sqrt(squares / (n - 1) / n);
  return (interval){mean - half, mean + half};
}

static double median(const double *x, int n) {
  return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Sorted medians of resamples. */
static void resample(const double *x, int n, dice *d, double *medians) {
  for (int r = 0; r < RESAMPLES; r++) {
    int times[NOISE_MOST] = {0}, seen = 0, at = 0, low, high;
    for (int i = 0; i < n; i++) times[(int)(dice_unit(d) * n)]++;
    while ((seen += times[at]) < (n + 1) / 2) at++;
    low = high = at;
    if (n % 2 == 0 && seen == n / 2) do
        high++;
      while (!times[high]);
    medians[r] = 0.5 * (x[low] + x[high]);
  }
  qsort(medians, RESAMPLES, sizeof *medians, ascending);
}

static double quantile(const double *sorted, double p) {
  int at = (int)(p * RESAMPLES);
  return sorted[at < 0 ? 0 : at >= RESAMPLES ? RESAMPLES - 1 : at];
}

/* Efron 1979. */
static interval percentile(const double *x, int n, double level, dice *d) {
  double medians[RESAMPLES];
  resample(x, n, d, medians);
  return (interval){quantile(medians, 0.5 - 0.5 * level), quantile(medians, 0.5 + 0.5 * level)};
}

/* Bias-corrected and accelerated (Efron 1987), acceleration by the jackknife. */
static interval bca(const double *x, int n, double level, dice *d) {
  double medians[RESAMPLES], left[NOISE_MOST], without[NOISE_MOST], mean = 0, squares = 0, cubes = 0;
  resample(x, n, d, medians);
  for (int i = 0; i < n; i++) {
    for (int j = 0, k = 0; j < n; j++)
      if (j != i) without[k++] = x[j];
    mean += (left[i] = median(without, n - 1)) / n;
  }
  for (int i = 0; i < n; i++) {
    double e = mean - left[i];
    squares += e * e;
    cubes += e * e * e;
  }
  double a = squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0, middle = median(x, n), below = 0;
  for (int r = 0; r < RESAMPLES; r++) below += medians[r] < middle ? 1 : medians[r] == middle ? 0.5 : 0;
  double z0 = normal_quantile(fmin(fmax(below, 0.5), RESAMPLES - 0.5) / RESAMPLES);
  double z = normal_quantile(0.5 + 0.5 * level);
  return (interval){quantile(medians, normal_cdf(z0 + (z0 - z) / (1 - a * (z0 - z)))),
                    quantile(medians, normal_cdf(z0 + (z0 + z) / (1 - a * (z0 + z))))};
}

/* The program's own. */
interval signed_rank(const double *x, int n, double level, dice *d) {
  (void)d;
  double ratios[NOISE_MOST];
  for (int i = 0; i < n; i++) ratios[i] = exp(x[i]);
  tern_ratio r = tern_ratio_estimate(ratios, n, level);
  return (interval){log(r.low), log(r.high)};
}

const candidate candidates[CANDIDATES] = {
    {"order", order}, {"interpolated", order_between}, {"Student", student}, {"percentile", percentile},
    {"BCa", bca},     {"signed rank", signed_rank},
};
