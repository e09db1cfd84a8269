/* A run's records from its journal, in one go: samples_TASK.jsonl of each task,
 * then results.json. Nothing here needs the model. */
#ifndef TERN_EVAL_RECORDS_H
#define TERN_EVAL_RECORDS_H

#include "harness/eval/samples.h"

typedef struct tern_records tern_records;

/* run: the journal's head, told in results.json. */
int tern_records_open(tern_records **out, const char *folder, const json_t *run, tern_error *e);
/* Scores a task and writes its samples; as tern_sample_call has them. */
int tern_records_add(tern_records *r, const tern_documents *d, const tern_journal *j, const bool *wanted,
                     struct tern_sandbox *sandbox, tern_error *e);
/* Sums and writes results.json; *results (NULL: not wanted) is the caller's. */
int tern_records_finish(tern_records *r, json_t **results, tern_error *e);
void tern_records_close(tern_records *r); /* NULL allowed */

#endif
