/* Answers of conversations go to FastChat's judge in its own form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "harness/eval/mtbench.h"
#include "tests/scratch.h"

static const char samples[] =
    "{\"doc_id\": 0, \"doc\": {\"question_id\": 82, \"category\": \"math\", \"turns\": [\"a\", \"b\"]}, "
    "\"resps\": [[\" Seven. \"], [\"\\u00dcber\\nnine\"]]}\n"
    "{\"doc_id\": 1, \"doc\": {\"question_id\": 81, \"category\": \"writing\", \"turns\": [\"c\", \"d\"]}, "
    "\"resps\": [[\"\"], [\"End\"]]}\n";

static char folder[4096];

static int make(void **state) {
  (void)state;
  scratch_make(folder, sizeof folder);
  return 0;
}

static int clear(void **state) {
  (void)state;
  scratch_remove(folder);
  return 0;
}

static void answers_are_sorted_stripped_and_named_by_their_model(void **state) {
  (void)state;
  tern_error e = {0};
  size_t i;
  scratch_file(folder, "samples_mtbench.jsonl", samples);
  if (tern_mtbench_write(folder, "mtbench", "tiny.gguf", &e) != 0) fail_msg("%s", e.text);
  char *text = scratch_read(folder, "model_answer/tiny.jsonl");
  assert_non_null(text);
  char *second = strchr(text, '\n');
  assert_non_null(second);
  json_t *lines = json_pack("[o,o]", json_loadb(text, (size_t)(second - text), 0, NULL), json_loads(second, 0, NULL));
  static const struct {
    int id;
    const char *turns[2];
  } want[] = {{81, {"", "End"}},
              {82,
               {"Seven.", "\xc3\x9c"
                          "ber\nnine"}}};
  for (i = 0; i < 2; i++) {
    const char *model, *answer, *turns[2];
    int question, index, stamp;
    assert_int_equal(json_unpack(json_array_get(lines, i), "{s:i, s:s, s:s, s:[{s:i, s:[s,s!]!}!], s:i !}",
                                 "question_id", &question, "answer_id", &answer, "model_id", &model, "choices", "index",
                                 &index, "turns", &turns[0], &turns[1], "tstamp", &stamp),
                     0);
    assert_int_equal(question, want[i].id);
    assert_string_equal(model, "tiny");
    assert_int_equal(strlen(answer), 22);
    assert_string_equal(turns[0], want[i].turns[0]);
    assert_string_equal(turns[1], want[i].turns[1]);
  }
  json_decref(lines);
  free(text);
}

static void the_same_samples_give_the_same_bytes(void **state) {
  (void)state;
  tern_error e = {0};
  char *text[2];
  scratch_file(folder, "samples_mtbench.jsonl", samples);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(tern_mtbench_write(folder, "mtbench", "tiny.gguf", &e), 0);
    text[i] = scratch_read(folder, "model_answer/tiny.jsonl");
  }
  assert_string_equal(text[0], text[1]);
  free(text[0]);
  free(text[1]);
}

static void samples_of_another_task_are_refused(void **state) {
  (void)state;
  tern_error e = {0};
  scratch_file(folder, "samples_mtbench.jsonl", "{\"doc_id\": 7, \"doc\": {}, \"resps\": [[\"a\"]]}\n");
  assert_int_not_equal(tern_mtbench_write(folder, "mtbench", "other.gguf", &e), 0);
  assert_non_null(strstr(e.text, "item 7: question_id"));
  assert_null(scratch_read(folder, "model_answer/other.jsonl"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(answers_are_sorted_stripped_and_named_by_their_model, make, clear),
      cmocka_unit_test_setup_teardown(the_same_samples_give_the_same_bytes, make, clear),
      cmocka_unit_test_setup_teardown(samples_of_another_task_are_refused, make, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
