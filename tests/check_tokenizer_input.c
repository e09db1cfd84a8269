/* Tokenizers from small files of our own: rules that the big vocabularies do
 * not show, and files that lie. Needs nothing from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/random.h"
#include "engine/text/tokenizer.h"

#define KEY "tokenizer.ggml."
#define COUNT(list) (sizeof(list) / sizeof *(list))

typedef struct vocabulary {
  const char *model, *pre;
  const char *const *tokens, *const *merges;
  size_t token_count, merge_count;
  const int32_t *types;
  size_t type_count;
  const float *scores;
  size_t score_count;
  int bos, eos;
  const char *name;
} vocabulary;

static const char *temporary(void) {
  static char path[64];
  snprintf(path, sizeof path, "/tmp/check_tokenizer_input.%d", (int)getpid());
  return path;
}

static void put_texts(tern_gguf_writer *w, const char *key, const char *const *list, size_t n) {
  tern_gguf_string texts[64];
  for (size_t i = 0; i < n; i++) texts[i] = (tern_gguf_string){list[i], strlen(list[i])};
  tern_gguf_put_texts(w, key, texts, n);
}

static int open_vocabulary(tern_tokenizer **t, const vocabulary *v, tern_error *e) {
  tern_gguf_writer *w;
  tern_gguf *g;
  assert_int_equal(tern_gguf_writer_open(&w, temporary(), e), TERN_OK);
  if (v->model != NULL) tern_gguf_put_text(w, KEY "model", v->model);
  if (v->name != NULL) tern_gguf_put_text(w, "general.name", v->name);
  if (v->pre != NULL) tern_gguf_put_text(w, KEY "pre", v->pre);
  if (v->tokens != NULL) put_texts(w, KEY "tokens", v->tokens, v->token_count);
  if (v->merges != NULL) put_texts(w, KEY "merges", v->merges, v->merge_count);
  if (v->types != NULL) tern_gguf_put_i32s(w, KEY "token_type", v->types, v->type_count);
  if (v->scores != NULL) tern_gguf_put_f32s(w, KEY "scores", v->scores, v->score_count);
  if (v->bos >= 0) tern_gguf_put_u32(w, KEY "bos_token_id", (uint32_t)v->bos);
  if (v->eos >= 0) tern_gguf_put_u32(w, KEY "eos_token_id", (uint32_t)v->eos);
  assert_int_equal(tern_gguf_writer_start(w, e), TERN_OK);
  assert_int_equal(tern_gguf_writer_finish(w, e), TERN_OK);
  if (tern_gguf_open(&g, temporary(), e) != TERN_OK) fail_msg("%s", e->text);
  int status = tern_tokenizer_from_gguf(t, g, e);
  tern_gguf_close(g);
  unlink(temporary());
  return status;
}

static void expect_ids(const tern_tokenizer *t, const char *text, bool special, const int32_t *want, size_t wanted) {
  tern_error e = {0};
  int32_t *ids;
  size_t n;
  if (tern_tokenizer_encode(t, text, strlen(text), special, &ids, &n, &e) != TERN_OK) fail_msg("%s", e.text);
  assert_int_equal(n, wanted);
  for (size_t i = 0; i < n; i++) assert_int_equal(ids[i], want[i]);
  free(ids);
}
#define EXPECT_IDS(t, text, special, ...)                                                                              \
  expect_ids(t, text, special, (const int32_t[]){__VA_ARGS__}, COUNT(((const int32_t[]){__VA_ARGS__})))

/* " a" in GPT-2's and in SentencePiece's form; in two parts, or the a would be a hexadecimal digit. */
static const char blank_a[] = "\xc4\xa0"
                              "a";
static const char piece_blank_a[] = "\xe2\x96\x81"
                                    "a";

/* a b c and their merges; ids are told by position. */
static const char *const letters[] = {"a", "b", "c", "ab", "bc", "abc", "\xc4\xa0", blank_a, "<|x|>", "<|x|>y", "q!"};
static const char *const merges[] = {"b c", "a b", "a bc", "\xc4\xa0 a", "z z", "ab nothere"};
static const int32_t letter_types[] = {1, 1, 1, 1, 1, 1, 1, 1, 3, 3, 4};
static const vocabulary letter_vocabulary = {
    "gpt2", "gpt-2", letters, merges, COUNT(letters), COUNT(merges), letter_types, COUNT(letter_types), NULL,
    0,      8,       9,       NULL};

static void merges_apply_by_rank_not_by_length_or_place(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tokenizer *t;
  if (open_vocabulary(&t, &letter_vocabulary, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "abc", false, 5); /* b c first, then a bc */
  EXPECT_IDS(t, "abcab", false, 5, 3);
  EXPECT_IDS(t, "abab a", false, 3, 3, 7);
  EXPECT_IDS(t, "cba", false, 2, 1, 0);
  expect_ids(t, "", false, NULL, 0);
  tern_tokenizer_close(t);
}

static void a_llama3_vocabulary_without_a_name_is_recognised(void **state) {
  (void)state;
  static const char *const tokens[] = {"1", "2", "3", "4", "12", "123", "1234", "<|begin_of_text|>"};
  static const char *const digits[] = {"1 2", "12 3", "123 4"};
  vocabulary v = {.model = "gpt2",
                  .tokens = tokens,
                  .token_count = COUNT(tokens),
                  .merges = digits,
                  .merge_count = 3,
                  .bos = -1,
                  .eos = -1};
  tern_error e = {0};
  tern_tokenizer *t;
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "1234", false, 5, 3); /* LLaMA-3 takes digits in threes */
  tern_tokenizer_close(t);
  v.pre = "gpt-2";
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "1234", false, 6);
  tern_tokenizer_close(t);
}

static void the_longest_special_wins_and_only_when_asked(void **state) {
  (void)state;
  tern_error e = {0};
  tern_tokenizer *t;
  int32_t *ids;
  size_t n;
  if (open_vocabulary(&t, &letter_vocabulary, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "a<|x|>b", true, 0, 8, 1);
  EXPECT_IDS(t, "a<|x|>yb<|x|>", true, 0, 9, 1, 8);
  EXPECT_IDS(t, "aq!", false, 0, 10); /* user-defined: always */
  assert_int_equal(tern_tokenizer_bytes(t, 0, 8).size, 0);
  assert_int_equal(tern_tokenizer_bytes(t, 0, 10).size, 2);
  /* as plain text it needs bytes that this vocabulary lacks: told, not crashed */
  assert_int_equal(tern_tokenizer_encode(t, "<|x|>", 5, false, &ids, &n, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "0x3c"));
  tern_tokenizer_close(t);
}

static void pieces_fall_back_to_bytes_and_carry_a_leading_blank(void **state) {
  (void)state;
  static const char *const tokens[] = {"<unk>",        "<s>", "</s>",        "<0xC3>", "<0xA9>",
                                       "\xe2\x96\x81", "a",   piece_blank_a, "b",      "ab"};
  static const int32_t types[] = {2, 3, 3, 6, 6, 1, 1, 1, 1, 1};
  static const float scores[] = {0, 0, 0, 0, 0, -5, -6, -2, -7, -1};
  const vocabulary v = {"llama", NULL,          tokens, NULL, COUNT(tokens), 0, types, COUNT(types),
                        scores,  COUNT(scores), 1,      2,    NULL};
  tern_error e = {0};
  tern_tokenizer *t;
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "ab", false, 5, 9); /* "ab" outscores " a" */
  EXPECT_IDS(t, "a a", false, 7, 7);
  EXPECT_IDS(t, "\xc3\xa9", false, 5, 3, 4); /* é as its bytes */
  EXPECT_IDS(t, "z", false, 5, 0);           /* no byte token: unknown */
  EXPECT_IDS(t, "</s>b", true, 2, 5, 8);
  tern_gguf_string s = tern_tokenizer_bytes(t, 1, 7);
  assert_true(s.size == 1 && s.data[0] == 'a'); /* after BOS without the blank */
  s = tern_tokenizer_bytes(t, 6, 7);
  assert_true(s.size == 2 && s.data[0] == ' ');
  tern_tokenizer_close(t);
}

/* Gemma 4's kind: no scores, no blank before the text. */
static void pieces_with_a_list_merge_by_it(void **state) {
  (void)state;
  static const char *const tokens[] = {"<unk>", "<s>", "\xe2\x96\x81", "a", "b", "ab", piece_blank_a};
  static const char *const list[] = {"\xe2\x96\x81 a"};
  static const int32_t types[] = {2, 3, 1, 1, 1, 1, 1};
  vocabulary v = {.model = "gemma4",
                  .tokens = tokens,
                  .token_count = COUNT(tokens),
                  .merges = list,
                  .merge_count = COUNT(list),
                  .types = types,
                  .type_count = COUNT(types),
                  .bos = 1,
                  .eos = -1};
  tern_error e = {0};
  tern_tokenizer *t;
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "ab a", false, 3, 4, 6);
  tern_tokenizer_close(t);
  v.merges = NULL;
  assert_int_equal(open_vocabulary(&t, &v, &e), TERN_FAILED);
}

/* As tokenizer.json has it, which files converted by llama.cpp leave out; an end is a control token whatever its type.
 */
static void marks_of_phi3_take_the_line_break(void **state) {
  (void)state;
  static const char *const tokens[] = {"<unk>", "<s>", "<|end|>", "<|user|>", "<0x0A>", "\xe2\x96\x81", "a"};
  static const int32_t types[] = {2, 3, 4, 3, 6, 1, 1};
  static const float scores[] = {0, 0, 0, 0, 0, -5, -6};
  vocabulary v = {.model = "llama",
                  .tokens = tokens,
                  .token_count = COUNT(tokens),
                  .types = types,
                  .type_count = COUNT(types),
                  .scores = scores,
                  .score_count = COUNT(scores),
                  .bos = 1,
                  .eos = -1,
                  .name = "Phi-3 mini"};
  tern_error e = {0};
  tern_tokenizer *t;
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "<|user|>\n \na<|end|>\n", true, 3, 5, 6, 2);
  EXPECT_IDS(t, "<s>\n", true, 1, 5, 4);
  EXPECT_IDS(t, "<|end|>", false, 5, 0, 0, 0, 0, 0, 0, 0); /* plain text ends nothing */
  assert_true(tern_tokenizer_ends(t, 2));
  assert_int_equal(tern_tokenizer_find(t, "<|user|>"), 3);
  assert_int_equal(tern_tokenizer_find(t, "a"), -1);
  tern_tokenizer_close(t);
  v.name = "Llama";
  if (open_vocabulary(&t, &v, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "<|user|>\na", true, 3, 5, 4, 6);
  tern_tokenizer_close(t);
}

static void inconsistent_vocabularies_are_refused_by_key(void **state) {
  (void)state;
  static char huge[5000];
  memset(huge, 'a', sizeof huge - 1);
  const char *const big_tokens[] = {"a", huge};
  const char *const joined[] = {"ab"};
  const float scores[2] = {0, 0};
  vocabulary v[10];
  static const char *const named[] = {"model",      "model",        "tokens", "merges", "merges[0]",
                                      "token_type", "bos_token_id", "scores", "scores", "pre"};
  for (size_t i = 0; i < COUNT(v); i++) v[i] = letter_vocabulary;
  v[0].model = NULL;
  v[1].model = "word2vec";
  v[2].tokens = NULL;
  v[3].merges = NULL;
  v[4].merges = joined;
  v[4].merge_count = 1;
  v[5].type_count = 3;
  v[6].bos = 11;
  v[7].model = "llama";
  v[8].model = "llama";
  v[8].scores = scores;
  v[8].score_count = 2;
  v[9].pre = "no-such-thing";
  for (size_t i = 0; i < COUNT(v); i++) {
    tern_error e = {0};
    tern_tokenizer *t;
    assert_int_equal(open_vocabulary(&t, &v[i], &e), TERN_FAILED);
    assert_null(t);
    if (strstr(e.text, named[i]) == NULL) fail_msg("\"%s\" does not name %s", e.text, named[i]);
  }
  vocabulary huge_token = letter_vocabulary;
  huge_token.tokens = big_tokens;
  huge_token.token_count = 2;
  huge_token.types = NULL;
  huge_token.bos = huge_token.eos = -1;
  tern_error e = {0};
  tern_tokenizer *t;
  assert_int_equal(open_vocabulary(&t, &huge_token, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "4999 bytes"));
}

static int open_bytes(tern_tokenizer **t, const void *bytes, size_t size, int vocab, tern_error *e) {
  FILE *f = fopen(temporary(), "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, size, f), size);
  fclose(f);
  int status = vocab > 0 ? tern_tokenizer_from_llama2c(t, temporary(), vocab, e)
                         : tern_tokenizer_from_tiktoken(t, temporary(), e);
  unlink(temporary());
  return status;
}

static void rank_files_must_be_in_order_and_base64(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "YQ== 0\nYg== 2\n", "YQ==\n",   "YQ== 0x\n", "Y!== 0\n", "Y 0\n", "\n", " 0\n", "YQ== 99999999999999999999\n",
      "YQ== 0\n\n",       "YQ== -1\n"};
  tern_error e = {0};
  tern_tokenizer *t;
  static const char good[] = "YQ== 0\r\nYg== 1\nYWI= 2\nYWJh 3"; /* a b ab aba */
  if (open_bytes(&t, good, sizeof good - 1, 0, &e) != TERN_OK) fail_msg("%s", e.text);
  EXPECT_IDS(t, "abab", false, 2, 2);
  EXPECT_IDS(t, "aba<|eot_id|>", true, 3, 13);
  tern_tokenizer_close(t);
  for (size_t i = 0; i < COUNT(wrong); i++) {
    assert_int_equal(open_bytes(&t, wrong[i], strlen(wrong[i]), 0, &e), TERN_FAILED);
    assert_null(t);
  }
}

static void truncated_llama2c_vocabularies_are_refused(void **state) {
  (void)state;
  uint8_t file[4 + 5 * 9];
  memset(file, 0, sizeof file);
  for (int i = 0; i < 5; i++) {
    file[4 + i * 9 + 4] = 1; /* length */
    file[4 + i * 9 + 8] = (uint8_t)('a' + i);
  }
  tern_error e = {0};
  tern_tokenizer *t;
  assert_int_equal(open_bytes(&t, file, sizeof file, 5, &e), TERN_OK);
  tern_tokenizer_close(t);
  for (size_t size = 1; size < sizeof file; size++) assert_int_equal(open_bytes(&t, file, size, 5, &e), TERN_FAILED);
  file[4 + 2 * 9 + 7] = 0x7f; /* a length of 2 GB */
  assert_int_equal(open_bytes(&t, file, sizeof file, 5, &e), TERN_FAILED);
  file[4 + 2 * 9 + 7] = 0xff; /* a negative one */
  assert_int_equal(open_bytes(&t, file, sizeof file, 5, &e), TERN_FAILED);
}

typedef struct collected {
  char text[256];
  size_t size;
  bool whole; /* every piece put so far was valid UTF-8 of its own */
} collected;

static bool valid(const uint8_t *s, size_t n) {
  for (size_t i = 0; i < n;) {
    size_t more = s[i] < 0x80 ? 0 : s[i] >= 0xf0 ? 3 : s[i] >= 0xe0 ? 2 : 1;
    if (s[i] >= 0x80 && s[i] < 0xc2) return false;
    for (size_t j = 1; j <= more; j++) {
      if (i + j >= n || (s[i + j] & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

static void collect(void *arg, const char *bytes, size_t size) {
  collected *c = arg;
  memcpy(c->text + c->size, bytes, size);
  c->size += size;
  c->whole = c->whole && valid((const uint8_t *)bytes, size);
}

static void streamed_text_breaks_only_between_characters(void **state) {
  (void)state;
  static const char text[] = "a\xc3\xa9z\xe2\x82\xac\xf0\x9f\x98\x81!\xe0\xa4\xb9\xf4\x8f\xbf\xbf.";
  for (uint64_t seed = 0; seed < 500; seed++) {
    collected c = {.whole = true};
    tern_utf8_stream stream = {0};
    for (size_t at = 0, n; at < sizeof text - 1; at += n) {
      n = 1 + tern_random_at(seed, 0, at) % 4;
      if (n > sizeof text - 1 - at) n = sizeof text - 1 - at;
      tern_utf8_push(&stream, (tern_gguf_string){text + at, n}, collect, &c);
    }
    assert_int_equal(stream.count, 0);
    assert_true(c.whole);
    assert_int_equal(c.size, sizeof text - 1);
    assert_memory_equal(c.text, text, c.size);
  }
}

static void streamed_garbage_comes_out_as_it_went_in(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 5000; seed++) {
    static const uint8_t kinds[] = {'a', 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xf5, 0xff, 0xa0, 0x9f};
    char text[40];
    collected c = {0};
    tern_utf8_stream stream = {0};
    for (size_t i = 0; i < sizeof text; i++) text[i] = (char)kinds[tern_random_at(seed, 1, i) % sizeof kinds];
    for (size_t at = 0, n; at < sizeof text; at += n) {
      n = tern_random_at(seed, 2, at) % 4;
      if (n > sizeof text - at) n = sizeof text - at;
      tern_utf8_push(&stream, (tern_gguf_string){text + at, n}, collect, &c);
      assert_true(stream.count < 4);
      if (n == 0) n = 1, tern_utf8_push(&stream, (tern_gguf_string){text + at, 1}, collect, &c);
    }
    tern_utf8_flush(&stream, collect, &c);
    assert_int_equal(c.size, sizeof text);
    assert_memory_equal(c.text, text, c.size);
  }
}

/* Replaced as Python does, which follows Unicode's advice: one mark for each start of a character that breaks off. */
static void streamed_garbage_is_replaced_when_asked(void **state) {
  (void)state;
  static const struct {
    const char *in, *out;
  } rows[] = {
      {"a\x80"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xe2\x82"
       "A",
       "\xef\xbf\xbd"
       "A"},
      {"\xf0\x9f\x98", "\xef\xbf\xbd"},
      {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
      {"\xe2\x82\xe2\x82\xac", "\xef\xbf\xbd\xe2\x82\xac"},
      {"\xf4\x90\x80\x80.", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd."},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    size_t size = strlen(rows[i].in);
    for (size_t step = 1; step <= size; step++) {
      collected c = {.whole = true};
      tern_utf8_stream stream = {.replace = true};
      for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        tern_utf8_push(&stream, (tern_gguf_string){rows[i].in + at, n}, collect, &c);
      }
      tern_utf8_flush(&stream, collect, &c);
      assert_true(c.whole);
      assert_int_equal(c.size, strlen(rows[i].out));
      assert_memory_equal(c.text, rows[i].out, c.size);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(merges_apply_by_rank_not_by_length_or_place),
      cmocka_unit_test(a_llama3_vocabulary_without_a_name_is_recognised),
      cmocka_unit_test(the_longest_special_wins_and_only_when_asked),
      cmocka_unit_test(pieces_fall_back_to_bytes_and_carry_a_leading_blank),
      cmocka_unit_test(pieces_with_a_list_merge_by_it),
      cmocka_unit_test(marks_of_phi3_take_the_line_break),
      cmocka_unit_test(inconsistent_vocabularies_are_refused_by_key),
      cmocka_unit_test(rank_files_must_be_in_order_and_base64),
      cmocka_unit_test(truncated_llama2c_vocabularies_are_refused),
      cmocka_unit_test(streamed_text_breaks_only_between_characters),
      cmocka_unit_test(streamed_garbage_comes_out_as_it_went_in),
      cmocka_unit_test(streamed_garbage_is_replaced_when_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
