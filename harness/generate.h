/* Generating text: prompt in, tokens out one at a time, with the times of both
 * phases. */
#ifndef TERN_HARNESS_GENERATE_H
#define TERN_HARNESS_GENERATE_H

#include "engine/model/model.h"
#include "engine/text/sampler.h"
#include "engine/text/tokenizer.h"

typedef enum tern_stop {
  TERN_STOP_COUNT,   /* as many tokens as asked for */
  TERN_STOP_END,     /* the model ended its text */
  TERN_STOP_CONTEXT, /* no position left */
  TERN_STOP_INTERRUPT
} tern_stop;

typedef struct tern_generation {
  int prompt_tokens;
  int generated; /* tokens chosen, an end token included */
  int decoded;   /* tokens fed after the prompt: what decode_s timed */
  double prefill_s, decode_s;
  tern_stop stop;
} tern_generation;

/* Takes a piece of text, whole UTF-8 characters where the model makes them;
 * returns nonzero to stop with *e filled. */
typedef int (*tern_put_text)(void *arg, const char *text, size_t size, tern_error *e);

/* Feeds the prompt (at least one token) and generates up to `count` tokens.
 * With a temperature of 0 the greedy path is taken, exact head included.
 * On an interrupt the generation so far stands and TERN_INTERRUPTED returns. */
int tern_generate(tern_session *session, int vocab, const tern_tokenizer *tokenizer,
                  const tern_sampler_params *sampling, const int32_t *prompt, int prompt_count, int count,
                  tern_put_text put, void *arg, tern_generation *out, tern_error *e);

#endif
