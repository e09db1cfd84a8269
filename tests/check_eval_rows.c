/* Dataset files: every format gives the rows that are in it, staged sets have
 * their published sizes, and a bad file is refused with file, line and reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "harness/eval/rows.h"
#include "tests/scratch.h"

static char dir[256];

static const char *path_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  return path;
}

static tern_rows *read_text(const char *name, const char *text) {
  tern_rows *rows = NULL;
  tern_error e = {0};
  scratch_file(dir, name, text);
  if (tern_rows_read(&rows, path_of(name), &e) != 0) fail_msg("%s", e.text);
  return rows;
}

static void assert_field(const tern_rows *rows, size_t i, const char *path, const char *want) {
  tern_error e = {0};
  const char *have = tern_rows_text(rows, i, path, &e);
  if (have == NULL) fail_msg("%s", e.text);
  assert_string_equal(have, want);
}

static void lines_of_json_keep_order_and_line_numbers_over_empty_ones(void **state) {
  (void)state;
  tern_rows *rows = read_text(
      "a.jsonl", "\xef\xbb\xbf{\"q\":\"one\"}\r\n\n  \n{\"q\":\"zw\\u00f6lf\",\"c\":{\"text\":[\"a\",\"b\"]}}");
  assert_int_equal(tern_rows_count(rows), 2);
  assert_field(rows, 0, "q", "one");
  assert_field(rows, 1, "q", "zw\xc3\xb6lf");
  assert_field(rows, 1, "c.text.0", "a");
  assert_field(rows, 1, "c.text.-1", "b");
  assert_int_equal(tern_rows_line(rows, 1), 4);
  tern_rows_close(rows);
}

static void integers_without_end_are_read_rounded_and_others_stay_integers(void **state) {
  (void)state;
  tern_rows *rows =
      read_text("wide.jsonl", "{\"a\": [123456789012345678901, -98765432109876543210, 5, 0.12345678901234567890,"
                              " 1e-00000000000000000003], \"q\": \"\\\"123456789012345678901\"}");
  tern_error e = {0};
  assert_true(json_real_value(tern_rows_field(rows, 0, "a.0", &e)) == 123456789012345678901.0);
  assert_true(json_real_value(tern_rows_field(rows, 0, "a.1", &e)) == -98765432109876543210.0);
  assert_true(json_is_integer(tern_rows_field(rows, 0, "a.2", &e)));
  assert_true(json_real_value(tern_rows_field(rows, 0, "a.3", &e)) == 0.12345678901234567890);
  assert_true(json_real_value(tern_rows_field(rows, 0, "a.4", &e)) == 1e-3);
  assert_field(rows, 0, "q", "\"123456789012345678901");
  tern_rows_close(rows);
}

static void cells_keep_blanks_commas_quotes_and_line_ends(void **state) {
  (void)state;
  tern_rows *rows = read_text("a.csv", "goal,sol,n\n dresser , bobby pin ,7\n\"a, \"\"b\"\"\nc\",,-3\r\n");
  json_int_t n = 0;
  tern_error e = {0};
  assert_int_equal(tern_rows_count(rows), 2);
  assert_field(rows, 0, "goal", " dresser ");
  assert_field(rows, 0, "sol", " bobby pin ");
  assert_field(rows, 1, "goal", "a, \"b\"\nc");
  assert_field(rows, 1, "sol", "");
  assert_int_equal(tern_rows_integer(rows, 1, "n", &n, &e), 0);
  assert_int_equal(n, -3);
  tern_rows_close(rows);
  rows = read_text("a.tsv", "q\ta\n x,y \tz\n");
  assert_field(rows, 0, "q", " x,y ");
  tern_rows_close(rows);
}

static void a_gzip_file_is_the_file_in_it_and_a_cut_one_is_refused(void **state) {
  (void)state;
  tern_rows *rows = NULL;
  tern_error e = {0};
  gzFile file = gzopen(path_of("a.json.gz"), "wb");
  assert_true(gzputs(file, "[{\"q\":\"one\"},{\"q\":\"two\"}]") > 0);
  assert_int_equal(gzclose(file), Z_OK);
  assert_int_equal(tern_rows_read(&rows, path_of("a.json.gz"), &e), 0);
  assert_field(rows, 1, "q", "two");
  tern_rows_close(rows);
  assert_int_equal(truncate(path_of("a.json.gz"), 30), 0);
  assert_int_equal(tern_rows_read(&rows, path_of("a.json.gz"), &e), TERN_FAILED);
  assert_null(rows);
  assert_non_null(strstr(e.text, "damaged or cut gzip data"));
}

static void bad_files_are_refused_with_line_and_reason(void **state) {
  (void)state;
  static const struct {
    const char *name, *text, *says;
  } bad[] = {
      {"b.jsonl", "{\"q\":1}\n{\"q\":\n{}", ": line 2, byte 5: not JSON: "},
      {"b.jsonl", "{\"q\":1}\n[1]\n", ": line 2: not an object"},
      {"b.jsonl", "{\"q\":1}\n\n{\"q\":\"\xff\"}\n", ": line 3: invalid UTF-8 (byte 0xff)"},
      {"b.jsonl", "\n <!DOCTYPE html><html>Not found", ": is an HTML page, not data; fetch it again"},
      {"b.jsonl", "\n\n", ": has no rows"},
      {"b.jsonl", "", ": has no rows"},
      {"b.json", "{\"q\":1}", ": a list of objects was expected"},
      {"b.json", "[{},1]", ": entry 2: not an object"},
      {"b.csv", "a,b\n1,2\n1,2,3\n", ": row 3 has 3 cells, the header 2"},
      {"b.csv", "a,b\n1,2\n\"1,2\n", ": row 3: broken quoting"},
      {"b.csv", "a,b,a\n1,2,3\n", ": the header names \"a\" twice"},
      {"b.csv", "a,b\n", ": has no rows"},
      {"b.parquet", "PAR1", ": unknown kind of dataset; .jsonl, .json, .csv and .tsv are read, also as .gz"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    tern_rows *rows = NULL;
    tern_error e = {0};
    scratch_file(dir, bad[i].name, bad[i].text);
    assert_int_equal(tern_rows_read(&rows, path_of(bad[i].name), &e), TERN_FAILED);
    assert_null(rows);
    if (strstr(e.text, bad[i].says) == NULL || strstr(e.text, bad[i].name) == NULL) fail_msg("%zu: %s", i, e.text);
  }
}

static void missing_and_mistaken_fields_are_named_with_what_is_there(void **state) {
  (void)state;
  tern_rows *rows =
      read_text("a.jsonl", "{\"stem\":\"x\",\"choices\":{\"text\":[\"a\"]},\"n\":\"4x\",\"z\":\"\\u0000\"}\n");
  tern_error e = {0};
  json_int_t n;
  assert_null(tern_rows_text(rows, 0, "question", &e));
  assert_non_null(strstr(e.text, "a.jsonl: line 1: no \"question\"; there is: stem, choices, n, z"));
  assert_null(tern_rows_text(rows, 0, "choices.text.1", &e));
  assert_non_null(strstr(e.text, "no \"1\" in choices.text.1; there is: 1 entries"));
  assert_null(tern_rows_text(rows, 0, "choices.text", &e));
  assert_non_null(strstr(e.text, "\"choices.text\" is a list; text was expected"));
  assert_null(tern_rows_text(rows, 0, "z", &e));
  assert_non_null(strstr(e.text, "\"z\" holds a NUL character"));
  assert_int_equal(tern_rows_integer(rows, 0, "n", &n, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "\"n\" is text; a whole number was expected"));
  tern_rows_close(rows);
}

static void staged_sets_have_their_published_number_of_rows(void **state) {
  (void)state;
  static const struct {
    const char *name, *field;
    size_t rows;
  } sets[] = {
      {"arc_challenge/test.jsonl", "question", 1172},     {"boolq/dev.jsonl.gz", "passage", 3270},
      {"commonsenseqa/dev_rand_split.jsonl", NULL, 1221}, {"gsm8k/test.jsonl", "question", 1319},
      {"gsm8k/train.jsonl.gz", "answer", 7473},           {"hellaswag/hellaswag_val_sample1000.jsonl", "ctx_a", 1000},
      {"humaneval/HumanEval.jsonl.gz", "prompt", 164},    {"ifeval/input_data.jsonl", "prompt", 541},
      {"math500/math500_test.jsonl", "problem", 500},     {"mmlu/mmlu_test.jsonl.gz", "subject", 14042},
      {"mtbench/question.jsonl", "category", 80},         {"triviaqa/llmfoundry_triviaqa_sm_sub.jsonl.gz", NULL, 3000},
      {"truthfulqa/TruthfulQA.csv", "Question", 817},     {"truthfulqa/mc_task.json", "question", 817},
      {"winogrande/dev.jsonl", "sentence", 1267},         {"humanevalplus/HumanEvalPlus.jsonl.gz", "prompt", 164},
  };
  const char *shared = getenv("TERN_SHARED");
  if (shared == NULL) shared = "../shared";
  if (access(shared, R_OK) != 0) skip();
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    char path[4096];
    tern_rows *rows = NULL;
    tern_error e = {0};
    snprintf(path, sizeof path, "%s/data/%s", shared, sets[i].name);
    if (tern_rows_read(&rows, path, &e) != 0) fail_msg("%s", e.text);
    assert_int_equal(tern_rows_count(rows), sets[i].rows);
    for (size_t j = 0; sets[i].field != NULL && j < sets[i].rows; j++) {
      if (tern_rows_text(rows, j, sets[i].field, &e) == NULL) fail_msg("%s", e.text);
    }
    tern_rows_close(rows);
  }
}

static int open_scratch(void **state) {
  (void)state;
  scratch_make(dir, sizeof dir);
  return 0;
}

static int close_scratch(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_of_json_keep_order_and_line_numbers_over_empty_ones),
      cmocka_unit_test(integers_without_end_are_read_rounded_and_others_stay_integers),
      cmocka_unit_test(cells_keep_blanks_commas_quotes_and_line_ends),
      cmocka_unit_test(a_gzip_file_is_the_file_in_it_and_a_cut_one_is_refused),
      cmocka_unit_test(bad_files_are_refused_with_line_and_reason),
      cmocka_unit_test(missing_and_mistaken_fields_are_named_with_what_is_there),
      cmocka_unit_test(staged_sets_have_their_published_number_of_rows),
  };
  return cmocka_run_group_tests(tests, open_scratch, close_scratch);
}
