/* The parts of `ternmark eval` that have files of their own. argv[0] is the
 * part's name; each returns an exit code. */
#ifndef TERN_HARNESS_EVAL_PARTS_H
#define TERN_HARNESS_EVAL_PARTS_H

#include "engine/base/error.h"

int tern_eval_merge_command(int argc, char **argv, tern_error *e);
int tern_eval_compare_command(int argc, char **argv, tern_error *e);

#endif
