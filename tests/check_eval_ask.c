/* Ids of asks: those that lm-eval fed the same model, over pairs, rolling texts
 * and prompts, both BOS behaviours, both windows; and tokenizers that have less
 * than this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/eval/ask.h"
#include "tests/eval_fixture.h"
#include "tests/scratch.h"
#include "tests/stories.h"

typedef struct fixture {
  char dir[256];
  tern_tokenizer *tokenizer;
  json_t *root;
} fixture;

static int setup(void **state) {
  static fixture f;
  char path[512];
  tern_error e = {0};
  *state = &f;
  if (stories_shared("models/stories260K.bin") == NULL) return 0;
  scratch_make(f.dir, sizeof f.dir);
  snprintf(path, sizeof path, "%s/stories.gguf", f.dir);
  if (stories_convert("models/stories260K.bin", path) != 0) return 1;
  if (tern_tokenizer_open(&f.tokenizer, path, &e) != 0) return 1;
  f.root = fixture_open("eval-asks.json");
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  if (f->tokenizer == NULL) return 0;
  tern_tokenizer_close(f->tokenizer);
  json_decref(f->root);
  scratch_remove(f->dir);
  return 0;
}

static tern_ask_rules rules_of(const fixture *f, const json_t *one) {
  bool current = strcmp(json_string_value(json_object_get(one, "bos")), "current") == 0;
  bool hf = strcmp(json_string_value(json_object_get(one, "window")), "hf") == 0;
  return (tern_ask_rules){.bos = current ? TERN_BOS_OWN : TERN_BOS_NEVER,
                          .window = hf ? TERN_WINDOW_HF : TERN_WINDOW_COMPLETIONS,
                          .context = (int)json_integer_value(json_object_get(f->root, "context")),
                          .most_tokens = (int)json_integer_value(json_object_get(f->root, "most_tokens"))};
}

static void assert_fed(const json_t *want, const int32_t *ids, int count) {
  const json_t *fed = json_object_get(want, "fed");
  assert_int_equal(json_array_size(fed), count);
  for (int i = 0; i < count; i++) assert_int_equal(ids[i], json_integer_value(json_array_get(fed, (size_t)i)));
}

/* An ask's ids and what lm-eval fed, of which the last is scored only. */
static void compare_ask(tern_splitter *s, const char *kind, const json_t *text, const json_t *want) {
  bool rolling = strcmp(kind, "rolling") == 0, prompt = strcmp(kind, "prompts") == 0;
  tern_ask ask = {.context = json_string_value(text)};
  tern_ask_ids ids;
  tern_error e = {0};
  int from, count, scored, i = 0;
  if (rolling) ask = (tern_ask){.continuation = json_string_value(text)};
  if (json_is_array(text))
    ask = (tern_ask){json_string_value(json_array_get(text, 0)), json_string_value(json_array_get(text, 1))};
  if (tern_ask_split(s, &ask, &ids, &e) != 0) fail_msg("%s", e.text);
  if (prompt) {
    assert_fed(want, ids.ids, ids.count);
  } else if (!rolling) {
    assert_fed(want, ids.ids, ids.count - 1);
    assert_int_equal(ids.scored, json_integer_value(json_object_get(want, "scored")));
  }
  for (; rolling && tern_ask_window(&s->rules, &ids, i, &from, &count, &scored); i++) {
    const json_t *window = json_array_get(json_object_get(want, "windows"), (size_t)i);
    assert_fed(window, ids.ids + from, count - 1);
    assert_int_equal(scored, json_integer_value(json_object_get(window, "scored")));
  }
  if (rolling) assert_int_equal(i, json_array_size(json_object_get(want, "windows")));
  free(ids.ids);
}

static void ids_are_those_that_lm_eval_feeds(void **state) {
  static const char *const kinds[] = {"pairs", "rolling", "prompts"};
  const fixture *f = *state;
  if (f->tokenizer == NULL) skip();
  size_t i, j, seen = 0;
  json_t *one, *text;
  json_array_foreach(json_object_get(f->root, "cases"), i, one) {
    tern_splitter s = {.tokenizer = f->tokenizer, .rules = rules_of(f, one)};
    for (int k = 0; k < 3; k++) {
      json_array_foreach(json_object_get(f->root, kinds[k]), j, text) {
        const json_t *want = json_array_get(json_object_get(one, kinds[k]), j);
        if (json_is_null(want)) continue;
        compare_ask(&s, kinds[k], text, want);
        seen++;
      }
    }
    tern_splitter_close(&s);
  }
  assert_int_equal(seen, 4 * (19 + 8 + 5) - 6);
}

static void what_does_not_fit_is_cut_on_the_left_and_counted(void **state) {
  const fixture *f = *state;
  if (f->tokenizer == NULL) skip();
  char text[400] = "";
  tern_error e = {0};
  tern_ask_ids whole, part;
  for (int i = 0; i < 30; i++) strcat(text, "Tom ran. ");
  const tern_ask ask = {text, " Lily ran, too."};
  tern_splitter s = {.tokenizer = f->tokenizer, .rules = {.context = 512}};
  assert_int_equal(tern_ask_split(&s, &ask, &whole, &e), 0);
  assert_int_equal(whole.cut, 0);
  static const int windows[][2] = {{TERN_WINDOW_HF, 1}, {TERN_WINDOW_COMPLETIONS, -1}};
  for (int w = 0; w < 2; w++) {
    for (int context = TERN_LEAST_CONTEXT; context < 40; context++) {
      s.rules.context = context;
      s.rules.window = (tern_window_rule)windows[w][0];
      assert_int_equal(tern_ask_split(&s, &ask, &part, &e), 0);
      assert_int_equal(part.count, context + windows[w][1]);
      assert_int_equal(part.cut, whole.count - part.count);
      assert_memory_equal(part.ids, whole.ids + part.cut, (size_t)part.count * sizeof *part.ids);
      assert_int_equal(part.scored, whole.scored < part.count ? whole.scored : part.count - 1);
      free(part.ids);
    }
  }
  free(whole.ids);
  tern_splitter_close(&s);
}

static void tokens_that_leave_no_room_for_a_question_are_refused(void **state) {
  const fixture *f = *state;
  if (f->tokenizer == NULL) skip();
  tern_error e = {0};
  tern_ask_ids ids;
  tern_splitter s = {.tokenizer = f->tokenizer, .rules = {.context = 64, .most_tokens = 64}};
  assert_int_equal(tern_ask_split(&s, &(tern_ask){"Tom", NULL}, &ids, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "64 tokens are to be generated in a context of 64"));
  s.rules.most_tokens = 63;
  assert_int_equal(tern_ask_split(&s, &(tern_ask){"Tom and Lily", NULL}, &ids, &e), 0);
  assert_int_equal(ids.count, 1);
  assert_true(ids.cut > 0);
  free(ids.ids);
  tern_splitter_close(&s);
}

/* tok512.bin by itself has BOS and EOS; three base64 ranks have neither. */
static void without_bos_and_eos_only_texts_with_a_context_can_be_asked(void **state) {
  char dir[256], path[512];
  tern_tokenizer *t = NULL;
  tern_error e = {0};
  tern_ask_ids ids;
  (void)state;
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "tokenizer.json",
               "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2}, \"merges\": []},"
               " \"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": true}}");
  snprintf(path, sizeof path, "%s/tokenizer.json", dir);
  if (tern_tokenizer_open(&t, path, &e) != 0) fail_msg("%s", e.text);
  tern_splitter s = {.tokenizer = t, .rules = {.context = 8, .most_tokens = 4}};
  assert_int_equal(tern_ask_split(&s, &(tern_ask){"ab", "c"}, &ids, &e), 0);
  assert_int_equal(ids.count, 3);
  assert_int_equal(ids.scored, 1);
  free(ids.ids);
  static const tern_ask refused[] = {{"", "a"}, {NULL, "abc"}, {"", NULL}};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(tern_ask_split(&s, &refused[i], &ids, &e), TERN_FAILED);
    assert_non_null(strstr(e.text, "BOS or EOS"));
    assert_null(ids.ids);
  }
  tern_splitter_close(&s);
  tern_tokenizer_close(t);
  scratch_remove(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_are_those_that_lm_eval_feeds),
      cmocka_unit_test(what_does_not_fit_is_cut_on_the_left_and_counted),
      cmocka_unit_test(tokens_that_leave_no_room_for_a_question_are_refused),
      cmocka_unit_test(without_bos_and_eos_only_texts_with_a_context_can_be_asked),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
