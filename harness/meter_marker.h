/* A marker: load switched on and off in a pattern that nothing else makes, by
 * which an outside meter's log is laid onto this machine's clock. */
#ifndef TERN_HARNESS_METER_MARKER_H
#define TERN_HARNESS_METER_MARKER_H

#include "harness/energy.h"
#include "harness/meter_series.h"

enum { TERN_MARKER_EDGES = 32 };

typedef struct tern_marker {
  double begin, end;               /* idle before the first and after the last edge included */
  double edges[TERN_MARKER_EDGES]; /* wall clock; the load goes on at the first, off at the second, ... */
  int count;
  double chip; /* s: the shortest time between edges */
} tern_marker;

typedef struct tern_offset {
  double seconds;   /* to add to the series' times; NAN: not found */
  double score;     /* correlation of load and watts there, -1..1 */
  double runner_up; /* the best one over two chips away */
  char why[160];    /* not found */
} tern_offset;

/* Plays the pattern on `cores` cores. */
int tern_marker_play(tern_marker *m, int cores, double chip, const tern_clock *clock, tern_error *e);
/* Finds the pattern among offsets of at most `most` seconds (INFINITY: all). */
tern_offset tern_marker_find(const tern_marker *m, const tern_series *s, double most);

/* Keeps `cores` cores busy while the caller waits so long by its clock. */
int tern_marker_load(int cores, double seconds, const tern_clock *clock, tern_error *e);

#endif
