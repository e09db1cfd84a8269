/* Answers to a task of conversations in the form that FastChat's llm_judge reads
 * (its data/mt_bench/model_answer/MODEL.jsonl), for a judge outside. Made from the
 * samples file alone, so also for merged shards; equal runs give equal bytes:
 * "answer_id" is made of the answer, "tstamp" is 0. */
#ifndef TERN_EVAL_MTBENCH_H
#define TERN_EVAL_MTBENCH_H

#include "engine/base/error.h"

/* FOLDER/model_answer/MODEL.jsonl from FOLDER/samples_TASK.jsonl; model: a file's
 * name, ".gguf" is left out of it. Sorted by question_id. */
int tern_mtbench_write(const char *folder, const char *task, const char *model, tern_error *e);

#endif
