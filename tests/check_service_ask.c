/* Bodies of completion requests: every form of a prompt, and a clear refusal
 * that names the field for all that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/completion_ask.h"

/* A byte an id: enough of a tokenizer here. */
static int encode(const void *arg, const char *text, size_t size, int32_t **ids, int *count, tern_error *e) {
  (void)arg;
  (void)e;
  *ids = malloc((size + 1) * sizeof **ids);
  for (size_t i = 0; i < size; i++) (*ids)[i] = (unsigned char)text[i];
  *count = (int)size;
  return TERN_OK;
}

static const tern_ask_limits limits = {.prompts = 4, .stops = 2, .vocab = 300, .encode = encode};

static int read_ask(tern_completion_ask *a, const char *body, tern_problem *p) {
  *p = (tern_problem){0};
  return tern_completion_ask_read(a, body, strlen(body), &limits, p);
}

static void prompts_come_as_text_texts_ids_or_lists_of_ids(void **state) {
  static const struct {
    const char *body;
    int prompts, second; /* ids of the last prompt; its second id */
  } rows[] = {
      {"{\"prompt\": \"ab\"}", 1, 'b'},        {"{\"prompt\": [\"x\", \"ab\"]}", 2, 'b'},
      {"{\"prompt\": [7, 299]}", 1, 299},      {"{\"prompt\": [[1], [2], [0, 3]]}", 3, 3},
      {"{\"prompt\": [[1], \"ab\"]}", 2, 'b'}, {"{\"prompt\": \"a\\u0000b\"}", 1, 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_completion_ask a;
    tern_problem p;
    assert_int_equal(read_ask(&a, rows[i].body, &p), 0);
    assert_int_equal(a.prompt_count, rows[i].prompts);
    assert_int_equal(a.prompts[a.prompt_count - 1].ids[1], rows[i].second);
    assert_int_equal(a.most_tokens, 16);
    assert_int_equal(a.logprobs, -1);
    tern_completion_ask_free(&a);
  }
}

static void options_are_taken_and_nulls_and_strangers_passed_over(void **state) {
  tern_completion_ask a;
  tern_problem p;
  (void)state;
  assert_int_equal(
      read_ask(&a,
               "{\"prompt\": \"a\", \"max_tokens\": 1, \"temperature\": 0, \"seed\": 1234, \"echo\": true, "
               "\"logprobs\": 1, \"stop\": [\"x\", \"yz\"], \"top_p\": 0.5, \"n\": 1, \"stream\": false, "
               "\"suffix\": null, \"user\": \"me\", \"top_k\": null}",
               &p),
      0);
  assert_true(a.echo && a.logprobs == 1 && a.most_tokens == 1);
  assert_true(a.sampling.temperature == 0 && a.sampling.top_p == 0.5f && a.sampling.seed == 1234);
  assert_int_equal(a.stop_count, 2);
  assert_string_equal(a.stops[1], "yz");
  tern_completion_ask_free(&a);
}

static void what_is_wrong_is_refused_with_its_field(void **state) {
  static const char *const rows[][2] = {
      {"", NULL},
      {"[1, 2", NULL},
      {"[1, 2]", NULL},
      {"{\"prompt\": \"\xff\xfe\"}", NULL},
      {"{\"prompt\": \"a\"} x", NULL},
      {"{}", "prompt"},
      {"{\"prompt\": null}", "prompt"},
      {"{\"prompt\": []}", "prompt"},
      {"{\"prompt\": \"\"}", "prompt"},
      {"{\"prompt\": [[]]}", "prompt"},
      {"{\"prompt\": [[1], []]}", "prompt"},
      {"{\"prompt\": [1, 300]}", "prompt"},
      {"{\"prompt\": [1, -1]}", "prompt"},
      {"{\"prompt\": [1, 2.0]}", "prompt"},
      {"{\"prompt\": [1, \"a\"]}", "prompt"},
      {"{\"prompt\": [\"a\", 1]}", "prompt"},
      {"{\"prompt\": [[[1]]]}", "prompt"},
      {"{\"prompt\": {\"a\": 1}}", "prompt"},
      {"{\"prompt\": [\"a\", \"a\", \"a\", \"a\", \"a\"]}", "prompt"},
      {"{\"prompt\": [99999999999999]}", "prompt"},
      {"{\"prompt\": \"a\", \"max_tokens\": -1}", "max_tokens"},
      {"{\"prompt\": \"a\", \"max_tokens\": 1.5}", "max_tokens"},
      {"{\"prompt\": \"a\", \"max_tokens\": \"9\"}", "max_tokens"},
      {"{\"prompt\": \"a\", \"max_tokens\": 9999999999}", "max_tokens"},
      {"{\"prompt\": \"a\", \"temperature\": \"hot\"}", "temperature"},
      {"{\"prompt\": \"a\", \"temperature\": -0.1}", "temperature"},
      {"{\"prompt\": \"a\", \"top_p\": 2}", "top_p"},
      {"{\"prompt\": \"a\", \"seed\": 1.5}", "seed"},
      {"{\"prompt\": \"a\", \"logprobs\": 5}", "logprobs"},
      {"{\"prompt\": \"a\", \"echo\": 1}", "echo"},
      {"{\"prompt\": \"a\", \"stop\": \"\"}", "stop"},
      {"{\"prompt\": \"a\", \"stop\": [\"a\", 1]}", "stop"},
      {"{\"prompt\": \"a\", \"stop\": [\"a\", \"b\", \"c\"]}", "stop"},
      {"{\"prompt\": \"a\", \"stop\": \"a\\u0000b\"}", "stop"},
      {"{\"prompt\": \"a\", \"stream\": true}", "stream"},
      {"{\"prompt\": \"a\", \"n\": 2}", "n"},
      {"{\"prompt\": \"a\", \"best_of\": 3}", "best_of"},
      {"{\"prompt\": \"a\", \"suffix\": \"b\"}", "suffix"},
      {"{\"prompt\": \"a\", \"logit_bias\": {\"5\": 1}}", "logit_bias"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_completion_ask a;
    tern_problem p;
    if (read_ask(&a, rows[i][0], &p) != 400) fail_msg("%s is not refused", rows[i][0]);
    if (!rows[i][1] != !p.field || (p.field && strcmp(p.field, rows[i][1]) != 0))
      fail_msg("%s: refused for %s", rows[i][0], p.field ? p.field : "no field");
    assert_true(p.message[0] && a.prompts == NULL && a.stops == NULL);
  }
}

static void lists_nested_without_end_are_refused(void **state) {
  enum { DEPTH = 100000 };
  static char body[DEPTH + 16] = "{\"prompt\": ";
  tern_completion_ask a;
  tern_problem p;
  (void)state;
  memset(body + strlen(body), '[', DEPTH);
  assert_int_equal(read_ask(&a, body, &p), 400);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(prompts_come_as_text_texts_ids_or_lists_of_ids),
      cmocka_unit_test(options_are_taken_and_nulls_and_strangers_passed_over),
      cmocka_unit_test(what_is_wrong_is_refused_with_its_field),
      cmocka_unit_test(lists_nested_without_end_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
