/* Texts of JSON values: what Python's json.dumps, str and repr wrote for the same
 * values (fixtures/eval-python-json.json). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/python_json.h"
#include "tests/eval_fixture.h"

static void same(char *have, const json_t *row, const char *key) {
  assert_non_null(have);
  assert_string_equal(have, json_string_value(json_object_get(row, key)));
  free(have);
}

static void values_are_written_as_python_writes_them(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-python-json.json"), *list = json_object_get(root, "values"), *row;
  tern_error e = {0};
  size_t i;
  assert_in_range(json_array_size(list), 200, 1000);
  json_array_foreach(list, i, row) {
    const json_t *value = json_object_get(row, "value");
    same(tern_python_dumps(value, 0, &e), row, "line");
    same(tern_python_dumps(value, 2, &e), row, "indented");
    same(tern_python_str(value, &e), row, "str");
  }
  json_decref(root);
}

static void numbers_that_json_has_not_have_python_s_names(void **state) {
  (void)state;
  static const struct {
    double v;
    const char *says;
  } odd[] = {{NAN, "nan"}, {INFINITY, "inf"}, {-INFINITY, "-inf"}};
  char text[TERN_REAL_ROOM];
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    tern_python_real(odd[i].v, text);
    assert_string_equal(text, odd[i].says);
  }
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_written_as_python_writes_them),
      cmocka_unit_test(numbers_that_json_has_not_have_python_s_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
