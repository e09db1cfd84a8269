/* The manifest: ours names every dataset that a task reads and vouches for it;
 * one that could do harm is refused whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/eval/catalog.h"
#include "harness/eval/digest.h"
#include "tests/scratch.h"

static const tern_catalog_file *file_of(const tern_catalog *c, const char *name) {
  for (size_t i = 0; i < c->count; i++)
    for (size_t k = 0; k < c->entries[i].file_count; k++)
      if (strcmp(c->entries[i].files[k].file, name) == 0) return &c->entries[i].files[k];
  return NULL;
}

static void open_ours(tern_catalog *c) {
  tern_error e = {0};
  if (tern_catalog_read(c, NULL, &e) != TERN_OK) fail_msg("%s", e.text);
}

static void every_file_has_an_address_or_says_why_not(void **state) {
  tern_catalog c;
  (void)state;
  open_ours(&c);
  assert_true(c.count > 50);
  for (size_t i = 0; i < c.count; i++)
    for (size_t k = 0; k < c.entries[i].file_count; k++) {
      const tern_catalog_file *f = &c.entries[i].files[k];
      if (f->address != NULL)
        assert_int_equal(strncmp(f->address, "https://", 8), 0);
      else
        assert_non_null(f->note);
      /* a branch's bytes change: only a commit's are known for good */
      if (f->sha256 == NULL) assert_non_null(f->note);
    }
  tern_catalog_close(&c);
}

/* What a task file names: data and label files, and others' texts. */
static void find_names(const json_t *v, const tern_catalog *c, const char *task) {
  const char *key;
  json_t *one;
  char shots[256];
  json_object_foreach((json_t *)v, key, one) {
    const char *text = json_string_value(one);
    bool ours = text != NULL && strncmp(text, "../", 3) == 0; /* datasets/mini */
    if (text != NULL && !ours && strcmp(key, "file") == 0 && file_of(c, text) == NULL)
      fail_msg("%s reads %s, which no entry of the manifest has", task, text);
    if (text != NULL && strcmp(key, "manifest") == 0) {
      snprintf(shots, sizeof shots, "shots/%s.jsonl", text);
      if (file_of(c, shots) == NULL) fail_msg("%s takes %s, which no entry of the manifest has", task, shots);
    }
    find_names(one, c, task);
  }
}

static void every_dataset_of_a_task_can_be_fetched(void **state) {
  tern_catalog c;
  glob_t tasks;
  json_error_t why;
  (void)state;
  open_ours(&c);
  assert_int_equal(glob(TERN_TASKS "/*.json", 0, NULL, &tasks), 0);
  for (size_t i = 0; i < tasks.gl_pathc; i++) {
    json_t *task = json_load_file(tasks.gl_pathv[i], 0, &why);
    const json_t *shots = json_object_get(task, "shots");
    if (json_integer_value(json_object_get(shots, "count")) == 0) json_object_del((json_t *)shots, "file");
    find_names(task, &c, tasks.gl_pathv[i]);
    json_decref(task);
  }
  globfree(&tasks);
  tern_catalog_close(&c);
}

/* Staged copies of the same datasets, made independently of the forms. */
static void staged_files_are_what_the_manifest_says(void **state) {
  const char *shared = getenv("TERN_SHARED");
  char path[4096];
  tern_catalog c;
  int seen = 0;
  (void)state;
  if (shared == NULL) skip();
  open_ours(&c);
  for (size_t i = 0; i < c.count; i++)
    for (size_t k = 0; k < c.entries[i].file_count; k++) {
      const tern_catalog_file *f = &c.entries[i].files[k];
      tern_digest d;
      tern_error e = {0};
      snprintf(path, sizeof path, "%s/data/%s", shared, f->file);
      if (access(path, R_OK) != 0) continue;
      if (tern_digest_file(&d, path, tern_digest_is_gzip(path), 1 << 30, &e) != TERN_OK) fail_msg("%s", e.text);
      assert_string_equal(d.sha256, f->sha256);
      assert_int_equal(d.size, f->size);
      if (f->rows >= 0) assert_int_equal(d.lines, f->rows);
      seen++;
    }
  tern_catalog_close(&c);
  if (seen == 0) skip();
}

static void a_wrong_name_is_answered_with_the_nearest(void **state) {
  tern_catalog c;
  const char *nearest;
  (void)state;
  open_ours(&c);
  assert_non_null(tern_catalog_find(&c, "gsm8k", NULL));
  assert_null(tern_catalog_find(&c, "gsm8", &nearest));
  assert_string_equal(nearest, "gsm8k");
  assert_null(tern_catalog_find(&c, "something else entirely", &nearest));
  assert_null(nearest);
  tern_catalog_close(&c);
}

#define ENTRY(more)                                                                                                    \
  "{\"ternmark_manifest\": 1, \"entries\": [{\"name\": \"a\", \"kind\": \"data\", \"what\": \"w\", \"licence\": "      \
  "\"l\", \"home\": \"h\", " more "}]}"
#define ONE_FILE(more) ENTRY("\"files\": [{" more "}]")
#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PLAIN "\"address\": \"https://x.example/f\", \"sha256\": null"

static const struct {
  const char *text, *words;
} refused[] = {
    {"", "line"},
    {"[]", "no manifest of version 1"},
    {"{\"ternmark_manifest\": 2, \"entries\": []}", "no manifest of version 1"},
    {ONE_FILE("\"file\": \"f\", " PLAIN ", \"sha265\": \"" HASH "\""), "unknown key 'sha265'"},
    {ONE_FILE("\"file\": \"f\", \"address\": \"https://x.example/f\""), "'sha256' is missing"},
    {ONE_FILE("\"file\": \"../f\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"/etc/passwd\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"a//b\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"a/./b\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"a\\\\b\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"a\\nb\", " PLAIN), "under the data folder"},
    {ONE_FILE("\"file\": \"f\", \"address\": \"http://x.example/f\", \"sha256\": null"), "must be https"},
    {ONE_FILE("\"file\": \"f\", \"address\": \"http://localhost:1@x.example/f\", \"sha256\": null"), "must be https"},
    {ONE_FILE("\"file\": \"f\", \"address\": \"file:///etc/passwd\", \"sha256\": \"" HASH "\""), "must be https"},
    {ONE_FILE("\"file\": \"f\", \"address\": \"https://x.example/f\", \"sha256\": \"abc\""), "64 hex digits"},
    {ONE_FILE("\"file\": \"f\", \"size\": -1, " PLAIN), "wrong value"},
    {ONE_FILE("\"file\": \"f\", \"form\": {\"kind\": \"shell\"}, " PLAIN), "no kind known"},
    {ONE_FILE("\"file\": \"f\", \"form\": {\"kind\": \"unpack\", \"run\": \"x\"}, " PLAIN), "unknown key 'run'"},
    {ONE_FILE("\"file\": \"f\", \"form\": {\"kind\": \"rows\", \"row\": {\"a\": 1}}, " PLAIN), "wants 'row'"},
    {ONE_FILE(
         "\"file\": \"f\", \"form\": {\"kind\": \"rows\", \"row\": {\"a\": {\"of\": \"b\", \"in\": \"c\"}}}, " PLAIN),
     "wants 'row'"},
    {ENTRY("\"files\": []"), "wrong value"},
    {ENTRY("\"note\": \"neither\""), "unknown key"},
    {ENTRY("\"gated\": true"), "wants 'files' or 'repository'"},
    {ENTRY("\"repository\": \"who/what\", \"take\": [\"*\"]"), "wants 'folder'"},
    {ENTRY("\"repository\": \"../api\", \"take\": [\"*\"], \"folder\": \"f\""), "plain names"},
    {ENTRY("\"repository\": \"who/what?x=1\", \"take\": [\"*\"], \"folder\": \"f\""), "plain names"},
    {ENTRY("\"files\": [{\"file\": \"f\", " PLAIN "}, {\"file\": \"f\", " PLAIN "}]"), "stands twice"},
};

static void a_manifest_that_could_do_harm_is_refused(void **state) {
  char dir[256], path[512];
  (void)state;
  scratch_make(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/manifest.json", dir);
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    tern_catalog c;
    tern_error e = {0};
    scratch_file(dir, "manifest.json", refused[i].text);
    if (tern_catalog_read(&c, path, &e) == TERN_OK) fail_msg("accepted: %s", refused[i].text);
    if (strstr(e.text, refused[i].words) == NULL)
      fail_msg("'%s' does not say '%s' (%s)", e.text, refused[i].words, refused[i].text);
  }
  scratch_remove(dir);
}

static void http_is_enough_where_a_hash_vouches(void **state) {
  char dir[256], path[512];
  tern_catalog c;
  tern_error e = {0};
  (void)state;
  scratch_make(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/manifest.json", dir);
  scratch_file(dir, "manifest.json",
               ONE_FILE("\"file\": \"f\", \"address\": \"http://x.example/f\", \"sha256\": \"" HASH "\""));
  assert_int_equal(tern_catalog_read(&c, path, &e), TERN_OK);
  assert_int_equal(c.entries[0].files[0].size, -1);
  tern_catalog_close(&c);
  scratch_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_file_has_an_address_or_says_why_not),
      cmocka_unit_test(every_dataset_of_a_task_can_be_fetched),
      cmocka_unit_test(staged_files_are_what_the_manifest_says),
      cmocka_unit_test(a_wrong_name_is_answered_with_the_nearest),
      cmocka_unit_test(a_manifest_that_could_do_harm_is_refused),
      cmocka_unit_test(http_is_enough_where_a_hash_vouches),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
