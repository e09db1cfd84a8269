/* The tokenizer of a model that is converted: as GGUF keys, or as the files of
 * a Hugging Face folder. */
#ifndef TERN_HARNESS_CONVERT_TOKENS_H
#define TERN_HARNESS_CONVERT_TOKENS_H

#include "engine/format/gguf.h"

typedef struct tern_convert_tokens {
  const tern_gguf *in;
  const char *file; /* --tokenizer: tokenizer.json, tokenizer.model or llama2.c's; NULL: the input's own */
} tern_convert_tokens;

/* For tern_convert_params.put_vocabulary; arg: a tern_convert_tokens. */
int tern_convert_put_tokens(void *arg, tern_gguf_writer *w, int64_t rows, tern_error *e);
/* tokenizer.json and tokenizer_config.json into a folder: copies of the
 * input's where it is a folder, else written from the vocabulary. *none: the
 * input has no tokenizer. */
int tern_convert_export_tokens(const tern_convert_tokens *v, const char *folder, bool *none, tern_error *e);

#endif
