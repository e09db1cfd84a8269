/* The k-th smallest of the n(n+1)/2 pairs' products is found by bisection on
 * its value: on sorted ratios the products below a bound are counted in one
 * pass with two fingers, so nothing is stored. */
#include "harness/stats_ratio.h"

#include <math.h>
#include <stdlib.h>

enum {
  EXACT_MOST = 64, /* beyond: the normal approximation, whose error is below 1e-4 */
  EXACT_CELLS = EXACT_MOST * (EXACT_MOST + 1) / 4 + 1,
  BISECTIONS = 80 /* more than a double's 53 bits: products lie within a few powers of two */
};

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Pairs i <= j with r[i] * r[j] <= bound. */
static long count_products(const double *r, int n, double bound) {
  long count = 0;
  int j = n - 1;
  for (int i = 0; i < n; i++) {
    while (j >= i && r[i] * r[j] > bound) j--;
    if (j < i) break;
    count += j - i + 1;
  }
  return count;
}

/* Square root of the k-th smallest product, k from 1. */
static double walsh(const double *r, int n, long k) {
  double low = r[0] * r[0], high = r[n - 1] * r[n - 1];
  if (count_products(r, n, low) >= k) return r[0];
  for (int i = 0; i < BISECTIONS; i++) {
    double middle = low + 0.5 * (high - low);
    if (middle <= low || middle >= high) break;
    if (count_products(r, n, middle) >= k)
      high = middle;
    else
      low = middle;
  }
  return sqrt(high);
}

static int cut_normal(int n, double tail, double *reached) {
  double mean = n * (n + 1.0) / 4, sd = sqrt(n * (n + 1.0) * (2 * n + 1.0) / 24);
  int c = -1;
  *reached = 0;
  for (;;) {
    double p = 0.5 * erfc((mean - (c + 1 + 0.5)) / (sd * sqrt(2)));
    if (p > tail || c + 1 > mean) return c;
    *reached = p;
    c++;
  }
}

int tern_signed_rank_cut(int n, double tail, double *reached) {
  if (n > EXACT_MOST) return cut_normal(n, tail, reached);
  /* p[s]: probability that the ranks 1..i with a positive sign add up to s. */
  double p[EXACT_CELLS] = {1};
  int cells = n * (n + 1) / 4 + 1;
  for (int rank = 1; rank <= n; rank++) {
    int most = rank * (rank + 1) / 2 < cells ? rank * (rank + 1) / 2 : cells - 1;
    for (int s = most; s >= 0; s--) p[s] = 0.5 * (p[s] + (s >= rank ? p[s - rank] : 0));
  }
  int c = -1;
  *reached = 0;
  while (c + 1 < cells && *reached + p[c + 1] <= tail) *reached += p[++c];
  return c;
}

tern_ratio tern_ratio_estimate(double *ratios, int n, double level) {
  tern_ratio out = {.n = n, .ratio = NAN, .low = NAN, .high = NAN, .level = NAN};
  if (n < 1) return out;
  qsort(ratios, (size_t)n, sizeof *ratios, ascending);
  const long pairs = (long)n * (n + 1) / 2;
  out.ratio = sqrt(walsh(ratios, n, (pairs + 1) / 2) * walsh(ratios, n, pairs / 2 + 1));
  if (n < TERN_RATIO_LEAST) return out;
  double tail;
  int c = tern_signed_rank_cut(n, 0.5 * (1 - level) + 1e-12, &tail);
  if (c < 0) { /* too few for the level: all there is */
    c = 0;
    tail = ldexp(1, -n);
  }
  out.bounded = true;
  out.low = walsh(ratios, n, c + 1);
  out.high = walsh(ratios, n, pairs - c);
  out.level = 1 - 2 * tail;
  return out;
}

double tern_ratio_half_width(const tern_ratio *r) {
  return r->bounded ? 0.5 * (r->high - r->low) / r->ratio : INFINITY;
}

tern_stop tern_stop_decide(const tern_stop_rule *rule, const tern_ratio *ratios, int count, int blocks,
                           double spent_s) {
  bool precise = count > 0 && blocks >= rule->least;
  for (int i = 0; i < count; i++) precise = precise && tern_ratio_half_width(&ratios[i]) <= rule->precision;
  if (precise) return TERN_STOP_PRECISE;
  if (rule->most > 0 && blocks >= rule->most) return TERN_STOP_BLOCKS;
  if (rule->budget_s > 0 && blocks > 0 && spent_s + spent_s / blocks > rule->budget_s) return TERN_STOP_TIME;
  return TERN_STOP_NOT;
}

const char *tern_stop_name(tern_stop s) {
  static const char *const names[] = {"", "precision", "blocks", "time"};
  return names[s];
}
