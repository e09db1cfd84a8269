/* Tokenizers from their own files: tiktoken's ranks ("base64 rank" a line, as
 * LLaMA-3 and Qwen are published) and llama2.c's tokenizer.bin (int32 longest length,
 * then float score, int32 length, bytes for each token). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "engine/base/file.h"
#include "engine/text/tokenizer_parts.h"

enum { MOST_SPECIALS = 256, EOT = 9 };

/* One line of the rank file: tokens must come in rank order. */
static int put_rank(tern_tokenizer *t, int32_t id, const uint8_t *line, size_t size, const char *path, tern_error *e) {
  uint8_t bytes[TERN_TOKEN_LIMIT];
  if (size > 0 && line[size - 1] == '\r') size--;
  const uint8_t *blank = memchr(line, ' ', size);
  size_t text = blank == NULL ? 0 : (size_t)(blank - line);
  size_t n = text == 0 || text > sizeof bytes ? SIZE_MAX : tern_base64_read(line, text, bytes);
  int64_t rank = n == SIZE_MAX || n == 0 || text + 1 >= size ? -1 : 0;
  for (size_t i = text + 1; rank >= 0 && i < size; i++) {
    bool digit = line[i] >= '0' && line[i] <= '9' && rank < INT32_MAX;
    rank = digit ? rank * 10 + (line[i] - '0') : -1;
  }
  if (rank != id)
    return tern_fail(e, TERN_FAILED, "%s: line %d is not \"base64 %d\": this is no tiktoken rank file", path,
                     (int)id + 1, (int)id);
  tern_vocab_put(t, id, bytes, n, TERN_TOKEN_NORMAL);
  return TERN_OK;
}

/* A rank file says neither how words are cut nor which special tokens follow: its
 * count of ranks tells the family. */
typedef struct family {
  int ranks; /* 0: any other count */
  const char *pre;
  int specials;
  int bos, eos, eot; /* among the specials; -1: none */
  bool nfc;
  int (*name)(int i, char *out, size_t size);
} family;

static int qwen_special(int i, char *out, size_t size) {
  static const char *const first[] = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  return i < 3 ? snprintf(out, size, "%s", first[i]) : snprintf(out, size, "<|extra_%d|>", i - 3);
}

static int qwen35_special(int i, char *out, size_t size) {
  static const char *const names[] = {
      "<|endoftext|>",  "<|im_start|>",   "<|im_end|>",      "<|object_ref_start|>", "<|object_ref_end|>",
      "<|box_start|>",  "<|box_end|>",    "<|quad_start|>",  "<|quad_end|>",         "<|vision_start|>",
      "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>",   "<|video_pad|>",        "<tool_call>",
      "</tool_call>",   "<|fim_prefix|>", "<|fim_middle|>",  "<|fim_suffix|>",       "<|fim_pad|>",
      "<|repo_name|>",  "<|file_sep|>",   "<tool_response>", "</tool_response>",     "<think>",
      "</think>",
  };
  return snprintf(out, size, "%s", names[i]);
}

static const family families[] = {
    {151643, "qwen2", 208, -1, 0, 2, true, qwen_special},
    {248044, "qwen35", 26, -1, 0, 2, true, qwen35_special},
    {0, "llama-bpe", 256, 0, 1, EOT, false, tern_llama3_special},
};

static const family *family_of(size_t ranks) {
  size_t i = 0;
  while (families[i].ranks && (size_t)families[i].ranks != ranks) i++;
  return &families[i];
}

static int put_specials(tern_tokenizer *t, const family *f, int32_t first, const char *path, tern_error *e) {
  char name[48];
  for (int i = 0; i < f->specials; i++) {
    int length = f->name(i, name, sizeof name);
    tern_vocab_put(t, first + i, name, (size_t)length, TERN_TOKEN_CONTROL);
  }
  t->bos = f->bos < 0 ? -1 : first + f->bos;
  t->eos = first + f->eos;
  t->eot = first + f->eot;
  t->pre = tern_pre_find((tern_gguf_string){f->pre, strlen(f->pre)});
  t->adds_bos = f->bos >= 0;
  if (f->nfc) t->normal.form = UTF8PROC_COMPOSE | UTF8PROC_STABLE;
  if (tern_vocab_finish(t, path, e) != TERN_OK) return TERN_FAILED;
  return tern_vocab_pair_splits(t, NULL, e);
}

int tern_tokenizer_from_tiktoken(tern_tokenizer **out, const char *path, tern_error *e) {
  tern_map map;
  tern_tokenizer *t = NULL;
  *out = NULL;
  if (tern_map_open(&map, path, e) != TERN_OK) return TERN_FAILED;
  int status = TERN_FAILED;
  size_t lines = map.data[map.size - 1] != '\n';
  for (size_t i = 0; i < map.size; i++) lines += map.data[i] == '\n';
  const family *f = family_of(lines);
  if (lines >= INT32_MAX - MOST_SPECIALS) {
    tern_fail(e, TERN_FAILED, "%s: %zu lines are no tiktoken rank file", path, lines);
    goto out;
  }
  if (tern_vocab_open(&t, (int)lines + f->specials, map.size + MOST_SPECIALS * 48, false, e) != TERN_OK) goto out;
  size_t at = 0;
  for (int32_t id = 0; id < (int32_t)lines; id++) {
    const uint8_t *end = memchr(map.data + at, '\n', map.size - at);
    size_t size = end == NULL ? map.size - at : (size_t)(end - map.data) - at;
    if (put_rank(t, id, map.data + at, size, path, e) != TERN_OK) goto out;
    at += size + 1;
  }
  status = put_specials(t, f, (int32_t)lines, path, e);
  if (status != TERN_OK) goto out;
  *out = t;
  t = NULL;
out:
  tern_tokenizer_close(t);
  tern_map_close(&map);
  return status;
}

/* Ids 0, 1, 2 are <unk>, BOS, EOS; the next 256 "<0xNN>" stand for bytes. */
static void put_llama2c(tern_tokenizer *t, int32_t id, const uint8_t *text, size_t size) {
  static const char *const first[] = {"<unk>", "<s>", "</s>"};
  char name[8];
  int byte = id - 3;
  if (id < 3) {
    tern_vocab_put(t, id, first[id], strlen(first[id]), id == 0 ? TERN_TOKEN_UNKNOWN : TERN_TOKEN_CONTROL);
  } else if (byte < 256 && snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte) == (int)size &&
             memcmp(name, text, size) == 0) {
    uint8_t value = (uint8_t)byte;
    tern_vocab_put(t, id, &value, 1, TERN_TOKEN_BYTE);
  } else {
    tern_vocab_put(t, id, text, size, TERN_TOKEN_NORMAL);
  }
}

static int read_llama2c(tern_tokenizer *t, const tern_map *map, const char *path, tern_error *e) {
  size_t at = sizeof(int32_t);
  for (int32_t id = 0; id < t->size; id++) {
    int32_t size = -1;
    float score = 0;
    if (map->size - at >= 8) {
      memcpy(&score, map->data + at, 4);
      memcpy(&size, map->data + at + 4, 4);
      at += 8;
    }
    if (size < 0 || (size_t)size > map->size - at)
      return tern_fail(e, TERN_FAILED, "%s: ends within token %d of %d: not the vocabulary of this model", path,
                       (int)id, t->size);
    t->score[id] = isnan(score) ? -INFINITY : (double)score;
    put_llama2c(t, id, map->data + at, (size_t)size);
    at += (size_t)size;
  }
  return TERN_OK;
}

/* Tokens that the file holds; reading them stops where it breaks off. */
static int count_llama2c(const tern_map *map) {
  size_t at = sizeof(int32_t);
  int count = 0;
  for (int32_t size; count < INT32_MAX && at < map->size; count++) {
    if (map->size - at < 8) break;
    memcpy(&size, map->data + at + 4, 4);
    if (size < 0 || (size_t)size > map->size - at - 8) break;
    at += 8 + (size_t)size;
  }
  return count;
}

int tern_tokenizer_from_llama2c(tern_tokenizer **out, const char *path, int vocab, tern_error *e) {
  tern_map map;
  tern_tokenizer *t = NULL;
  uint32_t *ranks = NULL;
  *out = NULL;
  if (tern_map_open(&map, path, e) != TERN_OK) return TERN_FAILED;
  int status = TERN_FAILED;
  if (vocab <= 0) vocab = count_llama2c(&map);
  if (vocab < 3 || map.size < sizeof(int32_t) || (size_t)vocab > map.size / 8) {
    tern_fail(e, TERN_FAILED, "%s: too short for a llama2.c vocabulary of %d tokens", path, vocab);
    goto out;
  }
  if (tern_vocab_open(&t, vocab, map.size + 16, true, e) != TERN_OK) goto out;
  t->unknown = 0;
  t->bos = 1;
  t->eos = 2;
  t->eot = 1; /* training texts follow each other with BOS between: it ends a story */
  t->adds_bos = t->space_prefix = true;
  if (read_llama2c(t, &map, path, e) != TERN_OK || tern_vocab_finish(t, path, e) != TERN_OK) goto out;
  ranks = tern_vocab_ranks(t, e);
  status = ranks == NULL ? TERN_FAILED : tern_vocab_pair_splits(t, ranks, e);
  if (status != TERN_OK) goto out;
  *out = t;
  t = NULL;
out:
  free(ranks);
  tern_tokenizer_close(t);
  tern_map_close(&map);
  return status;
}
