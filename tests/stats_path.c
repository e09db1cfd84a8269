#include "tests/stats_path.h"

#include <math.h>
#include <string.h>

enum { SEED = 20 };

static void insert(double *sorted, int n, double x) {
  int at = n;
  for (; at > 0 && sorted[at - 1] > x; at--) sorted[at] = sorted[at - 1];
  sorted[at] = x;
}

path_end path_run(const noise *m, const candidate *c, const path_rule *rule, uint64_t trial) {
  double logs[NOISE_MOST], sorted[NOISE_MOST];
  dice d = {SEED, trial, 0}, bootstrap = {SEED + 1, trial, 0};
  path_end end = {0, {0, 0}};
  m->fill(m, &d, logs, NOISE_MOST);
  for (int n = 0; n < rule->most; n++) {
    insert(sorted, n, logs[n] + rule->shift);
    end.blocks = n + 1;
    if (end.blocks < rule->most && (rule->precision <= 0 || end.blocks < rule->least)) continue;
    end.found = c->of(sorted, end.blocks, rule->level, &bootstrap);
    if (end.blocks >= rule->least && 0.5 * (end.found.high - end.found.low) <= rule->precision) return end;
  }
  end.found = c->of(sorted, end.blocks, rule->last, &bootstrap);
  return end;
}

double path_coverage(const noise *m, const candidate *c, const path_rule *rule, int trials, double *blocks) {
  int inside = 0;
  *blocks = 0;
  for (int t = 0; t < trials; t++) {
    path_end end = path_run(m, c, rule, (uint64_t)t);
    inside += end.found.low <= rule->shift && rule->shift <= end.found.high;
    *blocks += (double)end.blocks / trials;
  }
  return (double)inside / trials;
}

double path_detection(const noise *m, const candidate *c, const path_rule *rule, int trials) {
  int found = 0;
  for (int t = 0; t < trials; t++) found += path_run(m, c, rule, (uint64_t)t).found.low > 0;
  return (double)found / trials;
}
