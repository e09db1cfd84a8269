/* The choice of tokens as options of a command. */
#ifndef TERN_HARNESS_SAMPLING_OPTIONS_H
#define TERN_HARNESS_SAMPLING_OPTIONS_H

#include <argp.h>

#include "engine/generate/answer.h"

enum { TERN_MOST_STOPS = 32, TERN_MOST_BIASES = 256 };

typedef struct tern_sampling_options {
  tern_sampler_params params;
  const char *stops[TERN_MOST_STOPS];
  int stop_count;
  const char *bias_texts[TERN_MOST_BIASES];
  tern_bias biases[TERN_MOST_BIASES];
  int bias_count;
} tern_sampling_options;

/* Group "Choice of tokens", an argp child whose input is a tern_sampling_options. */
extern const struct argp tern_sampling_argp;
void tern_sampling_options_start(tern_sampling_options *o);
/* Reads the biases, for which the tokenizer is needed, and checks all. */
int tern_sampling_options_finish(tern_sampling_options *o, const tern_tokenizer *t, int vocab, tern_error *e);
/* Sampling and stop strings of an answer; put and count are the caller's. */
tern_answer_params tern_sampling_answer(const tern_sampling_options *o);

#endif
