/* Tokenizer from a GGUF's tokenizer.ggml.* keys. The file is hostile until
 * proved otherwise: counts must agree, ids lie inside the vocabulary; merges of
 * tokens that are not there are left out, as they could never apply. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/text/tokenizer_parts.h"

#define KEY "tokenizer.ggml."

static bool is(tern_gguf_string s, const char *text) {
  return s.size == strlen(text) && memcmp(s.data, text, s.size) == 0;
}

/* An optional token id: absent (or written as -1) leaves *id alone. */
static int token_id(const tern_gguf *g, const char *key, int size, int32_t *id, tern_error *e) {
  int64_t value;
  if (!tern_gguf_integer(g, key, &value) || value == -1 || value == UINT32_MAX) return TERN_OK;
  if (value < 0 || value >= size)
    return tern_fail(e, TERN_FAILED, "%s: %s is %lld, outside the vocabulary of %d tokens", tern_gguf_name(g), key,
                     (long long)value, size);
  *id = (int32_t)value;
  return TERN_OK;
}

static int read_ids(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  if (!t->bytes && t->size > 2) { /* SentencePiece's order, where the file is silent */
    t->unknown = 0;
    t->bos = 1;
    t->eos = 2;
  }
  if (token_id(g, KEY "bos_token_id", t->size, &t->bos, e) != TERN_OK ||
      token_id(g, KEY "eos_token_id", t->size, &t->eos, e) != TERN_OK ||
      token_id(g, KEY "eot_token_id", t->size, &t->eot, e) != TERN_OK ||
      token_id(g, KEY "unknown_token_id", t->size, &t->unknown, e) != TERN_OK)
    return TERN_FAILED;
  return TERN_OK;
}

/* Array of one number a token; *out NULL when the key is absent. */
static int token_array(const tern_gguf *g, const char *key, int64_t tokens, bool present, int64_t count,
                       tern_error *e) {
  if (!present)
    return tern_gguf_has(g, key)
               ? tern_fail(e, TERN_FAILED, "%s: %s is not an array of numbers", tern_gguf_name(g), key)
               : TERN_OK;
  if (count != tokens)
    return tern_fail(e, TERN_FAILED, "%s: %s has %lld entries for %lld tokens", tern_gguf_name(g), key,
                     (long long)count, (long long)tokens);
  return TERN_OK;
}

static int read_tokens(tern_tokenizer **out, const tern_gguf *g, bool pieces, bool scored_pieces, tern_error *e) {
  int64_t n = 0, typed = 0, scored = 0;
  tern_tokenizer *t = NULL;
  uint8_t *scratch = NULL;
  size_t pool = 0, longest = 0;
  tern_gguf_string *texts = tern_gguf_texts(g, KEY "tokens", &n);
  int64_t *types = tern_gguf_integers(g, KEY "token_type", &typed);
  double *scores = tern_gguf_reals(g, KEY "scores", &scored);
  if (texts == NULL || n < 1 || n >= INT32_MAX) {
    tern_fail(e, TERN_FAILED, "%s: " KEY "tokens is missing or no list of tokens", tern_gguf_name(g));
    goto out;
  }
  if (token_array(g, KEY "token_type", n, types != NULL, typed, e) != TERN_OK ||
      token_array(g, KEY "scores", n, scores != NULL, scored, e) != TERN_OK)
    goto out;
  if (scored_pieces && scores == NULL) {
    tern_fail(e, TERN_FAILED, "%s: " KEY "scores is missing: a \"llama\" vocabulary needs it", tern_gguf_name(g));
    goto out;
  }
  for (int64_t i = 0; i < n; i++) {
    pool += texts[i].size; /* lies in the mapping: can't overflow unless texts overlap, which they don't */
    if (texts[i].size > longest) longest = texts[i].size;
  }
  scratch = malloc(longest + 1);
  if (scratch == NULL) {
    tern_fail(e, TERN_FAILED, "not enough memory for a token of %zu bytes", longest);
    goto out;
  }
  if (tern_vocab_open(&t, (int)n, pool, pieces, e) != TERN_OK || read_ids(t, g, e) != TERN_OK) goto out;
  for (int32_t id = 0; id < (int32_t)n; id++) {
    int64_t type = types != NULL ? types[id] : id == t->bos || id == t->eos ? TERN_TOKEN_CONTROL : TERN_TOKEN_NORMAL;
    if (type < TERN_TOKEN_NORMAL || type > TERN_TOKEN_BYTE) type = TERN_TOKEN_NORMAL;
    tern_vocab_put_text(t, id, texts[id], (int)type, scratch);
    if (scores != NULL && pieces) t->score[id] = isnan(scores[id]) ? -INFINITY : scores[id];
  }
  *out = t;
  t = NULL;
out:
  tern_tokenizer_close(t);
  free(scratch);
  free(texts);
  free(types);
  free(scores);
  return *out == NULL ? TERN_FAILED : TERN_OK;
}

static int put_merge(tern_tokenizer *t, const tern_gguf *g, tern_gguf_string merge, int64_t rank, tern_error *e) {
  const char *blank = merge.size > 2 ? memchr(merge.data + 1, ' ', merge.size - 2) : NULL;
  if (blank == NULL)
    return tern_fail(e, TERN_FAILED, "%s: " KEY "merges[%lld] is not two tokens with a blank between",
                     tern_gguf_name(g), (long long)rank);
  size_t left = (size_t)(blank - merge.data);
  return tern_vocab_put_merge(t, (tern_gguf_string){merge.data, left},
                              (tern_gguf_string){blank + 1, merge.size - left - 1}, (uint32_t)rank, e);
}

static int read_merges(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  int64_t n;
  tern_gguf_string *merges = tern_gguf_texts(g, KEY "merges", &n);
  if (merges == NULL || n >= INT32_MAX) {
    free(merges);
    return tern_fail(e, TERN_FAILED, "%s: " KEY "merges is missing or no list: a \"gpt2\" vocabulary needs it",
                     tern_gguf_name(g));
  }
  int status = TERN_OK;
  for (int64_t i = 0; i < n && status == TERN_OK; i++) status = put_merge(t, g, merges[i], i, e);
  free(merges);
  return status;
}

static int finish_bytes(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  tern_gguf_string name = {"default", 7};
  tern_gguf_text(g, KEY "pre", &name);
  if (t->pre == NULL) t->pre = is(name, "default") ? tern_pre_guess(t) : tern_pre_find(name);
  if (t->pre == NULL)
    return tern_fail(e, TERN_FAILED,
                     "%s: " KEY "pre is \"%.*s\"; no pattern is known for it (known: llama-bpe, gpt-2, "
                     "qwen2, qwen35, smollm, falcon, deepseek-llm, deepseek-coder, deepseek-v3, gpt-4o, tekken, bloom)",
                     tern_gguf_name(g), (int)(name.size < 64 ? name.size : 64), name.data);
  t->adds_bos = t->pre->adds_bos;
  if (tern_vocab_finish(t, tern_gguf_name(g), e) != TERN_OK) return TERN_FAILED;
  return read_merges(t, g, e);
}

/* listed: merged by a list, as Gemma 4's; its text gets no blank before it. */
static int finish_pieces(tern_tokenizer *t, const tern_gguf *g, bool listed, tern_error *e) {
  bool tidy = false;
  t->adds_bos = !t->unigram;
  t->adds_eos = t->unigram;
  t->space_prefix = !listed;
  tern_gguf_bool(g, KEY "add_space_prefix", &t->space_prefix);
  tern_gguf_bool(g, KEY "remove_extra_whitespaces", &tidy);
  if (tidy) t->normal.strip_left = t->normal.strip_right = t->normal.collapse = true;
  if (tern_vocab_finish(t, tern_gguf_name(g), e) != TERN_OK) return TERN_FAILED;
  if (t->unigram) {
    t->fuse_unknown = true;
    tern_vocab_unigram(t);
    return TERN_OK;
  }
  if (listed || tern_gguf_has(g, KEY "merges")) return read_merges(t, g, e);
  uint32_t *ranks = tern_vocab_ranks(t, e);
  int status = ranks == NULL ? TERN_FAILED : tern_vocab_pair_splits(t, ranks, e);
  free(ranks);
  return status;
}

/* Phi-3's turn marks take the line break behind them, as its tokenizer.json says; its GGUF files do not. */
static int set_phi3(tern_tokenizer *t, const tern_gguf *g, tern_error *e) {
  static const char *const others[] = {"<unk>", "<s>", "<|endoftext|>"};
  tern_gguf_string name = {"", 0};
  tern_gguf_text(g, "general.name", &name);
  bool phi3 = false;
  for (size_t i = 0; i + 4 <= name.size; i++)
    phi3 |= strncasecmp(name.data + i, "phi3", 4) == 0 ||
            (i + 5 <= name.size && strncasecmp(name.data + i, "phi-3", 5) == 0);
  if (!phi3 || t->bytes || t->reach) return TERN_OK;
  t->reach = calloc((size_t)t->size, 1);
  if (!t->reach) return tern_fail(e, TERN_FAILED, "%s: not enough memory", tern_gguf_name(g));
  for (int32_t id = 0; id < t->size; id++) {
    tern_gguf_string text = tern_vocab_text(t, id);
    bool other = t->type[id] != TERN_TOKEN_CONTROL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) other |= is(text, others[i]);
    if (!other) t->reach[id] = TERN_REACH_RIGHT;
  }
  return TERN_OK;
}

/* A Hugging Face folder (engine/format/hf.h) names its tokenizer's own file.
 * Ids beyond the embedding's rows could not be looked up; fewer are usual. */
static int from_own_file(tern_tokenizer **out, const tern_gguf *g, tern_gguf_string file, tern_error *e) {
  char path[PATH_MAX];
  const tern_gguf_tensor *embedding = tern_gguf_tensor_find(g, "token_embd.weight");
  snprintf(path, sizeof path, "%.*s", (int)(file.size < sizeof path ? file.size : sizeof path - 1), file.data);
  if (tern_tokenizer_open_own(out, path, e) != TERN_OK) return TERN_FAILED;
  if (embedding == NULL || (*out)->size <= embedding->shape[1]) return TERN_OK;
  tern_fail(e, TERN_FAILED, "%s: %d tokens, but the model's embedding has %lld rows: not this model's tokenizer", path,
            (*out)->size, (long long)embedding->shape[1]);
  tern_tokenizer_close(*out);
  *out = NULL;
  return TERN_FAILED;
}

int tern_tokenizer_from_gguf(tern_tokenizer **out, const tern_gguf *g, tern_error *e) {
  tern_gguf_string model;
  *out = NULL;
  if (tern_gguf_text(g, "ternmark.tokenizer", &model)) return from_own_file(out, g, model, e);
  if (!tern_gguf_text(g, KEY "model", &model))
    return tern_fail(e, TERN_FAILED,
                     "%s: " KEY
                     "model is missing: the file carries no tokenizer; give one of its own (--tokenizer FILE)",
                     tern_gguf_name(g));
  if (is(model, "no_vocab"))
    return tern_fail(e, TERN_FAILED, "%s: the file carries no tokenizer; give one of its own (--tokenizer FILE)",
                     tern_gguf_name(g));
  bool unigram = is(model, "t5"), listed = is(model, "gemma4"), pieces = is(model, "llama") || unigram || listed;
  if (!pieces && !is(model, "gpt2"))
    return tern_fail(e, TERN_FAILED, "%s: " KEY "model is \"%.*s\"; supported are gpt2, llama, t5 and gemma4",
                     tern_gguf_name(g), (int)(model.size < 64 ? model.size : 64), model.data);
  tern_tokenizer *t = NULL;
  if (read_tokens(&t, g, pieces, pieces && !listed, e) != TERN_OK) return TERN_FAILED;
  t->unigram = unigram;
  int status = tern_rules_read(t, g, e);
  if (status == TERN_OK) status = pieces ? finish_pieces(t, g, listed, e) : finish_bytes(t, g, e);
  if (status == TERN_OK) status = set_phi3(t, g, e);
  if (status != TERN_OK) {
    tern_tokenizer_close(t);
    return status;
  }
  tern_gguf_bool(g, KEY "add_bos_token", &t->adds_bos);
  tern_gguf_bool(g, KEY "add_eos_token", &t->adds_eos);
  *out = t;
  return TERN_OK;
}
