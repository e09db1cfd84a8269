/* A figure's row of changes.h. */
#ifndef TERN_EVAL_CHANGES_PARTS_H
#define TERN_EVAL_CHANGES_PARTS_H

#include "harness/eval/changes.h"

/* Fills the row, whose task and figure are set, from a task's items in both runs. */
int tern_change_figure(tern_change *row, const json_t *before, const json_t *now, tern_error *e);

#endif
