/* Documents: shots and prompts of a small set of our own, whatever the limit,
 * the subtask's way of being read, the chat form; later turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/eval/document.h"
#include "tests/scratch.h"

static const char task_text[] =
    "{\"ternmark_task\": 1, \"task\": \"sums\", \"version\": \"1\", \"kind\": \"choices\","
    " \"data\": {\"file\": \"sums/test.jsonl\", \"split_by\": \"by\"},"
    " \"shots\": {\"file\": \"sums/train.jsonl\", \"count\": 1},"
    " \"description\": \"Add by {by}.\\n\\n\", \"prompt\": \"Q: {q}\\nA:\", \"choices\": \"c\", \"gold\": \"{g}\","
    " \"metrics\": [{\"metric\": \"acc\"}], \"source\": \"made here\"}";
static const char turns_text[] =
    "{\"ternmark_task\": 1, \"task\": \"talk\", \"version\": \"1\", \"kind\": \"text\", \"data\": {\"file\": "
    "\"talk.jsonl\"}, \"turns\": \"turns\", \"most_tokens\": 8, \"metrics\": [], \"source\": \"made here\"}";

static char dir[256];

static int setup(void **state) {
  char rows[4000] = "", shots[4000] = "";
  (void)state;
  scratch_make(dir, sizeof dir);
  for (int i = 0; i < 24; i++) {
    sprintf(rows + strlen(rows), "{\"by\": \"%s\", \"q\": \"%d+1\", \"c\": [\"%d\", \"%d\"], \"g\": 0}\n",
            i % 3 == 0 ? "hand" : "head", i, i + 1, i);
    sprintf(shots + strlen(shots), "{\"by\": \"%s\", \"q\": \"%d+2\", \"c\": [\"%d\", \"%d\"], \"g\": 1}\n",
            i % 2 == 0 ? "hand" : "head", i, i, i + 2);
  }
  scratch_file(dir, "sums/test.jsonl", rows);
  scratch_file(dir, "sums/train.jsonl", shots);
  scratch_file(dir, "sums.json", task_text);
  scratch_file(dir, "talk.json", turns_text);
  scratch_file(dir, "talk.jsonl", "{\"turns\": [\"Say one.\", \"Say two.\"]}\n");
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static tern_task *open_task(const char *name) {
  char path[600];
  tern_task *t;
  tern_error e = {0};
  snprintf(path, sizeof path, "%s/%s.json", dir, name);
  if (tern_task_open(&t, path, &e) != 0) fail_msg("%s", e.text);
  return t;
}

static void make(tern_documents *out, const tern_task *t, tern_document_options o) {
  tern_error e = {0};
  o.data = dir;
  if (tern_documents_make(out, t, &o, &e) != 0) fail_msg("%s", e.text);
}

static void assert_same(const tern_documents *a, const tern_documents *b, size_t count) {
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(a->list[i].ask_count, b->list[i].ask_count);
    for (int k = 0; k < a->list[i].ask_count; k++) {
      assert_string_equal(a->list[i].asks[k].context, b->list[i].asks[k].context);
      assert_string_equal(a->list[i].asks[k].continuation, b->list[i].asks[k].continuation);
    }
  }
}

static void a_limit_leaves_the_shots_of_the_first_questions(void **state) {
  (void)state;
  tern_task *t = open_task("sums");
  tern_documents all, some, other;
  make(&all, t, (tern_document_options){.subtask = "head", .shots = 3});
  make(&some, t, (tern_document_options){.subtask = "head", .shots = 3, .limit = 5});
  make(&other, t, (tern_document_options){.subtask = "head", .shots = 3, .seed = &(int64_t){77}});
  assert_string_equal(all.name, "sums_head");
  assert_int_equal(all.count, 16);
  assert_int_equal(some.count, 5);
  assert_same(&all, &some, 5);
  assert_string_not_equal(all.list[0].asks[0].context, other.list[0].asks[0].context);
  tern_documents_close(&all);
  tern_documents_close(&some);
  tern_documents_close(&other);
  tern_task_close(t);
}

static void a_subtask_cut_from_all_rows_is_that_of_the_files(void **state) {
  static const char *const names[] = {"hand", "head"};
  (void)state;
  tern_task *t = open_task("sums");
  tern_task_data whole;
  tern_error e = {0};
  if (tern_task_data_open(&whole, t, dir, NULL, true, &e) != 0) fail_msg("%s", e.text);
  for (int i = 0; i < 2; i++) {
    tern_documents read, cut;
    make(&read, t, (tern_document_options){.subtask = names[i], .shots = -1});
    make(&cut, t, (tern_document_options){.subtask = names[i], .shots = -1, .whole = &whole});
    assert_int_equal(read.count, cut.count);
    assert_same(&read, &cut, read.count);
    assert_string_equal(read.data.path, cut.data.path);
    assert_int_equal(tern_rows_line(read.data.rows, 1), tern_rows_line(cut.data.rows, 1));
    tern_documents_close(&read);
    tern_documents_close(&cut);
  }
  tern_documents none;
  const tern_document_options o = {.subtask = "foot", .whole = &whole};
  assert_int_equal(tern_documents_make(&none, t, &o, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "no row with by \"foot\""));
  tern_task_data_close(&whole);
  tern_task_close(t);
}

static void prompts_are_text_one_turn_or_turns(void **state) {
  (void)state;
  tern_task *t = open_task("sums");
  tern_documents plain, one, turns;
  const tern_chat_template *chat = tern_chat_template_find("chatml");
  const tern_document_options o = {.subtask = "hand", .shots = 1, .limit = 1};
  tern_document_options in_one = o, as_turns = o;
  in_one.chat = as_turns.chat = chat;
  as_turns.shots_as_turns = true;
  make(&plain, t, o);
  make(&one, t, in_one);
  make(&turns, t, as_turns);
  const char *text = plain.list[0].asks[0].context, *shot = text + strlen("Add by hand.\n\n");
  char want[400], question[100], answer[40];
  assert_int_equal(sscanf(shot, "Q: %99[^\n]\nA: %39s", question, answer), 2);
  snprintf(want, sizeof want, "Add by hand.\n\nQ: %s\nA: %s\n\nQ: 0+1\nA:", question, answer);
  assert_string_equal(text, want);
  assert_string_equal(plain.list[0].asks[1].continuation, " 0");
  snprintf(want, sizeof want,
           "<|im_start|>system\nAdd by hand.\n\n<|im_end|>\n<|im_start|>user\nQ: %s\nA: %s\n\nQ: 0+1\nA:<|im_end|>\n"
           "<|im_start|>assistant\n",
           question, answer);
  assert_string_equal(one.list[0].asks[0].context, want);
  assert_string_equal(one.list[0].asks[1].continuation, "0");
  snprintf(want, sizeof want,
           "<|im_start|>system\nAdd by hand.\n\n<|im_end|>\n<|im_start|>user\nQ: %s\nA:<|im_end|>\n"
           "<|im_start|>assistant\n%s<|im_end|>\n<|im_start|>user\nQ: 0+1\nA:<|im_end|>\n<|im_start|>assistant\n",
           question, answer);
  assert_string_equal(turns.list[0].asks[0].context, want);
  tern_documents_close(&plain);
  tern_documents_close(&one);
  tern_documents_close(&turns);
  tern_task_close(t);
}

static void later_turns_hold_the_answers_before_them(void **state) {
  (void)state;
  char said[] = "One.", *context;
  const tern_reply replies[] = {{.text = said}};
  tern_task *t = open_task("talk");
  tern_documents set;
  tern_error e = {0};
  make(&set, t, (tern_document_options){.shots = 0, .chat = tern_chat_template_find("chatml")});
  assert_int_equal(set.list[0].ask_count, 2);
  assert_null(set.list[0].asks[1].context);
  assert_string_equal(set.list[0].asks[0].context, "<|im_start|>user\nSay one.<|im_end|>\n<|im_start|>assistant\n");
  assert_int_equal(tern_document_turn(&set, &set.list[0], 1, replies, &context, &e), 0);
  assert_string_equal(context, "<|im_start|>user\nSay one.<|im_end|>\n<|im_start|>assistant\nOne.<|im_end|>\n"
                               "<|im_start|>user\nSay two.<|im_end|>\n<|im_start|>assistant\n");
  free(context);
  tern_documents_close(&set);
  tern_task_close(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_limit_leaves_the_shots_of_the_first_questions),
      cmocka_unit_test(a_subtask_cut_from_all_rows_is_that_of_the_files),
      cmocka_unit_test(prompts_are_text_one_turn_or_turns),
      cmocka_unit_test(later_turns_hold_the_answers_before_them),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
