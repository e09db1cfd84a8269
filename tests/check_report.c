/* The report of a folder: complete, the same every time, made from the folder
 * alone, and a clear line for a folder that is not in order. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/csv_read.h"
#include "reports/report.h"
#include "tests/scratch.h"

static const char *const inputs[] = {"manifest.json", "summary.csv", "samples.csv"};

/* A scratch copy of a fixture's inputs. */
static void copy_fixture(char *dir, int size, const char *fixture) {
  char from[512];
  snprintf(from, sizeof from, "%s/%s", FIXTURES, fixture);
  scratch_make(dir, size);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
    char *text = scratch_read(from, inputs[i]);
    assert_non_null(text);
    scratch_file(dir, inputs[i], text);
    free(text);
  }
}

static void write_report(const char *dir) {
  tern_error e = {0};
  if (tern_report_write(dir, &e)) fail_msg("%s", e.text);
}

static void expect_text(const char *dir, const char *file, const char *const *needles, bool there) {
  char *text = scratch_read(dir, file);
  assert_non_null(text);
  for (; *needles; needles++)
    if ((strstr(text, *needles) != NULL) != there)
      fail_msg("%s: \"%s\" is %s", file, *needles, there ? "missing" : "there");
  free(text);
}

static void report_is_complete(void **state) {
  (void)state;
  static const char *const fixtures[] = {"results-default", "results-few", "results-peers"};
  static const char *const page[] = {"Claims",
                                     "Speed",
                                     "Speed-up",
                                     "Samples over time",
                                     "Memory",
                                     "Energy",
                                     "Published beside measured",
                                     "What a careful reader finds",
                                     "Machine, engines and meters",
                                     "How to read this",
                                     "Synthetic weights",
                                     "AMD EPYC (example)",
                                     "2.37–6.17 x",
                                     "up to 6.25 x",
                                     "0.2577",
                                     "Skipped: f32",
                                     "bitnet.cpp / llama.cpp fp16",
                                     "t2_avx512vnni",
                                     NULL};
  for (size_t f = 0; f < sizeof fixtures / sizeof *fixtures; f++) {
    char dir[512];
    copy_fixture(dir, sizeof dir, fixtures[f]);
    write_report(dir);
    expect_text(dir, "report.html", page, true);
    scratch_remove(dir);
  }
}

static void figures_of_the_folder_are_in_the_report(void **state) {
  (void)state;
  static const char *const forms[] = {"> **Note.** Synthetic weights", "| Engine | Model | Workload |", NULL};
  static const char *const words[] = {"Provisional: ternary/int8, slower than the best known int8 engine",
                                      "no outside engine was measured in this run",
                                      "virtual machine (kvm)",
                                      "46.30 computed",
                                      "42.05 printed, 47.04 computed",
                                      "implies 12.4 times",
                                      "1.54 bits a weight",
                                      "17.45",
                                      "6.58",
                                      "the i7 gains more at 9 of 9 sizes",
                                      "37.8 W",
                                      "holds 6.41 (13B",
                                      NULL};
  char dir[512];
  copy_fixture(dir, sizeof dir, "results-default");
  write_report(dir);
  expect_text(dir, "report.md", forms, true);
  expect_text(dir, "report.md", words, true);
  scratch_remove(dir);
}

static void quick_and_unfinished_runs_are_marked(void **state) {
  (void)state;
  char dir[512];
  copy_fixture(dir, sizeof dir, "results-few");
  write_report(dir);
  expect_text(dir, "report.md", (const char *const[]){"Quick mode", "Fewer than 5 repetitions", NULL}, true);
  expect_text(dir, "report.md", (const char *const[]){"did not finish", NULL}, false);
  scratch_file(dir, "manifest.json", "{\"schema\": 1, \"finished\": false}");
  write_report(dir);
  expect_text(dir, "report.md", (const char *const[]){"did not finish", "an unnamed CPU", NULL}, true);
  scratch_remove(dir);
}

static void same_folder_gives_the_same_bytes(void **state) {
  (void)state;
  static const char *const outputs[] = {"claims.csv", "report.md", "report.html"};
  char one[512], two[512];
  copy_fixture(one, sizeof one, "results-default");
  copy_fixture(two, sizeof two, "results-default");
  write_report(one);
  write_report(two);
  write_report(two);
  for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
    char *a = scratch_read(one, outputs[i]), *b = scratch_read(two, outputs[i]);
    assert_string_equal(a, b);
    free(a);
    free(b);
  }
  scratch_remove(one);
  scratch_remove(two);
}

static void claims_table_has_a_row_a_claim(void **state) {
  (void)state;
  char dir[512], path[600];
  tern_error e = {0};
  tern_table *written, *published;
  copy_fixture(dir, sizeof dir, "results-peers");
  write_report(dir);
  snprintf(path, sizeof path, "%s/claims.csv", dir);
  assert_int_equal(tern_table_read(&written, path, false, &e), 0);
  assert_int_equal(tern_table_published(&published, "claims.csv", &e), 0);
  assert_int_equal(tern_table_rows(written), tern_table_rows(published));
  for (int row = 0; row < tern_table_rows(written); row++) {
    assert_string_equal(tern_table_get(written, row, "id"), tern_table_get(published, row, "id"));
    assert_true(*tern_table_get(written, row, "verdict"));
    /* Empty means not available: no figure without the engine it came from. */
    assert_true(!*tern_table_get(written, row, "ours") == !*tern_table_get(written, row, "ours_how"));
  }
  tern_table_free(written);
  tern_table_free(published);
  scratch_remove(dir);
}

/* A run killed in the middle of a row: everything before it counts. */
static void cut_samples_are_read_up_to_the_last_row(void **state) {
  (void)state;
  char dir[512];
  copy_fixture(dir, sizeof dir, "results-default");
  char *text = scratch_read(dir, "samples.csv");
  text[strlen(text) - 40] = '\0';
  scratch_file(dir, "samples.csv", text);
  free(text);
  write_report(dir);
  scratch_remove(dir);
}

static void folders_not_in_order_get_one_clear_line(void **state) {
  (void)state;
  static const struct {
    const char *file, *text, *says; /* text NULL: the file is missing */
  } broken[] = {
      {"manifest.json", NULL, "manifest.json"},
      {"manifest.json", "", "manifest.json"},
      {"manifest.json", "{\"schema\": 1", "manifest.json: line 1"},
      {"manifest.json", "[1]", "no \"schema\" number"},
      {"manifest.json", "{}", "no \"schema\" number"},
      {"manifest.json", "{\"schema\": 2}", "newer than this program"},
      {"manifest.json", "{\"schema\": 1, \"schema\": 1}", "duplicate"},
      {"summary.csv", NULL, "summary.csv"},
      {"summary.csv", "", "summary.csv"},
      {"summary.csv", "metric,engine\nspeed,f16\n", "no column \"model\""},
      {"summary.csv",
       "metric,engine,model,workload,threads,n,median,low,high,coverage,unit,how,note\n"
       "speed,f16,m,decode-1,1,5,fast,,,,tokens/s,measured,\n",
       "row 1, column median: \"fast\" is no number"},
      {"summary.csv",
       "metric,engine,model,workload,threads,n,median,low,high,coverage,unit,how,note\n"
       "speed,f16,m,decode-1,1.5,5,1,,,,tokens/s,measured,\n",
       "column threads: 1.5 is no count"},
      {"samples.csv", NULL, "samples.csv"},
      {"samples.csv", "sample,block\n0,0\n", "no column"},
      {"samples.csv", "sample,\"block\n0,0\n", "broken CSV quoting"},
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    char dir[512], path[600];
    tern_error e = {0};
    copy_fixture(dir, sizeof dir, "results-few");
    snprintf(path, sizeof path, "%s/%s", dir, broken[i].file);
    if (broken[i].text)
      scratch_file(dir, broken[i].file, broken[i].text);
    else
      remove(path);
    assert_int_equal(tern_report_write(dir, &e), TERN_FAILED);
    if (!strstr(e.text, broken[i].says)) fail_msg("case %zu: %s", i, e.text);
    /* Nothing half-written. */
    assert_null(scratch_read(dir, "report.html"));
    assert_null(scratch_read(dir, "claims.csv"));
    scratch_remove(dir);
  }
  tern_error e = {0};
  assert_int_equal(tern_report_write("/no/such/folder", &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "/no/such/folder"));
}

static void empty_run_still_gives_a_report(void **state) {
  (void)state;
  char dir[512];
  copy_fixture(dir, sizeof dir, "results-few");
  static const char *const tables[] = {"summary.csv", "samples.csv"};
  for (size_t i = 0; i < 2; i++) {
    char *text = scratch_read(dir, tables[i]);
    strchr(text, '\n')[1] = '\0';
    scratch_file(dir, tables[i], text);
    free(text);
  }
  write_report(dir);
  expect_text(dir, "report.md", (const char *const[]){"no model", "2B4T: needs 8.9 GB, 8.0 GB are available", NULL},
              true);
  scratch_remove(dir);
}

static char *captured(int (*print)(const char *, FILE *, tern_error *), const char *dir) {
  char *text = NULL;
  size_t size;
  tern_error e = {0};
  FILE *out = open_memstream(&text, &size);
  assert_non_null(out);
  if (print(dir, out, &e)) fail_msg("%s", e.text);
  fclose(out);
  return text;
}

static void headline_is_ascii_and_ends_with_the_report(void **state) {
  (void)state;
  char dir[512], end[600];
  copy_fixture(dir, sizeof dir, "results-default");
  char *text = captured(tern_report_headline, dir);
  for (const char *s = text; *s; s++) assert_true(*s == '\n' || (*s >= ' ' && *s <= '~'));
  assert_non_null(strstr(text, "speedup_x86"));
  assert_non_null(strstr(text, "ours: inside the published range"));
  assert_non_null(strstr(text, "not testable here: no ARM core"));
  snprintf(end, sizeof end, "report: %s/report.html\n", dir);
  assert_string_equal(text + strlen(text) - strlen(end), end);
  free(text);
  scratch_remove(dir);
}

static void json_holds_summary_and_claims(void **state) {
  (void)state;
  char dir[512];
  copy_fixture(dir, sizeof dir, "results-few");
  char *text = captured(tern_report_json, dir);
  json_t *report = json_loads(text, 0, NULL);
  assert_non_null(report);
  assert_true(json_is_true(json_object_get(report, "quick")));
  assert_int_equal(json_array_size(json_object_get(report, "claims")), 43);
  const json_t *summary = json_object_get(report, "summary");
  assert_true(json_array_size(summary) > 40);
  /* Three repetitions: a median, and null where the interval would be. */
  const json_t *first = json_array_get(summary, 0);
  assert_true(json_is_real(json_object_get(first, "median")));
  assert_true(json_is_null(json_object_get(first, "low")));
  json_decref(report);
  free(text);
  scratch_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(report_is_complete),
      cmocka_unit_test(figures_of_the_folder_are_in_the_report),
      cmocka_unit_test(quick_and_unfinished_runs_are_marked),
      cmocka_unit_test(same_folder_gives_the_same_bytes),
      cmocka_unit_test(claims_table_has_a_row_a_claim),
      cmocka_unit_test(cut_samples_are_read_up_to_the_last_row),
      cmocka_unit_test(folders_not_in_order_get_one_clear_line),
      cmocka_unit_test(empty_run_still_gives_a_report),
      cmocka_unit_test(headline_is_ascii_and_ends_with_the_report),
      cmocka_unit_test(json_holds_summary_and_claims),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
