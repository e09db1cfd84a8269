/* Templates: fields, braces, functions as Python has them, and messages that
 * name file, key and what is there instead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/template.h"
#include "tests/scratch.h"

static char dir[256];
static tern_rows *rows;

static int open_rows(void **state) {
  char path[512];
  tern_error e = {0};
  (void)state;
  scratch_make(dir, sizeof dir);
  scratch_file(
      dir, "rows.jsonl",
      "{\"q\": \" Why? \", \"n\": 3, \"half\": 0.5, \"big\": 1e22, \"yes\": true, \"no\": null, \"list\": [\"one\", "
      "\"two\", 3], \"deep\": {\"er\": [{\"text\": \"found\"}]}, \"s\": \"Tom and _ went; _ came\", \"h\": \" a "
      "[title] b [x]  c[y] \", \"g\": \"\\u00c4RGER \\u01c6\", \"Best Answer\": \"spaced name\", \"empty\": \"\", "
      "\"nul\": \"a\\u0000b\"}\n{\"q\": \"second\"}\n");
  snprintf(path, sizeof path, "%s/rows.jsonl", dir);
  if (tern_rows_read(&rows, path, &e) != 0) fail_msg("%s", e.text);
  return 0;
}

static int close_rows(void **state) {
  (void)state;
  tern_rows_close(rows);
  scratch_remove(dir);
  return 0;
}

/* The text that a template gives for a row, or its error. */
static void fill(const char *text, size_t row, const json_t *more, bool good, const char *want) {
  tern_template *t = NULL;
  tern_error e = {0};
  char *out = NULL;
  int status = tern_template_open(&t, text, "own.json: prompt", &e);
  if (status == 0) status = tern_template_fill(t, rows, row, more, &out, &e);
  tern_template_close(t);
  if (good) {
    if (status != 0) fail_msg("%s: %s", text, e.text);
    assert_string_equal(out, want);
  } else {
    assert_int_equal(status, TERN_FAILED);
    assert_null(out);
    if (strstr(e.text, want) == NULL) fail_msg("%s: \"%s\" is not in: %s", text, want, e.text);
  }
  free(out);
}

static void fields_stand_for_values_as_python_prints_them(void **state) {
  (void)state;
  fill("plain", 0, NULL, true, "plain");
  fill("", 0, NULL, true, "");
  fill("Q:{q}\nA:", 0, NULL, true, "Q: Why? \nA:");
  fill("{n} {half} {big} {yes} {no}", 0, NULL, true, "3 0.5 1e+22 True None");
  fill("{list.0}{list.-1}", 0, NULL, true, "one3");
  fill("{deep.er.0.text}", 0, NULL, true, "found");
  fill("{Best Answer}", 0, NULL, true, "spaced name");
  fill("{{{q}}} and }} {{", 0, NULL, true, "{ Why? } and } {");
}

static void given_fields_come_before_the_rows_own(void **state) {
  json_t *more = json_pack("{s:s, s:{s:s}}", "q", "given", "item", "text", "inner");
  (void)state;
  fill("{q} {item.text} {n}", 0, more, true, "given inner 3");
  fill("{item.label}", 0, more, false, "no \"label\" in item.label");
  json_decref(more);
}

static void functions_do_what_pythons_do(void **state) {
  (void)state;
  fill("{q|strip}", 0, NULL, true, "Why?");
  fill("{g|lower}", 0, NULL, true, "\xc3\xa4rger \xc7\x86");
  fill("{g|capitalize}", 0, NULL, true, "\xc3\x84rger \xc7\x86");
  fill("{empty|capitalize}{empty|strip}", 0, NULL, true, "");
  fill("{s|before:_}|{s|after:_}", 0, NULL, true, "Tom and | went; _ came");
  fill("{s|replace:_:Eve}", 0, NULL, true, "Tom and Eve went; Eve came");
  fill("{s|replace:and:&|spaced}", 0, NULL, true, "Tom &   went;   came");
  fill("{h|strip|replace: [title]:. |delete:\\[.*?\\]|replace:  : }", 0, NULL, true, "a. b  c");
  fill("{list|letters}", 0, NULL, true, "A. one\nB. two\nC. 3");
  fill("{list|join: \\| |strip}", 0, NULL, true, "one | two | 3");
}

static void escapes_give_signs_and_leave_regular_expressions_alone(void **state) {
  (void)state;
  fill("{s|replace:_:\\:\\|\\}\\\\}", 0, NULL, true, "Tom and :|}\\ went; :|}\\ came");
  fill("{s|delete:\\s+}", 0, NULL, true, "Tomand_went;_came");
  fill("{s|delete:o{0,1\\}}", 0, NULL, true, "Tm and _ went; _ came");
  fill("{s|replace: :\\n|before:went}", 0, NULL, true, "Tom\nand\n_\n");
}

static void a_missing_value_is_named_with_line_and_place(void **state) {
  (void)state;
  fill("{nosuch}", 0, NULL, false, "rows.jsonl: line 1: no \"nosuch\"; there is: q, n");
  fill("{nosuch}", 1, NULL, false, "there is: q (own.json: prompt)");
  fill("{n}", 1, NULL, false, "rows.jsonl: line 2: no \"n\"");
  fill("{list}", 0, NULL, false, "\"list\" is a list, not text");
  fill("{deep}", 0, NULL, false, "own.json: prompt");
  fill("{q|letters}", 0, NULL, false, "letters needs");
  fill("{q|before:zzz}", 0, NULL, false, "before: no \"zzz\" in \" Why? \"");
  fill("{nul}", 0, NULL, false, "NUL");
}

static void a_wrong_template_is_refused_before_any_row(void **state) {
  (void)state;
  fill("{q", 0, NULL, false, "own.json: prompt: \"{q\" has no closing brace");
  fill("q}", 0, NULL, false, "a brace itself is written }}");
  fill("{}", 0, NULL, false, "names no field");
  fill("{q|upper}", 0, NULL, false, "unknown function \"upper\"; there are strip, lower");
  fill("{q|strip:x}", 0, NULL, false, "strip takes no arguments");
  fill("{q|replace:x}", 0, NULL, false, "replace takes 2 arguments");
  fill("{q|before:}", 0, NULL, false, "an empty text");
  fill("{q|delete:[}", 0, NULL, false, "no regular expression");
  fill("{q|strip|join:, }", 0, NULL, false, "must come first");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fields_stand_for_values_as_python_prints_them),
      cmocka_unit_test(given_fields_come_before_the_rows_own),
      cmocka_unit_test(functions_do_what_pythons_do),
      cmocka_unit_test(escapes_give_signs_and_leave_regular_expressions_alone),
      cmocka_unit_test(a_missing_value_is_named_with_line_and_place),
      cmocka_unit_test(a_wrong_template_is_refused_before_any_row),
  };
  return cmocka_run_group_tests(tests, open_rows, close_rows);
}
