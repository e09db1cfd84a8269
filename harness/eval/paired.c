#include "harness/eval/paired.h"

#include <math.h>

static const double Z = 1.959963984540054; /* normal quantile of 0.975 */

double tern_mcnemar(size_t won, size_t lost) {
  size_t n = won + lost, least = won < lost ? won : lost;
  if (2 * least >= n) return 1;
  /* terms of the binomial tail from its greatest down */
  double k = (double)least,
         term = exp(lgamma((double)n + 1) - lgamma(k + 1) - lgamma((double)n - k + 1) - (double)n * log(2)), tail = 0;
  for (; term > 0 && k >= 0; k--) {
    tail += term;
    if (term < tail * 1e-18) break;
    term *= k / ((double)n - k + 1);
  }
  return fmin(1, 2 * tail);
}

/* Tango's statistic of a difference `d` that is supposed. */
static double tango(double won, double lost, double n, double d) {
  double a = 2 * n, b = -won - lost + (2 * n - won + lost) * d, c = -lost * d * (1 - d);
  double root = sqrt(fmax(0, b * b - 4 * a * c)), p = (root - b) / (2 * a);
  double variance = n * (2 * p + d * (1 - d)), above = won - lost - n * d;
  return variance > 0 ? above / sqrt(variance) : above > 0 ? INFINITY : above < 0 ? -INFINITY : 0;
}

/* The difference at which the statistic, falling in d, is `z`. */
static double bound(double won, double lost, double n, double z) {
  double low = -1, high = 1;
  for (int i = 0; i < 100; i++) {
    double middle = (low + high) / 2;
    if (tango(won, lost, n, middle) > z)
      low = middle;
    else
      high = middle;
  }
  return (low + high) / 2;
}

tern_interval tern_paired_accuracy(size_t won, size_t lost, size_t n) {
  double w = (double)won, l = (double)lost, all = (double)n;
  if (n == 0) return (tern_interval){NAN, NAN, NAN};
  return (tern_interval){(w - l) / all, bound(w, l, all, Z), bound(w, l, all, -Z)};
}

tern_interval tern_paired_ratio(const double *differences, const double *units, size_t n) {
  double sum = 0, all = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += differences[i], all += units[i];
  double ratio = sum / all;
  for (size_t i = 0; i < n; i++) squares += pow(differences[i] - ratio * units[i], 2);
  double error = n > 1 ? sqrt(squares * (double)n / (double)(n - 1)) / all : NAN;
  return (tern_interval){ratio, ratio - Z * error, ratio + Z * error};
}

tern_interval tern_paired_mean(const double *differences, size_t n) {
  double sum = 0, squares = 0;
  for (size_t i = 0; i < n; i++) sum += differences[i];
  double mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += pow(differences[i] - mean, 2);
  double error = n > 1 ? sqrt(squares / (double)(n - 1) / (double)n) : NAN;
  return (tern_interval){mean, mean - Z * error, mean + Z * error};
}

double tern_interval_p(tern_interval i) {
  double error = (i.high - i.low) / (2 * Z);
  if (i.difference == 0 || isnan(error)) return 1;
  return error > 0 ? erfc(fabs(i.difference) / error / sqrt(2)) : 0;
}

void tern_holm(const double *p, double *adjusted, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++) adjusted[i] = NAN; /* not yet its turn */
  for (size_t done = 0; done < n; done++) {
    size_t least = n;
    for (size_t i = 0; i < n; i++) {
      if (isnan(adjusted[i]) && (least == n || p[i] < p[least])) least = i;
    }
    most = fmax(most, fmin(1, (double)(n - done) * p[least]));
    adjusted[least] = most;
  }
}
