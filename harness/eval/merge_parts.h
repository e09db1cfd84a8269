/* Steps of a merge. */
#ifndef TERN_EVAL_MERGE_PARTS_H
#define TERN_EVAL_MERGE_PARTS_H

#include <jansson.h>
#include <stddef.h>

#include "engine/base/error.h"

/* Lines of FOLDER/samples_TASK.jsonl of all folders into out's, by filter and id. */
int tern_merge_samples(const char *out, const char *const *folders, size_t count, const char *task, tern_error *e);
/* All items into out's journal, by task and id; head: of the whole run. */
int tern_merge_journals(const char *out, const char *const *folders, size_t count, const json_t *head,
                        const json_t *tasks, tern_error *e);

#endif
