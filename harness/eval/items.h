/* Runs as they are compared: items of every task, read from samples_TASK.jsonl
 * (ours or lm-eval's) or from a baseline file. A run is an object:
 *   {"run": what the run was, "tasks": {TASK: [item, ...]}}, items by id:
 *   {"id", "doc", "asked", "target"      lm-eval's doc_id, doc_hash, prompt_hash, target
 *    "prompt", "truncated", "tokens"     ours: hash of the ids; a number each reply
 *    "lls", "greedy" | "text"            a value each reply
 *    "figures": {"acc,none": 1.0}, "facts": {"timed_out,none": 1}} */
#ifndef TERN_EVAL_ITEMS_H
#define TERN_EVAL_ITEMS_H

#include <jansson.h>

#include "engine/base/error.h"

/* A samples file's items. */
int tern_items_read(json_t **out, const char *samples, tern_error *e);
/* A run: its folder, a baseline file, or one samples file. */
int tern_items_load(json_t **out, const char *path, tern_error *e);
/* A baseline: the run of a folder in one file. */
int tern_baseline_write(const char *path, const char *folder, tern_error *e);

#endif
