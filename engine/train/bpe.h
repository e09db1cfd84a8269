/* Training of a byte-level BPE vocabulary from text. */
#ifndef TERN_TRAIN_BPE_H
#define TERN_TRAIN_BPE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_bpe_params {
  int vocab;         /* tokens in all: 2 specials, 256 bytes, the rest merges */
  bool split_digits; /* every digit is a word of its own (pre-tokenizer smollm), else gpt-2's words */
  int min_count;     /* pairs seen less often are not merged */
} tern_bpe_params;

typedef struct tern_bpe_result {
  size_t bytes, words, distinct; /* of the text */
  int tokens, merges;
} tern_bpe_result;

/* Reads the files (*.jsonl: "prompt" and "completion" of every line; others:
 * text, line by line) and writes a GGUF file that holds the tokenizer alone. */
int tern_bpe_train(const char *out, const char *const *files, int count, const tern_bpe_params *params,
                   tern_bpe_result *result, tern_error *e);

#endif
