/* Order statistics: medians with distribution-free intervals. The interval of
 * the median is a pair of order statistics; its confidence is exact, from the
 * binomial distribution, whatever the samples' distribution. */
#ifndef TERN_HARNESS_STATS_H
#define TERN_HARNESS_STATS_H

#include <stdbool.h>

typedef struct tern_estimate {
  int n;
  double median;    /* NAN when n is 0 */
  bool bounded;     /* false when n < 5: too few for an interval */
  double low, high; /* NAN when not bounded */
  double coverage;  /* exact confidence of [low, high]; NAN when not bounded */
} tern_estimate;

/* Of n finite values in any order; `values` is sorted in place. The narrowest
 * symmetric pair with coverage >= 0.95; for n = 5 the extremes (0.9375). */
tern_estimate tern_estimate_median(double *values, int n);

/* Confidence that [x_(k), x_(n+1-k)] holds the median, k from 1. */
double tern_order_coverage(int n, int k);

#endif
