/* The journal: cut anywhere it goes on to the same items; a full disk leaves
 * whole lines; another run's, another program's and a damaged file are refused. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "harness/eval/journal.h"
#include "tests/scratch.h"

enum { ITEMS = 7 };
static char folder[256], path[300];

static json_t *head_of(const char *model) {
  return json_pack("{s:s, s:{s:i, s:f}}", "model", model, "options", "limit", 7, "share", 0.1);
}

/* Items are ended in an order that is not that of their ids. */
static size_t id_of(size_t i) {
  return (i * 3) % ITEMS;
}

static json_t *item_of(size_t id) {
  return json_pack("{s:s, s:[[s, f, b]], s:s}", "prompt", "ab12", "replies", "-0x1.8p+1", -3.0 / (double)(id + 1),
                   (int)(id % 2), "text", id == 3 ? "two\nlines, \"q\" \xc3\xa9" : "");
}

static tern_journal *opened(const char *model) {
  tern_journal *j = NULL;
  tern_error e = {0};
  json_t *head = head_of(model);
  if (tern_journal_open(&j, path, head, &e) != 0) fail_msg("%s", e.text);
  json_decref(head);
  return j;
}

static void close_journal(tern_journal *j) {
  tern_error e = {0};
  if (tern_journal_close(j, &e) != 0) fail_msg("%s", e.text);
}

static int add(tern_journal *j, size_t id, tern_error *e) {
  json_t *item = item_of(id);
  int status = tern_journal_add(j, "arc", id, item, e);
  json_decref(item);
  return status;
}

static void add_missing(tern_journal *j) {
  tern_error e = {0};
  for (size_t i = 0; i < ITEMS; i++) {
    if (tern_journal_item(j, "arc", id_of(i)) == NULL && add(j, id_of(i), &e) != 0) fail_msg("%s", e.text);
  }
}

static void expect_all(void) {
  tern_journal *j = NULL;
  tern_error e = {0};
  if (tern_journal_read(&j, path, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(tern_journal_count(j, NULL), ITEMS);
  for (size_t id = 0; id < ITEMS; id++) {
    json_t *want = item_of(id);
    assert_true(json_equal(want, tern_journal_item(j, "arc", id)));
    json_decref(want);
  }
  assert_null(tern_journal_item(j, "arc", ITEMS));
  assert_null(tern_journal_item(j, "other", 0));
  close_journal(j);
}

static char *written(size_t *size) {
  remove(path);
  tern_journal *j = opened("m");
  add_missing(j);
  close_journal(j);
  char *text = scratch_read(folder, "journal.jsonl");
  assert_non_null(text);
  *size = strlen(text);
  return text;
}

static void put(const char *text, size_t size) {
  FILE *to = fopen(path, "w");
  assert_non_null(to);
  assert_int_equal(fwrite(text, 1, size, to), size);
  assert_int_equal(fclose(to), 0);
}

/* Whether opening is refused with these words, and the file left alone. */
static void refused(const char *words) {
  tern_journal *j = NULL;
  tern_error e = {0};
  json_t *head = head_of("m");
  char *before = scratch_read(folder, "journal.jsonl");
  assert_int_equal(tern_journal_open(&j, path, head, &e), TERN_FAILED);
  if (strstr(e.text, words) == NULL) fail_msg("%s", e.text);
  assert_null(j);
  char *after = scratch_read(folder, "journal.jsonl");
  assert_string_equal(before, after);
  free(before);
  free(after);
  json_decref(head);
}

static void cut_at_every_byte_it_goes_on_to_the_same_items(void **state) {
  (void)state;
  size_t size;
  char *text = written(&size);
  for (size_t cut = 0; cut <= size; cut++) {
    put(text, cut);
    tern_journal *j = opened("m");
    size_t whole = 0;
    for (size_t i = 0; i < cut; i++) whole += text[i] == '\n';
    assert_int_equal(tern_journal_count(j, "arc"), whole > 0 ? whole - 1 : 0);
    add_missing(j);
    close_journal(j);
    expect_all();
    char *again = scratch_read(folder, "journal.jsonl");
    assert_string_equal(again, text);
    free(again);
  }
  free(text);
}

static void a_full_disk_keeps_whole_lines_and_goes_on_later(void **state) {
  (void)state;
  size_t size;
  char *text = written(&size);
  struct rlimit old, small;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  for (size_t limit = 60; limit < size; limit += 41) {
    put(text, 0);
    tern_error e = {0};
    tern_journal *j = NULL;
    json_t *head = head_of("m");
    small = (struct rlimit){limit, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int status = tern_journal_open(&j, path, head, &e);
    for (size_t i = 0; i < ITEMS && status == 0; i++) status = add(j, id_of(i), &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(status, TERN_FAILED);
    if (strstr(e.text, path) == NULL || strstr(e.text, strerror(EFBIG)) == NULL || strstr(e.text, "make room") == NULL)
      fail_msg("%s", e.text);
    char *left = scratch_read(folder, "journal.jsonl");
    size_t n = strlen(left);
    assert_true(n <= limit && memcmp(left, text, n) == 0 && (n == 0 || left[n - 1] == '\n'));
    free(left);
    if (j == NULL) j = opened("m");
    add_missing(j);
    close_journal(j);
    expect_all();
    json_decref(head);
  }
  free(text);
}

static void another_run_s_journal_is_refused_by_what_differs(void **state) {
  (void)state;
  size_t size;
  free(written(&size));
  remove(path);
  close_journal(opened("other"));
  refused("model was \"other\", is \"m\"");
}

static void other_files_and_damaged_lines_are_refused(void **state) {
  (void)state;
  size_t size;
  char *text = written(&size), *second = strchr(text, '\n') + 1;
  put("not ours", 8);
  refused("no eval journal");
  put("{\"a\": 1}\n", 9);
  refused("no eval journal");
  second[1] = '?';
  put(text, size);
  refused("line 2: ");
  free(text);
  text = written(&size);
  char *third = strchr(strchr(text, '\n') + 1, '\n') + 1;
  char *line = strndup(third, strcspn(third, "\n") + 1), *doubled = NULL;
  *strstr(line, "ab12") = 'z';
  assert_true(asprintf(&doubled, "%s%s", text, line) > 0);
  put(doubled, strlen(doubled));
  refused("item 3 is there twice");
  free(doubled);
  free(line);
  free(text);
}

static void two_runs_at_once_are_refused(void **state) {
  (void)state;
  remove(path);
  tern_journal *j = opened("m");
  refused("another run is writing");
  close_journal(j);
}

static int make_folder(void **state) {
  (void)state;
  scratch_make(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/journal.jsonl", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  scratch_remove(folder);
  return 0;
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(cut_at_every_byte_it_goes_on_to_the_same_items),
      cmocka_unit_test(a_full_disk_keeps_whole_lines_and_goes_on_later),
      cmocka_unit_test(another_run_s_journal_is_refused_by_what_differs),
      cmocka_unit_test(other_files_and_damaged_lines_are_refused),
      cmocka_unit_test(two_runs_at_once_are_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
