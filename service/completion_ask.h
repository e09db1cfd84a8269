/* The body of POST /v1/completions, read and checked: nothing behind it meets a
 * text that came from outside unchecked. Knows nothing of HTTP or the engine. */
#ifndef TERN_SERVICE_COMPLETION_ASK_H
#define TERN_SERVICE_COMPLETION_ASK_H

#include "engine/text/sampler.h"
#include "service/problem.h"

typedef struct tern_prompt_ids {
  int32_t *ids; /* malloc'ed */
  int count;    /* >= 1 */
} tern_prompt_ids;

typedef struct tern_completion_ask {
  tern_prompt_ids *prompts;
  int prompt_count;
  char **stops;
  int stop_count;
  tern_sampler_params sampling;
  int most_tokens;
  int logprobs; /* < 0: none */
  bool echo;
} tern_completion_ask;

/* Turns a text of a request into ids. */
typedef int (*tern_encode_text)(const void *arg, const char *text, size_t size, int32_t **ids, int *count,
                                tern_error *e);
typedef struct tern_ask_limits {
  int prompts, stops, vocab;
  tern_encode_text encode;
  const void *encoder;
} tern_ask_limits;

/* 0, or the code of *p; the ask is then empty. */
int tern_completion_ask_read(tern_completion_ask *out, const char *body, size_t size, const tern_ask_limits *l,
                             tern_problem *p);
void tern_completion_ask_free(tern_completion_ask *a);

#endif
