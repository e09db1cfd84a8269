/* The interval of a ratio against the definition written out (all pairs' means
 * sorted) and the signed-rank test's published table; the stopping rule's
 * decisions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "harness/stats_ratio.h"

static void near(double a, double b, double error) {
  if (!(fabs(a - b) <= error)) fail_msg("%.12g is not %.12g", a, b);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Wilcoxon's table, two-sided 5 %: greatest rank sum that rejects. */
static void cuts_are_those_of_the_published_table(void **state) {
  (void)state;
  static const struct {
    int n, cut;
  } rows[] = {{6, 0}, {7, 2}, {8, 3}, {9, 5}, {10, 8}, {12, 13}, {15, 25}, {20, 52}, {25, 89}, {30, 137}, {40, 264}};
  double reached;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(tern_signed_rank_cut(rows[i].n, 0.025, &reached), rows[i].cut);
    assert_true(reached <= 0.025);
  }
  assert_int_equal(tern_signed_rank_cut(5, 0.025, &reached), -1);
  assert_int_equal(tern_signed_rank_cut(10, 0.025, &reached), 8);
  near(reached, 25.0 / 1024, 1e-12); /* 25 subsets of 1..10 add up to 8 or less */
}

/* Beyond the exact range against counts of all subsets, at the tail where the
 * normal form's own error changes its sign (z = sqrt 3), so that half a rank shows. */
static void normal_cuts_are_near_the_exact_ones(void **state) {
  (void)state;
  enum { N = 80, CELLS = N * (N + 1) / 2 + 1 };
  static double share[CELLS];
  share[0] = 1;
  for (int rank = 1; rank <= N; rank++)
    for (int s = CELLS - 1; s >= 0; s--) share[s] = 0.5 * (share[s] + (s >= rank ? share[s - rank] : 0));
  double reached, exact = 0;
  int cut = tern_signed_rank_cut(N, 0.0416, &reached);
  for (int s = 0; s <= cut; s++) exact += share[s];
  near(reached, exact, 5e-5);
  assert_true(exact <= 0.0417 && exact + share[cut + 1] > 0.0415);
}

static void the_first_look_can_reach_its_level(void **state) {
  (void)state;
  double v[TERN_RATIO_FIRST_LOOK];
  for (int i = 0; i < TERN_RATIO_FIRST_LOOK; i++) v[i] = 1 + 0.01 * i;
  tern_ratio r = tern_ratio_estimate(v, TERN_RATIO_FIRST_LOOK, TERN_RATIO_LOOK_LEVEL);
  assert_true(r.bounded && r.level >= TERN_RATIO_LOOK_LEVEL);
}

static void interval_is_that_of_all_pairs_written_out(void **state) {
  (void)state;
  for (int n = 1; n <= 45; n++) {
    double ratios[45], pairs[45 * 46 / 2];
    int count = 0;
    for (int i = 0; i < n; i++) ratios[i] = exp(0.4 * tern_random_unit(tern_random_at(3, (uint64_t)n, (uint64_t)i)));
    for (int i = 0; i < n; i++)
      for (int j = i; j < n; j++) pairs[count++] = sqrt(ratios[i] * ratios[j]);
    qsort(pairs, (size_t)count, sizeof *pairs, ascending);
    tern_ratio r = tern_ratio_estimate(ratios, n, 0.95);
    assert_int_equal(r.n, n);
    near(r.ratio, sqrt(pairs[(count - 1) / 2] * pairs[count / 2]), 1e-12);
    assert_int_equal(r.bounded, n >= 5);
    if (!r.bounded) {
      assert_true(isnan(r.low) && isnan(r.high) && isnan(r.level));
      continue;
    }
    double tail;
    int cut = tern_signed_rank_cut(n, 0.025, &tail);
    near(r.low, pairs[cut < 0 ? 0 : cut], 1e-12);
    near(r.high, pairs[count - 1 - (cut < 0 ? 0 : cut)], 1e-12);
    near(r.level, n == 5 ? 0.9375 : 1 - 2 * tail, 1e-12);
  }
}

static void swapping_the_sides_inverts_the_interval(void **state) {
  (void)state;
  double a[] = {1.31, 1.28, 1.30, 0.7, 1.33, 1.29, 1.30, 2.2, 1.27}, b[9];
  for (int i = 0; i < 9; i++) b[i] = 1 / a[i];
  tern_ratio x = tern_ratio_estimate(a, 9, 0.95), y = tern_ratio_estimate(b, 9, 0.95);
  near(x.ratio * y.ratio, 1, 1e-12);
  near(x.low * y.high, 1, 1e-12);
  near(x.high * y.low, 1, 1e-12);
}

static void nothing_measured_has_no_ratio(void **state) {
  (void)state;
  tern_ratio r = tern_ratio_estimate(NULL, 0, 0.95);
  assert_true(isnan(r.ratio) && !r.bounded && isinf(tern_ratio_half_width(&r)));
}

static void equal_ratios_have_a_width_of_zero(void **state) {
  (void)state;
  double v[] = {1.5, 1.5, 1.5, 1.5, 1.5, 1.5};
  tern_ratio r = tern_ratio_estimate(v, 6, 0.95);
  near(r.ratio, 1.5, 1e-15);
  near(tern_ratio_half_width(&r), 0, 1e-15);
}

static tern_ratio of_width(double half) {
  return (tern_ratio){.n = 10, .ratio = 2, .bounded = true, .low = 2 - 2 * half, .high = 2 + 2 * half, .level = 0.96};
}

static void every_ratio_must_be_precise(void **state) {
  (void)state;
  const tern_stop_rule rule = {0.01, 8, 40, 0};
  tern_ratio r[] = {of_width(0.009), of_width(0.011)};
  assert_int_equal(tern_stop_decide(&rule, r, 2, 10, 1), TERN_STOP_NOT);
  r[1] = of_width(0.0099);
  assert_int_equal(tern_stop_decide(&rule, r, 2, 10, 1), TERN_STOP_PRECISE);
  assert_int_equal(tern_stop_decide(&rule, r, 2, 7, 1), TERN_STOP_NOT); /* too early to look */
  assert_int_equal(tern_stop_decide(&rule, r, 0, 10, 1), TERN_STOP_NOT);
  tern_ratio none = {.n = 9, .ratio = 1};
  assert_int_equal(tern_stop_decide(&rule, &none, 1, 9, 1), TERN_STOP_NOT);
}

static void budgets_end_the_run_and_are_named(void **state) {
  (void)state;
  tern_stop_rule rule = {0.01, 8, 40, 100};
  tern_ratio wide = of_width(0.5), fine = of_width(0.001);
  assert_int_equal(tern_stop_decide(&rule, &wide, 1, 39, 39), TERN_STOP_NOT);
  assert_int_equal(tern_stop_decide(&rule, &wide, 1, 40, 40), TERN_STOP_BLOCKS);
  assert_int_equal(tern_stop_decide(&rule, &wide, 1, 9, 89), TERN_STOP_NOT);
  assert_int_equal(tern_stop_decide(&rule, &wide, 1, 9, 91), TERN_STOP_TIME); /* the tenth would end at 101 */
  assert_int_equal(tern_stop_decide(&rule, &fine, 1, 40, 99), TERN_STOP_PRECISE);
  rule = (tern_stop_rule){0.01, 8, 0, 0};
  assert_int_equal(tern_stop_decide(&rule, &wide, 1, 100000, 1e6), TERN_STOP_NOT);
  assert_string_equal(tern_stop_name(TERN_STOP_NOT), "");
  assert_string_equal(tern_stop_name(TERN_STOP_PRECISE), "precision");
  assert_string_equal(tern_stop_name(TERN_STOP_BLOCKS), "blocks");
  assert_string_equal(tern_stop_name(TERN_STOP_TIME), "time");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cuts_are_those_of_the_published_table),
      cmocka_unit_test(normal_cuts_are_near_the_exact_ones),
      cmocka_unit_test(the_first_look_can_reach_its_level),
      cmocka_unit_test(interval_is_that_of_all_pairs_written_out),
      cmocka_unit_test(swapping_the_sides_inverts_the_interval),
      cmocka_unit_test(nothing_measured_has_no_ratio),
      cmocka_unit_test(equal_ratios_have_a_width_of_zero),
      cmocka_unit_test(every_ratio_must_be_precise),
      cmocka_unit_test(budgets_end_the_run_and_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
