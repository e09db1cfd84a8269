/* Energy of a run's calls, as the runner needs it: the primary meter's windows
 * around repeated calls, idle baselines between blocks, and a meter that dies
 * without ending the run. Nothing waits where no meter is usable. The figures
 * of a window are in harness/energy_share.h. */
#ifndef TERN_HARNESS_ENERGY_CALL_H
#define TERN_HARNESS_ENERGY_CALL_H

#include "harness/energy.h"
#include "harness/energy_share.h"
#include "harness/meter_figures.h"

typedef struct tern_energy_options {
  tern_meter_options meters; /* start from TERN_METER_DEFAULTS */
  tern_rules rules;
  int marker_cores;   /* busy in a marker load that lays CSV logs onto this clock; 0: none */
  double most_window; /* s; a source that needs more is not used; 0: 600 */
} tern_energy_options;

typedef struct tern_energy_run tern_energy_run;

/* Opens the meters and watches how often the primary is updated (1 s at most;
 * 5 s for an outside meter). A source that does not work is no failure. */
int tern_energy_begin_run(tern_energy_run **out, const tern_energy_options *o, tern_error *e);
void tern_energy_end_run(tern_energy_run *r); /* NULL allowed */

/* All meters, for their facts; owned by the run. */
const tern_meters *tern_energy_meters(const tern_energy_run *r);
/* NULL while the primary gives readings; otherwise why there are none. */
const char *tern_energy_why(const tern_energy_run *r);
/* Seconds that a call's window lasts at least; 0: a call is made once. For plans. */
double tern_energy_window_s(const tern_energy_run *r);

/* An idle baseline, when one is due: the first time, then when what was measured
 * since the last one took 20 times as long as a baseline, and when `last`.
 * Call it while nothing works: before every block and, with `last`, after all. */
int tern_energy_rest(tern_energy_run *r, bool last, tern_error *e);

/* A baseline as taken, `start` by the run's clock. */
typedef struct tern_energy_idle {
  double start;
  tern_reading reading;
} tern_energy_idle;
const tern_energy_idle *tern_energy_idles(const tern_energy_run *r, int *count);
/* "" or one line: a marker load that was not found, or idle that moved by more
 * than 10 % from one baseline to the next. */
const char *tern_energy_doubt(const tern_energy_run *r);

/* The work: its number within the window, from 0, and the seconds that it took
 * by its own account. Whatever brings it to its start again (a rewound cache)
 * is part of it and untimed: above 5 % of the window there is no reading. */
typedef int (*tern_energy_work)(void *arg, long number, double *seconds, tern_error *e);

/* Repeats the work until the window is filled; exactly once where no meter is
 * usable. Fails only when the work does, or on an interrupt. */
int tern_energy_call(tern_energy_run *r, tern_energy_work work, void *arg, tern_energy_share *out, tern_error *e);

#endif
