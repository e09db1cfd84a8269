/* One simulated measurement after another under the stopping rule: blocks are
 * added one by one, the interval is looked at from `least` blocks on. */
#ifndef TERN_TESTS_STATS_PATH_H
#define TERN_TESTS_STATS_PATH_H

#include "tests/stats_candidates.h"

typedef struct path_rule {
  double level; /* while looking, and of an interval within the precision */
  double last;  /* of the interval when the blocks end first */
  double shift; /* added to the logarithms: log of the true ratio */
  int least, most;
  double precision; /* 0: never stops early */
} path_rule;

typedef struct path_end {
  int blocks;
  interval found;
} path_end;

/* Trial `trial` of a noise; the same draws whatever the rule. */
path_end path_run(const noise *m, const candidate *c, const path_rule *rule, uint64_t trial);

/* Share of trials whose interval holds the true ratio; mean blocks taken. */
double path_coverage(const noise *m, const candidate *c, const path_rule *rule, int trials, double *blocks);

/* Share of trials whose interval lies wholly above 1. */
double path_detection(const noise *m, const candidate *c, const path_rule *rule, int trials);

#endif
