/* Archives as publishers make them and as an attacker would, and the forms that
 * make dataset files of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>

#include "harness/eval/archive.h"
#include "harness/eval/form.h"
#include "tests/scratch.h"

typedef struct fixture {
  char dir[256], path[512], target[512];
  tern_error e;
} fixture;

static int setup(void **state) {
  fixture *f = calloc(1, sizeof *f);
  if (f == NULL) return 1;
  scratch_make(f->dir, sizeof f->dir);
  snprintf(f->path, sizeof f->path, "%s/archive", f->dir);
  snprintf(f->target, sizeof f->target, "%s/made", f->dir);
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  scratch_remove(f->dir);
  free(f);
  return 0;
}

typedef struct entry {
  const char *name, *text;
  int type; /* 0: a file */
} entry;

/* A tar with gzip, or a zip. */
static void pack(const fixture *f, bool zip, const entry *all, size_t n) {
  struct archive *a = archive_write_new();
  if (zip)
    archive_write_set_format_zip(a);
  else
    archive_write_set_format_pax_restricted(a);
  if (!zip) archive_write_add_filter_gzip(a);
  assert_int_equal(archive_write_open_filename(a, f->path), ARCHIVE_OK);
  for (size_t i = 0; i < n; i++) {
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, all[i].name);
    archive_entry_set_filetype(e, all[i].type != 0 ? (unsigned)all[i].type : AE_IFREG);
    archive_entry_set_perm(e, 0644);
    if (all[i].type == AE_IFLNK)
      archive_entry_set_symlink(e, all[i].text);
    else
      archive_entry_set_size(e, (la_int64_t)strlen(all[i].text));
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (all[i].type == 0) archive_write_data(a, all[i].text, strlen(all[i].text));
    archive_entry_free(e);
  }
  assert_int_equal(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
}
#define PACK(f, zip, ...)                                                                                              \
  do {                                                                                                                 \
    const entry all[] = {__VA_ARGS__};                                                                                 \
    pack(f, zip, all, sizeof all / sizeof *all);                                                                       \
  } while (0)

static void members_come_by_pattern_in_order_of_names(void **state) {
  fixture *f = *state;
  for (int zip = 0; zip < 2; zip++) {
    tern_members m;
    PACK(f, zip, {"data/", "", AE_IFDIR}, {"data/b.csv", "two", 0}, {"data/a.csv", "one", 0},
         {"data/x/c.csv", "no", 0});
    assert_int_equal(tern_archive_read(&m, f->path, "data/*.csv", 1000, &f->e), TERN_OK);
    assert_int_equal(m.count, 2);
    assert_string_equal(m.all[0].data, "one");
    assert_string_equal(m.all[1].name, "data/b.csv");
    tern_members_close(&m);
  }
}

static void a_name_that_points_elsewhere_spoils_the_archive(void **state) {
  static const char *const names[] = {"../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "evil\nname", "a//evil"};
  fixture *f = *state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tern_members m;
    PACK(f, false, {"data.csv", "one", 0}, {names[i], "evil", 0});
    assert_int_equal(tern_archive_read(&m, f->path, "data.csv", 1000, &f->e), TERN_FAILED);
    assert_non_null(strstr(f->e.text, "points out of the archive"));
    assert_int_equal(m.count, 0);
  }
}

static void a_link_is_no_file(void **state) {
  fixture *f = *state;
  tern_members m;
  PACK(f, false, {"data.csv", "/etc/passwd", AE_IFLNK});
  assert_int_equal(tern_archive_read(&m, f->path, "data.csv", 1000, &f->e), TERN_FAILED);
  assert_non_null(strstr(f->e.text, "link"));
}

static void what_unpacks_to_too_much_is_left(void **state) {
  fixture *f = *state;
  tern_members m;
  static char zeros[200001];
  memset(zeros, '0', sizeof zeros - 1);
  PACK(f, true, {"a.csv", zeros, 0}, {"b.csv", zeros, 0});
  assert_int_equal(tern_archive_read(&m, f->path, "a.csv", 1000, &f->e), TERN_FAILED);
  assert_non_null(strstr(f->e.text, "1000 bytes, the limit"));
  assert_int_equal(tern_archive_read(&m, f->path, "*.csv", 300000, &f->e), TERN_FAILED); /* together */
  assert_int_equal(tern_archive_read(&m, f->path, "*.csv", 400000, &f->e), TERN_OK);
  tern_members_close(&m);
}

static void damaged_archives_are_refused(void **state) {
  fixture *f = *state;
  tern_members m;
  char *text = malloc(100001);
  unsigned x = 1;
  for (int i = 0; i < 100000; i++) text[i] = (char)('a' + ((x = x * 1103515245 + 12345) >> 16) % 26);
  text[100000] = '\0';
  PACK(f, false, {"a.csv", text, 0});
  assert_int_equal(truncate(f->path, 30000), 0);
  assert_int_equal(tern_archive_read(&m, f->path, "a.csv", 1 << 20, &f->e), TERN_FAILED);
  scratch_file(f->dir, "archive", "<html>no archive");
  assert_int_equal(tern_archive_read(&m, f->path, "a.csv", 1 << 20, &f->e), TERN_FAILED);
  PACK(f, false, {"a.csv", "1", 0});
  assert_int_equal(tern_archive_read(&m, f->path, "b.csv", 1 << 20, &f->e), TERN_FAILED);
  assert_non_null(strstr(f->e.text, "no member 'b.csv'"));
  free(text);
}

/* What a form makes of the file `archive`; free(). NULL and f->e: refused. */
static char *make(fixture *f, const char *form) {
  json_t *tree = json_loads(form, 0, NULL);
  assert_non_null(tree);
  if (tern_form_check(tree, "test", &f->e) != TERN_OK) fail_msg("%s", f->e.text);
  int status = tern_form_apply(tree, f->path, f->target, 10000, &f->e);
  json_decref(tree);
  char *text = scratch_read(f->dir, "made");
  unlink(f->target);
  if (status != TERN_OK) assert_null(text);
  return text;
}

static void makes(fixture *f, const char *form, const char *want) {
  char *text = make(f, form);
  if (text == NULL) fail_msg("%s", f->e.text);
  assert_string_equal(text, want);
  free(text);
}

static void refuses(fixture *f, const char *form, const char *words) {
  assert_null(make(f, form));
  if (strstr(f->e.text, words) == NULL) fail_msg("'%s' does not say '%s'", f->e.text, words);
}

static void rows_are_taken_out_of_rows(void **state) {
  fixture *f = *state;
  scratch_file(f->dir, "archive",
               "{\"doc\": {\"id\": 7, \"q\": \"Q: A: b\\nA:\", \"c\": [\"x\", \"\xc3\xa9\"], \"g\": 1}}\n\n"
               "{\"doc\": {\"id\": 7}}\n"
               "{\"doc\": {\"id\": 8, \"q\": \"Q: c\\nA:\", \"c\": [], \"g\": 0}}");
  makes(f,
        "{\"kind\": \"rows\", \"distinct\": \"doc.id\", \"row\": {\"id\": \"doc.id\", \"q\": {\"of\": \"doc.q\", "
        "\"after\": \"Q: \", \"before\": \"\\nA:\"}, \"all\": \"doc.c\", \"g\": {\"of\": \"doc.g\", \"map\": {\"0\": "
        "\"no\", \"1\": true}}, \"o\": {\"object\": {\"t\": {\"text\": \"B\"}}}}}",
        "{\"id\": 7, \"q\": \"A: b\", \"all\": [\"x\", \"\xc3\xa9\"], \"g\": true, \"o\": {\"t\": \"B\"}}\n"
        "{\"id\": 8, \"q\": \"c\", \"all\": [], \"g\": \"no\", \"o\": {\"t\": \"B\"}}\n");
  makes(f, "{\"kind\": \"rows\", \"distinct\": \"doc.id\", \"value\": \"doc.id\"}", "7\n8\n");
  refuses(f, "{\"kind\": \"rows\", \"row\": {\"x\": \"doc.none\"}}", "row 1 of its source lacks a field");
  scratch_file(f->dir, "archive", "{\"a\": 1}\n{\"a\"");
  refuses(f, "{\"kind\": \"rows\", \"row\": {\"x\": \"a\"}}", "line 2 of its source is no JSON");
}

static void rows_are_taken_out_of_csv_files(void **state) {
  fixture *f = *state;
  PACK(f, false, {"d/two_test.csv", "\"a, \"\"b\"\"\", c ,1\n", 0}, {"d/one_test.csv", "x,y,2\nz,,3", 0});
  makes(f,
        "{\"kind\": \"csv\", \"member\": \"d/*.csv\", \"row\": {\"s\": {\"of\": \"file\", \"before\": \"_test.csv\"}, "
        "\"q\": \"0\", \"c\": {\"list\": [\"1\", \"2\"]}}}",
        "{\"s\": \"one\", \"q\": \"x\", \"c\": [\"y\", \"2\"]}\n{\"s\": \"one\", \"q\": \"z\", \"c\": [\"\", \"3\"]}\n"
        "{\"s\": \"two\", \"q\": \"a, \\\"b\\\"\", \"c\": [\" c \", \"1\"]}\n");
  refuses(f, "{\"kind\": \"csv\", \"member\": \"d/*.csv\", \"row\": {\"q\": \"3\"}}", "lacks a field");
  PACK(f, false, {"d/a.csv", "\"open", 0});
  refuses(f, "{\"kind\": \"csv\", \"member\": \"d/*.csv\", \"row\": {\"q\": \"0\"}}", "a.csv");
  PACK(f, false, {"d/a.csv", "\xff,1\n", 0});
  refuses(f, "{\"kind\": \"csv\", \"member\": \"d/*.csv\", \"row\": {\"q\": \"1\"}}", "no UTF-8");
}

static void shots_are_read_out_of_lm_eval_files(void **state) {
  fixture *f = *state;
  static const char list[] = "{\"kind\": \"python-list\", \"after\": \"return \"}";
  static const char items[] = "{\"kind\": \"yaml-items\", \"after\": \"samples:\\n\"}";
  static const char text[] = "{\"kind\": \"yaml-text\", \"after\": \"p = '\", \"before\": \"'%}\"}";
  scratch_file(f->dir, "archive",
               "def f():\n    return [\n  {\"a\": \"1,]\\n\", \"b\": \"\\\"\",\n  },\n ]\n\nx = {}\n");
  makes(f, list, "{\"a\": \"1,]\\n\", \"b\": \"\\\"\"}\n");
  scratch_file(f->dir, "archive", "def f():\n    return [g(x)]\n");
  refuses(f, list, "no list of plain dicts");
  scratch_file(f->dir, "archive", "samples:\n  - q: one\n      two\n    t: three: 4\n  - q: five\nnext: key\n");
  makes(f, items, "{\"q\": \"one two\", \"t\": \"three: 4\"}\n{\"q\": \"five\"}\n");
  scratch_file(f->dir, "archive", "samples:\n  - q: 'quoted'\n");
  refuses(f, items, "no plain YAML scalar");
  refuses(f, "{\"kind\": \"yaml-items\", \"after\": \"examples:\"}", "has no 'examples:'");
  scratch_file(f->dir, "archive", "doc: \"\\\n  {% set p = '\\\n  Q: a\\n\\\n  A: b\\n\\n\\\n  '%}\\\n  {{p}}\"\n");
  makes(f, text, "{\"text\": \"Q: a\\nA: b\\n\\n\"}\n");
  scratch_file(f->dir, "archive", "p = '\\u0041'%}");
  refuses(f, text, "no text that ends");
}

static void packing_again_gives_the_same_file(void **state) {
  fixture *f = *state;
  size_t first;
  char *one, *two;
  scratch_file(f->dir, "archive", "rows\nrows\n");
  snprintf(f->target, sizeof f->target, "%s/made.gz", f->dir);
  json_t *form = json_pack("{s:s}", "kind", "unpack");
  assert_int_equal(tern_form_apply(form, f->path, f->target, 100, &f->e), TERN_OK);
  one = scratch_read(f->dir, "made.gz");
  first = strlen(one);
  assert_int_equal(tern_form_apply(form, f->path, f->target, 100, &f->e), TERN_OK);
  two = scratch_read(f->dir, "made.gz");
  assert_int_equal(strlen(two), first);
  assert_memory_equal(one, two, first);
  assert_int_equal(tern_form_apply(form, f->path, f->target, 9, &f->e), TERN_FAILED); /* over its limit */
  free(one);
  free(two);
  json_decref(form);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(members_come_by_pattern_in_order_of_names),
      TEST(a_name_that_points_elsewhere_spoils_the_archive),
      TEST(a_link_is_no_file),
      TEST(what_unpacks_to_too_much_is_left),
      TEST(damaged_archives_are_refused),
      TEST(rows_are_taken_out_of_rows),
      TEST(rows_are_taken_out_of_csv_files),
      TEST(shots_are_read_out_of_lm_eval_files),
      TEST(packing_again_gives_the_same_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
