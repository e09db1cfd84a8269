/* Prints the tables of docs/statistics.md, or one of them.
 * usage: stats_study FOLDER_OF_RECORDED_BLOCKS [TRIALS [TABLE]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/stats_ratio.h"
#include "tests/stats_path.h"

enum { MOST_NOISES = 80, BUDGETS = 7, LEVELS = 5 };

static const int budgets[BUDGETS] = {5, 8, 10, 15, 20, 30, 40};
static const double levels[LEVELS] = {0.95, 0.96, 0.965, 0.97, 0.975};

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void head(const char *title, const char *first) {
  printf("\n### %s\n\n| %s |", title, first);
}

static void rule_below(int columns) {
  printf("\n|---|");
  for (int i = 0; i < columns; i++) fputs("---|", stdout);
  putchar('\n');
}

/* One count of blocks, one look. */
static void put_fixed(const noise *m, int trials) {
  char title[200];
  snprintf(title, sizeof title, "One look, nominal 95 %%: %.79s", m->name);
  head(title, "method");
  for (int b = 0; b < BUDGETS; b++) printf(" %d |", budgets[b]);
  rule_below(BUDGETS);
  for (int c = 0; c < CANDIDATES; c++) {
    printf("| %s |", candidates[c].name);
    for (int b = 0; b < BUDGETS; b++) {
      double blocks;
      path_rule rule = {0.95, 0.95, 0, budgets[b], budgets[b], 0};
      printf(" %.1f |", 100 * path_coverage(m, &candidates[c], &rule, trials, &blocks));
    }
    putchar('\n');
  }
}

static void table_once(const noise *list, int count, int trials) {
  static const char *const shown[] = {"Gaussian 2 %", "1.5 %, one pair in 10 tenfold",
                                      "regimes of 20 repetitions, 2 %"};
  for (size_t s = 0; s < sizeof shown / sizeof *shown; s++)
    for (int i = 0; i < count; i++)
      if (strcmp(list[i].name, shown[s]) == 0) put_fixed(&list[i], trials);
}

static void table_methods(const noise *list, int count, int trials) {
  char title[160];
  snprintf(title, sizeof title, "Stopping rule, level %g %%, from %d blocks to at most 40: coverage (mean blocks)",
           100 * TERN_RATIO_LEVEL, TERN_RATIO_LEAST);
  head(title, "noise");
  for (int c = 0; c < CANDIDATES; c++) printf(" %s |", candidates[c].name);
  rule_below(CANDIDATES);
  for (int i = 0; i < count; i++) {
    printf("| %s |", list[i].name);
    for (int c = 0; c < CANDIDATES; c++) {
      double blocks;
      path_rule rule = {TERN_RATIO_LEVEL, TERN_RATIO_LEVEL, 0, TERN_RATIO_LEAST, 40, list[i].precision};
      double coverage = path_coverage(&list[i], &candidates[c], &rule, trials, &blocks);
      printf(" %.1f (%.0f) |", 100 * coverage, blocks);
    }
    putchar('\n');
    fflush(stdout);
  }
}

/* Lowest and highest coverage over all noises, at most 40 blocks. */
static void table_levels(const noise *list, int count, int trials) {
  static const int least[] = {5, 8, 10};
  const candidate own = {"", signed_rank};
  head("Signed rank: lowest-highest coverage over all noises, at most 40 blocks; 95 % when they end first",
       "first look at");
  for (int l = 0; l < LEVELS; l++) printf(" %g %% |", 100 * levels[l]);
  rule_below(LEVELS);
  for (size_t k = 0; k < sizeof least / sizeof *least; k++) {
    printf("| %d |", least[k]);
    for (int l = 0; l < LEVELS; l++) {
      double low = 1, high = 0, blocks;
      for (int i = 0; i < count; i++) {
        path_rule rule = {levels[l], 0.95, 0, least[k], 40, list[i].precision};
        double coverage = path_coverage(&list[i], &own, &rule, trials, &blocks);
        if (coverage < low) low = coverage;
        if (coverage > high) high = coverage;
      }
      printf(" %.1f-%.1f |", 100 * low, 100 * high);
    }
    putchar('\n');
    fflush(stdout);
  }
}

static void table_budgets(const noise *list, int count, int trials) {
  const candidate own = {"", signed_rank};
  head("The program's rule by budget of blocks: coverage (mean blocks)", "noise");
  for (int b = 0; b < BUDGETS; b++) printf(" %d |", budgets[b]);
  rule_below(BUDGETS);
  for (int i = 0; i < count; i++) {
    printf("| %s |", list[i].name);
    for (int b = 0; b < BUDGETS; b++) {
      double blocks;
      path_rule rule = {TERN_RATIO_LOOK_LEVEL, TERN_RATIO_LEVEL, 0,
                        TERN_RATIO_FIRST_LOOK, budgets[b],       list[i].precision};
      double coverage = path_coverage(&list[i], &own, &rule, trials, &blocks);
      printf(" %.1f (%.0f) |", 100 * coverage, blocks);
    }
    putchar('\n');
    fflush(stdout);
  }
}

/* How often a slowdown is found: the interval leaves out 1 on the right side. */
static void table_detection(const noise *list, int count, int trials) {
  static const double slower[] = {1, 2, 5};
  const candidate own = {"", signed_rank};
  head("Injected slowdowns, at most 40 blocks: found in % of trials, by slowdown in units of the precision (1 %)",
       "noise");
  for (int s = 0; s < 3; s++) printf(" %g |", slower[s]);
  rule_below(3);
  for (int i = 0; i < count; i++) {
    printf("| %s |", list[i].name);
    for (int s = 0; s < 3; s++) {
      path_rule rule = {
          TERN_RATIO_LOOK_LEVEL, TERN_RATIO_LEVEL, log1p(slower[s] * list[i].precision), TERN_RATIO_FIRST_LOOK, 40,
          list[i].precision};
      printf(" %.1f |", 100 * path_detection(&list[i], &own, &rule, trials));
    }
    putchar('\n');
    fflush(stdout);
  }
}

/* The middle of all pairs' means, from many blocks far apart. */
static double long_run_middle(const noise *m) {
  enum { DRAWS = 20001 };
  static double means[DRAWS];
  for (int i = 0; i < DRAWS; i++) {
    double a, b;
    dice x = {1, (uint64_t)i, 0}, y = {2, (uint64_t)i, 0};
    m->fill(m, &x, &a, 1);
    m->fill(m, &y, &b, 1);
    means[i] = 0.5 * (a + b);
  }
  qsort(means, DRAWS, sizeof *means, ascending);
  return means[DRAWS / 2];
}

/* Where the method's assumption fails. */
static void table_one_sided(const noise *list, int count, int trials) {
  (void)list;
  (void)count;
  const candidate own = {"", signed_rank};
  head("Noise on one side only: coverage of the long-run middle (mean blocks)", "noise");
  for (int b = 1; b < BUDGETS; b++) printf(" %d |", budgets[b]);
  rule_below(BUDGETS - 1);
  for (const noise *m = noise_one_sided; m->name[0]; m++) {
    double middle = long_run_middle(m);
    printf("| %s |", m->name);
    for (int b = 1; b < BUDGETS; b++) {
      path_rule rule = {TERN_RATIO_LOOK_LEVEL, TERN_RATIO_LEVEL, 0, TERN_RATIO_FIRST_LOOK, budgets[b], m->precision};
      int inside = 0;
      double blocks = 0;
      for (int t = 0; t < trials; t++) {
        path_end end = path_run(m, &own, &rule, (uint64_t)t);
        inside += end.found.low <= middle && middle <= end.found.high;
        blocks += (double)end.blocks / trials;
      }
      printf(" %.1f (%.0f) |", 100.0 * inside / trials, blocks);
    }
    putchar('\n');
    fflush(stdout);
  }
}

static const struct {
  const char *name;
  void (*put)(const noise *list, int count, int trials);
} tables[] = {{"once", table_once},       {"methods", table_methods},     {"levels", table_levels},
              {"budgets", table_budgets}, {"detection", table_detection}, {"one-sided", table_one_sided}};

int main(int argc, char **argv) {
  noise list[MOST_NOISES];
  int count = 0, trials = argc > 2 ? atoi(argv[2]) : 2000;
  if (argc < 2 || trials < 1) {
    fprintf(stderr, "usage: stats_study FOLDER_OF_RECORDED_BLOCKS [TRIALS [TABLE]]\n");
    return 2;
  }
  for (; noise_models[count].name[0]; count++) list[count] = noise_models[count];
  int recorded = noise_recorded(argv[1], list + count, MOST_NOISES - count);
  if (recorded < 0) return 1;
  count += recorded;
  printf("%d trials each: a coverage of 95 %% is known to +-%.1f (two standard errors).\n", trials,
         200 * sqrt(0.95 * 0.05 / trials));
  for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
    if (argc < 4 || strcmp(argv[3], tables[t].name) == 0) tables[t].put(list, count, trials);
  noise_free(list + count - recorded, recorded);
  return 0;
}
