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
#include "tests/class_texts.h"

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
  tern_tokenizer *t = NULL;
  uint8_t *bytes = renamed(path, name, &size);
  if (tern_gguf_parse(&g, bytes, size, name, &e) || tern_tokenizer_from_gguf(&t, g, &e)) fail_msg("%s", e.text);
  uint64_t h = hash_of_ids(t, &e);
  if (!h) fail_msg("%s", e.text);
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
