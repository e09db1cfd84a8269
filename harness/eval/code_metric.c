/* The metrics of programs: EvalPlus's base and extra tests, code_eval's pass@1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/code.h"
#include "harness/eval/document.h"
#include "harness/eval/metrics.h"

static const double code_eval_timeout = 3; /* its default, of each program */

static bool is_positive(const json_t *value) {
  return json_is_number(value) && json_number_value(value) > 0;
}

/* Only these keys, each a positive number. */
static int check_numbers(const json_t *params, const char *const *keys, const char *where, tern_error *e) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)params, key, value) {
    const char *const *known = keys;
    while (*known && strcmp(*known, key) != 0) known++;
    if (!*known) return tern_fail(e, TERN_FAILED, "%s: parameter \"%s\" is not known here", where, key);
    if (!is_positive(value)) return tern_fail(e, TERN_FAILED, "%s: %s: a number above 0 was expected", where, key);
  }
  return 0;
}

static double number(const json_t *params, const char *key, double otherwise) {
  const json_t *value = json_object_get(params, key);
  return value ? json_number_value(value) : otherwise;
}

/* What the verdicts depend on, into the result. */
static int tell(const tern_score_call *c, const char *metric, const char *rules, tern_error *e) {
  char python[64], numpy[64];
  tern_error none;
  if (tern_sandbox_python_version(c->sandbox, "", python, sizeof python, e) != 0) return (int)e->status;
  bool has = tern_sandbox_python_version(c->sandbox, "numpy", numpy, sizeof numpy, &none) == 0;
  json_t *text = json_sprintf("%s; Python %s, numpy %s; %s", rules, python, has ? numpy : "not there",
                              tern_sandbox_about(c->sandbox));
  if (text && json_object_set_new(c->facts, metric, text) == 0) return 0;
  return tern_fail(e, TERN_FAILED, "%s: out of memory", metric);
}

static int set_status(tern_scored *item, const char *key, tern_code_status s, tern_error *e) {
  if (s == TERN_CODE_PASS || s == TERN_CODE_FAIL) return 0;
  char name[64];
  snprintf(name, sizeof name, "%s_%s", key, tern_code_status_name(s));
  if (json_object_set_new(item->facts, name, json_integer(1)) == 0) return 0;
  return tern_fail(e, TERN_FAILED, "item %zu: out of memory", item->document->id);
}

static int finish_evalplus(tern_code *code, int ticket, tern_scored *item, tern_error *e) {
  tern_code_verdict v;
  if (tern_code_wait(code, ticket, &v, e) != 0) return (int)e->status;
  bool base = v.base == TERN_CODE_PASS, plus = base && v.plus == TERN_CODE_PASS;
  int status = tern_scored_set(item, "pass@1_base", json_integer(base), e);
  if (status == 0) status = tern_scored_set(item, "pass@1_plus", json_integer(plus), e);
  if (status == 0) status = set_status(item, "base", v.base, e);
  if (status == 0) status = set_status(item, "plus", v.plus, e);
  return status;
}

static int judge_all(const tern_score_call *c, tern_code *code, tern_scored *items, size_t count, tern_error *e) {
  size_t *rows = calloc(count + 1, sizeof *rows);
  int *tickets = calloc(count + 1, sizeof *tickets), status = 0;
  if (!rows || !tickets) status = tern_fail(e, TERN_FAILED, "task %s: out of memory", c->task->name);
  for (size_t i = 0; status == 0 && i < count; i++) rows[i] = items[i].document->id;
  if (status == 0) status = tern_code_prepare(code, rows, count, e);
  /* A chat's answer has the function in it; else it goes on where the prompt ends. */
  tern_code_form form = c->chat ? TERN_CODE_REPLY : TERN_CODE_COMPLETION;
  for (size_t i = 0; status == 0 && i < count; i++)
    status = tern_code_start(code, rows[i], items[i].filtered, form, &tickets[i], e);
  for (size_t i = 0; status == 0 && i < count; i++) status = finish_evalplus(code, tickets[i], &items[i], e);
  free(rows);
  free(tickets);
  return status;
}

static const char *const evalplus_keys[] = {"min_time_limit", "gt_time_limit_factor", NULL};

static int check_evalplus(const json_t *params, const char *where, tern_error *e) {
  return check_numbers(params, evalplus_keys, where, e);
}

static int score_evalplus(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  tern_code *code = NULL;
  tern_code_rules rules = tern_code_rules_usual;
  char text[120];
  rules.least_s = number(c->params, evalplus_keys[0], rules.least_s);
  rules.factor = number(c->params, evalplus_keys[1], rules.factor);
  snprintf(text, sizeof text, "EvalPlus's rules (26d6d00b), a test's time max(%g s, %g x the canonical solution's)",
           rules.least_s, rules.factor);
  if (tell(c, "evalplus", text, e) != 0) return (int)e->status;
  if (tern_code_open(&code, c->sandbox, c->file, &rules, e) != 0) return (int)e->status;
  int status = judge_all(c, code, items, count, e);
  tern_code_close(code);
  return status;
}

static const char *const plain_keys[] = {"timeout", NULL};

static int check_plain(const json_t *params, const char *where, tern_error *e) {
  return check_numbers(params, plain_keys, where, e);
}

/* lm-eval's: the row's prompt, the answer, the row's test. */
static int start_plain(const tern_score_call *c, const tern_scored *item, int *ticket, tern_error *e) {
  const char *prompt = json_string_value(json_object_get(item->row, "prompt")), *test = item->document->texts.target;
  char *program;
  if (!prompt || !test)
    return tern_fail(e, TERN_FAILED,
                     "item %zu: pass_at_1 needs the row's prompt and the task's "
                     "target, its test",
                     item->document->id);
  if (asprintf(&program, "%s%s\n%s", prompt, item->filtered, test) < 0)
    return tern_fail(e, TERN_FAILED, "item %zu: out of memory", item->document->id);
  int status =
      tern_code_plain_start(c->sandbox, program, number(c->params, plain_keys[0], code_eval_timeout), ticket, e);
  free(program);
  return status;
}

static int score_plain(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  int *tickets = calloc(count + 1, sizeof *tickets);
  if (!tickets) return tern_fail(e, TERN_FAILED, "task %s: out of memory", c->task->name);
  int status = tell(c, "pass_at_1", "code_eval's rules", e);
  for (size_t i = 0; status == 0 && i < count; i++) status = start_plain(c, &items[i], &tickets[i], e);
  for (size_t i = 0; status == 0 && i < count; i++) {
    tern_code_status s = TERN_CODE_LOST;
    status = tern_code_plain_wait(c->sandbox, tickets[i], &s, e);
    if (status == 0) status = tern_scored_set(&items[i], "pass@1", json_integer(s == TERN_CODE_PASS), e);
    if (status == 0) status = set_status(&items[i], "program", s, e);
  }
  free(tickets);
  return status;
}

const tern_metric tern_metric_evalplus = {
    .name = "evalplus",
    .kinds = 1u << TERN_ASK_TEXT,
    .grader = "programs under EvalPlus's tests",
    .figures = {{"pass@1_base", true, tern_sum_mean}, {"pass@1_plus", true, tern_sum_mean}},
    .check = check_evalplus,
    .score = score_evalplus};
const tern_metric tern_metric_pass_at_1 = {.name = "pass_at_1",
                                           .kinds = 1u << TERN_ASK_TEXT,
                                           .grader = "programs with their tests",
                                           .figures = {{"pass@1", true, tern_sum_mean}},
                                           .check = check_plain,
                                           .score = score_plain};
