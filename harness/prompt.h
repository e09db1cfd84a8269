/* Token ids that every engine is fed: the ids of a text where the model has a
 * real vocabulary, seeded ids where its vocabulary is generated. */
#ifndef TERN_HARNESS_PROMPT_H
#define TERN_HARNESS_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/format/gguf.h"

typedef struct tern_prompt {
  int32_t *ids; /* free() */
  int count;
  bool text;     /* ids of the built-in text, repeated as needed */
  char note[96]; /* one line for the manifest */
} tern_prompt;

int tern_prompt_make(tern_prompt *out, const tern_gguf *g, uint64_t seed, int count, tern_error *e);

#endif
