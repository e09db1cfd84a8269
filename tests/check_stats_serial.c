/* A ratio that follows the machine's regimes is noticed, one that does not is
 * left alone. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/stats_serial.h"
#include "tests/stats_noise.h"

enum { TRIALS = 2000, BLOCKS = 40 };

static double share_wandering(const noise *m) {
  int found = 0;
  for (uint64_t t = 0; t < TRIALS; t++) {
    double logs[BLOCKS];
    dice d = {9, t, 0};
    m->fill(m, &d, logs, BLOCKS);
    found += tern_serial_wanders(logs, BLOCKS);
  }
  return (double)found / TRIALS;
}

static const noise *named(const noise *list, const char *name) {
  while (list->name[0] && strcmp(list->name, name) != 0) list++;
  assert_true(list->name[0]);
  return list;
}

/* 1 2 ... 10: nine steps of one over the ranks' 82.5; spread 0.5893 (Bartels's
 * formula by hand: 4 * 8 * 471 / (50 * 11 * 81)). */
static void score_is_bartels(void **state) {
  (void)state;
  double rising[10], ties[10] = {0}, zigzag[10];
  for (int i = 0; i < 10; i++) {
    rising[i] = exp(i);
    zigzag[i] = i % 2 ? i : -i;
  }
  double expected = (9 / 82.5 - 2) / sqrt(15072.0 / 44550);
  assert_true(fabs(tern_serial_score(rising, 10) - expected) < 1e-12);
  assert_true(tern_serial_score(zigzag, 10) > 2);
  assert_true(tern_serial_score(ties, 10) == 0);
  assert_true(tern_serial_score(rising, 9) == 0);
}

static void independent_blocks_are_left_alone(void **state) {
  (void)state;
  static const char *const names[] = {"Gaussian 2 %", "heavy tails (t3) 1 %", "regimes of 20 repetitions, 2 %"};
  for (int i = 0; i < 3; i++) {
    double share = share_wandering(named(noise_models, names[i]));
    print_message("%s: %.1f %%\n", names[i], 100 * share);
    if (share > 0.02) fail_msg("%s: %.3f", names[i], share);
  }
}

static void a_ratio_that_follows_regimes_is_noticed(void **state) {
  (void)state;
  double share = share_wandering(named(noise_one_sided, "regimes of 20 repetitions, 2 %"));
  print_message("noticed: %.1f %%\n", 100 * share);
  if (share < 0.80) fail_msg("%.3f", share);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(score_is_bartels),
      cmocka_unit_test(independent_blocks_are_left_alone),
      cmocka_unit_test(a_ratio_that_follows_regimes_is_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
