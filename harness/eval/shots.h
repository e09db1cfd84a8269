/* Few-shot examples as lm-eval draws them: one generator down the documents,
 * asked once a document and in their order. Rows equal to the document (by
 * value) are no examples for it where the pool is the evaluated set. */
#ifndef TERN_EVAL_SHOTS_H
#define TERN_EVAL_SHOTS_H

#include <stdint.h>

#include "harness/eval/rows.h"

typedef enum tern_shot_sampler {
  TERN_SHOTS_RANDOM, /* "default": random.Random(seed).sample */
  TERN_SHOTS_FIRST   /* "first_n" */
} tern_shot_sampler;

typedef struct tern_shots tern_shots;

/* pool outlives the shots. */
int tern_shots_open(tern_shots **out, const tern_rows *pool, tern_shot_sampler sampler, int64_t seed, tern_error *e);
void tern_shots_close(tern_shots *s); /* NULL allowed */
/* Rows of the next document's n examples into out[n]. document: the row they are
 * for, when the pool is the evaluated set; NULL else. */
int tern_shots_draw(tern_shots *s, size_t n, const json_t *document, size_t *out, tern_error *e);

#endif
