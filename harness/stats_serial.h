/* Whether a ratio wandered while it was measured. An interval takes blocks for
 * independent; where one side feels the machine's regimes and the other does
 * not, neighbours are alike and the interval is too narrow, and more so the
 * longer a regime lasts (docs/statistics.md). Pure. */
#ifndef TERN_HARNESS_STATS_SERIAL_H
#define TERN_HARNESS_STATS_SERIAL_H

#include <stdbool.h>

enum { TERN_SERIAL_LEAST = 10, TERN_SERIAL_MOST = 4096 }; /* blocks that are tested */

/* Standard score of Bartels' rank version of von Neumann's ratio, of values in
 * the order of measurement: below 0 neighbours are alike. 0 when not tested. */
double tern_serial_score(const double *values, int n);

/* Neighbours are alike at the 1 % level: the report says that the ratio moved
 * during the run. */
bool tern_serial_wanders(const double *values, int n);

#endif
