/* Text as Python sees it: lengths, white space, case and deletions equal to
 * CPython's over hand-picked hard cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"
#include "tests/eval_fixture.h"

static const char *text_of(const json_t *row, const char *key) {
  const char *text = json_string_value(json_object_get(row, key));
  assert_non_null(text);
  return text;
}

/* Takes over have. */
static void assert_text(char *have, const json_t *row, const char *key) {
  assert_non_null(have);
  if (strcmp(have, text_of(row, key)) != 0)
    fail_msg("%s of \"%s\" is \"%s\", not \"%s\"", key, text_of(row, "text"), have, text_of(row, key));
  free(have);
}

static void lengths_blanks_case_and_deletions_are_python_s(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-text.json"), *row;
  size_t i;
  tern_error e = {0};
  assert_true(json_array_size(json_object_get(root, "texts")) > 20);
  json_array_foreach(json_object_get(root, "texts"), i, row) {
    const char *text = text_of(row, "text");
    assert_int_equal(tern_python_length(text), json_integer_value(json_object_get(row, "length")));
    assert_text(tern_python_strip(strdup(text)), row, "strip");
    assert_text(tern_python_lower(text, &e), row, "lower");
    assert_text(tern_python_delete(strdup(text), tern_python_punctuation), row, "punctuation");
    assert_text(tern_python_delete(strdup(text), tern_python_digits), row, "digits");
  }
  json_decref(root);
}

static void deleting_matches_leaves_what_re_sub_leaves_empty_matches_included(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-text.json"), *row;
  size_t i;
  assert_true(json_array_size(json_object_get(root, "subs")) > 50);
  json_array_foreach(json_object_get(root, "subs"), i, row) {
    tern_regex *r = NULL;
    tern_error e = {0};
    if (tern_regex_open(&r, text_of(row, "pattern"), "test", &e) != 0) fail_msg("%s", e.text);
    assert_text(tern_regex_delete(r, text_of(row, "text"), &e), row, "left");
    tern_regex_close(r);
  }
  json_decref(root);
}

static void patterns_that_python_reads_otherwise_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *pattern, *says;
  } bad[] = {{"a\\Z", "task.json: \\Z means something else here than in Python; write \\z"},
             {"a{,3}", "task.json: {,n} means something else here than in Python; write {0,n}"},
             {"(a", "task.json: \"(a\" is no regular expression: missing closing parenthesis at byte 2"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    tern_regex *r = NULL;
    tern_error e = {0};
    assert_int_equal(tern_regex_open(&r, bad[i].pattern, "task.json", &e), TERN_FAILED);
    assert_string_equal(e.text, bad[i].says);
    assert_null(r);
  }
}

static void invalid_text_is_an_error_not_a_match(void **state) {
  (void)state;
  tern_regex *r = NULL;
  tern_error e = {0};
  tern_regex_found why;
  char *found;
  assert_int_equal(tern_regex_open(&r, "a", "gsm8k: filter strict", &e), 0);
  assert_int_equal(tern_regex_find(r, "a\xff", 0, &found, &why, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "gsm8k: filter strict: UTF-8 error"));
  assert_null(tern_regex_delete(r, "a\xff", &e));
  tern_regex_close(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_blanks_case_and_deletions_are_python_s),
      cmocka_unit_test(deleting_matches_leaves_what_re_sub_leaves_empty_matches_included),
      cmocka_unit_test(patterns_that_python_reads_otherwise_are_refused),
      cmocka_unit_test(invalid_text_is_an_error_not_a_match),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
