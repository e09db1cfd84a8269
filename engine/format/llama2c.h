/* llama2.c checkpoints to GGUF: the legacy fp32 file (architecture "llama")
 * and bitllama2c's ternary one (architecture "bitllama2c"). */
#ifndef TERN_FORMAT_LLAMA2C_H
#define TERN_FORMAT_LLAMA2C_H

#include "engine/format/gguf.h"

typedef struct tern_llama2c_params {
  const tern_dtype *type; /* of the projections; NULL: F32, or I2_S for a ternary file */
  /* Writes the tokenizer.ggml.* keys of a vocabulary of that size; NULL: the
   * file says "no_vocab". */
  int (*put_vocabulary)(void *arg, tern_gguf_writer *w, int vocab, tern_error *e);
  void *arg;
  const char *name; /* general.name */
} tern_llama2c_params;

/* Header, sizes and codes of the input are checked; output appears whole or
 * not at all. */
int tern_llama2c_convert(const char *in, const char *out, const tern_llama2c_params *params, tern_error *e);

#endif
