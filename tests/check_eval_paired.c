/* Statistics of two runs over the same items, beside scipy's and definitions
 * worked out in numpy (fixtures/eval-paired.json). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/eval/paired.h"
#include "tests/eval_fixture.h"

enum { MOST = 64 };
static json_t *root;

static double number(const json_t *row, const char *key) {
  const json_t *v = json_object_get(row, key);
  assert_true(json_is_number(v));
  return json_number_value(v);
}

static void near(double have, double want, double within) {
  if (!(fabs(have - want) <= within * fmax(1e-3, fabs(want)))) fail_msg("%.15g is not %.15g", have, want);
}

static size_t list(const json_t *row, const char *key, double *out) {
  const json_t *values = json_object_get(row, key);
  size_t n = json_array_size(values);
  assert_in_range(n, 1, MOST);
  for (size_t i = 0; i < n; i++) out[i] = json_number_value(json_array_get(values, i));
  return n;
}

static void mcnemar_is_scipy_s_binomtest(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  json_array_foreach(json_object_get(root, "mcnemar"), i, row) {
    double want = number(row, "p"), have = tern_mcnemar((size_t)number(row, "won"), (size_t)number(row, "lost"));
    if (!(fabs(have - want) <= 1e-9 * want)) fail_msg("%.15g is not %.15g", have, want);
  }
  assert_in_range(i, 60, 100);
}

static void intervals_of_accuracies_are_tango_s(void **state) {
  (void)state;
  json_t *row;
  size_t i;
  json_array_foreach(json_object_get(root, "tango"), i, row) {
    size_t won = (size_t)number(row, "won"), lost = (size_t)number(row, "lost"), n = (size_t)number(row, "n");
    tern_interval got = tern_paired_accuracy(won, lost, n), turned = tern_paired_accuracy(lost, won, n);
    near(got.low, number(row, "low"), 1e-6);
    near(got.high, number(row, "high"), 1e-6);
    near(turned.low, -got.high, 1e-9);
    assert_true(got.low <= got.difference && got.difference <= got.high);
  }
  assert_in_range(i, 5, 100);
}

static void means_ratios_and_holm_are_as_defined(void **state) {
  (void)state;
  double x[MOST], u[MOST], p[MOST], want[MOST], adjusted[MOST];
  const json_t *mean = json_object_get(root, "mean"), *ratio = json_object_get(root, "ratio");
  tern_interval m = tern_paired_mean(x, list(mean, "x", x));
  near(m.low, number(mean, "low"), 1e-12);
  near(m.high, number(mean, "high"), 1e-12);
  near(tern_interval_p(m), number(mean, "p"), 1e-9);
  list(ratio, "u", u);
  m = tern_paired_ratio(x, u, list(ratio, "x", x));
  near(m.low, number(ratio, "low"), 1e-12);
  near(m.high, number(ratio, "high"), 1e-12);
  size_t n = list(json_object_get(root, "holm"), "p", p);
  list(json_object_get(root, "holm"), "adjusted", want);
  tern_holm(p, adjusted, n);
  for (size_t i = 0; i < n; i++) near(adjusted[i], want[i], 1e-12);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(mcnemar_is_scipy_s_binomtest),
      cmocka_unit_test(intervals_of_accuracies_are_tango_s),
      cmocka_unit_test(means_ratios_and_holm_are_as_defined),
  };
  root = fixture_open("eval-paired.json");
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  json_decref(root);
  return failed;
}
