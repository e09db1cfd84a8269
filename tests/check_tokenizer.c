/* Tokenizers against published vectors (../shared, skipped where absent) and
 * against small vocabularies of our own, which always run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/text/tokenizer.h"

static const char *shared(const char *name) {
  static char path[4096];
  const char *root = getenv("TERN_SHARED");
  snprintf(path, sizeof path, "%s/data/%s", root != NULL ? root : "../shared", name);
  if (access(path, R_OK) != 0) {
    print_message("%s is not here\n", path);
    skip();
  }
  return path;
}

static tern_tokenizer *from_gguf(const char *path) {
  tern_error e = {0};
  tern_gguf *g;
  tern_tokenizer *t = NULL;
  if (tern_gguf_open(&g, path, &e) != TERN_OK) fail_msg("%s", e.text);
  int status = tern_tokenizer_from_gguf(&t, g, &e);
  tern_gguf_close(g);
  if (status != TERN_OK) fail_msg("%s", e.text);
  return t;
}

static tern_tokenizer *ranks(void) {
  tern_error e = {0};
  tern_tokenizer *t;
  if (tern_tokenizer_from_tiktoken(&t, shared("tokenizers/bitnet_llama3_tokenizer.model"), &e) != TERN_OK)
    fail_msg("%s", e.text);
  return t;
}

static tern_tokenizer *stories(void) {
  tern_error e = {0};
  tern_tokenizer *t;
  if (tern_tokenizer_from_llama2c(&t, shared("models/tok512.bin"), 512, &e) != TERN_OK) fail_msg("%s", e.text);
  return t;
}

static tern_tokenizer *gpt2(void) {
  return from_gguf(shared("tokenizers/ggml-vocab-gpt-2.gguf"));
}

static tern_tokenizer *llama_pieces(void) {
  return from_gguf(shared("tokenizers/ggml-vocab-llama-spm.gguf"));
}

/* Written to a GGUF and read back. */
static tern_tokenizer *reread(const tern_tokenizer *t) {
  char path[] = "/tmp/check_tokenizer.XXXXXX";
  tern_error e = {0};
  tern_gguf_writer *w;
  close(mkstemp(path));
  assert_int_equal(tern_gguf_writer_open(&w, path, &e), TERN_OK);
  tern_gguf_put_text(w, "general.architecture", "llama");
  assert_int_equal(tern_tokenizer_write(t, w, &e), TERN_OK);
  assert_int_equal(tern_gguf_writer_start(w, &e), TERN_OK);
  assert_int_equal(tern_gguf_writer_finish(w, &e), TERN_OK);
  tern_tokenizer *back = from_gguf(path);
  unlink(path);
  return back;
}

static size_t encode(const tern_tokenizer *t, const char *text, size_t size, bool special, int32_t **ids) {
  tern_error e = {0};
  size_t n = 0;
  if (tern_tokenizer_encode(t, text, size, special, ids, &n, &e) != TERN_OK) fail_msg("%s", e.text);
  return n;
}

static void expect_ids(const tern_tokenizer *t, const char *text, size_t size, bool special, const int32_t *want,
                       size_t wanted) {
  int32_t *ids;
  size_t n = encode(t, text, size, special, &ids);
  if (n != wanted || (n > 0 && memcmp(ids, want, n * sizeof *ids) != 0)) {
    print_message("text: \"%.*s\"\n", (int)size, text);
    for (size_t i = 0; i < n || i < wanted; i++)
      print_message("%5d %5d\n", i < n ? ids[i] : -1, i < wanted ? want[i] : -1);
    fail_msg("got (left) other ids than wanted (right)");
  }
  free(ids);
}

static void expect_same(const tern_tokenizer *a, const tern_tokenizer *b, const char *text, size_t size) {
  int32_t *ids;
  size_t n = encode(a, text, size, true, &ids);
  expect_ids(b, text, size, true, ids, n);
  free(ids);
}

static void expect_round_trip(const tern_tokenizer *t, const char *text, size_t size) {
  int32_t *ids;
  size_t n = encode(t, text, size, false, &ids), at = 0;
  int32_t previous = -1;
  for (size_t i = 0; i < n; previous = ids[i++]) {
    tern_gguf_string bytes = tern_tokenizer_bytes(t, previous, ids[i]);
    assert_true(bytes.size <= size - at);
    assert_memory_equal(bytes.data, text + at, bytes.size);
    at += bytes.size;
  }
  assert_int_equal(at, size);
  free(ids);
}

/* Calls `each` with every case of a ggml vector file. */
static void for_cases(const char *inp, void (*each)(void *, const char *, size_t), void *arg) {
  static const char mark[] = "\n__ggml_vocab_test__\n";
  tern_error e = {0};
  size_t size;
  char *text = tern_file_read(shared(inp), 1 << 20, &size, &e);
  assert_non_null(text);
  int n = 0;
  char *at = text;
  for (char *end; (end = memmem(at, size - (size_t)(at - text), mark, sizeof mark - 1)) != NULL; n++) {
    each(arg, at, (size_t)(end - at));
    at = end + sizeof mark - 1;
  }
  each(arg, at, size - (size_t)(at - text)); /* the last case is what follows the last mark: nothing */
  n++;
  assert_int_equal(n, 47);
  free(text);
}

typedef struct vector_run {
  const tern_tokenizer *t;
  char *line; /* of the .out file */
} vector_run;

static void check_case(void *arg, const char *text, size_t size) {
  vector_run *run = arg;
  int32_t want[512];
  size_t n = 0;
  char *end = strchr(run->line, '\n');
  if (end != NULL) *end = 0;
  for (char *at = run->line, *next; n < 512; at = next) {
    long id = strtol(at, &next, 10);
    if (next == at) break;
    want[n++] = (int32_t)id;
  }
  run->line = end == NULL ? strchr(run->line, 0) : end + 1;
  expect_ids(run->t, text, size, false, want, n);
}

static void check_vectors(const tern_tokenizer *t, const char *inp, const char *out) {
  tern_error e = {0};
  size_t size;
  char *lines = tern_file_read(shared(out), 1 << 20, &size, &e);
  assert_non_null(lines);
  vector_run run = {t, lines};
  for_cases(inp, check_case, &run);
  free(lines);
}

static void llama3_ranks_give_the_published_ids(void **state) {
  (void)state;
  tern_tokenizer *t = ranks();
  assert_int_equal(tern_tokenizer_size(t), 128256);
  check_vectors(t, "tokenizers/ggml-vocab-llama-bpe.gguf.inp", "tokenizers/ggml-vocab-llama-bpe.gguf.out");
  tern_tokenizer *back = reread(t);
  check_vectors(back, "tokenizers/ggml-vocab-llama-bpe.gguf.inp", "tokenizers/ggml-vocab-llama-bpe.gguf.out");
  assert_int_equal(tern_tokenizer_bos(back), 128000);
  assert_true(tern_tokenizer_ends(back, 128009) && tern_tokenizer_ends(back, 128001));
  assert_false(tern_tokenizer_ends(back, 128006));
  tern_tokenizer_close(back);
  tern_tokenizer_close(t);
}

static void llama3_chat_text_gives_special_ids(void **state) {
  (void)state;
  static const int32_t chat[] = {128006, 882, 128007, 271, 3923, 374, 7397, 74767, 30, 128009};
  static const int32_t plain[] = {849, 21435, 31228, 22027, 128009};
  static const char text[] = "<|start_header_id|>user<|end_header_id|>\n\nWhat is photosynthesis?<|eot_id|>";
  static const char prompt[] = "Explain quantum physics<|eot_id|>";
  tern_tokenizer *t = ranks();
  int32_t *ids;
  expect_ids(t, text, sizeof text - 1, true, chat, sizeof chat / sizeof *chat);
  expect_ids(t, prompt, sizeof prompt - 1, true, plain, sizeof plain / sizeof *plain);
  size_t n = encode(t, prompt, sizeof prompt - 1, false, &ids);
  for (size_t i = 0; i < n; i++) assert_true(ids[i] < 128000);
  free(ids);
  assert_int_equal(tern_tokenizer_bytes(t, 882, 128009).size, 0);
  assert_true(tern_tokenizer_adds_bos(t));
  tern_tokenizer_close(t);
}

static void gpt2_file_gives_the_published_ids(void **state) {
  (void)state;
  tern_tokenizer *t = gpt2();
  check_vectors(t, "tokenizers/ggml-vocab-gpt-2.gguf.inp", "tokenizers/ggml-vocab-gpt-2.gguf.out");
  tern_tokenizer *back = reread(t);
  check_vectors(back, "tokenizers/ggml-vocab-gpt-2.gguf.inp", "tokenizers/ggml-vocab-gpt-2.gguf.out");
  assert_false(tern_tokenizer_adds_bos(t));
  tern_tokenizer_close(back);
  tern_tokenizer_close(t);
}

static void llama_piece_file_gives_the_published_ids(void **state) {
  (void)state;
  tern_tokenizer *t = llama_pieces();
  check_vectors(t, "tokenizers/ggml-vocab-llama-spm.gguf.inp", "tokenizers/ggml-vocab-llama-spm.gguf.out");
  assert_true(tern_tokenizer_adds_bos(t));
  tern_tokenizer_close(t);
}

/* The slow, obvious algorithm of llama2.c: the best-scored pair of the whole
 * text first, over real vocabulary texts. */
static size_t merge_slowly(const tern_tokenizer *t, const float *score, const char *text, int32_t *ids) {
  size_t n = 0;
  char piece[64];
  for (size_t i = 0; text[i] != 0; i++) {
    int32_t found = -1;
    for (int32_t id = 259; id < tern_tokenizer_size(t); id++) {
      tern_gguf_string s = tern_tokenizer_bytes(t, 5, id);
      if (s.size == 1 && s.data[0] == text[i]) found = id;
    }
    ids[n++] = found >= 0 ? found : (unsigned char)text[i] + 3;
  }
  for (;;) {
    size_t best = n;
    int32_t merged = -1;
    for (size_t i = 0; i + 1 < n; i++) {
      tern_gguf_string a = tern_tokenizer_bytes(t, 5, ids[i]), b = tern_tokenizer_bytes(t, 5, ids[i + 1]);
      if (ids[i] < 259 || ids[i + 1] < 259 || a.size + b.size > sizeof piece) continue;
      memcpy(piece, a.data, a.size);
      memcpy(piece + a.size, b.data, b.size);
      for (int32_t id = 259; id < tern_tokenizer_size(t); id++) {
        tern_gguf_string s = tern_tokenizer_bytes(t, 5, id);
        if (s.size == a.size + b.size && memcmp(s.data, piece, s.size) == 0 &&
            (merged < 0 || score[id] > score[merged])) {
          best = i;
          merged = id;
        }
      }
    }
    if (merged < 0) return n;
    ids[best] = merged;
    memmove(ids + best + 1, ids + best + 2, (--n - best - 1) * sizeof *ids);
  }
}

static void stories_vocabulary_merges_as_llama2c_does(void **state) {
  (void)state;
  static const char *const texts[] = {" Once upon a time", " Lily's mom said, \"Hello!\"\nThey  played   outside.",
                                      " zzzzQQ 12,500 the the thethe  a\t b#$%^"};
  tern_error e = {0};
  size_t size;
  tern_tokenizer *t = stories();
  char *file = tern_file_read(shared("models/tok512.bin"), 1 << 20, &size, &e);
  assert_non_null(file);
  float score[512];
  for (size_t at = 4, id = 0; id < 512; id++) {
    int32_t length;
    memcpy(&score[id], file + at, 4);
    memcpy(&length, file + at + 4, 4);
    at += 8 + (size_t)length;
  }
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    int32_t want[128];
    size_t n = merge_slowly(t, score, texts[i], want);
    expect_ids(t, texts[i] + 1, strlen(texts[i]) - 1, false, want, n); /* the leading blank is the tokenizer's own */
  }
  free(file);
  tern_tokenizer_close(t);
}

/* Text of every kind: letters, blanks, marks, any Unicode, and broken bytes. */
static size_t generate(char *out, size_t limit, uint64_t seed, bool broken) {
  static const char *const bits[] = {" ",     "  ", "\n",    "\r\n", "\t",  "the",
                                     "Hello", "'s", "12345", "!?",   "ing", "  the"};
  size_t n = 0, count = tern_random_at(seed, 1, 0) % 60;
  for (uint64_t i = 1; i <= count && n + 8 < limit; i++) {
    uint64_t r = tern_random_at(seed, 2, i);
    uint32_t c = (uint32_t)(r >> 8) % (r & 1 ? 0x3000 : 0x110000);
    if (broken && r % 7 == 0) {
      out[n++] = (char)(0x80 | (r >> 16 & 0x7f));
    } else if (r % 3 == 0) {
      n += (size_t)sprintf(out + n, "%s", bits[(r >> 20) % (sizeof bits / sizeof *bits)]);
    } else if (c < 0x80) {
      out[n++] = (char)c;
    } else if (c < 0x800) {
      out[n++] = (char)(0xc0 | c >> 6);
      out[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000 && (c < 0xd800 || c > 0xdfff) && c != 0x2581) { /* U+2581 reads as a blank in pieces */
      out[n++] = (char)(0xe0 | c >> 12);
      out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
      out[n++] = (char)(0x80 | (c & 0x3f));
    } else if (c >= 0x10000) {
      out[n++] = (char)(0xf0 | c >> 18);
      out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
      out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
      out[n++] = (char)(0x80 | (c & 0x3f));
    }
  }
  return n;
}

static void any_bytes_survive_encoding_and_decoding(void **state) {
  (void)state;
  tern_tokenizer *t[] = {ranks(), gpt2(), llama_pieces(), stories()};
  char text[1024];
  for (uint64_t seed = 0; seed < 3000; seed++) {
    size_t size = generate(text, sizeof text, seed, seed % 2 == 0);
    for (int i = 0; i < 4; i++) expect_round_trip(t[i], text, size);
  }
  for (int i = 0; i < 4; i++) tern_tokenizer_close(t[i]);
}

static void converted_vocabularies_give_the_same_ids(void **state) {
  (void)state;
  tern_tokenizer *t[] = {ranks(), stories(), llama_pieces()};
  char text[1024];
  for (int i = 0; i < 3; i++) {
    tern_tokenizer *back = reread(t[i]);
    assert_int_equal(tern_tokenizer_size(back), tern_tokenizer_size(t[i]));
    assert_int_equal(tern_tokenizer_bos(back), tern_tokenizer_bos(t[i]));
    assert_int_equal(tern_tokenizer_eos(back), tern_tokenizer_eos(t[i]));
    for (int32_t id = 0; id < tern_tokenizer_size(back); id++) {
      tern_gguf_string a = tern_tokenizer_bytes(t[i], 5, id), b = tern_tokenizer_bytes(back, 5, id);
      assert_int_equal(a.size, b.size);
      assert_memory_equal(a.data, b.data, a.size);
      assert_int_equal(tern_tokenizer_ends(t[i], id), tern_tokenizer_ends(back, id));
    }
    for (uint64_t seed = 0; seed < 500; seed++) {
      size_t size = generate(text, sizeof text, seed, true);
      expect_same(t[i], back, text, size);
    }
    tern_tokenizer_close(back);
    tern_tokenizer_close(t[i]);
  }
}

static void a_long_word_costs_no_quadratic_time(void **state) {
  (void)state;
  enum { SIZE = 1 << 20 }; /* quadratic merging would take hours, and ctest's limit ends it */
  char *text = malloc(SIZE);
  tern_tokenizer *t[] = {ranks(), gpt2(), llama_pieces(), stories()};
  for (size_t i = 0; i < SIZE; i++) text[i] = (char)('a' + tern_random_at(7, 0, i) % 26);
  for (int i = 0; i < 4; i++) {
    expect_round_trip(t[i], text, SIZE);
    tern_tokenizer_close(t[i]);
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(llama3_ranks_give_the_published_ids),
      cmocka_unit_test(llama3_chat_text_gives_special_ids),
      cmocka_unit_test(gpt2_file_gives_the_published_ids),
      cmocka_unit_test(llama_piece_file_gives_the_published_ids),
      cmocka_unit_test(stories_vocabulary_merges_as_llama2c_does),
      cmocka_unit_test(any_bytes_survive_encoding_and_decoding),
      cmocka_unit_test(converted_vocabularies_give_the_same_ids),
      cmocka_unit_test(a_long_word_costs_no_quadratic_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
