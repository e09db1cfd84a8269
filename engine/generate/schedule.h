/* Continuous batching: requests join and leave between steps; a step is one
 * chunk that holds the next token of everything that decodes and, in the room
 * left, pieces of prompts. Every request's result is what it would be alone.
 * KV positions are bounded; what ended requests leave is kept as long as there
 * is room, and a new prompt takes from it what they have in common. All calls
 * from one thread. */
#ifndef TERN_GENERATE_SCHEDULE_H
#define TERN_GENERATE_SCHEDULE_H

#include "engine/generate/answer.h"

typedef struct tern_schedule tern_schedule;
typedef struct tern_request tern_request;

typedef struct tern_schedule_params {
  int sequences; /* that run at once; <= 0: 8 */
  int positions; /* KV positions of all together; <= 0: sequences * the context of one */
  int context;   /* positions of one at most; <= 0: the model's, at most 4096 */
  int batch;     /* tokens a step; <= 0: 512 */
  int beside;    /* prompt tokens of a step while others decode; <= 0: batch */
  tern_kv_type kv;
  int wait;      /* positions in common with a prompt being computed that are worth waiting for; <= 0: 32 */
  bool no_reuse; /* prompts have nothing in common: don't look */
} tern_schedule_params;

typedef struct tern_request_params {
  const int32_t *prompt; /* copied */
  int prompt_count;      /* >= 1; with `scored` >= 2 */
  /* Either: log-probabilities of the prompt's last `scored` ids, given what is before each. */
  int scored;
  /* Or: an answer. Strings are copied, its put and arg are called from steps. */
  tern_answer_params answer;
} tern_request_params;

typedef struct tern_request_facts {
  bool ended;
  int status;        /* TERN_OK, or why its text could not be taken or its token not chosen */
  const char *error; /* then */
  tern_stop stop;    /* of an answer */
  int prompt_tokens, reused, generated;
  const int32_t *ids;       /* [generated], until the request is closed */
  const tern_score *scores; /* [scored] */
  double added_s, started_s, first_s,
      ended_s; /* CLOCK_MONOTONIC: added, first fed, first token chosen, end; 0: not yet */
} tern_request_facts;

/* model, team and tokenizer (NULL: ids alone) outlive the schedule. */
int tern_schedule_open(tern_schedule **out, const tern_model *model, tern_team *team, const tern_tokenizer *tokenizer,
                       const tern_schedule_params *p, tern_error *e);
void tern_schedule_close(tern_schedule *s); /* requests too; NULL allowed */

/* Refuses what can never run: more positions than a sequence may have, ids
 * outside the vocabulary. A context too short for all tokens is no reason. */
int tern_schedule_add(tern_schedule *s, const tern_request_params *p, tern_request **out, tern_error *e);
/* One chunk. *left: requests that have not ended. A failure (an interrupt,
 * damaged weights) leaves all requests as they were before. */
int tern_schedule_step(tern_schedule *s, int *left, tern_error *e);
/* Steps until all have ended. */
int tern_schedule_run(tern_schedule *s, tern_error *e);
/* Positions that sessions hold now, in use or kept; never above the bound. */
int tern_schedule_positions(const tern_schedule *s);

const tern_request_facts *tern_request_describe(const tern_request *r);
/* Ends before the next step; what it wrote stands. */
void tern_request_cancel(tern_request *r);
/* Forgets it, cancelled if it has not ended. */
void tern_request_close(tern_request *r);

#endif
