/* Tokenizers: byte-level BPE (each family's pre-tokenizer through PCRE2), and
 * SentencePiece's pieces, merged by score (BPE) or by the best path (unigram). */
#ifndef TERN_TEXT_TOKENIZER_H
#define TERN_TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/format/gguf.h"

typedef struct tern_tokenizer tern_tokenizer;

/* From the GGUF's tokenizer.ggml.* keys. Fails, naming the key, when they are
 * absent or inconsistent, or the model or pre-tokenizer is not supported. */
int tern_tokenizer_from_gguf(tern_tokenizer **out, const tern_gguf *g, tern_error *e);
/* From a tokenizer's file of any kind below, or a GGUF, known by its content. */
int tern_tokenizer_open(tern_tokenizer **out, const char *path, tern_error *e);
/* From SentencePiece's own file (tokenizer.model, spiece.model): BPE and unigram. */
int tern_tokenizer_from_sentencepiece(tern_tokenizer **out, const char *path, tern_error *e);
/* From a tiktoken rank file (base64 token, space, rank a line): Qwen's and Qwen3.5's, known by their count of ranks,
 * with Unicode NFC and their special tokens; every other with LLaMA-3's pre-tokenizer and its 256 special tokens
 * behind the ranks. */
int tern_tokenizer_from_tiktoken(tern_tokenizer **out, const char *path, tern_error *e);
/* From Hugging Face's tokenizer.json (BPE, Unigram), with tokenizer_config.json beside it
 * where there is one. */
int tern_tokenizer_from_json(tern_tokenizer **out, const char *path, tern_error *e);
/* From llama2.c's tokenizer.bin; vocab <= 0: all tokens it holds. */
int tern_tokenizer_from_llama2c(tern_tokenizer **out, const char *path, int vocab, tern_error *e);
void tern_tokenizer_close(tern_tokenizer *t);

int tern_tokenizer_size(const tern_tokenizer *t);
int32_t tern_tokenizer_bos(const tern_tokenizer *t); /* -1: none */
int32_t tern_tokenizer_eos(const tern_tokenizer *t); /* -1: none */
/* Whether generation ends at this token (EOS, end of turn). */
bool tern_tokenizer_ends(const tern_tokenizer *t, int32_t id);
/* Whether a text gets BOS before it or EOS behind it, by the file's rules; the caller puts them. */
bool tern_tokenizer_adds_bos(const tern_tokenizer *t);
bool tern_tokenizer_adds_eos(const tern_tokenizer *t);

/* Id of the control or user-defined token of that text, -1 when there is none. */
int32_t tern_tokenizer_find(const tern_tokenizer *t, const char *text);

/* Text to ids. Invalid UTF-8 is encoded byte by byte (unknown, where a vocabulary has no bytes); no text gives no
 * ids. `special`: special-token texts in the input become their ids; user-defined ones always do. *ids is malloc'ed
 * (free()). No BOS is added. */
int tern_tokenizer_encode(const tern_tokenizer *t, const char *text, size_t size, bool special, int32_t **ids,
                          size_t *count, tern_error *e);

/* Bytes of one token (not necessarily whole UTF-8 characters). Control tokens
 * give none. `previous` is the token before, -1 at the start (SentencePiece
 * drops the blank after BOS). The pointer lives as long as the tokenizer. */
tern_gguf_string tern_tokenizer_bytes(const tern_tokenizer *t, int32_t previous, int32_t id);

/* Writes the tokenizer.ggml.* keys of a llama2.c / tiktoken tokenizer. */
int tern_tokenizer_write(const tern_tokenizer *t, tern_gguf_writer *w, tern_error *e);
/* Likewise, with unused tokens behind until there are as many as the embedding
 * has rows. */
int tern_tokenizer_write_padded(const tern_tokenizer *t, int rows, tern_gguf_writer *w, tern_error *e);

/* Writes tokenizer.json and tokenizer_config.json for transformers into a
 * folder: byte-level BPE and merged pieces. rows: of the embedding; template:
 * for chats, size 0 for none. */
int tern_tokenizer_export(const tern_tokenizer *t, int rows, tern_gguf_string template, const char *folder,
                          tern_error *e);

/* Holds back incomplete UTF-8 between tokens: appends the token's bytes, calls
 * put with whole characters; flush gives what is left. Bytes that can't become
 * a character pass as they are, or as U+FFFD where `replace` is set. */
typedef struct tern_utf8_stream {
  bool replace;
  unsigned char held[4];
  int count;
} tern_utf8_stream;
void tern_utf8_push(tern_utf8_stream *s, tern_gguf_string bytes, void (*put)(void *, const char *, size_t), void *arg);
void tern_utf8_flush(tern_utf8_stream *s, void (*put)(void *, const char *, size_t), void *arg);

#endif
