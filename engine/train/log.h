/* The log of a run: one CSV row a step. */
#ifndef TERN_TRAIN_LOG_H
#define TERN_TRAIN_LOG_H

#include <stdio.h>

#include "engine/train/trainer.h"

/* Opens the log, new or, when steps > 0, cut after the row of that step. */
int tern_log_open(FILE **out, const char *path, int steps, tern_error *e);
/* held NAN: not evaluated at this step. */
void tern_log_put(FILE *f, int step, const tern_train_step *s, double tokens, double seconds, double held);

#endif
