/* MATH's answers are found, normalised and held equal as lm-eval does it; what
 * needs sympy is asked in the sandbox where a Python with sympy is at hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/document.h"
#include "harness/eval/grader_lines.h"
#include "harness/eval/math_text.h"
#include "harness/eval/score.h"
#include "tests/eval_fixture.h"

static const char *text_at(const json_t *row, size_t i) {
  return json_string_value(json_array_get(row, i));
}

/* Takes over have. */
static void assert_text(char *have, const char *want, const char *of) {
  if (have == NULL || strcmp(have, want) != 0) fail_msg("\"%s\" gave \"%s\", not \"%s\"", of, have, want);
  free(have);
}

static void minerva_s_normal_form_is_lm_eval_s(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-math.json"), *row;
  tern_minerva *m;
  tern_error e = {0};
  size_t i;
  assert_int_equal(tern_minerva_open(&m, &e), 0);
  assert_true(json_array_size(json_object_get(root, "minerva")) > 150);
  json_array_foreach(json_object_get(root, "minerva"), i, row)
      assert_text(tern_minerva_normal(m, text_at(row, 0), &e), text_at(row, 1), text_at(row, 0));
  json_array_foreach(json_object_get(root, "answers"), i, row) {
    assert_text(tern_minerva_answer(m, text_at(row, 0), &e), text_at(row, 1), text_at(row, 0));
    assert_text(tern_hendrycks_answer(text_at(row, 0), &e), text_at(row, 2), text_at(row, 0));
  }
  tern_minerva_close(m);
  json_decref(root);
}

static void hendrycks_s_equality_is_lm_eval_s(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-math.json"), *row;
  size_t i;
  json_array_foreach(json_object_get(root, "hendrycks"), i, row) {
    tern_error e = {0};
    bool same;
    assert_int_equal(tern_hendrycks_same(text_at(row, 0), text_at(row, 1), &same, &e), 0);
    if (same != json_is_true(json_array_get(row, 2)))
      fail_msg("\"%s\" and \"%s\": %d", text_at(row, 0), text_at(row, 1), same);
  }
  json_decref(root);
}

static void the_last_box_of_a_solution_is_its_answer(void **state) {
  (void)state;
  json_t *root = fixture_open("eval-math.json"), *row;
  size_t i;
  json_array_foreach(json_object_get(root, "boxes"), i, row) {
    tern_error e = {0};
    char *have = tern_math_boxed(text_at(row, 0), &e);
    if (text_at(row, 1) != NULL) {
      assert_text(have, text_at(row, 1), text_at(row, 0));
    } else {
      if (have != NULL) fail_msg("\"%s\" gave \"%s\"", text_at(row, 0), have);
      assert_non_null(strstr(e.text, "\\boxed"));
    }
  }
  json_decref(root);
}

/* A sandbox with a Python whose sympy reads LaTeX, or the test is skipped. */
static tern_sandbox *open_sandbox(void) {
  const tern_grader g = {.name = "mathematics", .item_s = 10, .batch = 1};
  json_t *asks = json_pack("[{s:[s,s]}]", "same", "1", "1"), *answers = NULL, *about = NULL;
  tern_sandbox *s = NULL;
  tern_error e = {0};
  bool here = tern_sandbox_open_python(&s, 2, &e) == 0;
  if (here && tern_grader_ask(s, &g, asks, &answers, &about, &e) != 0) fail_msg("%s", e.text);
  const char *problem = here ? json_string_value(json_object_get(about, "error")) : e.text;
  if (problem != NULL) print_message("skipped: %s\n", problem);
  here = problem == NULL;
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  if (here) return s;
  tern_sandbox_close(s);
  skip();
  return NULL;
}

static void assert_figures(const tern_scored *item, const json_t *row, bool verified) {
  if (json_integer_value(json_object_get(item->figures, "exact_match")) != json_integer_value(json_array_get(row, 2)))
    fail_msg("exact_match of %s is wrong", item->filtered);
  assert_int_equal(json_object_get(item->figures, "math_verify") != NULL, verified);
  if (verified &&
      json_integer_value(json_object_get(item->figures, "math_verify")) != json_integer_value(json_array_get(row, 3)))
    fail_msg("math_verify of %s is wrong", item->filtered);
}

static void what_differs_as_text_is_decided_by_sympy_in_the_sandbox(void **state) {
  (void)state;
  tern_sandbox *s = open_sandbox();
  json_t *root = fixture_open("eval-math.json"), *rows = json_object_get(root, "scored"), *row, *facts = json_object();
  size_t count = json_array_size(rows), i;
  tern_scored *items = calloc(count, sizeof *items);
  tern_document *documents = calloc(count, sizeof *documents);
  tern_error e = {0};
  char version[64];
  json_array_foreach(rows, i, row) items[i] = (tern_scored){.document = &documents[i],
                                                            .row = json_pack("{s:s}", "solution", text_at(row, 0)),
                                                            .filtered = text_at(row, 1),
                                                            .figures = json_object(),
                                                            .facts = json_object()};
  const tern_score_call call = {.sandbox = s, .facts = facts};
  if (tern_metric_find("minerva_math")->score(&call, items, count, &e) != 0) fail_msg("%s", e.text);
  tern_error none = {0};
  bool verified = tern_sandbox_python_version(s, "math_verify", version, sizeof version, &none) == 0;
  json_array_foreach(rows, i, row) {
    assert_figures(&items[i], row, verified);
    json_decref((json_t *)items[i].row);
    json_decref(items[i].figures);
    json_decref(items[i].facts);
  }
  assert_non_null(json_object_get(facts, "sympy"));
  assert_true(verified || strstr(json_string_value(json_object_get(facts, "math_verify")), "skipped") != NULL);
  free(items);
  free(documents);
  json_decref(facts);
  json_decref(root);
  tern_sandbox_close(s);
}

/* The second is worked on until the driver's alarm, the third ends the driver. */
static void questions_that_take_too_long_or_end_the_program_leave_the_others_answered(void **state) {
  (void)state;
  tern_sandbox *s = open_sandbox();
  const tern_grader g = {.name = "mathematics", .item_s = 10, .batch = 8};
  json_t *asks = json_pack("[{s:[s,s]},{s:[s,s]},{s:i},{s:[s,s]}]", "same", "1", "2-1", "same", "9^{9^{9^{9}}}+x",
                           "9^{9^{9^{8}}}", "neither", 1, "same", "x", "1 x");
  json_t *answers, *about;
  tern_error e = {0};
  if (tern_grader_ask(s, &g, asks, &answers, &about, &e) != 0) fail_msg("%s", e.text);
  assert_true(json_is_true(json_object_get(json_array_get(answers, 0), "is")));
  assert_true(json_is_false(json_object_get(json_array_get(answers, 1), "is")));
  assert_non_null(json_object_get(json_array_get(answers, 2), "ended"));
  assert_true(json_is_true(json_object_get(json_array_get(answers, 3), "is")));
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  tern_sandbox_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(minerva_s_normal_form_is_lm_eval_s),
      cmocka_unit_test(hendrycks_s_equality_is_lm_eval_s),
      cmocka_unit_test(the_last_box_of_a_solution_is_its_answer),
      cmocka_unit_test(what_differs_as_text_is_decided_by_sympy_in_the_sandbox),
      cmocka_unit_test(questions_that_take_too_long_or_end_the_program_leave_the_others_answered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
