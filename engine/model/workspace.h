/* Pieces of one block of memory, and sizes that workspaces and sessions agree
 * on; inside of engine/model. */
#ifndef TERN_MODEL_WORKSPACE_H
#define TERN_MODEL_WORKSPACE_H

#include "engine/model/forward.h"

enum { TERN_DEFAULT_BATCH = 512 };

/* Hands out pieces of one block; without a base it only adds up. */
typedef struct tern_arena {
  uint8_t *base;
  size_t used;
} tern_arena;
void *tern_arena_take(tern_arena *a, size_t bytes);

/* Positions of a session: as wanted, or when `wanted` <= 0 the model's, at most 4096. */
int tern_context_choose(int *context, const tern_model_facts *f, int wanted, tern_error *e);

#endif
