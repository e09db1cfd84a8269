/* The mini set: data of our own for models of a few hundred thousand weights,
 * made from the tables in datasets/mini/world. The same seed gives the same
 * bytes everywhere. What is held out never reaches training text: number
 * tuples, compositions, facts and passages by hash, phrasings by their table.
 *
 * DIR/train.jsonl   every task, shuffled; DIR/valid.jsonl the same, held out
 * DIR/tune-train.jsonl  the fine-tuning task: instruction, input, output
 * DIR/test/<task>-<split>.jsonl
 * A line: {"prompt","completion","task","split","kind","id"}; tasks of choice
 * in a test add "choices" and "answer" (an index); the text is prompt followed
 * by completion, byte for byte. Word problems add "tuple" and "composition". */
#ifndef TERN_TRAIN_MINI_H
#define TERN_TRAIN_MINI_H

#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"

typedef struct tern_mini_options {
  const char *world; /* folder of the tables; NULL: the repository's */
  uint64_t seed;     /* of the training text; tests have their own, so that they stay */
  int items;         /* records of train.jsonl; 0: only the tests */
  int shot_tokens;   /* few-shot documents hold up to about so many tokens (0: 1600) */
} tern_mini_options;

enum { TERN_MINI_ITEMS = 300000, TERN_MINI_SHOT_TOKENS = 1600 };

/* Writes the files into dir, which is made when absent. */
int tern_mini_write(const char *dir, const tern_mini_options *options, tern_error *e);

/* What needs no model: the most frequent answer, the nearest neighbour in the
 * training text, the longest and the shortest choice, the one named last and
 * first. Reads what tern_mini_write left in dir; CSV on `to`, percent right, a
 * row a split and kind. */
int tern_mini_baselines(const char *dir, FILE *to, tern_error *e);

#endif
