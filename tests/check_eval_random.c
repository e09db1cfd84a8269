/* Few-shot draws: equal to CPython's random.Random, draw by draw, in both of
 * sample's algorithms and at the sizes where they change over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/eval/python_random.h"
#include "tests/eval_fixture.h"

enum { MOST = 1024 };

static void draws_are_python_s_for_seeds_of_one_and_two_words(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-random.json"), *row, *pair, *unit;
  size_t i, j;
  json_array_foreach(json_object_get(root, "rows"), i, row) {
    tern_python_random r;
    tern_python_seed(&r, json_integer_value(json_object_get(row, "seed")));
    json_array_foreach(json_object_get(row, "bits"), j, pair) {
      const json_t *value = json_array_get(pair, 1);
      const char *text = json_string_value(value);
      uint64_t want = text ? strtoull(text, NULL, 10) : (uint64_t)json_integer_value(value);
      assert_int_equal(tern_python_bits(&r, (int)json_integer_value(json_array_get(pair, 0))), want);
    }
    json_array_foreach(json_object_get(row, "below"), j, pair) {
      assert_int_equal(tern_python_below(&r, (uint64_t)json_integer_value(json_array_get(pair, 0))),
                       json_integer_value(json_array_get(pair, 1)));
    }
    json_array_foreach(json_object_get(row, "unit"), j, unit) {
      assert_true(tern_python_unit(&r) == strtod(json_string_value(unit), NULL));
    }
  }
  assert_int_equal(json_array_size(json_object_get(root, "rows")), 10);
  json_decref(root);
}

static void assert_indices(const size_t *have, const json_t *want) {
  for (size_t i = 0; i < json_array_size(want); i++) {
    assert_int_equal(have[i], json_integer_value(json_array_get(want, i)));
  }
}

static void samples_are_python_s_in_order_on_both_sides_of_the_change_of_algorithm(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-random.json"), *row, *draw;
  size_t i, j;
  json_array_foreach(json_object_get(root, "samples"), i, row) {
    tern_python_random r;
    tern_error e = {0};
    size_t n = (size_t)json_integer_value(json_object_get(row, "n")), out[MOST];
    size_t k = (size_t)json_integer_value(json_object_get(row, "k"));
    tern_python_seed(&r, json_integer_value(json_object_get(row, "seed")));
    json_array_foreach(json_object_get(row, "draws"), j, draw) {
      assert_int_equal(json_array_size(draw), k);
      assert_int_equal(tern_python_sample(&r, n, k, out, &e), 0);
      assert_indices(out, draw);
    }
  }
  json_decref(root);
}

static void one_generator_stays_with_python_over_thousands_of_documents(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-random.json");
  tern_python_random r;
  tern_error e = {0};
  size_t out[5];
  tern_python_seed(&r, 1234);
  for (int i = 0; i < 2000; i++) assert_int_equal(tern_python_sample(&r, 7473, 5, out, &e), 0);
  assert_indices(out, json_object_get(root, "late"));
  json_decref(root);
}

static void more_shots_than_rows_are_refused_with_both_numbers(void **state) {
  (void)state;
  tern_python_random r;
  tern_error e = {0};
  size_t out[6];
  tern_python_seed(&r, 1234);
  assert_int_equal(tern_python_sample(&r, 5, 6, out, &e), TERN_FAILED);
  assert_string_equal(e.text, "can't sample 6 of 5: there are too few");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(draws_are_python_s_for_seeds_of_one_and_two_words),
      cmocka_unit_test(samples_are_python_s_in_order_on_both_sides_of_the_change_of_algorithm),
      cmocka_unit_test(one_generator_stays_with_python_over_thousands_of_documents),
      cmocka_unit_test(more_shots_than_rows_are_refused_with_both_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
