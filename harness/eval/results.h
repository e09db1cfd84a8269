/* results.json in lm-eval's form: "results", "groups", "group_subtasks",
 * "configs", "versions", "n-shot", "higher_is_better", "n-samples", "config";
 * ours under "ternmark" (what ran, and of each task items truncated, answers
 * empty, graders). Figures are sums over the samples files, so that what was
 * said of a run and its merged shards can't differ. No times: equal runs give
 * equal bytes. */
#ifndef TERN_EVAL_RESULTS_H
#define TERN_EVAL_RESULTS_H

#include <jansson.h>

#include "engine/base/error.h"
#include "harness/eval/document.h"

/* Without tasks yet. run: what runs, as the journal's head says it; its "model"
 * and "options" become "config". */
json_t *tern_results_begin(const json_t *run, tern_error *e);
/* What is known of a task before its figures; graders: texts of its graders. */
int tern_results_add(json_t *results, const tern_documents *d, const json_t *graders, tern_error *e);
/* Figures of all tasks and groups, from the folder's samples files. */
int tern_results_sum(json_t *results, const char *folder, tern_error *e);
/* FOLDER/results.json. */
int tern_results_write(const json_t *results, const char *folder, tern_error *e);

#endif
