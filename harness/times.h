/* Seconds a token, by block and cell, as a run goes on: what its stopping rule
 * and its notes look at. A cell taken again replaces what it had. */
#ifndef TERN_HARNESS_TIMES_H
#define TERN_HARNESS_TIMES_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "harness/stats_ratio.h"

typedef struct tern_times {
  int cells, blocks, room; /* blocks that hold something */
  double *values;          /* [block][cell]; NAN: none */
  double *scratch;
} tern_times; /* begins as {.cells = n} */

void tern_times_close(tern_times *t);
int tern_times_put(tern_times *t, int block, int cell, double seconds, tern_error *e);
/* A block is taken again: what it holds no longer counts. */
void tern_times_drop(tern_times *t, int block);

/* The cell's time over the reference's, from the blocks that hold both. */
tern_ratio tern_times_ratio(const tern_times *t, int cell, int reference, double level);
/* A cell by itself: its median in place of the ratio, and the median's interval. */
tern_ratio tern_times_median(const tern_times *t, int cell);
/* harness/stats_serial.h, of those ratios. */
bool tern_times_wander(const tern_times *t, int cell, int reference);

#endif
