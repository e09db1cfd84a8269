/* Order statistics; the interval is described in David & Nagaraja, Order
 * Statistics, section 7.1. */
#include "harness/stats.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_FOR_INTERVAL = 5 };

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double tern_order_coverage(int n, int k) {
  /* P(Binomial(n, 1/2) < k), each term from the last; logs keep 2^-n away from underflow. */
  double tail = 0;
  for (int i = 0; i < k; i++) tail += exp(lgamma(n + 1.0) - lgamma(i + 1.0) - lgamma(n - i + 1.0) - n * log(2.0));
  return 1 - 2 * tail;
}

tern_estimate tern_estimate_median(double *values, int n) {
  tern_estimate out = {.n = n, .median = NAN, .low = NAN, .high = NAN, .coverage = NAN};
  if (n < 1) return out;
  qsort(values, (size_t)n, sizeof *values, ascending);
  out.median = n % 2 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
  if (n < LEAST_FOR_INTERVAL) return out;
  int k = 1;
  while (2 * (k + 1) <= n && tern_order_coverage(n, k + 1) >= 0.95) k++;
  out.bounded = true;
  out.low = values[k - 1];
  out.high = values[n - k];
  out.coverage = tern_order_coverage(n, k);
  return out;
}
