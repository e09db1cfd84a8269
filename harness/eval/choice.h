/* Decisions of multiple-choice questions from the log-likelihoods of their
 * choices, as lm-eval takes them: numpy's argmax, lengths of the choice without
 * its delimiter. */
#ifndef TERN_EVAL_CHOICE_H
#define TERN_EVAL_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum tern_choice_by {
  TERN_BY_SUM,        /* acc */
  TERN_BY_CHARACTERS, /* acc_norm: divided by len(choice), code points */
  TERN_BY_BYTES       /* acc_bytes: by UTF-8 bytes */
} tern_choice_by;

typedef struct tern_choice {
  const char *text; /* without delimiter; NULL allowed with TERN_BY_SUM */
  double logprob;   /* sum over the continuation, natural */
} tern_choice;

/* Index of the chosen one; the first on ties. n >= 1. */
size_t tern_choice_best(const tern_choice *choices, size_t n, tern_choice_by by);
/* mc2: share of exp(logprob) that the true choices have. NAN when all vanish, as there. */
double tern_choice_mass(const tern_choice *choices, const bool *truth, size_t n);

#endif
