/* IFEval: whether a response follows the instructions of its prompt, as lm-eval's
 * ifeval task decides. The 25 types of the dataset are a table (ifeval_rules.h);
 * strict looks at the response, loose at eight variants of it (first line, last
 * line, asterisks left out). Instructions about sentences need NLTK's Punkt model
 * and those about languages a detector: without them they are unknown, not false. */
#ifndef TERN_EVAL_IFEVAL_H
#define TERN_EVAL_IFEVAL_H

#include <jansson.h>

#include "harness/eval/ifeval_punkt.h"

typedef enum tern_followed { TERN_NOT_FOLLOWED, TERN_FOLLOWED, TERN_FOLLOWED_UNKNOWN } tern_followed;

typedef struct tern_ifeval_tools {
  const tern_punkt *punkt; /* NULL: none here */
  /* The ISO 639-1 code of text's language: "" when it has none to see, NULL when it can't be told. */
  const char *(*language)(void *arg, const char *text);
  void *arg;
} tern_ifeval_tools;

/* Instructions of a row ("instruction_id_list", "kwargs"), checked; returns
 * their number, or -1 with what is wrong in e. */
int tern_ifeval_count(const json_t *row, tern_error *e);
/* strict, loose: one an instruction. */
int tern_ifeval_check(const json_t *row, const char *response, const tern_ifeval_tools *t, tern_followed *strict,
                      tern_followed *loose, tern_error *e);

#endif
