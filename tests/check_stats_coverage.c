/* What the program reports covers the truth in 93-97 % of 2,000 measurements of
 * two equal sides, stopped by its own rule; slowdowns are found as often as
 * docs/statistics.md says; and the same trials expose an interval that is too
 * narrow. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "harness/stats_ratio.h"
#include "tests/stats_path.h"

enum { TRIALS = 2000, MOST_BLOCKS = 40, MOST_FILES = 64 };

static const candidate own = {"program's", signed_rank};

static path_rule program_rule(const noise *m, double slower) {
  return (path_rule){.level = TERN_RATIO_LOOK_LEVEL,
                     .last = TERN_RATIO_LEVEL,
                     .shift = log1p(slower),
                     .least = TERN_RATIO_FIRST_LOOK,
                     .most = MOST_BLOCKS,
                     .precision = m->precision};
}

static void covers(const char *name, int inside, int trials, double blocks) {
  double share = (double)inside / trials;
  print_message("%-40s %.1f %% of %d, %.1f blocks\n", name, 100 * share, trials, blocks / trials);
  if (share < 0.93 || share > 0.97) fail_msg("%s: %.1f %% covered", name, 100 * share);
}

/* One recording: the files whose names are alike up to the first '-', of which
 * each has an equal part of the trials. */
static void recording(const noise *const *files, int count, const char *kind) {
  int inside = 0;
  double blocks = 0;
  char name[120];
  for (uint64_t t = 0; t < TRIALS; t++) {
    const noise *m = files[t % (uint64_t)count];
    path_rule rule = program_rule(m, 0);
    path_end end = path_run(m, &own, &rule, t);
    inside += end.found.low <= 0 && 0 <= end.found.high;
    blocks += end.blocks;
  }
  snprintf(name, sizeof name, "%.*s, %d files %s", (int)strcspn(files[0]->name, "-"), files[0]->name, count, kind);
  covers(name, inside, TRIALS, blocks);
}

/* Every recording on its own: one that is noisier must not hide another. */
static void recorded(int kind, const char *name) {
  noise all[MOST_FILES];
  bool taken[MOST_FILES] = {false};
  int count = noise_recorded(TERN_RECORDED_BLOCKS, all, MOST_FILES), recordings = 0;
  for (int i = kind; i < count; i += 2) {
    const noise *files[MOST_FILES];
    int n = 0;
    size_t length = strcspn(all[i].name, "-") + 1;
    for (int j = i; j < count; j += 2) {
      if (taken[j] || strncmp(all[i].name, all[j].name, length) != 0) continue;
      taken[j] = true;
      files[n++] = &all[j];
    }
    if (n == 0) continue;
    recording(files, n, name);
    recordings++;
  }
  noise_free(all, count);
  assert_true(recordings >= 2);
}

static void null_pairs_drawn_from_recorded_blocks(void **state) {
  (void)state;
  recorded(0, "drawn singly");
}

static void null_stretches_of_recorded_blocks(void **state) {
  (void)state;
  recorded(1, "in stretches");
}

static void models(const char *part) {
  int seen = 0;
  for (const noise *m = noise_models; m->name[0]; m++) {
    if (!strstr(m->name, part)) continue;
    path_rule rule = program_rule(m, 0);
    double blocks, share = path_coverage(m, &own, &rule, TRIALS, &blocks);
    covers(m->name, (int)(share * TRIALS + 0.5), TRIALS, blocks * TRIALS);
    seen++;
  }
  assert_true(seen > 0);
}

static void null_pairs_while_bandwidth_flips(void **state) {
  (void)state;
  models("regimes");
}

static void null_pairs_with_normal_noise(void **state) {
  (void)state;
  models("Gaussian 2 %");
}

/* A true ratio other than 1 is covered as well: the truth moves, not only the test. */
static void slowdowns_of_two_percent_are_covered(void **state) {
  (void)state;
  const noise *m = &noise_models[1];
  path_rule rule = program_rule(m, 0.02);
  double blocks, share = path_coverage(m, &own, &rule, TRIALS, &blocks);
  covers("a ratio of 1.02", (int)(share * TRIALS + 0.5), TRIALS, blocks * TRIALS);
}

static void slowdowns_are_found(void **state) {
  (void)state;
  static const struct {
    const char *noise;
    double slower, least, most;
  } rows[] = {
      {"Gaussian 2 %", 0.01, 0.40, 0.70},
      {"Gaussian 2 %", 0.02, 0.95, 1},
      {"Gaussian 2 %", 0.05, 0.999, 1},
      {"1 %, one pair in 4 tenfold", 0.02, 0.95, 1},
      {"regimes of 20 repetitions, 2 %", 0.01, 0.35, 0.70},
      {"regimes of 20 repetitions, 2 %", 0.02, 0.93, 1},
      {"regimes of 100 repetitions, 2 %", 0.05, 0.999, 1},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const noise *m = noise_models;
    while (m->name[0] && strcmp(m->name, rows[i].noise) != 0) m++;
    assert_true(m->name[0]);
    path_rule rule = program_rule(m, rows[i].slower);
    double found = path_detection(m, &own, &rule, TRIALS / 4);
    print_message("%-40s slower by %g %%: found %.1f %%\n", m->name, 100 * rows[i].slower, 100 * found);
    if (found < rows[i].least || found > rows[i].most) fail_msg("%s: found %.3f", m->name, found);
  }
}

/* Why not the usual choice, and that these trials can tell. */
static void bootstraps_of_the_median_would_fail_here(void **state) {
  (void)state;
  for (int c = 0; c < CANDIDATES; c++) {
    if (strcmp(candidates[c].name, "BCa") != 0 && strcmp(candidates[c].name, "percentile") != 0) continue;
    path_rule rule = program_rule(&noise_models[1], 0);
    double blocks, share = path_coverage(&noise_models[1], &candidates[c], &rule, TRIALS / 4, &blocks);
    if (share >= 0.93) fail_msg("%s: %.3f", candidates[c].name, share);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(null_pairs_drawn_from_recorded_blocks),    cmocka_unit_test(null_stretches_of_recorded_blocks),
      cmocka_unit_test(null_pairs_while_bandwidth_flips),         cmocka_unit_test(null_pairs_with_normal_noise),
      cmocka_unit_test(slowdowns_of_two_percent_are_covered),     cmocka_unit_test(slowdowns_are_found),
      cmocka_unit_test(bootstraps_of_the_median_would_fail_here),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
