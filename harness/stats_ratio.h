/* Ratio of two sides from paired blocks, with its interval, and when to stop
 * taking blocks. The interval is that of the Wilcoxon signed-rank test (Hodges
 * & Lehmann 1963) on the logarithms: pairs' geometric means stand for Walsh
 * averages. docs/statistics.md shows why this one, and its coverage under the
 * stopping rule. Pure functions: no state, no randomness. */
#ifndef TERN_HARNESS_STATS_RATIO_H
#define TERN_HARNESS_STATS_RATIO_H

#include <stdbool.h>

/* Nominal levels, found by simulation (docs/statistics.md) so that what is
 * reported covers 95 %: of every look at a growing series (stopping where the
 * interval happens to be narrow costs coverage), and of the interval that is
 * reported when the budget ends first. */
#define TERN_RATIO_LOOK_LEVEL 0.96
#define TERN_RATIO_LEVEL 0.95

enum {
  TERN_RATIO_LEAST = 5,     /* blocks for an interval */
  TERN_RATIO_FIRST_LOOK = 8 /* blocks before the stopping rule looks */
};

typedef struct tern_ratio {
  int n;
  double ratio;     /* NAN when n is 0 */
  bool bounded;     /* false when n < TERN_RATIO_LEAST */
  double low, high; /* NAN when not bounded */
  double level;     /* of one look, exact up to n = 64; NAN when not bounded */
} tern_ratio;

/* Of n ratios, each finite and above 0, one a block; `ratios` is sorted in
 * place. The narrowest interval whose level reaches `level`, or the widest
 * there is (five blocks: 0.9375). */
tern_ratio tern_ratio_estimate(double *ratios, int n, double level);

/* Half the interval's width as a share of the ratio; INFINITY when not bounded. */
double tern_ratio_half_width(const tern_ratio *r);

/* Greatest rank c with P(W <= c) <= tail for the signed-rank sum W of n pairs,
 * -1: none; *reached is P(W <= c). */
int tern_signed_rank_cut(int n, double tail, double *reached);

typedef struct tern_stop_rule {
  double precision; /* half width wanted, as a share of the ratio: 0.01 */
  int least, most;  /* blocks; no look before `least`; most 0: no limit */
  double budget_s;  /* seconds; 0: no limit */
} tern_stop_rule;

typedef enum tern_stop {
  TERN_STOP_NOT,
  TERN_STOP_PRECISE, /* every ratio is within the precision */
  TERN_STOP_BLOCKS,  /* `most` blocks are taken */
  TERN_STOP_TIME     /* another block would end after the budget */
} tern_stop;

/* After a block: `count` ratios that must all become precise (none: only the
 * limits stop), blocks taken, seconds spent on them. */
tern_stop tern_stop_decide(const tern_stop_rule *rule, const tern_ratio *ratios, int count, int blocks, double spent_s);

/* "precision", "blocks", "time"; "" while going on. */
const char *tern_stop_name(tern_stop s);

#endif
