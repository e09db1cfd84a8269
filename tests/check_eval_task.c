/* Task files: a user's own file gives the texts that its keys describe, and a
 * mistake is answered with file, key and the nearest that is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/fields.h"
#include "tests/scratch.h"

enum { PATH = 600 };
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

/* A task file of kind `kind` whose other keys are `keys`, on rows of own.jsonl. */
static int open_keys(tern_task **out, const char *kind, const char *keys, tern_error *e) {
  char text[4000], path[PATH];
  snprintf(text, sizeof text,
           "{\"ternmark_task\": 1, \"task\": \"own\", \"kind\": \"%s\", \"data\": {\"file\": \"./own.jsonl\"}, %s}",
           kind, keys);
  scratch_file(dir, "own.json", text);
  snprintf(path, sizeof path, "%s/own.json", dir);
  e->text[0] = '\0';
  return tern_task_open(out, path, e);
}

static void refused(const char *kind, const char *keys, const char *want) {
  tern_task *t = NULL;
  tern_error e = {0};
  assert_int_equal(open_keys(&t, kind, keys, &e), TERN_FAILED);
  assert_null(t);
  if (strstr(e.text, want) == NULL || strstr(e.text, "own.json") == NULL)
    fail_msg("%s: \"%s\" is not in: %s", keys, want, e.text);
}

#define METRICS "\"metrics\": [{\"metric\": \"acc\"}]"
#define EXACT "\"metrics\": [{\"metric\": \"exact_match\"}]"
#define CHOICES "\"prompt\": \"{q}\", \"choices\": [\"a\", \"b\"], \"gold\": \"0\", " METRICS

static void unknown_keys_are_answered_with_the_nearest(void **state) {
  (void)state;
  refused("choices", "\"promt\": \"{q}\", " METRICS, "unknown key \"promt\"; did you mean \"prompt\"");
  refused("choices", CHOICES ", \"shots\": {\"cout\": 3}",
          "own.json: shots: unknown key \"cout\"; did you mean \"count\"");
  refused("choices", CHOICES ", \"gold_is\": \"leter\"",
          "own.json: gold_is: unknown \"leter\"; did you mean \"letter\"");
  refused("choices", "\"prompt\": \"{q}\", \"gold\": \"0\", " METRICS ", \"choices\": {\"lst\": \"c\"}",
          "own.json: choices: unknown key \"lst\"; did you mean \"list\"");
}

static void keys_that_are_missing_or_do_not_fit_are_named(void **state) {
  (void)state;
  refused("choices", "\"prompt\": \"{q}\"", "no \"metrics\", which is required");
  refused("choice", CHOICES, "own.json: kind: \"choices\", \"text\" or \"rolling\" was expected");
  refused("choices", METRICS, "no \"prompt\"");
  refused("choices", "\"prompt\": \"{q}\", \"choices\": \"c\", " METRICS, "needs \"gold\"");
  refused("choices", CHOICES ", \"gold_is\": \"label\"", "needs \"labels\"");
  refused("choices", CHOICES ", \"stops\": [\"x\"]", "belong to kind \"text\"");
  refused("choices", "\"inputs\": [\"{a}\", \"{b}\"], \"gold\": \"0\", " METRICS, "needs \"target\"");
  refused("text", CHOICES, "belong to kind \"choices\"");
  refused("text", "\"prompt\": \"{q}\", \"shots\": {\"count\": 2}, " EXACT, "shots need \"target\"");
  refused("text", "\"prompt\": \"{q}\", \"turns\": \"t\", " EXACT, "only one may be given");
  refused("rolling", "\"prompt\": \"{q}\", \"shots\": {\"count\": 1}, \"metrics\": [{\"metric\": \"word_perplexity\"}]",
          "has no shots");
}

static void values_of_another_kind_are_named(void **state) {
  (void)state;
  refused("choices", CHOICES ", \"delimiter\": 1", "own.json: delimiter is a number; text was expected");
  refused("choices", CHOICES ", \"most_tokens\": -1", "own.json: most_tokens is outside 0 to 1000000");
  refused("choices", "\"prompt\": \"{q\", \"choices\": \"c\", \"gold\": \"0\", " METRICS,
          "own.json: prompt: \"{q\" has no closing brace");
  refused("choices", CHOICES ", \"shots\": {\"rows\": [{\"q\": 1}], \"count\": 2}",
          "shots.count is 2; there are 1 rows");
  refused("choices", CHOICES ", \"shots\": {\"file\": \"a\", \"rows\": [{\"q\": 1}]}", "can't stand together");
  refused("text",
          "\"prompt\": \"{q}\", \"filters\": [{\"name\": \"x\", \"filter\": [{\"function\": \"upper\"}]}], " EXACT,
          "unknown filter \"upper\"");
}

static void metrics_that_are_unknown_or_of_another_kind_are_refused(void **state) {
  (void)state;
  refused("choices",
          "\"prompt\": \"{q}\", \"choices\": \"c\", \"gold\": \"0\", \"metrics\": [{\"metric\": \"acc_nrm\"}]",
          "unknown metric \"acc_nrm\"; did you mean \"acc_norm\"");
  refused("text", "\"prompt\": \"{q}\", \"target\": \"{q}\", " METRICS, "metric acc is not for kind \"text\"");
  refused("text", "\"prompt\": \"{q}\", \"metrics\": [{\"metric\": \"exact_match\", \"ignore_cases\": true}]",
          "ignore_cases");
}

static void what_is_no_json_is_named_with_its_line(void **state) {
  char path[PATH];
  tern_task *t = NULL;
  tern_error e = {0};
  (void)state;
  scratch_file(dir, "broken.json", "{\"ternmark_task\": 1,\n \"task\": }");
  snprintf(path, sizeof path, "%s/broken.json", dir);
  assert_int_equal(tern_task_open(&t, path, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "broken.json: line 2"));
  scratch_file(dir, "broken.json", "{\"ternmark_task\": 1, \"task\": \"a\", \"task\": \"b\"}");
  assert_int_equal(tern_task_open(&t, path, &e), TERN_FAILED);
  assert_int_equal(tern_task_open(&t, "/nowhere/task.json", &e), TERN_FAILED);
}

/* The texts of a row of own.jsonl in a task of these keys; or the error. */
static int make_row(const char *kind, const char *keys, const char *rows, bool shot, tern_row_texts *out,
                    tern_error *e) {
  tern_task *t = NULL;
  tern_task_data d;
  scratch_file(dir, "own.jsonl", rows);
  if (open_keys(&t, kind, keys, e) != 0) fail_msg("%s", e->text);
  int status = tern_task_data_open(&d, t, NULL, NULL, shot, e);
  if (status == 0) {
    status = tern_row_texts_make(out, t, &d, 0, shot, e);
    tern_task_data_close(&d);
  }
  tern_task_close(t);
  return status;
}

static void gold_is_found_in_each_of_its_forms(void **state) {
  static const struct {
    const char *is, *gold;
    int want; /* -1: refused */
  } cases[] = {{"index", "2", 2},     {"index", "3", -1},     {"index", "B", -1},   {"index", "-1", -1},
               {"one-based", "1", 0}, {"one-based", "0", -1}, {"letter", "C", 2},   {"letter", "D", -1},
               {"letter", "AB", -1},  {"text", "blue", 1},    {"text", "Blue", -1}, {"label", "z", 2},
               {"label", "w", -1},    {"index", "", -1}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char row[300], keys[300];
    tern_row_texts texts;
    tern_error e = {0};
    bool label = strcmp(cases[i].is, "label") == 0;
    snprintf(row, sizeof row, "{\"c\": [\"red\", \"blue\", \"green\"], \"l\": [\"x\", \"y\", \"z\"], \"g\": \"%s\"}\n",
             cases[i].gold);
    snprintf(keys, sizeof keys,
             "\"prompt\": \"?\", \"choices\": \"c\", \"gold\": \"{g}\", \"gold_is\": \"%s\", %s" METRICS, cases[i].is,
             label ? "\"labels\": \"l\", " : "");
    int status = make_row("choices", keys, row, false, &texts, &e);
    assert_int_equal(status, cases[i].want < 0 ? TERN_FAILED : 0);
    if (status != 0) {
      assert_non_null(strstr(e.text, "own.jsonl: line 1: gold"));
      continue;
    }
    assert_int_equal(texts.gold, cases[i].want);
    assert_string_equal(texts.answer, texts.choices.list[texts.gold]);
    tern_row_texts_close(&texts);
  }
}

static void lists_come_from_entries_keys_values_and_templates(void **state) {
  tern_row_texts t;
  tern_error e = {0};
  (void)state;
  assert_int_equal(make_row("choices",
                            "\"fields\": {\"w\": \"{q|strip}\", \"v\": \"{w}!\"}, \"prompt\": \"{v}\", \"choices\": "
                            "{\"keys\": \"m\"}, \"truth\": {\"values\": \"m\"}, \"metrics\": [{\"metric\": \"mc2\"}]",
                            "{\"q\": \" Why \", \"m\": {\"zeta\": 1, \"alpha\": 0, \"mu\": 1}}\n", false, &t, &e),
                   0);
  assert_string_equal(t.prompt, "Why!");
  assert_int_equal(t.choices.count, 3);
  assert_string_equal(t.choices.list[0], "zeta");
  assert_string_equal(t.choices.list[1], "alpha");
  assert_true(t.truth[0] && !t.truth[1] && t.truth[2]);
  assert_int_equal(t.gold, -1);
  tern_row_texts_close(&t);
  assert_int_equal(
      make_row("choices",
               "\"prompt\": \"?\", \"choices\": {\"list\": \"c\", \"each\": \"({item.t|strip})\"}, \"gold\": "
               "\"1\", " METRICS,
               "{\"c\": [{\"t\": \" a \"}, {\"t\": \"b\"}]}\n", false, &t, &e),
      0);
  assert_string_equal(t.choices.list[0], "(a)");
  assert_string_equal(t.answer, "(b)");
  tern_row_texts_close(&t);
}

static void shots_may_be_worded_on_their_own(void **state) {
  tern_row_texts t;
  tern_error e = {0};
  (void)state;
  assert_int_equal(make_row("text",
                            "\"prompt\": \"Q: {q}\", \"target\": \"{a}\", \"shots\": {\"count\": 1, \"rows\": [{\"x\": "
                            "\"1+1\", \"y\": \"2\"}], \"prompt\": \"Sum {x}\", \"target\": \"{y}\"}, " EXACT,
                            "{\"q\": \"2+2\", \"a\": \"4\"}\n", true, &t, &e),
                   0);
  assert_string_equal(t.prompt, "Sum 1+1");
  assert_string_equal(t.answer, "2");
  tern_row_texts_close(&t);
}

static void rows_that_lack_something_are_named_by_line(void **state) {
  static const struct {
    const char *rows, *want;
  } cases[] = {
      {"{\"q\": \"a\"}\n", "own.jsonl: line 1: no \"c\"; there is: q"},
      {"{\"q\": \"a\", \"c\": []}\n", "line 1: has no choices"},
      {"{\"q\": \"a\", \"c\": \"x\"}\n", "line 1: \"c\" is no list"},
      {"{\"q\": \"a\", \"c\": [[1]]}\n", "line 1: an entry of \"c\" is a list"},
      {"{\"q\": [1], \"c\": [\"x\"]}\n", "line 1: \"q\" is a list"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_row_texts t;
    tern_error e = {0};
    assert_int_equal(make_row("choices", "\"prompt\": \"{q}\", \"choices\": \"c\", \"gold\": \"0\", " METRICS,
                              cases[i].rows, false, &t, &e),
                     TERN_FAILED);
    if (strstr(e.text, cases[i].want) == NULL) fail_msg("\"%s\" is not in: %s", cases[i].want, e.text);
  }
}

static void a_column_of_its_own_file_must_have_a_line_a_row(void **state) {
  static const char keys[] = "\"prompt\": \"{q}\", \"choices\": [\"a\", \"b\"], \"gold\": \"{label}\", " METRICS;
  char text[1000], path[PATH];
  tern_task *t = NULL;
  tern_task_data d;
  tern_error e = {0};
  (void)state;
  snprintf(text, sizeof text,
           "{\"ternmark_task\": 1, \"task\": \"own\", \"kind\": \"choices\", \"data\": {\"file\": \"./own.jsonl\", "
           "\"column\": {\"file\": \"./own.lst\", \"field\": \"label\"}}, %s}",
           keys);
  scratch_file(dir, "own.json", text);
  scratch_file(dir, "own.jsonl", "{\"q\": \"x\"}\n{\"q\": \"y\"}\n");
  scratch_file(dir, "own.lst", "1\r\n0\r\n");
  snprintf(path, sizeof path, "%s/own.json", dir);
  if (tern_task_open(&t, path, &e) != 0) fail_msg("%s", e.text);
  if (tern_task_data_open(&d, t, NULL, NULL, false, &e) != 0) fail_msg("%s", e.text);
  assert_string_equal(tern_rows_text(d.rows, 0, "label", &e), "1");
  tern_task_data_close(&d);
  scratch_file(dir, "own.lst", "1\n");
  assert_int_equal(tern_task_data_open(&d, t, NULL, NULL, false, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "own.lst: 1 lines for the 2 rows of"));
  tern_task_close(t);
}

static void rows_of_another_form_are_read_where_the_first_file_is_missing(void **state) {
  static const char text[] =
      "{\"ternmark_task\": 1, \"task\": \"own\", \"kind\": \"choices\", \"data\": {\"file\": \"./first.jsonl\", "
      "\"otherwise\": {\"file\": \"./other.jsonl\", \"prompt\": \"{query}\", \"choices\": \"options\"}}, "
      "\"prompt\": \"Q: {q}\", \"choices\": [\"{a}\", \"{b}\"], \"gold\": \"{gold}\", " METRICS "}";
  char path[PATH];
  tern_task *t = NULL;
  tern_task_data d;
  tern_row_texts texts;
  tern_error e = {0};
  (void)state;
  scratch_file(dir, "two.json", text);
  snprintf(path, sizeof path, "%s/two.json", dir);
  if (tern_task_open(&t, path, &e) != 0) fail_msg("%s", e.text);
  assert_int_equal(tern_task_data_open(&d, t, NULL, NULL, false, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "first.jsonl"));
  scratch_file(dir, "other.jsonl", "{\"query\": \"Q: x\", \"options\": [\"y\", \"z\"], \"gold\": 1}\n");
  for (int i = 0; i < 2; i++) {
    if (tern_task_data_open(&d, t, NULL, NULL, true, &e) != 0) fail_msg("%s", e.text);
    assert_int_equal(d.other, i == 0);
    for (int shot = 0; shot < 2; shot++) {
      if (tern_row_texts_make(&texts, t, &d, 0, shot != 0, &e) != 0) fail_msg("%s", e.text);
      assert_string_equal(texts.prompt, "Q: x");
      assert_string_equal(texts.answer, "z");
      tern_row_texts_close(&texts);
    }
    tern_task_data_close(&d);
    scratch_file(dir, "first.jsonl", "{\"q\": \"x\", \"a\": \"y\", \"b\": \"z\", \"gold\": \"1\"}\n");
  }
  tern_task_close(t);
}

static void missing_texts_of_others_are_answered_with_both_ways_to_get_them(void **state) {
  tern_task *t = NULL;
  tern_task_data d;
  tern_error e = {0};
  (void)state;
  scratch_file(dir, "own.jsonl", "{\"q\": \"x\"}\n");
  if (open_keys(&t, "text",
                "\"prompt\": \"{q}\", \"target\": \"{q}\", \"shots\": {\"count\": 1, \"rows\": {\"manifest\": "
                "\"nobodys\"}}, " EXACT,
                &e) != 0)
    fail_msg("%s", e.text);
  assert_int_equal(tern_task_data_open(&d, t, dir, NULL, true, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "ternmark fetch nobodys"));
  assert_non_null(strstr(e.text, "lm_eval_shots.py"));
  tern_task_close(t);
}

static void every_shipped_task_and_set_opens(void **state) {
  static const char *const folders[] = {"datasets/tasks", NULL};
  static const char *const names[] = {
      "arc_challenge,arc_easy,openbookqa,boolq,hellaswag,hellaswag_sample,piqa,social_iqa,winogrande,commonsense_qa,"
      "truthfulqa_mc1,truthfulqa_mc2,triviaqa,mmlu,gsm8k,gsm8k_cot,gsm8k_cot_zeroshot,minerva_math500,"
      "hendrycks_math500,humaneval,humaneval_plus,evalplus_humaneval,evalplus_humaneval_chat,ifeval,mtbench,wikitext",
      "mini", "paper-2b4t"};
  static const size_t counts[] = {26, 16, 17};
  (void)state;
  for (int i = 0; i < 3; i++) {
    tern_task_set set;
    tern_error e = {0};
    if (tern_task_set_open(&set, folders, names[i], &e) != 0) fail_msg("%s", e.text);
    assert_int_equal(set.count, counts[i]);
    tern_task_set_close(&set);
  }
}

static void the_published_set_has_the_published_shots_metrics_and_chat(void **state) {
  static const char *const folders[] = {"datasets/tasks", NULL};
  static const struct {
    const char *published, *task, *metric;
    int shots, chat;
  } rows[] = {{"ARC-Challenge", "arc_challenge", "acc_norm,none", 0, 0},
              {"CommonsenseQA", "commonsense_qa", "acc,none", 10, 0},
              {"TruthfulQA", "truthfulqa_mc2", "acc,none", 10, 0},
              {"MMLU", "mmlu", "acc,none", 5, 0},
              {"GSM8K", "gsm8k", "exact_match,strict-match", 4, 1},
              {"IFEval", "ifeval", "inst_level_strict_acc,none", 0, 1}};
  tern_task_set set;
  tern_error e = {0};
  size_t found = 0;
  (void)state;
  if (tern_task_set_open(&set, folders, "paper-2b4t", &e) != 0) fail_msg("%s", e.text);
  for (size_t i = 0; i < set.count; i++) {
    const tern_task_entry *x = &set.entries[i];
    for (size_t j = 0; j < sizeof rows / sizeof *rows; j++) {
      if (x->published == NULL || strcmp(x->published, rows[j].published) != 0) continue;
      assert_string_equal(x->task->name, rows[j].task);
      assert_string_equal(x->metric, rows[j].metric);
      assert_int_equal(x->shots, rows[j].shots);
      assert_int_equal(x->chat, rows[j].chat);
      found++;
    }
  }
  assert_int_equal(found, sizeof rows / sizeof *rows);
  tern_task_set_close(&set);
}

static void a_users_set_is_checked_as_its_tasks_are(void **state) {
  static const struct {
    const char *entry, *want;
  } cases[] = {
      {"\"task\": \"mine\", \"shots\": 2, \"metric\": \"acc_norm,none\"", NULL},
      {"\"task\": \"mine\", \"metric\": \"acc_nrm,none\"", "sets.json: sets.own.tasks.0: metric: mine has no figure"},
      {"\"task\": \"mine\", \"metric\": \"acc,strict\"", "has no figure \"acc,strict\""},
      {"\"task\": \"mien\"", "there is no task file mien.json"},
      {"\"task\": \"mine\", \"chat\": 1", "chat is a number; true or false was expected"},
      {"\"task\": \"mine\", \"shot\": 1", "unknown key \"shot\"; did you mean \"shots\""},
  };
  const char *const folders[] = {dir, NULL};
  (void)state;
  scratch_file(dir, "mine.json",
               "{\"ternmark_task\": 1, \"task\": \"mine\", \"kind\": \"choices\", \"data\": \"x.jsonl\", \"prompt\": "
               "\"{q}\", \"choices\": \"c\", \"gold\": \"0\", \"metrics\": [{\"metric\": \"acc\"}, {\"metric\": "
               "\"acc_norm\"}]}");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[400];
    tern_task_set set;
    tern_error e = {0};
    snprintf(text, sizeof text, "{\"ternmark_sets\": 1, \"sets\": {\"own\": {\"tasks\": [{%s}]}}}", cases[i].entry);
    scratch_file(dir, "sets.json", text);
    int status = tern_task_set_open(&set, folders, "own", &e);
    if (cases[i].want == NULL) {
      if (status != 0) fail_msg("%s", e.text);
      assert_int_equal(set.entries[0].shots, 2);
      assert_int_equal(set.entries[0].chat, -1);
      tern_task_set_close(&set);
      continue;
    }
    assert_int_equal(status, TERN_FAILED);
    if (strstr(e.text, cases[i].want) == NULL) fail_msg("\"%s\" is not in: %s", cases[i].want, e.text);
  }
}

static void unknown_tasks_are_answered_with_the_nearest_and_twice_is_once_too_often(void **state) {
  static const char *const folders[] = {"datasets/tasks", NULL};
  tern_task_set set;
  tern_error e = {0};
  (void)state;
  assert_int_equal(tern_task_set_open(&set, folders, "arc_challange", &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "unknown task \"arc_challange\"; did you mean \"arc_challenge\""));
  assert_int_equal(tern_task_set_open(&set, folders, "gsm8k,datasets/tasks/gsm8k.json", &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "asked for twice"));
  assert_int_equal(tern_task_set_open(&set, folders, "", &e), TERN_USAGE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(unknown_keys_are_answered_with_the_nearest),
      cmocka_unit_test(keys_that_are_missing_or_do_not_fit_are_named),
      cmocka_unit_test(values_of_another_kind_are_named),
      cmocka_unit_test(metrics_that_are_unknown_or_of_another_kind_are_refused),
      cmocka_unit_test(what_is_no_json_is_named_with_its_line),
      cmocka_unit_test(gold_is_found_in_each_of_its_forms),
      cmocka_unit_test(lists_come_from_entries_keys_values_and_templates),
      cmocka_unit_test(shots_may_be_worded_on_their_own),
      cmocka_unit_test(rows_that_lack_something_are_named_by_line),
      cmocka_unit_test(a_column_of_its_own_file_must_have_a_line_a_row),
      cmocka_unit_test(rows_of_another_form_are_read_where_the_first_file_is_missing),
      cmocka_unit_test(missing_texts_of_others_are_answered_with_both_ways_to_get_them),
      cmocka_unit_test(every_shipped_task_and_set_opens),
      cmocka_unit_test(the_published_set_has_the_published_shots_metrics_and_chat),
      cmocka_unit_test(a_users_set_is_checked_as_its_tasks_are),
      cmocka_unit_test(unknown_tasks_are_answered_with_the_nearest_and_twice_is_once_too_often),
  };
  return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
