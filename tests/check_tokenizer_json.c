/* tokenizer.json: ids against Hugging Face's tokenizers 0.23.3, on vocabularies
 * that its trainers made of this project's own pages (fixtures/tokenizers), one
 * for each family's way of cutting words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/class_texts.h"
#include "tests/own_folder.h"

static const char *fixture(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/fixtures/tokenizers/%s.json", TERN_TESTS_DIR, name);
  return path;
}

static tern_tokenizer *load(const char *name) {
  tern_error e = {0};
  tern_tokenizer *t;
  if (tern_tokenizer_from_json(&t, fixture(name), &e)) fail_msg("%s", e.text);
  return t;
}

static void ids_are_those_of_hugging_face(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint64_t hash;
  } rows[] = {
      {"llama3", UINT64_C(0xacf6051d62c597fe)}, {"qwen2", UINT64_C(0xdf8eca958a743b84)},
      {"gpt2", UINT64_C(0x11230e504472991f)},   {"smollm", UINT64_C(0x4c377bebdb158395)},
      {"falcon", UINT64_C(0x490d58e8481e83dc)}, {"llama2", UINT64_C(0xbc7a5dde095305b5)},
      {"gemma", UINT64_C(0xb15be0b14c23b1dc)},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_error e = {0};
    tern_tokenizer *t = load(rows[i].name);
    if (hash_of_ids(t, &e) != rows[i].hash) fail_msg("%s: other ids %s", rows[i].name, e.text);
    tern_tokenizer_close(t);
  }
}

static void specials_and_bos_come_from_the_file(void **state) {
  (void)state;
  static const char text[] = "a<tool><|begin_of_text|>";
  tern_error e = {0};
  tern_tokenizer *t = load("llama3");
  int32_t *ids;
  size_t count;
  assert_int_equal(tern_tokenizer_bos(t), 0);
  assert_true(tern_tokenizer_adds_bos(t));
  assert_int_equal(tern_tokenizer_encode(t, text, sizeof text - 1, true, &ids, &count, &e), 0);
  assert_int_equal(count, 3);
  assert_int_equal(ids[2], 0);
  free(ids);
  /* A control token's text is text unless specials are asked for; a user's token always counts. */
  assert_int_equal(tern_tokenizer_encode(t, text, sizeof text - 1, false, &ids, &count, &e), 0);
  assert_true(count > 5);
  free(ids);
  tern_tokenizer_close(t);
}

static void a_written_tokenizer_gives_the_same_ids(void **state) {
  (void)state;
  static const char *const names[] = {"llama3", "gpt2", "smollm"};
  folder s = folder_open();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tern_error e = {0};
    tern_tokenizer *t = load(names[i]), *again = NULL;
    tern_gguf_writer *w;
    tern_gguf *g;
    if (tern_gguf_writer_open(&w, folder_path(&s, "t.gguf"), &e) || tern_tokenizer_write(t, w, &e) ||
        tern_gguf_writer_start(w, &e) || tern_gguf_writer_finish(w, &e))
      fail_msg("%s", e.text);
    if (tern_gguf_open(&g, folder_path(&s, "t.gguf"), &e) || tern_tokenizer_from_gguf(&again, g, &e))
      fail_msg("%s", e.text);
    assert_true(hash_of_ids(again, &e) == hash_of_ids(t, &e));
    tern_tokenizer_close(again);
    tern_tokenizer_close(t);
    tern_gguf_close(g);
  }
  folder_close(&s);
}

/* Each is one clear line that names the file and what is wrong. */
static void what_is_not_understood_is_refused_by_name(void **state) {
  (void)state;
  static const struct {
    const char *json, *part;
  } rows[] = {
      {"{", "line 1"},
      {"[]", "model.vocab"},
      {"{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}", "WordPiece"},
      {"{\"model\":{\"vocab\":{\"a\":-1}}}", "\"a\" has no usable id"},
      {"{\"model\":{\"vocab\":{\"a\":2000000000}}}", "no vocabulary"},
      {"{\"model\":{\"vocab\":{\"a\":0}}}", "neither ByteLevel"},
      {"{\"normalizer\":{\"type\":\"Lowercase\"},\"model\":{\"vocab\":{\"a\":0}}}", "Lowercase"},
      {"{\"pre_tokenizer\":{\"type\":\"Whitespace\"},\"model\":{\"vocab\":{\"a\":0}}}", "Whitespace"},
      {"{\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":\"Isolated\"},"
       "\"normalizer\":{\"type\":\"NFC\"},\"model\":{\"vocab\":{\"a\":0}}}",
       "neither ByteLevel"},
      {"{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},"
       "\"behavior\":\"Isolated\"},{\"type\":\"ByteLevel\",\"use_regex\":false}]},\"model\":{\"vocab\":{\"a\":0}}}",
       "PCRE2"},
      {"{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"model\":{\"vocab\":{\"a\":0},\"merges\":[\"ab\"]}}", "merges[0]"},
      {"{\"model\":{\"type\":\"Unigram\",\"vocab\":{\"a\":0}}}", "model.vocab"},
      {"{\"pre_tokenizer\":{\"type\":\"Metaspace\"},\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", "vocab[0]"},
      {"{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"_\"},\"model\":{\"vocab\":{\"a\":0}}}", "\"_\""},
      {"{\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"YWJj\"},\"model\":{\"vocab\":{\"a\":0}}}",
       "precompiled_charsmap"},
      {"{\"normalizer\":{\"type\":\"Precompiled\"},\"model\":{\"vocab\":{\"a\":0}}}", "precompiled_charsmap"},
      {"{\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},\"content\":\"y\"},\"model\":{\"vocab\":{"
       "\"a\":0}}}",
       "Replace"},
      {"{\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\"model\":{\"vocab\":{\"a\":0}}}", "WhitespaceSplit"},
      {"{\"pre_tokenizer\":{\"type\":\"ByteLevel\"},\"added_tokens\":[{\"id\":0}],\"model\":{\"vocab\":{\"a\":0}}}",
       "added_tokens[0]"},
  };
  folder s = folder_open();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_error e = {0};
    tern_tokenizer *t;
    FILE *f = fopen(folder_path(&s, "bad.json"), "w");
    fputs(rows[i].json, f);
    fclose(f);
    assert_int_not_equal(tern_tokenizer_from_json(&t, folder_path(&s, "bad.json"), &e), 0);
    if (!strstr(e.text, rows[i].part) || !strstr(e.text, "bad.json"))
      fail_msg("'%s' does not tell '%s'", e.text, rows[i].part);
  }
  folder_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_are_those_of_hugging_face),
      cmocka_unit_test(specials_and_bos_come_from_the_file),
      cmocka_unit_test(a_written_tokenizer_gives_the_same_ids),
      cmocka_unit_test(what_is_not_understood_is_refused_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
