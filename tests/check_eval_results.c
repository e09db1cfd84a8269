/* Samples and results beside lm-eval's own files for the same rows and answers
 * (fixtures/eval-lm-eval: rows of random words, a model of hashed answers). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "harness/eval/item.h"
#include "harness/eval/merge.h"
#include "harness/eval/python_json.h"
#include "harness/eval/records.h"
#include "tests/eval_fixture.h"
#include "tests/scratch.h"

static const char source[] = TERN_FIXTURES "/eval-lm-eval";
/* Tasks and, of the one that is split, its parts. */
static const struct {
  const char *task, *subtask, *name;
} rows[] = {{"pick", NULL, "pick"},        {"claim", NULL, "claim"},      {"band", "moss", "band_moss"},
            {"band", "fern", "band_fern"}, {"band", "reef", "band_reef"}, {"band_lone", NULL, "band_lone"},
            {"sum", NULL, "sum"},          {"many", NULL, "many"},        {"pages", NULL, "pages"}};
enum { ROWS = sizeof rows / sizeof *rows, MOST_REPLIES = 8, MOST_ITEMS = 64, SHARDS = 3 };

static char folder[256];

static char *theirs(const char *name, tern_error *e) {
  char path[512];
  size_t size;
  snprintf(path, sizeof path, "%s/lm_samples_%s.jsonl", source, name);
  char *text = tern_file_read(path, 1 << 24, &size, e);
  if (text == NULL) fail_msg("%s", e->text);
  return text;
}

/* What their line says was answered. */
static tern_reply reply_of(const json_t *resp) {
  const json_t *said = json_array_get(resp, 0);
  const char *text = json_string_value(json_is_array(said) ? json_array_get(said, 0) : said);
  tern_reply r = {.tokens = 1, .text = (char *)text};
  char *end;
  r.logprob = strtod(text, &end);
  if (json_is_array(said)) {
    r.text = NULL;
    r.greedy = strcmp(json_string_value(json_array_get(said, 1)), "True") == 0;
  }
  return r;
}

static void add_item(tern_journal *j, const char *name, const json_t *line, bool rolling) {
  tern_error e = {0};
  tern_reply replies[MOST_REPLIES];
  json_t *resps = json_object_get(line, "resps"), *resp;
  size_t id = (size_t)json_integer_value(json_object_get(line, "doc_id")), i;
  assert_in_range(json_array_size(resps), 1, MOST_REPLIES);
  json_array_foreach(resps, i, resp) {
    replies[i] = reply_of(resp);
    if (rolling) replies[i].text = NULL;
  }
  json_t *item = tern_item_pack("00", replies, json_array_size(resps), &e);
  if (item == NULL || tern_journal_add(j, name, id, item, &e) != 0) fail_msg("%s", e.text);
  json_decref(item);
}

/* Their answers, last question first, so that nothing hangs on the order. */
static void answer(tern_journal *j, const char *name, size_t shard, size_t shards) {
  tern_error e = {0};
  json_error_t wrong;
  char *text = theirs(name, &e), *end = text + strlen(text);
  json_t *seen = json_object();
  while (end > text) {
    char *line = end - 1;
    while (line > text && line[-1] != '\n') line--;
    json_t *value = json_loadb(line, (size_t)(end - line), 0, &wrong);
    assert_non_null(value);
    char id[32];
    snprintf(id, sizeof id, "%d", (int)json_integer_value(json_object_get(value, "doc_id")));
    size_t number = (size_t)json_integer_value(json_object_get(value, "doc_id"));
    if (json_object_get(seen, id) == NULL && number % shards == shard - 1)
      add_item(j, name, value, strcmp(name, "pages") == 0);
    json_object_set_new(seen, id, json_true());
    json_decref(value);
    end = line;
  }
  json_decref(seen);
  free(text);
}

/* All of it, or shard `shard` of `shards`, into dir. */
static json_t *record_shard(const char *dir, size_t shard, size_t shards) {
  char path[600], said[32];
  tern_error e = {0};
  tern_journal *j = NULL;
  tern_records *r = NULL;
  snprintf(said, sizeof said, "%zu/%zu", shard, shards);
  json_t *head = json_pack("{s:s, s:{s:i}, s:s}", "model", "hashes", "options", "limit", 0, "shard", said),
         *results = NULL;
  snprintf(path, sizeof path, "%s/journal.jsonl", dir);
  if (tern_journal_open(&j, path, head, &e) != 0) fail_msg("%s", e.text);
  if (tern_records_open(&r, dir, tern_journal_head(j), &e) != 0) fail_msg("%s", e.text);
  for (size_t i = 0; i < ROWS; i++) {
    tern_task *t = NULL;
    tern_documents d;
    tern_document_options o = {.data = source, .subtask = rows[i].subtask, .shots = -1};
    snprintf(path, sizeof path, "%s/%s.json", source, rows[i].task);
    if (tern_task_open(&t, path, &e) != 0) fail_msg("%s", e.text);
    for (int m = 0; m < t->metric_count; m++) {
      tern_task_metric *metric = &t->metrics[m];
      assert_non_null(metric->metric = tern_metric_find(metric->name));
      if (tern_metric_check(metric->metric, metric->params, path, &e) != 0) fail_msg("%s", e.text);
    }
    if (tern_documents_make(&d, t, &o, &e) != 0) fail_msg("%s", e.text);
    assert_string_equal(d.name, rows[i].name);
    bool wanted[MOST_ITEMS];
    assert_in_range(d.count, 1, MOST_ITEMS);
    for (size_t item = 0; item < d.count; item++) wanted[item] = item % shards == shard - 1;
    answer(j, d.name, shard, shards);
    if (tern_records_add(r, &d, j, wanted, NULL, &e) != 0) fail_msg("%s", e.text);
    tern_documents_close(&d);
    tern_task_close(t);
  }
  if (tern_records_finish(r, &results, &e) != 0) fail_msg("%s", e.text);
  tern_records_close(r);
  if (tern_journal_close(j, &e) != 0) fail_msg("%s", e.text);
  json_decref(head);
  return results;
}

static json_t *record(void) {
  return record_shard(folder, 1, 1);
}

static void samples_are_lm_eval_s_to_the_byte_but_for_our_own_key(void **state) {
  (void)state;
  for (size_t i = 0; i < ROWS; i++) {
    tern_error e = {0};
    json_error_t wrong;
    char name[100], *next;
    snprintf(name, sizeof name, "samples_%s.jsonl", rows[i].name);
    char *ours = scratch_read(folder, name), *want = theirs(rows[i].name, &e), *at = want;
    assert_non_null(ours);
    for (char *line = strtok_r(ours, "\n", &next); line != NULL; line = strtok_r(NULL, "\n", &next)) {
      json_t *value = json_loads(line, 0, &wrong);
      assert_non_null(value);
      assert_int_equal(json_object_del(value, "ternmark"), 0);
      char *text = tern_python_dumps(value, 0, &e);
      size_t n = strcspn(at, "\n");
      if (strlen(text) != n || memcmp(text, at, n) != 0)
        fail_msg("%s:\nours   %s\ntheirs %.*s", name, text, (int)n, at);
      at += n + 1;
      free(text);
      json_decref(value);
    }
    assert_int_equal(*at, '\0');
    free(ours);
    free(want);
  }
}

static void expect_number(const char *task, const char *key, const json_t *have, const json_t *want) {
  if (json_is_string(want)) {
    if (!json_equal(have, want)) fail_msg("%s: %s is not %s", task, key, json_string_value(want));
    return;
  }
  double h = json_number_value(have), w = json_number_value(want);
  if (have == NULL || !(fabs(h - w) <= 1e-14 * fabs(w))) fail_msg("%s: %s: %.17g is not %.17g", task, key, h, w);
}

/* The order of groups is that of the file here, of their list there. */
static void expect_same_names(const json_t *have, const json_t *want) {
  const json_t *a, *b;
  size_t i, j, found = 0;
  assert_int_equal(json_array_size(have), json_array_size(want));
  json_array_foreach((json_t *)have, i, a) {
    json_array_foreach((json_t *)want, j, b) found += (size_t)json_equal(a, b);
  }
  assert_int_equal(found, json_array_size(want));
}

static void figures_of_tasks_and_groups_are_lm_eval_s(void **state) {
  (void)state;
  static const char *const parts[] = {"results", "groups"};
  json_t *want = fixture_open("eval-lm-eval/lm_results.json"), *have = record(), *task, *value;
  const char *name, *key;
  size_t figures = 0;
  for (size_t i = 0; i < 2; i++) {
    json_object_foreach(json_object_get(want, parts[i]), name, task) {
      const json_t *ours = json_object_get(json_object_get(have, parts[i]), name);
      json_object_foreach(task, key, value) {
        /* claim was run without resamples there: f1's have a test of their own */
        if (strcmp(name, "claim") == 0 && strstr(key, "_stderr") != NULL) continue;
        const json_t *mine = json_object_get(ours, key);
        if (json_is_object(value))
          assert_true(json_equal(mine, value));
        else
          expect_number(name, key, mine, value);
        figures++;
      }
    }
  }
  assert_in_range(figures, 80, 200);
  json_object_foreach(json_object_get(want, "group_subtasks"), name, value)
      expect_same_names(json_object_get(json_object_get(have, "group_subtasks"), name), value);
  json_object_foreach(json_object_get(want, "higher_is_better"), name, value)
      assert_true(json_equal(json_object_get(json_object_get(have, "higher_is_better"), name), value));
  json_object_foreach(json_object_get(want, "n-samples"), name, value)
      assert_true(json_equal(json_object_get(json_object_get(have, "n-samples"), name), value));
  json_decref(want);
  json_decref(have);
}

static void scoring_again_gives_the_same_bytes(void **state) {
  (void)state;
  char *before = scratch_read(folder, "results.json"), *samples = scratch_read(folder, "samples_sum.jsonl");
  assert_true(before != NULL && samples != NULL);
  scratch_remove(folder);
  scratch_make(folder, sizeof folder);
  json_decref(record());
  char *after = scratch_read(folder, "results.json"), *again = scratch_read(folder, "samples_sum.jsonl");
  assert_string_equal(before, after);
  assert_string_equal(samples, again);
  free(before);
  free(after);
  free(samples);
  free(again);
}

/* Three folders, with their names as merge takes them. */
static void split(char names[SHARDS][300], const char *folders[SHARDS]) {
  tern_error e = {0};
  for (size_t i = 0; i < SHARDS; i++) {
    snprintf(names[i], sizeof names[i], "%s/part%zu", folder, i);
    if (tern_directory_make(names[i], &e) != 0) fail_msg("%s", e.text);
    json_decref(record_shard(names[i], i + 1, SHARDS));
    folders[SHARDS - 1 - i] = names[i];
  }
}

static void merged_shards_are_the_undivided_run_to_the_byte(void **state) {
  (void)state;
  char names[SHARDS][300], out[300], file[120];
  const char *folders[SHARDS];
  json_t *results = NULL;
  tern_error e = {0};
  scratch_remove(folder);
  scratch_make(folder, sizeof folder);
  json_decref(record());
  split(names, folders);
  snprintf(out, sizeof out, "%s/merged", folder);
  if (tern_merge(out, folders, SHARDS, &results, &e) != 0) fail_msg("%s", e.text);
  json_decref(results);
  for (size_t i = 0; i <= ROWS; i++) {
    if (i < ROWS)
      snprintf(file, sizeof file, "samples_%s.jsonl", rows[i].name);
    else
      snprintf(file, sizeof file, "results.json");
    char *whole = scratch_read(folder, file), *merged = scratch_read(out, file);
    assert_true(whole != NULL && merged != NULL);
    assert_string_equal(whole, merged);
    free(whole);
    free(merged);
  }
  tern_journal *j = NULL;
  char path[400];
  snprintf(path, sizeof path, "%s/journal.jsonl", out);
  if (tern_journal_read(&j, path, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(tern_journal_count(j, "pick"), 40);
  tern_journal_close(j, &e);
}

static void merge_refused(const char *const *folders, size_t count, const char *words) {
  char out[300];
  json_t *results = NULL;
  tern_error e = {0};
  snprintf(out, sizeof out, "%s/refused", folder);
  assert_int_equal(tern_merge(out, folders, count, &results, &e), TERN_FAILED);
  if (strstr(e.text, words) == NULL) fail_msg("%s", e.text);
}

static void gaps_doubles_and_shards_of_other_runs_are_refused(void **state) {
  (void)state;
  char names[SHARDS][300], path[400];
  const char *folders[SHARDS];
  scratch_remove(folder);
  scratch_make(folder, sizeof folder);
  split(names, folders);
  merge_refused(folders, 2, "3 of 3; 2 folders were given");
  const char *twice[SHARDS] = {folders[0], folders[1], folders[1]};
  merge_refused(twice, SHARDS, "is there twice");
  snprintf(path, sizeof path, "%s/results.json", names[1]);
  char *text = scratch_read(names[1], "results.json"), *model = strstr(text, "hashes");
  assert_non_null(model);
  *model = 'b';
  scratch_file(names[1], "results.json", text);
  free(text);
  merge_refused(folders, SHARDS, "of another run than the first folder: config.model differs");
  remove(path);
  merge_refused(folders, SHARDS, "not done");
}

/* Scoring "pick" from a journal that holds this for its first item (NULL: nothing). */
static void expect_no_score(const json_t *item, const char *words) {
  char path[600];
  tern_error e = {0};
  tern_journal *j = NULL;
  tern_task *t = NULL;
  tern_documents d;
  tern_document_options o = {.data = source, .shots = -1};
  json_t *head = json_object(), *facts = json_object();
  scratch_remove(folder);
  scratch_make(folder, sizeof folder);
  snprintf(path, sizeof path, "%s/journal.jsonl", folder);
  if (tern_journal_open(&j, path, head, &e) != 0) fail_msg("%s", e.text);
  if (item != NULL && tern_journal_add(j, "pick", 0, item, &e) != 0) fail_msg("%s", e.text);
  snprintf(path, sizeof path, "%s/pick.json", source);
  if (tern_task_open(&t, path, &e) != 0 || tern_documents_make(&d, t, &o, &e) != 0) fail_msg("%s", e.text);
  const tern_sample_call call = {.documents = &d, .journal = j, .folder = folder};
  assert_int_equal(tern_samples_write(&call, facts, &e), TERN_FAILED);
  if (strstr(e.text, words) == NULL) fail_msg("%s", e.text);
  assert_null(scratch_read(folder, "samples_pick.jsonl"));
  tern_documents_close(&d);
  tern_task_close(t);
  tern_journal_close(j, &e);
  json_decref(head);
  json_decref(facts);
}

static void items_without_their_answers_are_named_not_scored(void **state) {
  (void)state;
  static const char *const items[][2] = {
      {"{\"prompt\": \"00\"}", "pick: item 0: its journal line is damaged"},
      {"{\"prompt\": \"00\", \"replies\": [[\"x\", 1.0, true, 1, 0]]}", "damaged"},
      {"{\"prompt\": \"00\", \"replies\": [[\"0x1p+0\", 1.0, true, 1, 0]]}", "not to this task's questions"},
      {"{\"prompt\": \"00\", \"replies\": [[1, 0, \"text\", 0]]}", "not to this task's questions"}};
  expect_no_score(NULL, "pick: item 0: not answered yet");
  for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
    json_error_t wrong;
    json_t *item = json_loads(items[i][0], 0, &wrong);
    assert_non_null(item);
    expect_no_score(item, items[i][1]);
    json_decref(item);
  }
}

static void a_subtask_s_name_does_not_leave_the_folder(void **state) {
  (void)state;
  tern_error e = {0};
  char *path = tern_samples_path("a/b", "mmlu_../../etc/x", &e);
  assert_string_equal(path, "a/b/samples_mmlu_.._.._etc_x.jsonl");
  free(path);
}

static int make_folder(void **state) {
  (void)state;
  scratch_make(folder, sizeof folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  scratch_remove(folder);
  return 0;
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_of_tasks_and_groups_are_lm_eval_s),
      cmocka_unit_test(samples_are_lm_eval_s_to_the_byte_but_for_our_own_key),
      cmocka_unit_test(scoring_again_gives_the_same_bytes),
      cmocka_unit_test(merged_shards_are_the_undivided_run_to_the_byte),
      cmocka_unit_test(items_without_their_answers_are_named_not_scored),
      cmocka_unit_test(a_subtask_s_name_does_not_leave_the_folder),
      cmocka_unit_test(gaps_doubles_and_shards_of_other_runs_are_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
