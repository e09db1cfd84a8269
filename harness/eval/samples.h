/* samples_TASK.jsonl: a line an item and filter, in the order of filters, then
 * ids, with lm-eval's keys, hashes and Python's spelling; ours under "ternmark".
 * Everything that comes after (results, gate, comparisons, merged shards) reads
 * these lines; the log-likelihoods in them read back equal to the bit. */
#ifndef TERN_EVAL_SAMPLES_H
#define TERN_EVAL_SAMPLES_H

#include "harness/eval/document.h"
#include "harness/eval/journal.h"
#include "harness/eval/score.h"

typedef struct tern_sample_call {
  const tern_documents *documents;
  const tern_journal *journal;
  const bool *wanted;           /* [documents->count]; NULL: all. Each of them must be in the journal */
  struct tern_sandbox *sandbox; /* NULL: no metric has a grader */
  const char *folder;
} tern_sample_call;

/* Scores the items and writes their lines; facts: object that graders tell texts to. */
int tern_samples_write(const tern_sample_call *c, json_t *facts, tern_error *e);

/* FOLDER/samples_TASK.jsonl (free()). */
char *tern_samples_path(const char *folder, const char *task, tern_error *e);

#endif
