/* The metrics of MATH: normalised texts natively; what differs as text goes to
 * sympy in the sandbox (Minerva), and every answer to math_verify where that is
 * installed. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/document.h"
#include "harness/eval/grader_lines.h"
#include "harness/eval/math_text.h"
#include "harness/eval/metrics.h"

static const tern_grader sympy = {.name = "mathematics", .item_s = 10, .batch = 64};
static const tern_grader math_verify = {.name = "mathematics", .item_s = 30, .batch = 64};

/* What an item's response is held against; e names the item. */
static const char *solution_of(const tern_scored *item, tern_error *e) {
  const char *text = json_string_value(json_object_get(item->row, "solution"));
  if (text == NULL) tern_fail(e, TERN_FAILED, "item %zu: solution: text was expected", item->document->id);
  return text;
}

/* Normalised texts of both sides; *same: known without sympy. */
static int compare_texts(const tern_minerva *m, const tern_scored *item, json_t **sides, bool *same, tern_error *e) {
  const char *solution = solution_of(item, e);
  char *boxed = solution == NULL ? NULL : tern_math_boxed(solution, e);
  char *gold = boxed == NULL ? NULL : tern_minerva_normal(m, boxed, e);
  char *found = gold == NULL ? NULL : tern_minerva_answer(m, item->filtered, e);
  char *answer = found == NULL ? NULL : tern_minerva_normal(m, found, e);
  int status = answer == NULL ? (int)e->status : 0;
  *same = status == 0 && *answer != '\0' && strcmp(answer, gold) == 0;
  *sides = status == 0 ? json_pack("[s,s]", answer, gold) : NULL;
  if (status == 0 && *sides == NULL) status = tern_fail(e, TERN_FAILED, "item %zu: out of memory", item->document->id);
  free(boxed);
  free(gold);
  free(found);
  free(answer);
  return status;
}

static bool is_true(const json_t *answers, size_t i) {
  return json_is_true(json_object_get(json_array_get(answers, i), "is"));
}

/* A limit ended the program at this question. */
static void tell_ended(tern_scored *item, const json_t *answers, size_t i) {
  if (json_object_get(json_array_get(answers, i), "ended") != NULL)
    json_object_set_new(item->facts, "grader_ended", json_integer(1));
}

/* Versions into the run's facts; the driver's error is ours. */
static int tell_about(const tern_score_call *c, const json_t *about, tern_error *e) {
  const char *problem = json_string_value(json_object_get(about, "error"));
  if (problem != NULL) return tern_fail(e, TERN_FAILED, "minerva_math: %s", problem);
  const char *key;
  json_t *version;
  json_object_foreach(json_object_get(about, "about"), key, version) {
    if (json_is_string(version)) json_object_set(c->facts, key, version);
  }
  return 0;
}

/* sympy reads LaTeX. */
static int ready(tern_sandbox *s, tern_error *e) {
  json_t *asks = json_pack("[{s:[s,s]}]", "same", "1", "1"), *answers = NULL, *about = NULL;
  int status = tern_grader_ask(s, &sympy, asks, &answers, &about, e);
  const char *problem = json_string_value(json_object_get(about, "error"));
  if (status == 0 && problem != NULL) status = tern_fail(e, TERN_FAILED, "%s", problem);
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  return status;
}

/* exact_match: by text, else by sympy. */
static int score_exact(const tern_score_call *c, const tern_minerva *m, tern_scored *items, size_t count,
                       tern_error *e) {
  json_t *asks = json_array(), *answers = NULL, *about = NULL;
  bool *same = calloc(count + 1, sizeof *same);
  int status = asks == NULL || same == NULL ? tern_fail(e, TERN_FAILED, "minerva_math: out of memory") : 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    json_t *sides;
    status = compare_texts(m, &items[i], &sides, &same[i], e);
    if (status == 0 && !same[i]) json_array_append_new(asks, json_pack("{s:O}", "same", sides));
    json_decref(sides);
  }
  if (status == 0) status = tern_grader_ask(c->sandbox, &sympy, asks, &answers, &about, e);
  if (status == 0) status = tell_about(c, about, e);
  for (size_t i = 0, asked = 0; i < count && status == 0; i++) {
    if (!same[i]) tell_ended(&items[i], answers, asked);
    json_object_set_new(items[i].facts, "equal_as_text", json_integer(same[i]));
    status = tern_scored_set(&items[i], "exact_match", json_integer(same[i] || is_true(answers, asked)), e);
    asked += !same[i];
  }
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  free(same);
  return status;
}

static int score_verified(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  json_t *asks = json_array(), *answers = NULL, *about = NULL;
  int status = 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    const char *solution = solution_of(&items[i], e);
    json_t *ask = json_pack("{s:[s,s]}", "verify", solution == NULL ? "" : solution, items[i].filtered);
    if (ask == NULL || solution == NULL) status = tern_fail(e, TERN_FAILED, "item %zu: no text", items[i].document->id);
    json_array_append_new(asks, ask);
  }
  if (status == 0) status = tern_grader_ask(c->sandbox, &math_verify, asks, &answers, &about, e);
  if (status == 0) status = tell_about(c, about, e);
  for (size_t i = 0; i < count && status == 0; i++) {
    tell_ended(&items[i], answers, i);
    status = tern_scored_set(&items[i], "math_verify", json_integer(is_true(answers, i)), e);
  }
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  return status;
}

/* Whether math_verify is there. */
static int has_verify(const tern_score_call *c, bool *there, tern_error *e) {
  char version[64];
  tern_error missing = {0};
  *there = tern_sandbox_python_version(c->sandbox, "math_verify", version, sizeof version, &missing) == 0;
  if (missing.status == TERN_INTERRUPTED) return *e = missing, (int)missing.status;
  const char *text = *there ? version : "skipped: Python's math_verify is not installed";
  json_object_set_new(c->facts, "math_verify", json_string(text));
  return 0;
}

static int score_minerva(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  tern_minerva *m = NULL;
  bool verify = false;
  int status = tern_minerva_open(&m, e);
  if (status == 0) status = score_exact(c, m, items, count, e);
  tern_minerva_close(m);
  if (status == 0) status = has_verify(c, &verify, e);
  return status == 0 && verify ? score_verified(c, items, count, e) : status;
}

static int score_hendrycks(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  int status = 0;
  (void)c;
  for (size_t i = 0; i < count && status == 0; i++) {
    bool same = false;
    const char *solution = solution_of(&items[i], e);
    char *gold = solution == NULL ? NULL : tern_math_boxed(solution, e);
    char *answer = gold == NULL ? NULL : tern_hendrycks_answer(items[i].filtered, e);
    status = answer == NULL ? (int)e->status : tern_hendrycks_same(answer, gold, &same, e);
    if (status == 0) status = tern_scored_set(&items[i], "exact_match", json_integer(same), e);
    free(gold);
    free(answer);
  }
  return status;
}

const tern_metric tern_metric_minerva_math = {
    .name = "minerva_math",
    .kinds = 1u << TERN_ASK_TEXT,
    .grader = "Python's sympy",
    .ready = ready,
    .figures = {{"exact_match", true, tern_sum_mean}, {"math_verify", true, tern_sum_mean}},
    .score = score_minerva};
const tern_metric tern_metric_hendrycks_math = {.name = "hendrycks_math",
                                                .kinds = 1u << TERN_ASK_TEXT,
                                                .figures = {{"exact_match", true, tern_sum_mean}},
                                                .score = score_hendrycks};
