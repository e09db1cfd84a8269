/* CSV tables: what is read, and what is refused with a clear line. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/csv_read.h"
#include "tests/scratch.h"

static tern_table *parse(const char *text) {
  tern_error e = {0};
  tern_table *t;
  if (tern_table_parse(&t, text, strlen(text), "a.csv", &e)) fail_msg("%s", e.text);
  return t;
}

static void quoted_cells_keep_commas_quotes_and_lines(void **state) {
  (void)state;
  tern_table *t = parse("name,value\n\"a, \"\"b\"\"\nc\",1.5\r\n\nplain,\n");
  assert_int_equal(tern_table_rows(t), 2);
  assert_string_equal(tern_table_get(t, 0, "name"), "a, \"b\"\nc");
  assert_true(tern_table_value(t, 0, "value") == 1.5);
  assert_true(isnan(tern_table_value(t, 1, "value")));
  assert_string_equal(tern_table_get(t, 0, "absent"), "");
  assert_string_equal(tern_table_get(t, 7, "name"), "");
  tern_table_free(t);
}

static void broken_tables_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *says;
  } broken[] = {
      {"", "is empty"},
      {"\n\n", "is empty"},
      {"a,b\n1\n", "row 1 has 1 cells"},
      {"a,b\n1,2\n1,2,3\n", "row 2 has 3 cells"},
      {"a,b\n1,\"2\n3,4\n", "broken CSV quoting"},
      {"a,b\n1,x\"y\n", "broken CSV quoting"},
      {"a,b\n1,\"x\"y\n", "broken CSV quoting"},
  };
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    tern_error e = {0};
    tern_table *t;
    assert_int_equal(tern_table_parse(&t, broken[i].text, strlen(broken[i].text), "a.csv", &e), TERN_FAILED);
    assert_null(t);
    if (!strstr(e.text, broken[i].says) || !strstr(e.text, "a.csv")) fail_msg("%s", e.text);
  }
}

static void cells_with_nul_or_of_great_length_are_refused(void **state) {
  (void)state;
  tern_error e = {0};
  tern_table *t;
  assert_int_equal(tern_table_parse(&t, "a\nx\0y\n", 6, "a.csv", &e), TERN_FAILED);
  size_t size = 200000;
  char *text = malloc(size);
  memset(text, 'x', size);
  memcpy(text, "a\n", 2);
  e = (tern_error){0};
  assert_int_equal(tern_table_parse(&t, text, size, "a.csv", &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "longer than"));
  memset(text, ',', size);
  e = (tern_error){0};
  assert_int_equal(tern_table_parse(&t, text, size, "a.csv", &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "columns"));
  free(text);
}

static void words_are_no_numbers(void **state) {
  (void)state;
  tern_table *t = parse("v\nN/A\n1e5\nnan\n12x\n");
  tern_error e = {0};
  double v;
  assert_int_equal(tern_table_real(t, 0, 0, &v, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "row 1, column v"));
  assert_int_equal(tern_table_real(t, 1, 0, &v, &e), 0);
  assert_true(v == 1e5);
  assert_int_equal(tern_table_real(t, 2, 0, &v, &e), TERN_FAILED);
  assert_int_equal(tern_table_real(t, 3, 0, &v, &e), TERN_FAILED);
  assert_true(isnan(tern_table_value(t, 0, "v")));
  tern_table_free(t);
}

static void growing_file_keeps_its_whole_rows(void **state) {
  (void)state;
  char dir[512], path[600];
  tern_error e = {0};
  tern_table *t;
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "samples.csv", "a,b\n1,2\n3,4\n5");
  strcat(strcpy(path, dir), "/samples.csv");
  assert_int_equal(tern_table_read(&t, path, true, &e), 0);
  assert_int_equal(tern_table_rows(t), 2);
  tern_table_free(t);
  assert_int_equal(tern_table_read(&t, path, false, &e), TERN_FAILED);
  scratch_remove(dir);
}

static void rows_are_found_by_their_cells(void **state) {
  (void)state;
  tern_table *t = parse("engine,cpu,v\nllama.cpp (fp16),i7,1\nbitnet.cpp I2_S,i7,2\nbitnet.cpp TL2,m2,3\n");
  assert_int_equal(tern_table_find(t, 0, (const char *const[]){"engine", "bitnet.cpp*", NULL}), 1);
  assert_int_equal(tern_table_find(t, 2, (const char *const[]){"engine", "bitnet.cpp*", NULL}), 2);
  assert_int_equal(tern_table_find(t, 0, (const char *const[]){"engine", "bitnet.cpp*", "cpu", "m2", NULL}), 2);
  assert_int_equal(tern_table_find(t, 0, (const char *const[]){"engine", "bitnet.cpp", NULL}), -1);
  tern_table_free(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(quoted_cells_keep_commas_quotes_and_lines),
      cmocka_unit_test(broken_tables_are_refused),
      cmocka_unit_test(cells_with_nul_or_of_great_length_are_refused),
      cmocka_unit_test(words_are_no_numbers),
      cmocka_unit_test(growing_file_keeps_its_whole_rows),
      cmocka_unit_test(rows_are_found_by_their_cells),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
