/* A block that was disturbed is taken again, all its engines; what was taken
 * before stays in samples.csv, and counts no more. */
#ifndef TERN_HARNESS_ATTEMPT_H
#define TERN_HARNESS_ATTEMPT_H

#include <stddef.h>

#include "harness/sample.h"

/* Moves the rows that stand to the front, ordered by model, block and sample,
 * and returns their number: of each block of a model those of its last
 * attempt; every row of the warm-up. */
size_t tern_attempts_latest(tern_sample *rows, size_t count);

#endif
