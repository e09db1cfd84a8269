/* Writes a tokenizer as tokenizer.ggml.* keys, so that a file converted from
 * llama2.c or ranks gives the same ids when read back, here and by other
 * engines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/text/tokenizer_parts.h"

#define KEY "tokenizer.ggml."

size_t tern_vocab_write_text(const tern_tokenizer *t, int32_t id, char *out) {
  tern_gguf_string text = tern_vocab_text(t, id);
  int type = t->type[id];
  if (type == TERN_TOKEN_BYTE) return (size_t)sprintf(out, "<0x%02X>", (unsigned)(unsigned char)text.data[0]);
  bool special = type == TERN_TOKEN_CONTROL || type == TERN_TOKEN_UNKNOWN || type == TERN_TOKEN_USER;
  if (t->bytes && !special) return tern_byte_text_write((const uint8_t *)text.data, text.size, out);
  size_t n = 0;
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] == ' ' && !special) {
      memcpy(out + n, "\xe2\x96\x81", 3);
      n += 3;
    } else {
      out[n++] = text.data[i];
    }
  }
  return n;
}

/* Names of rows that the embedding has beyond the vocabulary, as llama.cpp's
 * converter writes them. */
enum { PAD_NAME = 16 };

/* Pieces merged by a list get scores in its order, for engines that merge by scores. */
static void put_scores(const tern_tokenizer *t, float *scores, size_t n, tern_gguf_writer *w) {
  for (size_t id = 0; id < n; id++) scores[id] = t->score && id < (size_t)t->size ? (float)t->score[id] : 0;
  for (size_t i = 0; !t->score && i <= t->pairs.mask; i++) {
    const tern_pair *p = &t->pairs.slots[i];
    float score = -1 - (float)p->rank;
    if (p->key != UINT64_MAX && (scores[p->id] >= 0 || score > scores[p->id])) scores[p->id] = score;
  }
  tern_gguf_put_f32s(w, KEY "scores", scores, n);
}

static int put_tokens(const tern_tokenizer *t, int rows, tern_gguf_writer *w, tern_error *e) {
  size_t n = (size_t)rows, used = 0, known = (size_t)t->size;
  char *pool = malloc(tern_mul(t->at[known] + 2 * known, 3) + (n - known) * PAD_NAME); /* a byte grows to six */
  tern_gguf_string *texts = malloc(tern_mul(n, sizeof *texts));
  int32_t *types = malloc(tern_mul(n, sizeof *types));
  float *scores = malloc(tern_mul(n, sizeof *scores));
  int status = TERN_OK;
  if (pool == NULL || texts == NULL || types == NULL || scores == NULL) {
    status = tern_fail(e, TERN_FAILED, "not enough memory to write %zu tokens", n);
  } else {
    for (int32_t id = 0; id < t->size; id++) {
      texts[id] = (tern_gguf_string){pool + used, tern_vocab_write_text(t, id, pool + used)};
      used += texts[id].size;
      types[id] = t->type[id];
    }
    for (int id = t->size; id < rows; id++) {
      texts[id] = (tern_gguf_string){pool + used, (size_t)snprintf(pool + used, PAD_NAME, "[PAD%d]", id)};
      used += texts[id].size;
      types[id] = TERN_TOKEN_UNUSED;
    }
    tern_gguf_put_texts(w, KEY "tokens", texts, n);
    tern_gguf_put_i32s(w, KEY "token_type", types, n);
    if (!t->bytes) put_scores(t, scores, n, w);
  }
  free(pool);
  free(texts);
  free(types);
  free(scores);
  return status;
}

static int by_rank(const void *a, const void *b) {
  const tern_pair *x = a, *y = b;
  if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
  return x->key < y->key ? -1 : x->key > y->key;
}

static int put_merges(const tern_tokenizer *t, tern_gguf_writer *w, tern_error *e) {
  size_t n = t->pairs.count, bytes = 0, used = 0, filled = 0;
  tern_pair *pairs = malloc(tern_mul(n + 1, sizeof *pairs));
  tern_gguf_string *texts = malloc(tern_mul(n + 1, sizeof *texts));
  char *pool = NULL;
  for (size_t i = 0; pairs != NULL && i <= t->pairs.mask; i++) {
    if (t->pairs.slots[i].key == UINT64_MAX) continue;
    pairs[filled++] = t->pairs.slots[i];
    bytes += 2 * tern_vocab_text(t, t->pairs.slots[i].id).size + 1;
  }
  pool = malloc(bytes + 1);
  int status = TERN_OK;
  if (pairs == NULL || texts == NULL || pool == NULL) {
    status = tern_fail(e, TERN_FAILED, "not enough memory to write %zu merges", n);
  } else {
    qsort(pairs, n, sizeof *pairs, by_rank);
    for (size_t i = 0; i < n; i++) {
      char *start = pool + used;
      used += tern_vocab_write_text(t, (int32_t)(pairs[i].key >> 32), pool + used);
      pool[used++] = ' ';
      used += tern_vocab_write_text(t, (int32_t)(pairs[i].key & 0xffffffff), pool + used);
      texts[i] = (tern_gguf_string){start, (size_t)(pool + used - start)};
    }
    tern_gguf_put_texts(w, KEY "merges", texts, n);
  }
  free(pool);
  free(pairs);
  free(texts);
  return status;
}

int tern_tokenizer_write(const tern_tokenizer *t, tern_gguf_writer *w, tern_error *e) {
  return tern_tokenizer_write_padded(t, t->size, w, e);
}

int tern_tokenizer_write_padded(const tern_tokenizer *t, int rows, tern_gguf_writer *w, tern_error *e) {
  static const char *const keys[] = {KEY "bos_token_id", KEY "eos_token_id", KEY "eot_token_id",
                                     KEY "unknown_token_id"};
  const int32_t ids[] = {t->bos, t->eos, t->eot, t->unknown};
  /* Words by the file's own patterns get a name that other engines refuse, rather than a wrong one. */
  const char *pre = !t->bytes ? "default" : t->pre == &t->own ? "ternmark-own" : t->pre->names[0];
  tern_gguf_put_text(w, KEY "model", t->bytes ? "gpt2" : t->unigram ? "t5" : "llama");
  tern_gguf_put_text(w, KEY "pre", pre);
  if (put_tokens(t, rows < t->size ? t->size : rows, w, e) != TERN_OK ||
      ((t->bytes || t->score == NULL) && put_merges(t, w, e) != TERN_OK) || tern_rules_write(t, w, e) != TERN_OK)
    return TERN_FAILED;
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
    if (ids[i] >= 0) tern_gguf_put_u32(w, keys[i], (uint32_t)ids[i]);
  }
  tern_gguf_put_bool(w, KEY "add_bos_token", t->adds_bos);
  tern_gguf_put_bool(w, KEY "add_eos_token", t->adds_eos);
  if (t->unigram) tern_gguf_put_bool(w, KEY "remove_extra_whitespaces", t->normal.collapse || t->normal.white_words);
  if (!t->bytes) tern_gguf_put_bool(w, KEY "add_space_prefix", t->space_prefix);
  return TERN_OK;
}
