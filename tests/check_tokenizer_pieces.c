/* SentencePiece vocabularies: ids against SentencePiece 0.2.3 (.model files) and
 * Hugging Face's tokenizers 0.23.3 (Unigram in tokenizer.json), on small
 * vocabularies trained on this project's own pages (fixtures/tokenizers), and
 * model files that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "tests/class_texts.h"
#include "tests/own_folder.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static const struct {
  const char *name;
  uint64_t hash;
  bool adds_bos, adds_eos;
} files[] = {
    {"unigram.model", UINT64_C(0x50940beca16d8c54), false, true},
    {"gemma.model", UINT64_C(0x9926f93c2b32739f), true, false},
    {"llama2.model", UINT64_C(0x3c74604b2a78e36d), true, false},
    {"t5.json", UINT64_C(0xde3ac5cd566d5156), false, true},
    {"xlmr.json", UINT64_C(0xde3ac5cd566d5156), false, true},
    {"unigram-first.json", UINT64_C(0x4afbc2f6ceedd0f3), false, true},
};

static const char *fixture(const char *name) {
  static char path[4096];
  snprintf(path, sizeof path, "%s/fixtures/tokenizers/%s", TERN_TESTS_DIR, name);
  return path;
}

static tern_tokenizer *load(const char *name) {
  tern_error e = {0};
  tern_tokenizer *t;
  if (tern_tokenizer_open(&t, fixture(name), &e)) fail_msg("%s", e.text);
  return t;
}

static size_t encode(const tern_tokenizer *t, const char *text, size_t size, int32_t **ids) {
  tern_error e = {0};
  size_t n;
  if (tern_tokenizer_encode(t, text, size, true, ids, &n, &e)) fail_msg("%s", e.text);
  return n;
}

static void ids_are_those_of_the_files_own_libraries(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(files); i++) {
    tern_error e = {0};
    tern_tokenizer *t = load(files[i].name);
    uint64_t h = hash_of_ids(t, &e);
    if (h != files[i].hash) fail_msg("%s: 0x%016llx %s", files[i].name, (unsigned long long)h, e.text);
    assert_int_equal(tern_tokenizer_adds_bos(t), files[i].adds_bos);
    assert_int_equal(tern_tokenizer_adds_eos(t), files[i].adds_eos);
    tern_tokenizer_close(t);
  }
}

static tern_tokenizer *through_gguf(const tern_tokenizer *t, const char *name) {
  tern_error e = {0};
  folder s = folder_open();
  tern_gguf_writer *w;
  tern_gguf *g = NULL;
  tern_tokenizer *again = NULL;
  if (tern_gguf_writer_open(&w, folder_path(&s, "t.gguf"), &e) || tern_tokenizer_write(t, w, &e) ||
      tern_gguf_writer_start(w, &e) || tern_gguf_writer_finish(w, &e) ||
      tern_gguf_open(&g, folder_path(&s, "t.gguf"), &e))
    fail_msg("%s: %s", name, e.text);
  if (tern_tokenizer_from_gguf(&again, g, &e)) fail_msg("%s: %s", name, e.text);
  tern_gguf_close(g);
  folder_close(&s);
  return again;
}

/* Every kind of file, also those whose rules GGUF has no key for. */
static void conversion_to_gguf_changes_no_id(void **state) {
  (void)state;
  static const char *const names[] = {"unigram.model", "gemma.model",       "llama2.model", "t5.json",
                                      "xlmr.json",     "falcon.json",       "gemma.json",   "llama2.json",
                                      "qwen2.json",    "unigram-first.json"};
  static const char text[] = "a <mask> b<turn>\n \xc3\xa9\xcc\x81<w> <x>  \xef\xac\x81";
  for (size_t i = 0; i < COUNT(names); i++) {
    tern_error e = {0};
    int32_t *ids, *other;
    tern_tokenizer *t = load(names[i]), *again = through_gguf(t, names[i]);
    if (hash_of_ids(again, &e) != hash_of_ids(t, &e)) fail_msg("%s: other ids %s", names[i], e.text);
    size_t n = encode(t, text, sizeof text - 1, &ids);
    assert_int_equal(encode(again, text, sizeof text - 1, &other), n);
    assert_memory_equal(ids, other, n * sizeof *ids);
    assert_int_equal(tern_tokenizer_adds_eos(again), tern_tokenizer_adds_eos(t));
    assert_int_equal(tern_tokenizer_adds_bos(again), tern_tokenizer_adds_bos(t));
    free(ids);
    free(other);
    tern_tokenizer_close(again);
    tern_tokenizer_close(t);
  }
}

/* The ids are Hugging Face's. <mask> takes blanks before it, <turn> white space behind it, <w> stands alone. */
static void added_tokens_reach_as_the_file_says(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int32_t ids[8];
    size_t count;
  } rows[] = {
      {"a <mask> b", {38, 420, 3, 36}, 4},
      {"x<turn>  \n y", {3, 111, 421, 3, 42}, 5},
      {"<w> a<w> <w>!", {422, 38, 192, 52, 253, 422, 3, 349}, 8},
  };
  tern_tokenizer *t = load("xlmr.json");
  for (size_t i = 0; i < COUNT(rows); i++) {
    int32_t *ids;
    assert_int_equal(encode(t, rows[i].text, strlen(rows[i].text), &ids), rows[i].count);
    assert_memory_equal(ids, rows[i].ids, rows[i].count * sizeof *ids);
    free(ids);
  }
  tern_tokenizer_close(t);
}

static void no_text_gives_no_ids_and_bytes_come_back(void **state) {
  (void)state;
  static const char broken[] = "ok \xff\xfe \xe2\x82 \xf0\x9f\x98 end\xc3";
  for (size_t i = 0; i < COUNT(files); i++) {
    int32_t *ids;
    tern_tokenizer *t = load(files[i].name);
    assert_int_equal(encode(t, "", 0, &ids), 0);
    free(ids);
    assert_true(encode(t, broken, sizeof broken - 1, &ids) > 3);
    free(ids);
    int32_t *other; /* a stray byte leaves the letter before it alone */
    size_t n = encode(t, "a", 1, &ids);
    assert_true(encode(t, "a\x80", 2, &other) > n);
    assert_memory_equal(ids, other, n * sizeof *ids);
    free(ids);
    free(other);
    tern_tokenizer_close(t);
  }
  char text[64] = "";
  int32_t *ids;
  tern_tokenizer *t = load("gemma.model");
  size_t n = encode(t, broken, sizeof broken - 1, &ids);
  for (size_t i = 0; i < n; i++) {
    tern_gguf_string bytes = tern_tokenizer_bytes(t, i ? ids[i - 1] : -1, ids[i]);
    strncat(text, bytes.data, bytes.size);
  }
  assert_string_equal(text, broken);
  free(ids);
  tern_tokenizer_close(t);
}

static int open_bytes(folder *s, const void *bytes, size_t size, tern_error *e) {
  tern_tokenizer *t = NULL;
  FILE *f = fopen(folder_path(s, "bad.model"), "wb");
  fwrite(bytes, 1, size, f);
  fclose(f);
  int status = tern_tokenizer_from_sentencepiece(&t, folder_path(s, "bad.model"), e);
  tern_tokenizer_close(t);
  return status;
}

/* Pieces as SentencePiece writes them, then what it trains by and how it normalises. */
static void model_files_that_cannot_be_right_are_refused(void **state) {
  (void)state;
#define PIECE "\x0a\x08\x0a\x01z\x15\x00\x00\x80\xbf"
  static const struct {
    const char *bytes;
    size_t size;
    const char *part;
  } rows[] = {
      {"\x0a\x7f", 2, "no SentencePiece model"},
      {PIECE "\x12\x02\x18\x03", 14, "model_type 3"},
      {PIECE "\x12\x03\xc0\x01\x01", 15, "treat_whitespace_as_suffix"},
      {PIECE "\x1a\x03\x12\x01x", 15, "precompiled_charsmap"},
      {"\x12\x02\x18\x01", 4, "no pieces"},
  };
  folder s = folder_open();
  tern_error e = {0};
  assert_int_equal(open_bytes(&s, PIECE, 10, &e), TERN_OK);
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(open_bytes(&s, rows[i].bytes, rows[i].size, &e), TERN_FAILED);
    if (!strstr(e.text, rows[i].part) || !strstr(e.text, "bad.model"))
      fail_msg("'%s' does not tell '%s'", e.text, rows[i].part);
  }
  folder_close(&s);
}

/* Cut anywhere or with any byte changed: refused with a line, or a tokenizer that works. */
static void damaged_model_files_never_crash(void **state) {
  (void)state;
  tern_error e = {0};
  size_t size;
  char *file = tern_file_read(fixture("unigram.model"), 1 << 20, &size, &e);
  assert_non_null(file);
  folder s = folder_open();
  for (uint64_t k = 0; k < 300; k++) {
    size_t cut = k % 2 ? size : tern_random_at(5, 1, k) % size, at = tern_random_at(5, 2, k) % size;
    char old = file[at];
    file[at] = (char)tern_random_at(5, 3, k);
    e.text[0] = '\0';
    if (cut > 0 && open_bytes(&s, file, cut, &e)) assert_true(e.text[0] != '\0');
    file[at] = old;
  }
  folder_close(&s);
  free(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ids_are_those_of_the_files_own_libraries),
      cmocka_unit_test(conversion_to_gguf_changes_no_id),
      cmocka_unit_test(added_tokens_reach_as_the_file_says),
      cmocka_unit_test(no_text_gives_no_ids_and_bytes_come_back),
      cmocka_unit_test(model_files_that_cannot_be_right_are_refused),
      cmocka_unit_test(damaged_model_files_never_crash),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
