/* Asks through one schedule, answers as they end. Asks are added in the order of
 * their texts, so that what begins alike meets in the cache, a bounded number
 * ahead; each answer is what the ask would give alone. */
#ifndef TERN_EVAL_RUN_H
#define TERN_EVAL_RUN_H

#include "engine/generate/schedule.h"
#include "harness/eval/document.h"

/* Called as a document's last ask ends, documents in any order. ids, replies:
 * one an ask, valid during the call. Nonzero ends the run. */
typedef int (*tern_take_replies)(void *arg, const tern_document *d, const tern_ask_ids *ids, const tern_reply *replies,
                                 tern_error *e);

typedef struct tern_run_facts { /* of one run, or summed */
  size_t asks;
  int64_t fed, reused; /* prompt tokens: all that had to be in the cache, and those of them that were there */
  int64_t scored, generated;
  double seconds;
} tern_run_facts;

typedef struct tern_run {
  tern_schedule *schedule;
  const tern_tokenizer *tokenizer;
  tern_ask_rules rules;     /* most_tokens 0: the task's */
  int ahead;                /* asks waiting or running; <= 0: 64 */
  const char *const *stops; /* of the chat template, beside the task's */
  int stop_count;
  const int32_t *ends; /* ids that end an answer, beside the tokenizer's own */
  int end_count;
  uint64_t seed; /* of answers with a temperature */
  tern_take_replies take;
  void *arg;
} tern_run;

/* wanted: [count], or NULL for all. Facts are added to. */
int tern_run_documents(const tern_run *run, const tern_documents *d, const bool *wanted, tern_run_facts *facts,
                       tern_error *e);

#endif
