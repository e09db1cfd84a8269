/* Medians and their intervals: exact small cases, and the coverage promised
 * is the coverage found on skewed samples. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "harness/order.h"
#include "harness/stats.h"

static void near(double a, double b) {
  if (!(fabs(a - b) < 1e-9)) fail_msg("%.12g is not %.12g", a, b);
}

static void five_samples_are_bounded_by_their_extremes(void **state) {
  (void)state;
  double v[] = {9, 1, 7, 3, 5};
  tern_estimate m = tern_estimate_median(v, 5);
  assert_true(m.bounded);
  near(m.median, 5);
  near(m.low, 1);
  near(m.high, 9);
  near(m.coverage, 0.9375);
}

static void even_counts_take_the_mean_of_the_middle(void **state) {
  (void)state;
  double v[] = {4, 1, 3, 2};
  near(tern_estimate_median(v, 4).median, 2.5);
}

static void fewer_than_five_have_no_interval(void **state) {
  (void)state;
  double v[] = {1, 2, 3, 4};
  for (int n = 0; n < 5; n++) {
    tern_estimate m = tern_estimate_median(v, n);
    assert_false(m.bounded);
    assert_true(isnan(m.low) && isnan(m.high) && isnan(m.coverage));
    assert_int_equal(isnan(m.median) != 0, n == 0);
  }
}

/* Published tables of the sign test's interval: n, k, exact coverage. */
static void pairs_are_the_narrowest_with_95_percent(void **state) {
  (void)state;
  static const struct {
    int n, k;
    double coverage;
  } rows[] = {{6, 1, 0.96875},      {8, 1, 0.9921875},    {9, 2, 0.9609375},   {10, 2, 0.978515625},
              {12, 3, 0.961425781}, {15, 4, 0.964843750}, {20, 6, 0.958610535}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double v[20];
    for (int j = 0; j < rows[i].n; j++) v[j] = rows[i].n - j; /* falling: x_(k) = k */
    tern_estimate m = tern_estimate_median(v, rows[i].n);
    near(m.low, rows[i].k);
    near(m.high, rows[i].n + 1 - rows[i].k);
    if (fabs(m.coverage - rows[i].coverage) > 1e-8) fail_msg("n %d: %.9f", rows[i].n, m.coverage);
  }
}

/* Exponential samples, far from normal: the median ln 2 is inside as often as
 * the exact coverage says, within four standard errors. */
static void coverage_holds_on_skewed_samples(void **state) {
  (void)state;
  enum { TRIALS = 20000 };
  static const int sizes[] = {5, 8, 20};
  for (size_t s = 0; s < 3; s++) {
    int n = sizes[s], inside = 0;
    double v[20], coverage = 0;
    for (uint64_t t = 0; t < TRIALS; t++) {
      for (int i = 0; i < n; i++) v[i] = -log(1 - tern_random_unit(tern_random_at(7, s, t * 32 + (uint64_t)i)));
      tern_estimate m = tern_estimate_median(v, n);
      coverage = m.coverage;
      inside += m.low <= log(2) && log(2) <= m.high;
    }
    double error = sqrt(coverage * (1 - coverage) / TRIALS);
    if (fabs((double)inside / TRIALS - coverage) > 4 * error)
      fail_msg("n %d: inside %.4f, promised %.4f", n, (double)inside / TRIALS, coverage);
  }
}

static void every_order_of_engines_comes_equally_often(void **state) {
  (void)state;
  enum { TURNS = 6000 };
  int seen[3][3][3] = {{{0}}}, order[3], again[3];
  for (uint64_t turn = 0; turn < TURNS; turn++) {
    tern_order(42, turn, order, 3);
    assert_int_equal(order[0] + order[1] + order[2], 3);
    assert_true(order[0] != order[1] && order[1] != order[2] && order[0] != order[2]);
    tern_order(42, turn, again, 3);
    assert_memory_equal(order, again, sizeof order);
    seen[order[0]][order[1]][order[2]]++;
  }
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < 3; b++)
      if (a != b && abs(seen[a][b][3 - a - b] - TURNS / 6) > 120) fail_msg("%d%d: %d", a, b, seen[a][b][3 - a - b]);
  int other = 0;
  for (uint64_t turn = 0; turn < 100; turn++) {
    tern_order(42, turn, order, 3);
    tern_order(43, turn, again, 3);
    other += order[0] != again[0];
  }
  assert_true(other > 30);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(five_samples_are_bounded_by_their_extremes),
      cmocka_unit_test(even_counts_take_the_mean_of_the_middle),
      cmocka_unit_test(fewer_than_five_have_no_interval),
      cmocka_unit_test(pairs_are_the_narrowest_with_95_percent),
      cmocka_unit_test(coverage_holds_on_skewed_samples),
      cmocka_unit_test(every_order_of_engines_comes_equally_often),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
