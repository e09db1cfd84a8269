/* Token ids that every engine is fed: the ids of a text where the model has a
 * real vocabulary, seeded ids where its vocabulary is generated. */
#ifndef TERN_HARNESS_PROMPT_H
#define TERN_HARNESS_PROMPT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/format/gguf.h"
#include "harness/job.h"

typedef struct tern_prompt {
  int32_t *ids; /* free() */
  int count;
  int own;       /* a line of a file: tokens of its text; the rest is what generations are fed */
  bool text;     /* ids of the built-in text, repeated as needed */
  char note[96]; /* one line for the manifest */
} tern_prompt;

int tern_prompt_make(tern_prompt *out, const tern_gguf *g, uint64_t seed, int count, tern_error *e);

/* By a workload's `prompt`: [0] is shared, the others are lines of a file. */
typedef struct tern_prompts {
  tern_prompt *items;
  int count;
} tern_prompts;

/* The job's workloads on this model, and the ids that they are fed: lines of
 * its prompts' file are tokenised by the model's own tokenizer. */
int tern_prompts_make(tern_prompts *out, tern_workload_list *loads, const tern_job *job, const tern_gguf *g,
                      tern_error *e);
/* What a model that has not been made yet would need at most: a token a byte. */
int tern_prompts_foresee(tern_workload_list *loads, const tern_job *job, tern_error *e);
void tern_prompts_free(tern_prompts *p);

#endif
