/* WikiText as lm-eval has it: pages, the words and bytes that perplexities are
 * divided by, and the text that is scored (its hash: check_eval_prompts). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/eval/pages.h"
#include "tests/scratch.h"

static char dir[256];

static int make_dir(void **state) {
  (void)state;
  scratch_make(dir, sizeof dir);
  return 0;
}

static int drop_dir(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static void pages_begin_at_headings_of_the_first_level(void **state) {
  char path[512];
  tern_rows *rows = NULL;
  tern_error e = {0};
  (void)state;
  /* a formula's line begins one, too, and the blank lines before the first are none */
  scratch_file(dir, "wiki.txt",
               " \n = One = \n \n Text . \n = = Part = = \n More .\n = a = b = \n = Two = \n tail \n\n");
  snprintf(path, sizeof path, "%s/wiki.txt", dir);
  if (tern_pages_read(&rows, path, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(tern_rows_count(rows), 3);
  assert_string_equal(tern_rows_text(rows, 0, "page", &e), " = One = \n \n Text . \n = = Part = = \n More .");
  assert_string_equal(tern_rows_text(rows, 1, "page", &e), " = a = b = ");
  assert_string_equal(tern_rows_text(rows, 2, "page", &e), " = Two = \n tail \n\n");
  assert_int_equal(tern_rows_line(rows, 0), 2);
  assert_int_equal(tern_rows_line(rows, 2), 8);
  tern_rows_close(rows);
}

static void the_test_file_has_62_pages_and_the_published_words_and_bytes(void **state) {
  const char *shared = getenv("TERN_SHARED");
  char path[512];
  tern_rows *rows = NULL;
  tern_error e = {0};
  size_t words = 0, bytes = 0;
  (void)state;
  snprintf(path, sizeof path, "%s/data/wikitext2/wiki.test.raw.gz", shared ? shared : "../shared");
  if (access(path, R_OK) != 0) {
    print_message("no %s (TERN_SHARED)\n", path);
    skip();
  }
  if (tern_pages_read(&rows, path, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(tern_rows_count(rows), 62);
  for (size_t i = 0; i < tern_rows_count(rows); i++) {
    const char *page = tern_rows_text(rows, i, "page", &e);
    words += tern_wikitext_words(page);
    bytes += strlen(page);
  }
  assert_int_equal(words, 241335);
  assert_int_equal(bytes, 1290527);
  tern_rows_close(rows);
}

static void marks_of_tokenisation_go_as_there(void **state) {
  static const struct {
    const char *page, *want;
  } cases[] = {
      {"a @-@ b @,@ c @.@ d", "a-b,c.d"},
      {"it : so ; and . no ! yes ? well , end", "it: so; and. no! yes? well, end"},
      {"( a ( b ) [ c ] { d\n}", "(a ( b) [c] {d}"},
      {"say \" hm \" and ' so ' on \" open", "say \"hm\" and'so' on \" open"},
      {"()( )(\t x)", "()()(x)"},
      {"the dogs ' tails , it 's \n = = A = = \n = = = B = = = \n", "the dogs'tails, it's\n== A ==\n=== B ===\n"},
      {"5 \xc2\xb0 N of / ' 7/", "5\xc2\xb0N of / ' 7/"},
      {"x / ' 7/ /' 7/", "x / '7/ /'[0-9]/"},
      {"", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e = {0};
    char *have = tern_wikitext_detokenize(cases[i].page, &e);
    assert_non_null(have);
    assert_string_equal(have, cases[i].want);
    free(have);
  }
}

static void words_are_pieces_between_white_space_empty_ones_too(void **state) {
  (void)state;
  assert_int_equal(tern_wikitext_words(""), 1);
  assert_int_equal(tern_wikitext_words(" a  b\n"), 4);
  assert_int_equal(tern_wikitext_words("a\xc2\xa0"
                                       "b"),
                   2);
}

static void what_is_no_text_is_refused(void **state) {
  char path[512];
  tern_rows *rows = NULL;
  tern_error e = {0};
  (void)state;
  scratch_file(dir, "bad.txt", " = A = \n\xff\n");
  snprintf(path, sizeof path, "%s/bad.txt", dir);
  assert_int_equal(tern_pages_read(&rows, path, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "bad.txt: is no text"));
  assert_int_equal(tern_pages_read(&rows, "/nowhere/wiki.txt", &e), TERN_FAILED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pages_begin_at_headings_of_the_first_level),
      cmocka_unit_test(the_test_file_has_62_pages_and_the_published_words_and_bytes),
      cmocka_unit_test(marks_of_tokenisation_go_as_there),
      cmocka_unit_test(words_are_pieces_between_white_space_empty_ones_too),
      cmocka_unit_test(what_is_no_text_is_refused),
  };
  return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
