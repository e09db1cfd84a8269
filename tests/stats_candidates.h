/* Candidates for the interval of a ratio, compared by stats_study; the program
 * has the chosen one alone. All work on logarithms of ratios, sorted. */
#ifndef TERN_TESTS_STATS_CANDIDATES_H
#define TERN_TESTS_STATS_CANDIDATES_H

#include "tests/stats_noise.h"

typedef struct interval {
  double low, high;
} interval;

typedef struct candidate {
  const char *name;
  interval (*of)(const double *sorted, int n, double level, dice *d);
} candidate;

enum { CANDIDATES = 6 };
extern const candidate candidates[CANDIDATES];

interval signed_rank(const double *sorted, int n, double level, dice *d);

#endif
