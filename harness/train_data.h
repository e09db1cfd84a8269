/* The parts of `ternmark train` that make and judge data; argv[0] is the part's
 * name. Return an exit code. */
#ifndef TERN_HARNESS_TRAIN_DATA_H
#define TERN_HARNESS_TRAIN_DATA_H

#include "engine/base/error.h"

int tern_train_data(int argc, char **argv, tern_error *e);          /* data DIR: writes the mini set */
int tern_train_baselines(int argc, char **argv, tern_error *e);     /* baselines DIR: scores that need no model */
int tern_train_score_command(int argc, char **argv, tern_error *e); /* score MODEL [DIR]: a model on its tests */

#endif
