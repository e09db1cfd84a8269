/* llama2.c checkpoints as GGUF: the legacy fp32 file (architecture "llama")
 * and bitllama2c's ternary one (architecture "bitllama2c"). They carry no
 * vocabulary: tokenizer.ggml.model is "no_vocab". */
#ifndef TERN_FORMAT_LLAMA2C_H
#define TERN_FORMAT_LLAMA2C_H

#include "engine/format/gguf.h"

/* Whether the bytes start like a checkpoint: the magic, or seven sane numbers. */
bool tern_llama2c_is(const uint8_t *data, size_t size);
int tern_llama2c_open(tern_gguf **out, const char *path, tern_error *e);
/* Bytes that outlive the result; `name` stands for the path in errors. */
int tern_llama2c_parse(tern_gguf **out, const uint8_t *data, size_t size, const char *name, tern_error *e);

#endif
