/* Pre-tokenizers against llama.cpp: GPT-2's published vocabulary under each
 * name, generated texts, one hash of all ids. The hashes are llama.cpp's
 * (d775b89, llama_tokenize without specials) of the same texts; with a file's
 * name this program writes them, one a line, for such a comparison. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/random.h"
#include "engine/text/tokenizer.h"

enum { TEXTS = 400, ITEMS = 16, POOLS = 10, TEXT_BYTES = 1024 };

/* Of every class that some pattern tells apart. */
static const char *const pools[POOLS][ITEMS] = {
    {"a", "b", "c", "X", "Y", "Z", "word", "Hello"},
    {"0", "1", "23", "4567", "8", "99", "000"},
    {" ", "  ", "\t", "\v", "     "},
    {".", ",", "!", "?", "-", "_", "/", "(", ")", "<", ">", "=", "^", "~", "|", "`"},
    {"$", "+", "@", "#", "%", "&", "*", "[", "]", "{", "}", "\\", ":", ";", "\"", "<="},
    {"'s", "'T", "'re", "'LL", "'ve", "'d", "'", "''m"},
    {"\xc3\xa9", "\xc3\x9f", "\xc2\xb5", "\xca\x94", "\xcd\xb0", "\xd0\xaf", "\xd4\xb1", "\xe1\x83\x90", "\xe1\x8e\xa0",
     "\xe1\xb8\x80"},
    {"\xe6\x97\xa5\xe6\x9c\xac", "\xe4\xb8\xad", "\xed\x95\x9c", "\xe3\x81\xb2", "\xe3\x82\xab", "\xe3\x80\x82",
     "\xef\xbc\x8c", "\xe2\x80\x9c", "\xef\xbc\x81"},
    {"\xd9\xa3", "\xe0\xa5\xab", "\xc2\xb2", "\xc2\xbd", "\xe2\x85\xa7"},
    {"\xf0\x9f\x99\x82", "\xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd", "\xcc\x81", "\xe0\xb8\xb4", "\xe2\x82\xac", "\xe2\x88\x91",
     "\xc2\xa0"},
};

static uint64_t draw(uint64_t text, uint64_t i) {
  return tern_random_at(17, text, i) >> 20;
}

static size_t make_text(int k, char *out) {
  size_t n = 0, parts = 1 + draw((uint64_t)k, 0) % 40;
  for (size_t i = 0; i < parts; i++) {
    const char *const *pool = pools[draw((uint64_t)k, 2 * i + 1) % POOLS];
    size_t items = 0;
    while (items < ITEMS && pool[items]) items++;
    n += (size_t)snprintf(out + n, TEXT_BYTES - n, "%s", pool[draw((uint64_t)k, 2 * i + 2) % items]);
  }
  return n;
}

/* The vocabulary with another name of its pre-tokenizer; free() the bytes. */
static uint8_t *renamed(const char *path, const char *name, size_t *size) {
  static const char key[] = "tokenizer.ggml.pre";
  tern_error e = {0};
  uint8_t *file = (uint8_t *)tern_file_read(path, 16 << 20, size, &e);
  if (!file) fail_msg("%s", e.text);
  uint8_t *at = memmem(file, *size, key, sizeof key - 1);
  assert_non_null(at);
  at += sizeof key - 1 + 4; /* behind the value's type */
  uint64_t old, length = strlen(name);
  memcpy(&old, at, 8);
  size_t head = (size_t)(at - file), rest = *size - head - 8 - old;
  uint8_t *copy = malloc(head + 8 + length + rest);
  assert_non_null(copy);
  memcpy(copy, file, head);
  memcpy(copy + head, &length, 8);
  memcpy(copy + head + 8, name, length);
  memcpy(copy + head + 8 + length, at + 8 + old, rest);
  *size = head + 8 + length + rest;
  free(file);
  return copy;
}

static uint64_t hash_under(const char *path, const char *name) {
  size_t size;
  tern_error e = {0};
  tern_gguf *g;
  tern_tokenizer *t;
  uint8_t *bytes = renamed(path, name, &size);
  if (tern_gguf_parse(&g, bytes, size, name, &e) || tern_tokenizer_from_gguf(&t, g, &e)) fail_msg("%s", e.text);
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (int k = 0; k < TEXTS; k++) {
    char text[TEXT_BYTES];
    int32_t *ids;
    size_t count, n = make_text(k, text);
    if (tern_tokenizer_encode(t, text, n, false, &ids, &count, &e)) fail_msg("%s", e.text);
    for (size_t i = 0; i < count; i++) h = (h ^ (uint32_t)ids[i]) * UINT64_C(0x100000001b3);
    h = (h ^ UINT64_C(0xffffffff)) * UINT64_C(0x100000001b3);
    free(ids);
  }
  tern_tokenizer_close(t);
  tern_gguf_close(g);
  free(bytes);
  return h;
}

static void words_are_those_of_llama_cpp(void **state) {
  (void)state;
  static const struct {
    const char *name;
    uint64_t hash;
  } rows[] = {
      {"gpt-2", UINT64_C(0x0dd5020da04d39dc)},        {"qwen2", UINT64_C(0x3b0bbc3b8f895ec7)},
      {"smollm", UINT64_C(0x3901e133a89c9bde)},       {"falcon", UINT64_C(0xc42774e8548a3013)},
      {"deepseek-llm", UINT64_C(0xff9d46e79e4524d2)}, {"deepseek-coder", UINT64_C(0x70c13d4d6dfa8e7c)},
      {"deepseek-v3", UINT64_C(0xbf1b92e3f156f0e7)},  {"llama-bpe", UINT64_C(0xdffed93c94e6c21c)},
      {"default", UINT64_C(0x416030e7dd25678a)},
  };
  char path[4096];
  const char *root = getenv("TERN_SHARED");
  snprintf(path, sizeof path, "%s/data/tokenizers/ggml-vocab-gpt-2.gguf", root ? root : "../shared");
  if (access(path, R_OK) != 0) {
    print_message("%s is not here\n", path);
    skip();
  }
  bool good = true;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    uint64_t h = hash_under(path, rows[i].name);
    if (h != rows[i].hash) print_error("%s: 0x%016llx\n", rows[i].name, (unsigned long long)h);
    good &= h == rows[i].hash;
  }
  assert_true(good);
}

static int write_texts(const char *path) {
  FILE *f = fopen(path, "w");
  for (int k = 0; f && k < TEXTS; k++) {
    char text[TEXT_BYTES];
    size_t n = make_text(k, text);
    fwrite(text, 1, n, f);
    fputc('\n', f);
  }
  return !f || fclose(f) != 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return write_texts(argv[1]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_those_of_llama_cpp)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
