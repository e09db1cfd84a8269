/* Shards of one run into the run itself: journal, samples and results.json as if
 * it had never been split, the last two equal to the byte. A shard that lacks,
 * one that is there twice, and shards of different runs are errors. */
#ifndef TERN_EVAL_MERGE_H
#define TERN_EVAL_MERGE_H

#include <jansson.h>
#include <stddef.h>

#include "engine/base/error.h"

/* folders: finished shards, in any order; out: made. *results: results.json, the
 * caller's. */
int tern_merge(const char *out, const char *const *folders, size_t count, json_t **results, tern_error *e);

#endif
