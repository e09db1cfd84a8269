/* The parts of `ternmark train` that have files of their own. argv[0] is the
 * part's name; each returns an exit code. */
#ifndef TERN_HARNESS_TRAIN_PARTS_H
#define TERN_HARNESS_TRAIN_PARTS_H

#include <stddef.h>

#include "engine/base/error.h"

int tern_train_tokenizer_command(int argc, char **argv, tern_error *e);
int tern_train_export_command(int argc, char **argv, tern_error *e);
int tern_train_eval_command(int argc, char **argv, tern_error *e);

/* CPUs that this process may use. */
int tern_train_threads(void);

/* Draws the loss curve of a run's log.csv as an SVG file. Returns 0, or 1 with
 * the reason in why when there is no drawing. */
int tern_train_curve(const char *log, const char *svg, const char *title, char *why, size_t why_size);

#endif
