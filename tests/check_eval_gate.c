/* Verdicts of the gate on made runs: bits where bits are expected, figures where
 * not; its reports; and our items beside lm-eval's own samples. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/gate.h"
#include "harness/eval/items.h"
#include "harness/eval/parity.h"
#include "tests/scratch.h"

enum { ITEMS = 400 };
static const double MARGIN = 0.01;

/* A run of one task with every second item right, on KV cache `kv`. */
static json_t *run_of(const char *kv) {
  json_t *items = json_array();
  for (int i = 0; i < ITEMS; i++) {
    json_array_append_new(items, json_pack("{s:i, s:s, s:s, s:s, s:[f, f], s:[b, b], s:{s:f}}", "id", i, "doc", "d",
                                           "asked", "a", "target", "0", "lls", -1.0 - i, -2.5, "greedy", 0, 1,
                                           "figures", "acc,none", (double)(i % 2)));
  }
  return json_pack("{s:i, s:{s:s, s:s, s:{s:i}}, s:{s:o}}", "ternmark_baseline", 1, "run", "kv", kv, "revision", kv,
                   "options", "limit", 0, "tasks", "arc", items);
}

static json_t *item_of(json_t *run, size_t i) {
  return json_array_get(json_object_get(json_object_get(run, "tasks"), "arc"), i);
}

/* Turns `count` right items wrong, or the other way round. */
static void turn(json_t *run, size_t count, bool to_right) {
  for (size_t i = to_right ? 0 : 1; count > 0; i += 2, count--)
    json_object_set_new(json_object_get(item_of(run, i), "figures"), "acc,none", json_real(to_right));
}

static tern_gate_verdict verdict(const json_t *before, const json_t *now, bool exact, size_t changed) {
  tern_gate g;
  tern_error e = {0};
  if (tern_gate_find(&g, before, now, MARGIN, &e) != 0) fail_msg("%s", e.text);
  tern_gate_verdict v = g.verdict;
  assert_int_equal(g.exact, exact);
  assert_int_equal(g.changes.item_count, changed);
  assert_int_equal(g.changes.compared, ITEMS);
  tern_gate_close(&g);
  return v;
}

static void one_changed_bit_is_a_regression_where_bits_must_be_equal(void **state) {
  (void)state;
  json_t *before = run_of("f32"), *now = run_of("f32");
  json_object_set_new(json_object_get(now, "run"), "revision", json_string("another"));
  assert_int_equal(verdict(before, now, true, 0), TERN_GATE_PASS);
  json_array_set_new(json_object_get(item_of(now, 7), "lls"), 1, json_real(nextafter(-2.5, 0)));
  assert_int_equal(verdict(before, now, true, 1), TERN_GATE_REGRESSION);
  json_decref(now);
  now = run_of("int8");
  json_array_set_new(json_object_get(item_of(now, 7), "lls"), 1, json_real(nextafter(-2.5, 0)));
  assert_int_equal(verdict(before, now, false, 1), TERN_GATE_PASS);
  json_decref(before);
  json_decref(now);
}

static void figures_decide_where_other_bits_are_expected(void **state) {
  (void)state;
  static const struct {
    size_t won, lost;
    tern_gate_verdict verdict;
  } cases[] = {{0, 0, TERN_GATE_PASS},      {0, 12, TERN_GATE_REGRESSION}, {3, 4, TERN_GATE_UNDECIDED},
               {0, 4, TERN_GATE_UNDECIDED}, {12, 0, TERN_GATE_PASS},       {60, 100, TERN_GATE_REGRESSION},
               {2, 0, TERN_GATE_PASS}};
  json_t *before = run_of("f32");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    json_t *now = run_of("int8");
    turn(now, cases[i].won, true);
    turn(now, cases[i].lost, false);
    tern_gate_verdict v = verdict(before, now, false, cases[i].won + cases[i].lost);
    if (v != cases[i].verdict) fail_msg("case %zu: %s", i, tern_gate_word(v));
    json_decref(now);
  }
  json_decref(before);
}

static void other_items_are_no_comparison(void **state) {
  (void)state;
  static const struct {
    const char *key, *words;
  } cases[] = {{"asked", "item 5: another prompt"}, {"doc", "item 5: another row"}};
  json_t *before = run_of("f32");
  tern_gate g;
  for (size_t i = 0; i < 2; i++) {
    tern_error e = {0};
    json_t *now = run_of("f32");
    json_object_set_new(item_of(now, 5), cases[i].key, json_string("other"));
    assert_int_equal(tern_gate_find(&g, before, now, MARGIN, &e), TERN_FAILED);
    if (strstr(e.text, cases[i].words) == NULL) fail_msg("%s", e.text);
    json_decref(now);
  }
  tern_error e = {0};
  json_t *now = run_of("f32");
  json_array_remove(json_object_get(json_object_get(now, "tasks"), "arc"), 0);
  assert_int_equal(tern_gate_find(&g, before, now, MARGIN, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "400 items before, 399 now"));
  json_decref(now);
  json_decref(before);
}

static char *written(const tern_gate *g, void (*write)(const tern_gate *, FILE *)) {
  char *text = NULL;
  size_t size;
  FILE *to = open_memstream(&text, &size);
  assert_non_null(to);
  write(g, to);
  assert_int_equal(fclose(to), 0);
  return text;
}

static void has(char *text, const char *part) {
  if (strstr(text, part) == NULL) fail_msg("%s\nnot in\n%s", part, text);
}

static void reports_name_the_items_and_escape_their_texts(void **state) {
  (void)state;
  json_t *before = run_of("f32"), *now = run_of("f32");
  tern_gate g;
  tern_error e = {0};
  json_object_set_new(item_of(now, 9), "text", json_pack("[s]", "a<b>|c\n\x01\"&\xc3\xa9"));
  json_object_set_new(item_of(before, 9), "text", json_pack("[s]", "x"));
  turn(now, 5, false);
  if (tern_gate_find(&g, before, now, MARGIN, &e) != 0) fail_msg("%s", e.text);
  char *junit = written(&g, tern_gate_junit), *page = written(&g, tern_gate_markdown),
       *text = written(&g, tern_gate_text);
  has(junit, "<testsuite name=\"arc\" tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\">");
  has(junit, "<failure message=\"REGRESSION: 0.5 before, 0.4875 now; difference -0.0125");
  has(junit, "a&lt;b&gt;|c  &quot;&amp;\xc3\xa9");
  assert_null(strchr(junit, '\x01'));
  has(page, "**REGRESSION: 400 items compared to the bit, 5 changed**");
  has(page, "`arc` 9: acc,none 1.0 -> 0.0; text x -> a&lt;b>\\|c\\n");
  has(page, "| arc | acc,none | 400 | 50.00 | 48.75 | -1.25 |");
  has(text, "gate: REGRESSION");
  free(junit);
  free(page);
  free(text);
  tern_gate_close(&g);
  json_decref(before);
  json_decref(now);
}

static void lm_eval_s_samples_are_read_and_compared(void **state) {
  (void)state;
  static const char source[] = TERN_FIXTURES "/eval-lm-eval/lm_samples_";
  static const struct {
    const char *task;
    size_t items, scores, texts, decisions;
  } tasks[] = {{"pick", 40, 168, 0, 160}, {"sum", 24, 0, 24, 48}, {"pages", 5, 5, 0, 15}};
  for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++) {
    char path[600];
    json_t *theirs = NULL, *ours = NULL;
    tern_parity *rows;
    size_t count;
    tern_error e = {0};
    snprintf(path, sizeof path, "%s%s.jsonl", source, tasks[i].task);
    if (tern_items_load(&theirs, path, &e) != 0 || tern_items_load(&ours, path, &e) != 0) fail_msg("%s", e.text);
    if (tern_parity_find(&rows, &count, theirs, ours, 1e-4, &e) != 0) fail_msg("%s", e.text);
    assert_int_equal(count, 1);
    assert_true(tern_parity_holds(rows));
    assert_int_equal(rows->items, tasks[i].items);
    assert_int_equal(rows->prompts, tasks[i].items);
    assert_int_equal(rows->scores, tasks[i].scores);
    assert_int_equal(rows->texts, tasks[i].texts);
    assert_int_equal(rows->decisions, tasks[i].decisions);
    tern_parity_close(rows, count);
    json_t *item = json_array_get(json_object_iter_value(json_object_iter(json_object_get(ours, "tasks"))), 3);
    if (tasks[i].texts > 0) {
      json_object_set_new(item, "text", json_pack("[s]", "other"));
    } else {
      json_t *lls = json_object_get(item, "lls");
      json_array_set_new(lls, 0, json_real(json_number_value(json_array_get(lls, 0)) + 2e-4));
    }
    if (tern_parity_find(&rows, &count, theirs, ours, 1e-4, &e) != 0) fail_msg("%s", e.text);
    assert_false(tern_parity_holds(rows));
    assert_int_equal(rows->beyond + rows->other, 1);
    tern_parity_close(rows, count);
    json_decref(theirs);
    json_decref(ours);
  }
}

static void broken_files_are_refused_by_name_and_line(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *words;
  } cases[] = {{"a.jsonl", "{\"doc_id\": 0}\n", "line 1: no sample"},
               {"b.jsonl", "{\n", "line 1: "},
               {"c.json", "{\"tasks\": {}}", "no baseline"},
               {"d.json", "[1", "d.json: line 1"}};
  char folder[256], path[300];
  scratch_make(folder, sizeof folder);
  for (size_t i = 0; i <= sizeof cases / sizeof *cases; i++) {
    json_t *run = NULL;
    tern_error e = {0};
    bool whole = i == sizeof cases / sizeof *cases; /* the folder itself: no samples */
    if (!whole) scratch_file(folder, cases[i].name, cases[i].text);
    snprintf(path, sizeof path, "%s/%s", folder, whole ? "" : cases[i].name);
    assert_int_equal(tern_items_load(&run, path, &e), TERN_FAILED);
    if (strstr(e.text, whole ? "no samples_TASK.jsonl" : cases[i].words) == NULL) fail_msg("%s", e.text);
    assert_null(run);
  }
  scratch_remove(folder);
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_changed_bit_is_a_regression_where_bits_must_be_equal),
      cmocka_unit_test(figures_decide_where_other_bits_are_expected),
      cmocka_unit_test(other_items_are_no_comparison),
      cmocka_unit_test(reports_name_the_items_and_escape_their_texts),
      cmocka_unit_test(lm_eval_s_samples_are_read_and_compared),
      cmocka_unit_test(broken_files_are_refused_by_name_and_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
