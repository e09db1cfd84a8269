/* Programs judged: EvalPlus's rules on small problems of our own, tolerance and
 * types, sanitising, programs that cheat or take the grader down, code_eval's.
 * Beside EvalPlus itself: tests/mutate_programs.py, docs/graders.md. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "harness/eval/code.h"
#include "harness/eval/document.h"
#include "harness/eval/score.h"
#include "tests/scratch.h"

enum { SKIPPED = 77 };

static char dir[256];

typedef struct bench {
  tern_sandbox *sandbox;
  tern_code *code;
} bench;

/* Rows: 0 doubles integers of any width, 1 halves to floats, 2 gives tuples and
 * dictionaries, 3 is HumanEval's find_zero by name. */
static const char problems[] =
    "{\"task_id\": \"T/0\", \"prompt\": \"def twice(x):\\n    \\\"\\\"\\\"Twice x.\\\"\\\"\\\"\\n\", \"entry_point\": "
    "\"twice\","
    " \"canonical_solution\": \"    return 2 * x\\n\", \"atol\": 0, \"base_input\": [[1], [-3]],"
    " \"plus_input\": [[0], [123456789012345678901234567890]]}\n\n"
    "{\"task_id\": \"T/1\", \"prompt\": \"def half(x):\\n\", \"entry_point\": \"half\","
    " \"canonical_solution\": \"    return x / 2\\n\", \"atol\": 0, \"base_input\": [[1], [3.0]],"
    " \"plus_input\": [[1e300]]}\n"
    "{\"task_id\": \"T/2\", \"prompt\": \"def pair(x):\\n\", \"entry_point\": \"pair\","
    " \"canonical_solution\": \"    return (x, {'k': [x, None]})\\n\", \"atol\": 0, \"base_input\": [[1]],"
    " \"plus_input\": [[\"a\"]]}\n"
    "{\"task_id\": \"T/3\", \"prompt\": \"def find_zero(xs):\\n\", \"entry_point\": \"find_zero\","
    " \"canonical_solution\": \"    return -xs[0] / xs[1]\\n\", \"atol\": 0.0001, \"base_input\": [[[1, 2]]],"
    " \"plus_input\": [[[-6, 3]]]}\n";

static void assert_verdict(bench *b, size_t row, const char *text, tern_code_form form, const char *base,
                           const char *plus) {
  tern_code_verdict v;
  tern_error e = {0};
  int ticket;
  if (tern_code_start(b->code, row, text, form, &ticket, &e) != 0) fail_msg("%s", e.text);
  if (tern_code_wait(b->code, ticket, &v, &e) != 0) fail_msg("%s", e.text);
  if (strcmp(tern_code_status_name(v.base), base) != 0 || strcmp(tern_code_status_name(v.plus), plus) != 0)
    fail_msg("%s %s, not %s %s: %s", tern_code_status_name(v.base), tern_code_status_name(v.plus), base, plus, text);
}

static void assert_program(bench *b, size_t row, const char *text, const char *base, const char *plus) {
  assert_verdict(b, row, text, TERN_CODE_PROGRAM, base, plus);
}

static void right_and_wrong_programs_are_told_apart_on_both_sets(void **state) {
  bench *b = *state;
  assert_program(b, 0, "def twice(x):\n    return x + x\n", "pass", "pass");
  assert_program(b, 0, "def twice(x):\n    return x * x\n", "fail", "fail");
  assert_program(b, 0, "def twice(x):\n    return int(x * 2.0)\n", "pass", "fail");
  assert_program(b, 0, "def other(x):\n    return 2 * x\n", "fail", "fail");
  assert_program(b, 0, "def twice(x:\n", "fail", "fail");
  assert_program(b, 2, "def pair(x):\n    return x, {'k': [x, None]}\n", "pass", "pass");
  assert_program(b, 2, "def pair(x):\n    return [x, {'k': [x, None]}]\n", "fail", "fail");
  assert_program(b, 2, "def pair(x):\n    return x, {'k': (x, None)}\n", "fail", "fail");
}

static void floats_agree_within_the_tolerance_and_only_as_floats(void **state) {
  bench *b = *state;
  assert_program(b, 1, "def half(x):\n    return x * 0.5\n", "pass", "pass");
  assert_program(b, 1, "def half(x):\n    return x / 2 * (1 + 5e-8)\n", "pass", "pass");
  assert_program(b, 1, "def half(x):\n    return x / 2 + 5e-7\n", "pass", "pass");
  assert_program(b, 1, "def half(x):\n    return x / 2 + 5e-6\n", "fail", "pass");
  assert_program(b, 1, "def half(x):\n    return [x / 2]\n", "fail", "fail");
  assert_program(b, 1, "def half(x):\n    return float('nan')\n", "fail", "fail");
  assert_program(b, 0, "def twice(x):\n    return 2.0 * x\n", "pass", "fail");
}

static void find_zero_is_held_against_its_polynomial(void **state) {
  bench *b = *state;
  assert_program(b, 3, "def find_zero(xs):\n    return -xs[0] / xs[1] + 1e-6\n", "pass", "pass");
  assert_program(b, 3, "def find_zero(xs):\n    return -xs[0] / xs[1] + 1e-3\n", "fail", "fail");
  assert_program(b, 3, "def find_zero(xs):\n    return None\n", "fail", "fail");
}

static void answers_are_completed_and_sanitised(void **state) {
  bench *b = *state;
  assert_verdict(b, 0, "    return 2 * x\n\nAnd that is it!\n", TERN_CODE_COMPLETION, "pass", "pass");
  assert_verdict(b, 0, "\tif x:\n\t\treturn 2 * x\n\treturn 0\n", TERN_CODE_COMPLETION, "pass", "pass");
  assert_verdict(b, 0,
                 "Sure:\n```python\nimport math\ndef twice(x):\n    return add(x, x)\n\ndef add(a, b):\n"
                 "    return a + b\n\nraise SystemExit\n```\nIt adds.",
                 TERN_CODE_REPLY, "pass", "pass");
  assert_verdict(b, 0, "I would not know.", TERN_CODE_REPLY, "fail", "fail");
  assert_verdict(b, 0, "", TERN_CODE_COMPLETION, "fail", "fail");
}

static void programs_that_never_end_or_ask_too_much_fail(void **state) {
  bench *b = *state;
  assert_program(b, 0, "def twice(x):\n    while True:\n        pass\n", "fail", "fail");
  assert_program(b, 0, "while True:\n    pass\n", "timeout", "timeout");
  assert_program(b, 0, "def twice(x):\n    return len(bytearray(1 << 31))\n", "fail", "fail");
  assert_program(b, 0, "def twice(x):\n    return input()\n", "fail", "fail");
  assert_program(b, 0, "import os\nos._exit(0)\n", "timeout", "timeout");
}

static void a_program_cannot_say_that_it_passes(void **state) {
  bench *b = *state;
  assert_program(b, 0,
                 "import os\n"
                 "LINE = b'{\"base\": [\"pass\", 2], \"plus\": [\"pass\", 2]}\\n'\n"
                 "for place in ['/dev/stdout', '/proc/%d/fd/1' % os.getppid(), '/proc/1/fd/1']:\n"
                 "    try:\n        os.write(os.open(place, os.O_WRONLY), LINE)\n"
                 "    except OSError:\n        pass\n"
                 "for fd in range(256):\n"
                 "    try:\n        os.write(fd, LINE)\n"
                 "    except OSError:\n        pass\n"
                 "def twice(x):\n    return None\n",
                 "timeout", "timeout"); /* its answers are none */
  /* Equal to everything there, to nothing here. */
  assert_program(b, 0,
                 "class Any:\n    def __eq__(self, other):\n        return True\n"
                 "def twice(x):\n    return Any()\n",
                 "fail", "fail");
  /* The memory of the process that compares. */
  assert_program(b, 0,
                 "import os\n"
                 "def twice(x):\n"
                 "    with os.fdopen(os.open('/proc/%d/mem' % os.getppid(), os.O_RDWR), 'r+b') as f:\n"
                 "        return 2 * x\n",
                 "fail", "fail");
}

static void a_program_that_ends_its_judge_has_failed(void **state) {
  assert_program(*state, 0, "import os, posix\nposix.kill(os.getppid(), 9)\ndef twice(x):\n    return 2 * x\n", "lost",
                 "lost");
}

static void programs_with_their_test_pass_when_they_end_well(void **state) {
  static const struct {
    const char *program, *status;
  } all[] = {{"def f():\n    return 1\n\ndef check(c):\n    assert c() == 1\n\ncheck(f)", "pass"},
             {"def f():\n    return 2\n\ndef check(c):\n    assert c() == 1\n\ncheck(f)", "fail"},
             {"while True:\n    pass\n", "fail"},
             {"import os\nos._exit(0)\n", "timeout"}};
  bench *b = *state;
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    tern_code_status s;
    tern_error e = {0};
    int ticket;
    if (tern_code_plain_start(b->sandbox, all[i].program, 1, &ticket, &e) != 0) fail_msg("%s", e.text);
    if (tern_code_plain_wait(b->sandbox, ticket, &s, &e) != 0) fail_msg("%s", e.text);
    assert_string_equal(tern_code_status_name(s), all[i].status);
  }
}

static void the_metrics_set_figures_and_say_what_they_ran(void **state) {
  bench *b = *state;
  char path[512];
  tern_error e = {0};
  tern_document documents[2] = {{.id = 0, .texts.target = "check(twice)"}, {.id = 0, .texts.target = "check(twice)"}};
  static const char *const answers[] = {"    return 2 * x\n", "    return int(x * 2.0)\n"};
  json_t *facts = json_object(), *row = json_pack("{s:s}", "prompt",
                                                  "def check(f):\n    assert f(1 << 60) == 1 << 61\n"
                                                  "    assert f((1 << 60) + 1) == (1 << 61) + 2\n"
                                                  "def twice(x):\n");
  tern_scored items[2];
  for (int i = 0; i < 2; i++)
    items[i] = (tern_scored){.document = &documents[i],
                             .row = row,
                             .filtered = answers[i],
                             .figures = json_object(),
                             .facts = json_object()};
  snprintf(path, sizeof path, "%s/problems.jsonl", dir);
  const tern_score_call call = {.sandbox = b->sandbox, .file = path, .facts = facts};
  if (tern_metric_find("evalplus")->score(&call, items, 2, &e) != 0) fail_msg("%s", e.text);
  if (tern_metric_find("pass_at_1")->score(&call, items, 2, &e) != 0) fail_msg("%s", e.text);
  static const struct {
    const char *name;
    int values[2];
  } figures[] = {{"pass@1_base", {1, 1}}, {"pass@1_plus", {1, 0}}, {"pass@1", {1, 0}}};
  for (size_t k = 0; k < sizeof figures / sizeof *figures; k++)
    for (int i = 0; i < 2; i++)
      assert_int_equal(json_integer_value(json_object_get(items[i].figures, figures[k].name)), figures[k].values[i]);
  assert_non_null(strstr(json_string_value(json_object_get(facts, "evalplus")), "bubblewrap"));
  assert_non_null(json_object_get(facts, "pass_at_1"));
  for (int i = 0; i < 2; i++) {
    json_decref(items[i].figures);
    json_decref(items[i].facts);
  }
  json_decref(facts);
  json_decref(row);
}

static void parameters_that_cannot_be_are_refused(void **state) {
  (void)state;
  tern_error e = {0};
  json_t *unknown = json_pack("{s:i}", "time", 3), *negative = json_pack("{s:i}", "timeout", -1),
         *good = json_pack("{s:f}", "min_time_limit", 1.0);
  const tern_metric *evalplus = tern_metric_find("evalplus"), *plain = tern_metric_find("pass_at_1");
  assert_int_equal(tern_metric_check(evalplus, unknown, "t.json: metrics", &e), TERN_FAILED);
  assert_string_equal(e.text, "t.json: metrics: parameter \"time\" is not known here");
  assert_int_equal(tern_metric_check(plain, negative, "t.json: metrics", &e), TERN_FAILED);
  assert_int_equal(tern_metric_check(evalplus, good, "t.json: metrics", &e), 0);
  json_decref(unknown);
  json_decref(negative);
  json_decref(good);
}

static void a_row_that_is_not_prepared_or_not_there_is_an_error(void **state) {
  bench *b = *state;
  tern_error e = {0};
  int ticket;
  assert_int_equal(tern_code_start(b->code, 4, "", TERN_CODE_PROGRAM, &ticket, &e), TERN_FAILED);
  assert_int_equal(tern_code_prepare(b->code, (const size_t[]){4}, 1, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "problems.jsonl: has no row 4"));
}

static void a_canonical_solution_that_fails_is_an_error_that_names_it(void **state) {
  bench *b = *state;
  char path[512];
  tern_code *c = NULL;
  tern_error e = {0};
  scratch_file(dir, "bad.jsonl",
               "{\"task_id\": \"T/9\", \"prompt\": \"def f(x):\\n\", \"entry_point\": \"f\","
               " \"canonical_solution\": \"    return x / 0\\n\", \"atol\": 0, \"base_input\": [[1]],"
               " \"plus_input\": []}\n");
  snprintf(path, sizeof path, "%s/bad.jsonl", dir);
  assert_int_equal(tern_code_open(&c, b->sandbox, path, &tern_code_rules_usual, &e), 0);
  assert_int_equal(tern_code_prepare(c, (const size_t[]){0}, 1, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "T/9: the canonical solution does not run through its base inputs"));
  tern_code_close(c);
}

static void chances_of_a_right_one_among_k_are_exact(void **state) {
  (void)state;
  assert_true(fabs(tern_code_pass_at(5, 2, 1) - 0.4) < 1e-15);
  assert_true(fabs(tern_code_pass_at(5, 2, 3) - 0.9) < 1e-15); /* 1 - 1/10 */
  assert_true(tern_code_pass_at(5, 0, 3) == 0);
  assert_true(tern_code_pass_at(5, 3, 3) == 1);
  assert_true(isnan(tern_code_pass_at(2, 1, 3)));
}

static int set_up(void **state) {
  static bench b;
  static const size_t rows[] = {0, 1, 2, 3};
  tern_code_rules rules = tern_code_rules_usual;
  tern_error e = {0};
  char path[512];
  scratch_file(dir, "problems.jsonl", problems);
  snprintf(path, sizeof path, "%s/problems.jsonl", dir);
  rules.least_s = 0.5;
  rules.task_s = 2;
  rules.memory = (size_t)1 << 30;
  if (tern_sandbox_open_python(&b.sandbox, 2, &e) != 0 || tern_code_open(&b.code, b.sandbox, path, &rules, &e) != 0 ||
      tern_code_prepare(b.code, rows, 4, &e) != 0) {
    print_error("%s\n", e.text);
    return -1;
  }
  *state = &b;
  return 0;
}

static int tear_down(void **state) {
  bench *b = *state;
  tern_code_close(b->code);
  tern_sandbox_close(b->sandbox);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(right_and_wrong_programs_are_told_apart_on_both_sets),
      cmocka_unit_test(floats_agree_within_the_tolerance_and_only_as_floats),
      cmocka_unit_test(find_zero_is_held_against_its_polynomial),
      cmocka_unit_test(answers_are_completed_and_sanitised),
      cmocka_unit_test(programs_that_never_end_or_ask_too_much_fail),
      cmocka_unit_test(a_program_cannot_say_that_it_passes),
      cmocka_unit_test(a_program_that_ends_its_judge_has_failed),
      cmocka_unit_test(programs_with_their_test_pass_when_they_end_well),
      cmocka_unit_test(the_metrics_set_figures_and_say_what_they_ran),
      cmocka_unit_test(parameters_that_cannot_be_are_refused),
      cmocka_unit_test(a_row_that_is_not_prepared_or_not_there_is_an_error),
      cmocka_unit_test(a_canonical_solution_that_fails_is_an_error_that_names_it),
      cmocka_unit_test(chances_of_a_right_one_among_k_are_exact),
  };
  tern_sandbox *s = NULL;
  tern_error e = {0};
  if (tern_sandbox_open_python(&s, 1, &e) != 0) {
    printf("skipped: %s\n", e.text);
    return SKIPPED;
  }
  tern_sandbox_close(s);
  scratch_make(dir, sizeof dir);
  setenv("XDG_CACHE_HOME", dir, 1);
  int failed = cmocka_run_group_tests(tests, set_up, tear_down);
  scratch_remove(dir);
  return failed;
}
