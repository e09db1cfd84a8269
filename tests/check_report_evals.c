/* Accuracy columns of a report: filled from results of evals where there are
 * some, and nothing invented where there are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "reports/evals.h"
#include "reports/report.h"
#include "tests/scratch.h"

static char folder[512], evals[512];

/* A result folder with inputs alone, and a place for evals. */
static int setup(void **state) {
  static const char *const inputs[] = {"manifest.json", "summary.csv", "samples.csv"};
  (void)state;
  scratch_make(folder, sizeof folder);
  scratch_make(evals, sizeof evals);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
    char *text = scratch_read(FIXTURES "/results-default", inputs[i]);
    assert_non_null(text);
    scratch_file(folder, inputs[i], text);
    free(text);
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(folder);
  scratch_remove(evals);
  return 0;
}

static const char results[] =
    "{\"results\": {\"arc_challenge\": {\"alias\": \"arc_challenge\", \"acc,none\": 0.25, \"acc_stderr,none\": 0.01, "
    "\"acc_norm,none\": 0.4811, \"acc_norm_stderr,none\": 0.0146},"
    "\"mmlu\": {\"acc,none\": 0.5, \"acc_stderr,none\": \"N/A\"}, \"mmlu_anatomy\": {\"acc,none\": 0.75}},"
    "\"group_subtasks\": {\"mmlu\": [\"mmlu_anatomy\", \"mmlu_virology\"]},"
    "\"n-shot\": {\"arc_challenge\": 0, \"mmlu\": 5},"
    "\"n-samples\": {\"arc_challenge\": {\"original\": 1172, \"effective\": 250},"
    "\"mmlu_anatomy\": {\"original\": 135, \"effective\": 135}, \"mmlu_virology\": {\"original\": 166, \"effective\": "
    "166}},"
    "\"config\": {\"model\": \"%s\"}, \"ternmark\": {\"tasks\": {\"arc_challenge\": {\"truncated\": 3}}}}";

static void put_results(const char *name, const char *model) {
  char text[2000];
  snprintf(text, sizeof text, results, model);
  scratch_file(evals, name, text);
}

static void expect_report(const char *words, bool there) {
  char *text = scratch_read(folder, "report.md");
  assert_non_null(text);
  if ((strstr(text, words) != NULL) != there) fail_msg("'%s' is %s", words, there ? "missing" : "there");
  free(text);
}

static void write_report(bool with_evals) {
  tern_error e = {0};
  if (with_evals && tern_evals_gather(evals, folder, &e)) fail_msg("%s", e.text);
  if (tern_report_write(folder, &e)) fail_msg("%s", e.text);
}

static void without_evals_every_model_has_no_weights_here(void **state) {
  (void)state;
  write_report(false);
  expect_report("49.91; no weights here", true);
  expect_report("No evals were given", true);
  expect_report("; here", false);
}

static void figures_of_a_published_model_stand_beside_its_published_ones(void **state) {
  (void)state;
  put_results("results.json", "bitnet-b1.58-2B-4T");
  write_report(true);
  expect_report("49.91; here 48.11 ± 1.46", true); /* acc\\_norm, as published, not acc */
  expect_report("53.17; here 50.00", true);
  expect_report("74.79; not asked here", true);
  expect_report("5.85; a judge outside decides", true);
  expect_report("74.79; no weights here", false);
  expect_report("250 of 1172", true);
  expect_report("| 301 |", true); /* a group's items are its parts' */
  expect_report("3 items cut on the left", true);
  char *csv = scratch_read(folder, "evals.csv");
  assert_null(strstr(csv, "mmlu_anatomy")); /* a part of a group */
  free(csv);
}

static void synthetic_and_strange_models_are_nobodys_figures(void **state) {
  (void)state;
  put_results("a/results.json", "synthetic 2B4T");
  put_results("b/results.json", "mini-ternary");
  write_report(true);
  expect_report("49.91; no weights here", true);
  expect_report("; here", false);
  expect_report("mini-ternary", true);
  expect_report("a/results.json", true);
}

/* As ternmark eval writes them: the file's name says nothing, the file's own does. */
static void models_are_known_by_what_their_file_says(void **state) {
  static const char form[] = "{\"results\": {\"gsm8k\": {\"exact_match,strict-match\": 0.5}}, \"config\": {\"model\": "
                             "\"m.gguf\"}, \"ternmark\": {\"run\": {\"name\": \"%s\", \"synthetic\": %s}, \"tasks\": "
                             "{\"gsm8k\": {\"chat\": \"llama3\"}}}}";
  char text[600];
  (void)state;
  snprintf(text, sizeof text, form, "bitnet2b", "true");
  scratch_file(evals, "results.json", text);
  write_report(true);
  expect_report("58.38; here", false);
  expect_report("synthetic bitnet2b", true);
  snprintf(text, sizeof text, form, "bitnet2b", "false");
  scratch_file(evals, "results.json", text);
  write_report(true);
  expect_report("58.38; here 50.00", true);
  expect_report("0-shot, chat", true);
}

static void what_is_no_result_is_refused_by_name(void **state) {
  tern_error e = {0};
  (void)state;
  assert_int_equal(tern_evals_gather(evals, NULL, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "no results.json"));
  assert_int_equal(tern_evals_gather("/nowhere/at/all", folder, &e), TERN_FAILED);
  scratch_file(evals, "x/results.json", "{\"results\": ");
  assert_int_equal(tern_evals_gather(evals, folder, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "x/results.json"));
  scratch_file(evals, "x/results.json", "[1]");
  assert_int_equal(tern_evals_gather(evals, folder, &e), TERN_FAILED);
  char *csv = scratch_read(folder, "evals.csv");
  assert_null(csv);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(without_evals_every_model_has_no_weights_here, setup, teardown),
      cmocka_unit_test_setup_teardown(figures_of_a_published_model_stand_beside_its_published_ones, setup, teardown),
      cmocka_unit_test_setup_teardown(synthetic_and_strange_models_are_nobodys_figures, setup, teardown),
      cmocka_unit_test_setup_teardown(models_are_known_by_what_their_file_says, setup, teardown),
      cmocka_unit_test_setup_teardown(what_is_no_result_is_refused_by_name, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
