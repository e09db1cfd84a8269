/* A tokenizer's file of any kind, known by its first bytes. */
#include <string.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer_parts.h"

static int from_gguf(tern_tokenizer **out, const char *path, tern_error *e) {
  tern_gguf *g;
  *out = NULL;
  if (tern_gguf_open(&g, path, e)) return TERN_FAILED;
  int status = tern_tokenizer_from_gguf(out, g, e);
  tern_gguf_close(g);
  return status;
}

static int from_llama2c(tern_tokenizer **out, const char *path, tern_error *e) {
  return tern_tokenizer_from_llama2c(out, path, 0, e);
}

/* JSON opens with a brace, a SentencePiece model with a piece (field 1) and its text (field 1 again);
 * llama2.c's first word is the longest token's length; what is left are lines. */
static bool is_gguf(const uint8_t *head) {
  return memcmp(head, "GGUF", 4) == 0;
}
static bool is_json(const uint8_t *head) {
  return head[0] == '{' || (memchr(" \t\r\n", head[0], 4) && memchr(" \t\r\n{", head[1], 5));
}
static bool is_sentencepiece(const uint8_t *head) {
  return head[0] == 0x0a && head[1] > 0 && head[2] == 0x0a;
}
static bool is_llama2c(const uint8_t *head) {
  return (head[0] || head[1]) && head[2] == 0 && head[3] == 0;
}
static bool is_lines(const uint8_t *head) {
  (void)head;
  return true;
}

static const struct {
  bool (*is)(const uint8_t *head);
  int (*open)(tern_tokenizer **, const char *, tern_error *);
} kinds[] = {
    {is_gguf, from_gguf},
    {is_sentencepiece, tern_tokenizer_from_sentencepiece},
    {is_json, tern_tokenizer_from_json},
    {is_llama2c, from_llama2c},
    {is_lines, tern_tokenizer_from_tiktoken},
};

static int open_kind(tern_tokenizer **out, const char *path, size_t first, tern_error *e) {
  tern_map map;
  uint8_t head[4] = {0};
  *out = NULL;
  if (tern_map_open(&map, path, e)) return TERN_FAILED;
  memcpy(head, map.data, map.size < sizeof head ? map.size : sizeof head);
  tern_map_close(&map);
  while (!kinds[first].is(head)) first++;
  return kinds[first].open(out, path, e);
}

int tern_tokenizer_open(tern_tokenizer **out, const char *path, tern_error *e) {
  return open_kind(out, path, 0, e);
}

int tern_tokenizer_open_own(tern_tokenizer **out, const char *path, tern_error *e) {
  return open_kind(out, path, 1, e);
}
