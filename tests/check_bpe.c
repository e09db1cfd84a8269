/* The vocabulary trainer: merges of a text equal those that Hugging Face's
 * BpeTrainer makes of it (fixtures, tokenizers 0.23.3), and what it writes is a
 * tokenizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer.h"
#include "engine/train/bpe.h"
#include "tests/own_folder.h"

#define FIXTURES TERN_TESTS_DIR "/fixtures/"

static int setup(void **state) {
  static folder f;
  f = folder_open();
  *state = &f;
  return 0;
}

static int teardown(void **state) {
  folder_close(*state);
  return 0;
}

static int train(folder *f, const char *text, tern_bpe_params p, tern_error *e) {
  tern_bpe_result r;
  char from[700];
  snprintf(from, sizeof from, "%s", text[0] == '/' ? text : folder_path(f, text));
  const char *files[] = {from};
  *e = (tern_error){0};
  return tern_bpe_train(folder_path(f, "out.gguf"), files, 1, &p, &r, e);
}

static void expect_merges(folder *f, const char *fixture) {
  tern_error e;
  tern_gguf *g;
  size_t size;
  int64_t count, line = 0;
  char *text = tern_file_read(fixture, 1 << 20, &size, &e), *rest = text;
  assert_non_null(text);
  assert_int_equal(tern_gguf_open(&g, folder_path(f, "out.gguf"), &e), 0);
  tern_gguf_string *merges = tern_gguf_texts(g, "tokenizer.ggml.merges", &count);
  for (char *want = strsep(&rest, "\n"); want && *want; want = strsep(&rest, "\n"), line++) {
    assert_true(line < count);
    if (merges[line].size != strlen(want) || memcmp(merges[line].data, want, merges[line].size) != 0)
      fail_msg("merge %d is \"%.*s\", want \"%s\"", (int)line, (int)merges[line].size, merges[line].data, want);
  }
  assert_int_equal(line, count);
  assert_true(tern_gguf_array_length(g, "tokenizer.ggml.tokens") == 258 + count);
  free(merges);
  free(text);
  tern_gguf_close(g);
}

static void merges_equal_hugging_face_with_single_digits(void **state) {
  tern_error e;
  const tern_bpe_params p = {.vocab = 700, .split_digits = true, .min_count = 2};
  assert_int_equal(train(*state, FIXTURES "bpe_text.txt", p, &e), 0);
  expect_merges(*state, FIXTURES "bpe_merges_digits.txt");
}

static void merges_equal_hugging_face_with_numbers(void **state) {
  tern_error e;
  assert_int_equal(train(*state, FIXTURES "bpe_text.txt", (tern_bpe_params){.vocab = 640}, &e), 0);
  expect_merges(*state, FIXTURES "bpe_merges_numbers.txt");
}

static void put(folder *f, const char *name, const char *text) {
  FILE *to = fopen(folder_path(f, name), "w");
  assert_true(to && fputs(text, to) >= 0 && fclose(to) == 0);
}

static void result_encodes_and_decodes_any_text(void **state) {
  folder *f = *state;
  static const char text[] = "the time 2041 \xe2\x80\x94 \xff\n\tthe end";
  tern_error e;
  tern_gguf *g;
  tern_tokenizer *t;
  int32_t *ids;
  size_t n, digits = 0, used = 0;
  char back[200];
  assert_int_equal(train(f, FIXTURES "bpe_text.txt", (tern_bpe_params){.vocab = 700, .split_digits = true}, &e), 0);
  assert_int_equal(tern_gguf_open(&g, folder_path(f, "out.gguf"), &e), 0);
  assert_int_equal(tern_tokenizer_from_gguf(&t, g, &e), 0);
  assert_int_equal(tern_tokenizer_bos(t), 0);
  assert_int_equal(tern_tokenizer_eos(t), 1);
  assert_true(tern_tokenizer_adds_bos(t));
  assert_int_equal(tern_tokenizer_encode(t, text, sizeof text - 1, true, &ids, &n, &e), 0);
  assert_true(n < sizeof text - 1);
  for (size_t i = 0; i < n; i++) {
    const tern_gguf_string s = tern_tokenizer_bytes(t, -1, ids[i]);
    memcpy(back + used, s.data, s.size);
    used += s.size;
    digits += s.size == 1 && s.data[0] >= '0' && s.data[0] <= '9';
  }
  assert_int_equal(used, sizeof text - 1);
  assert_memory_equal(back, text, used);
  assert_int_equal(digits, 4);
  free(ids);
  tern_tokenizer_close(t);
  tern_gguf_close(g);
}

static void records_give_their_texts(void **state) {
  folder *f = *state;
  tern_error e;
  put(f, "a.jsonl", "{\"prompt\": \"aab aab\", \"completion\": \"aab\", \"task\": \"zzzz zzzz\"}\n");
  assert_int_equal(train(f, "a.jsonl", (tern_bpe_params){.vocab = 300, .min_count = 2}, &e), 0);
  put(f, "want.txt", "a a\naa b\n");
  char want[700];
  snprintf(want, sizeof want, "%s", folder_path(f, "want.txt"));
  expect_merges(f, want);
}

static void bad_input_is_named(void **state) {
  folder *f = *state;
  static const struct {
    const char *name, *text;
    int vocab;
    const char *want;
  } cases[] = {{"small.txt", "a", 200, "too small: 2 special tokens and 256 bytes need 258"},
               {"utf8.txt", "good\nbad \xff\n", 300, "utf8.txt:2: not valid UTF-8"},
               {"row.jsonl", "{\"prompt\": \"a\"}\n{\"prompt\n", 300, "row.jsonl:2: "},
               {"list.jsonl", "[]\n", 300, "list.jsonl:1: want an object"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_error e;
    put(f, cases[i].name, cases[i].text);
    assert_int_equal(train(f, cases[i].name, (tern_bpe_params){.vocab = cases[i].vocab}, &e), TERN_FAILED);
    if (!strstr(e.text, cases[i].want)) fail_msg("\"%s\", want \"%s\"", e.text, cases[i].want);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(merges_equal_hugging_face_with_single_digits),
      cmocka_unit_test(merges_equal_hugging_face_with_numbers),
      cmocka_unit_test(result_encodes_and_decodes_any_text),
      cmocka_unit_test(records_give_their_texts),
      cmocka_unit_test(bad_input_is_named),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
