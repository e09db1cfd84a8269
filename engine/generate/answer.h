/* An answer being written: chooses each next token as its sampler says, turns
 * tokens into text, and knows when to end. It does not run the model: whoever
 * does asks it what it needs and hands it the result, for one sequence or many. */
#ifndef TERN_GENERATE_ANSWER_H
#define TERN_GENERATE_ANSWER_H

#include "engine/model/model.h"
#include "engine/text/sampler.h"
#include "engine/text/tokenizer.h"

typedef enum tern_stop {
  TERN_STOP_COUNT,   /* as many tokens as asked for */
  TERN_STOP_END,     /* the model ended its text */
  TERN_STOP_STRING,  /* a stop string came */
  TERN_STOP_CONTEXT, /* no position left */
  TERN_STOP_INTERRUPT,
  TERN_STOP_CANCELLED /* by its owner, or because its text could not be taken */
} tern_stop;
const char *tern_stop_reason(tern_stop stop);

/* Takes a piece of text, whole UTF-8 characters where the model makes them;
 * returns nonzero to stop with *e filled. */
typedef int (*tern_put_text)(void *arg, const char *text, size_t size, tern_error *e);

typedef struct tern_answer_params {
  tern_sampler_params sampling;
  const char *const *stops; /* strings that end the text and are not part of it */
  int stop_count;
  const int32_t *ends; /* ids that end it, beside the tokenizer's own; copied */
  int end_count;
  int count;         /* tokens at most */
  bool past_end;     /* tokens that end a text don't */
  tern_put_text put; /* NULL: nobody reads the text */
  void *arg;
} tern_answer_params;

typedef struct tern_answer tern_answer;

/* text: the ids before the answer, all of them, for penalties and draws: the
 * draw of a token depends on the seed and its place in the text. tokenizer NULL:
 * there are only ids. */
int tern_answer_open(tern_answer **out, const tern_tokenizer *tokenizer, int vocab, const tern_answer_params *p,
                     const int32_t *text, int n, tern_error *e);
void tern_answer_close(tern_answer *a); /* NULL allowed */

/* Makes item ask for what the next choice needs; logits: [vocab], used when it
 * is more than the greatest. */
void tern_answer_ask(tern_answer *a, tern_item *item, float *logits);
/* The choice from the evaluated item; fails when no logit is finite. */
int tern_answer_choose(tern_answer *a, const tern_item *item, int32_t *id, tern_error *e);
/* Takes it into the text. *more: the token is to be fed for another. Fails when
 * the text cannot be taken. */
int tern_answer_write(tern_answer *a, int32_t id, bool *more, tern_error *e);
/* Ends it for the reason given; what was held back becomes text. */
int tern_answer_end(tern_answer *a, tern_stop stop, tern_error *e);

/* Tokens chosen, one that ends the text included. */
const int32_t *tern_answer_ids(const tern_answer *a, int *count);
tern_stop tern_answer_stop(const tern_answer *a);

#endif
