/* A table that grows by blocks. */
#include "harness/times.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "harness/stats.h"
#include "harness/stats_serial.h"

void tern_times_close(tern_times *t) {
  free(t->values);
  free(t->scratch);
  *t = (tern_times){0};
}

static int grow(tern_times *t, int blocks, tern_error *e) {
  if (blocks <= t->room) return 0;
  int room = t->room ? t->room : 32;
  while (room < blocks) room *= 2;
  size_t bytes = tern_mul(tern_mul((size_t)room, (size_t)t->cells), sizeof *t->values);
  double *values = realloc(t->values, bytes);
  if (values) t->values = values;
  double *scratch = realloc(t->scratch, (size_t)room * sizeof *scratch);
  if (scratch) t->scratch = scratch;
  if (!values || !scratch) return tern_fail(e, TERN_FAILED, "times of %d blocks: out of memory", room);
  for (size_t i = (size_t)t->room * (size_t)t->cells; i < (size_t)room * (size_t)t->cells; i++) values[i] = NAN;
  t->room = room;
  return 0;
}

int tern_times_put(tern_times *t, int block, int cell, double seconds, tern_error *e) {
  if (grow(t, block + 1, e)) return (int)e->status;
  t->values[(size_t)block * (size_t)t->cells + (size_t)cell] = seconds;
  if (block >= t->blocks) t->blocks = block + 1;
  return 0;
}

void tern_times_drop(tern_times *t, int block) {
  for (int c = 0; block < t->room && c < t->cells; c++) t->values[(size_t)block * (size_t)t->cells + (size_t)c] = NAN;
}

/* Ratios in order of the blocks, into the scratch. */
static int ratios(const tern_times *t, int cell, int reference) {
  int n = 0;
  for (int b = 0; b < t->blocks; b++) {
    const double *row = &t->values[(size_t)b * (size_t)t->cells];
    double r = row[cell] / (reference < 0 ? 1 : row[reference]);
    if (isfinite(r) && r > 0) t->scratch[n++] = r;
  }
  return n;
}

tern_ratio tern_times_ratio(const tern_times *t, int cell, int reference, double level) {
  return tern_ratio_estimate(t->scratch, ratios(t, cell, reference), level);
}

tern_ratio tern_times_median(const tern_times *t, int cell) {
  tern_estimate m = tern_estimate_median(t->scratch, ratios(t, cell, -1));
  return (tern_ratio){m.n, m.median, m.bounded, m.low, m.high, m.coverage};
}

bool tern_times_wander(const tern_times *t, int cell, int reference) {
  return tern_serial_wanders(t->scratch, ratios(t, cell, reference));
}
