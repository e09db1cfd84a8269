/* A byte-level BPE vocabulary from text, written as the tokenizer keys of a
 * GGUF file. */
#include "engine/train/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf.h"
#include "engine/train/bpe_parts.h"

#define KEY "tokenizer.ggml."

enum { NORMAL = 1, CONTROL = 3 };

static int put_tokens(tern_gguf_writer *w, const tern_bpe_vocabulary *v, tern_error *e) {
  const size_t n = (size_t)v->tokens;
  tern_gguf_string *texts = malloc(n * sizeof *texts);
  int32_t *types = malloc(n * sizeof *types);
  if (texts && types) {
    for (size_t i = 0; i < n; i++) {
      texts[i] = (tern_gguf_string){v->text[i], strlen(v->text[i])};
      types[i] = i < TERN_BPE_SPECIALS ? CONTROL : NORMAL;
    }
    tern_gguf_put_texts(w, KEY "tokens", texts, n);
    tern_gguf_put_i32s(w, KEY "token_type", types, n);
  }
  const int status = texts && types ? TERN_OK : tern_fail(e, TERN_FAILED, "vocabulary: out of memory");
  free(texts);
  free(types);
  return status;
}

static int put_merges(tern_gguf_writer *w, const tern_bpe_vocabulary *v, tern_error *e) {
  size_t size = 1;
  for (int i = 0; i < v->merges; i++) size += strlen(v->text[v->merge[i].id]) + 2;
  char *pool = malloc(size), *to = pool;
  tern_gguf_string *texts = malloc(((size_t)v->merges + 1) * sizeof *texts);
  if (pool && texts) {
    for (int i = 0; i < v->merges; i++) {
      char *start = to;
      to = stpcpy(stpcpy(stpcpy(to, v->text[v->merge[i].left]), " "), v->text[v->merge[i].right]);
      texts[i] = (tern_gguf_string){start, (size_t)(to - start)};
    }
    tern_gguf_put_texts(w, KEY "merges", texts, (size_t)v->merges);
  }
  const int status = pool && texts ? TERN_OK : tern_fail(e, TERN_FAILED, "vocabulary: out of memory");
  free(pool);
  free(texts);
  return status;
}

static int write_file(const char *path, const tern_bpe_vocabulary *v, const char *pre, tern_error *e) {
  tern_gguf_writer *w;
  if (tern_gguf_writer_open(&w, path, e) != TERN_OK) return TERN_FAILED;
  tern_gguf_put_text(w, "general.architecture", "tokenizer");
  tern_gguf_put_text(w, KEY "model", "gpt2");
  tern_gguf_put_text(w, KEY "pre", pre);
  if (put_tokens(w, v, e) != TERN_OK || put_merges(w, v, e) != TERN_OK) {
    tern_gguf_writer_abandon(w);
    return TERN_FAILED;
  }
  tern_gguf_put_u32(w, KEY "bos_token_id", 0);
  tern_gguf_put_u32(w, KEY "eos_token_id", 1);
  tern_gguf_put_bool(w, KEY "add_bos_token", true);
  if (tern_gguf_writer_start(w, e) != TERN_OK) {
    tern_gguf_writer_abandon(w);
    return TERN_FAILED;
  }
  return tern_gguf_writer_finish(w, e);
}

int tern_bpe_train(const char *out, const char *const *files, int count, const tern_bpe_params *params,
                   tern_bpe_result *result, tern_error *e) {
  const char *pre = params->split_digits ? "smollm" : "gpt-2";
  tern_bpe_words words;
  tern_bpe_vocabulary v = {0};
  if (params->vocab < TERN_BPE_FIRST)
    return tern_fail(e, TERN_FAILED, "a vocabulary of %d is too small: 2 special tokens and 256 bytes need %d",
                     params->vocab, TERN_BPE_FIRST);
  if (tern_bpe_words_read(&words, files, count, pre, e) != TERN_OK) return TERN_FAILED;
  int status = tern_bpe_merge_words(&v, &words, params, e);
  *result = (tern_bpe_result){words.bytes, words.total, words.count, v.tokens, v.merges};
  if (status == TERN_OK) status = write_file(out, &v, pre, e);
  tern_bpe_vocabulary_close(&v);
  tern_bpe_words_close(&words);
  return status;
}
