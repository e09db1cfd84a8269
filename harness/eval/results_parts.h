/* Sums of results.json. */
#ifndef TERN_EVAL_RESULTS_PARTS_H
#define TERN_EVAL_RESULTS_PARTS_H

#include <jansson.h>

#include "engine/base/error.h"

/* A task's figures from FOLDER/samples_TASK.jsonl into results. */
int tern_task_sum(json_t *results, const char *folder, const char *task, tern_error *e);
/* Groups' figures from those of their tasks, weighted by size, as lm-eval's. */
int tern_groups_sum(json_t *results, tern_error *e);
/* "acc,none" with its standard error; NAN gives lm-eval's "N/A". */
int tern_result_set(json_t *to, const char *figure, double value, double error, tern_error *e);

#endif
