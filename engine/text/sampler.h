/* Choosing the next token: greedy, or seeded temperature / top-k / top-p /
 * min-p sampling, after biases on single ids and penalties on repetition. Same
 * logits, history and seed give the same token everywhere. */
#ifndef TERN_TEXT_SAMPLER_H
#define TERN_TEXT_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"

typedef struct tern_bias {
  int32_t id;
  float add; /* to its logit; -INFINITY: never chosen */
} tern_bias;

typedef struct tern_sampler_params {
  float temperature; /* 0: greedy; ties go to the lowest id */
  int top_k;         /* 0: off */
  float top_p;       /* 1: off */
  float min_p;       /* 0: off */
  uint64_t seed;
  /* On the different ids among the last `window` accepted ones. Repetition (HF,
   * llama.cpp): a positive logit is divided by it, a negative one multiplied.
   * Frequency and presence (OpenAI): count * frequency + presence is subtracted. */
  float repeat; /* 0 or 1: off */
  float frequency, presence;
  int window;              /* 0: 64; < 0: all */
  const tern_bias *biases; /* added before penalties; the caller's until the sampler is open */
  int bias_count;
} tern_sampler_params;

typedef struct tern_sampler tern_sampler;
int tern_sampler_open(tern_sampler **out, int vocab, const tern_sampler_params *p, tern_error *e);
void tern_sampler_close(tern_sampler *s);
/* Takes an id of the text, prompt included, into the penalties' window. */
void tern_sampler_accept(tern_sampler *s, int32_t id);
/* The next draw is draw `i` of the seed. */
void tern_sampler_seek(tern_sampler *s, uint64_t i);
/* Returns the id, or -1 when no logit is finite. Draw i depends on seed and i
 * only. Biases and penalties change `logits` in place. */
int32_t tern_sampler_next(tern_sampler *s, float *logits);

/* Whether the choice is the greatest logit's id as the model gives it. */
bool tern_sampler_greedy(const tern_sampler_params *p);
/* Which logits the next draw depends on: the *k greatest (0: any number), as far
 * as they are within *floor of the greatest; -INFINITY in place of the others
 * gives the same token. False: all of them. */
bool tern_sampler_reach(const tern_sampler *s, int *k, float *floor);

/* Index of the greatest logit, lowest on ties; -1 when none is finite. */
int32_t tern_argmax(const float *logits, int n);

#endif
