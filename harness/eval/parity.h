/* Our items beside lm-eval's: each log-likelihood, text and decision. */
#ifndef TERN_EVAL_PARITY_H
#define TERN_EVAL_PARITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/base/error.h"

typedef struct tern_parity {
  char *task;
  size_t items, alone;     /* in both; in one of them only */
  size_t prompts;          /* of items: with the same prompt, by its SHA-256 */
  size_t truncated;        /* of items: cut on the left here */
  size_t scores, beyond;   /* log-likelihoods; those that differ by more than the tolerance */
  double most, mean;       /* greatest and mean absolute difference */
  size_t greedy;           /* of scores: with another verdict on greediness */
  size_t texts, other;     /* generated; those that differ */
  size_t decisions, wrong; /* figures of items; those that differ */
  size_t worst;            /* id of the item with the greatest difference */
} tern_parity;

/* theirs, ours: runs of items.h; tasks of both by name, or the only one of each.
 * Rows: free with tern_parity_close. */
int tern_parity_find(tern_parity **rows, size_t *count, const json_t *theirs, const json_t *ours, double tolerance,
                     tern_error *e);
void tern_parity_close(tern_parity *rows, size_t count);
bool tern_parity_holds(const tern_parity *row);

void tern_parity_markdown(const tern_parity *rows, size_t count, double tolerance, FILE *to);
json_t *tern_parity_json(const tern_parity *rows, size_t count);

#endif
