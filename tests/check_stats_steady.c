/* The warm-up ends when times have stopped moving one way, not before, and
 * always ends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/steady.h"
#include "tests/stats_noise.h"

/* Repetitions until the warm-up ends. */
static int ends_at(const double *seconds, int n, tern_steady *why) {
  for (int i = 1; i <= n; i++)
    if ((*why = tern_steady_decide(seconds, i, &tern_steady_default)) != TERN_STEADY_NOT_YET) return i;
  return -1;
}

static void chances_are_those_of_kendalls_table(void **state) {
  (void)state;
  static const struct {
    int n, score;
    double one_sided;
  } rows[] = {{4, 6, 1.0 / 24}, {5, 8, 5.0 / 120}, {6, 9, 49.0 / 720}, {6, 11, 20.0 / 720}, {10, 21, 0.036}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double chance = tern_trend_chance(rows[i].n, rows[i].score);
    if (fabs(chance - 2 * rows[i].one_sided) > 1e-3) fail_msg("n %d: %.5f", rows[i].n, chance);
    assert_true(chance == tern_trend_chance(rows[i].n, -rows[i].score));
  }
  assert_true(fabs(tern_trend_chance(6, 0) - 1) < 1e-12);
}

static void flat_times_need_one_window(void **state) {
  (void)state;
  double flat[20], noisy[] = {1.03, 0.98, 1.01, 1.04, 0.97, 1.02};
  tern_steady why;
  for (int i = 0; i < 20; i++) flat[i] = 1 - 1e-4 * i; /* falls, within the precision */
  assert_int_equal(ends_at(flat, 20, &why), 6);
  assert_int_equal(why, TERN_STEADY);
  assert_int_equal(ends_at(noisy, 6, &why), 6);
  assert_int_equal(why, TERN_STEADY);
}

static void falling_and_rising_times_are_waited_for(void **state) {
  (void)state;
  double falling[30], rising[30];
  tern_steady why;
  for (int i = 0; i < 30; i++) {
    falling[i] = 1 + exp(-i / 2.0);
    rising[i] = 2 - exp(-i / 2.0);
  }
  int falls = ends_at(falling, 30, &why), rises = ends_at(rising, 30, &why);
  assert_int_equal(why, TERN_STEADY);
  assert_true(falls > 12 && falls < 20); /* the window starts where 1 % is left: 2 ln 100 = 9.2 */
  assert_true(falling[falls - 6] <= 1.01 * falling[falls - 1]);
  assert_true(falling[falls - 7] > 1.01 * falling[falls - 2]);
  assert_true(rises > 10 && rises < 20);
}

static void a_step_in_the_window_is_waited_for(void **state) {
  (void)state;
  double step[] = {2, 2.01, 2, 1, 1.01, 1, 1.01, 1, 1, 1.01};
  tern_steady why;
  assert_int_equal(tern_steady_decide(step, 6, &tern_steady_default), TERN_STEADY_NOT_YET);
  assert_true(ends_at(step, 10, &why) <= 9);
  assert_int_equal(why, TERN_STEADY);
}

static void a_drift_without_end_is_given_up(void **state) {
  (void)state;
  double drift[40];
  tern_steady why;
  for (int i = 0; i < 40; i++) drift[i] = 1 + 0.05 * i;
  assert_int_equal(ends_at(drift, 40, &why), 20);
  assert_int_equal(why, TERN_STEADY_GIVEN_UP);
}

/* Random order passes at the first look as often as the test's level says. */
static void steady_noise_is_seldom_held_back(void **state) {
  (void)state;
  enum { TRIALS = 4000 };
  double promised = 1 - tern_trend_chance(6, 9);
  int passed = 0;
  for (uint64_t t = 0; t < TRIALS; t++) {
    dice d = {5, t, 0};
    double v[6];
    for (int i = 0; i < 6; i++) v[i] = exp(0.1 * dice_normal(&d));
    passed += tern_steady_decide(v, 6, &tern_steady_default) == TERN_STEADY;
  }
  double share = (double)passed / TRIALS;
  if (fabs(share - promised) > 0.02) fail_msg("passed %.3f, promised %.3f", share, promised);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chances_are_those_of_kendalls_table),     cmocka_unit_test(flat_times_need_one_window),
      cmocka_unit_test(falling_and_rising_times_are_waited_for), cmocka_unit_test(a_step_in_the_window_is_waited_for),
      cmocka_unit_test(a_drift_without_end_is_given_up),         cmocka_unit_test(steady_noise_is_seldom_held_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
