/* Generating text in one session: ids in, tokens out one at a time, with the
 * times of both phases. */
#ifndef TERN_GENERATE_GENERATE_H
#define TERN_GENERATE_GENERATE_H

#include "engine/generate/answer.h"

typedef struct tern_generation {
  int prompt_tokens; /* of the whole text */
  int reused;        /* of these, what the session had already */
  int generated;     /* tokens chosen, an end token included */
  int decoded;       /* tokens fed after the prompt: what decode_s timed */
  int32_t last;      /* chosen last, and not fed; -1: none */
  double prefill_s, decode_s;
  tern_stop stop;
} tern_generation;

/* text: all n >= 1 ids before the answer; what the session has of them is not
 * fed again. On an interrupt the generation so far stands and TERN_INTERRUPTED
 * returns. The clock runs over the model's work and the choice of tokens. */
int tern_generate(tern_session *session, const tern_tokenizer *tokenizer, const tern_answer_params *p,
                  const int32_t *text, int n, tern_generation *out, tern_error *e);

#endif
