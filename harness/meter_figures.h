/* Small figures that follow from joules: net of idle, the window that a source
 * needs, energy-delay product, CO2. No state. */
#ifndef TERN_HARNESS_METER_FIGURES_H
#define TERN_HARNESS_METER_FIGURES_H

#include "harness/energy.h"

typedef enum tern_rules { TERN_RULES_USUAL, TERN_RULES_MLPERF } tern_rules;

/* Seconds that a window must last, so that one update of the source is below
 * 1 % of it: 100 intervals, at least 5 s (60 s under MLPerf's rules). A source
 * whose interval is not known (NAN) is taken to give one value a second. */
double tern_energy_window(double interval, tern_rules rules);
/* How often work of so many seconds is repeated to fill the window; at least 1. */
long tern_energy_repeats(double seconds, double window);

/* Idle watts before and after the work, of the same meter. */
typedef struct tern_idle {
  tern_reading before, after; /* after: unavailable where there was none */
} tern_idle;

/* Fills net, idle_watts, net_note of a reading. Net is NAN when idle was not
 * measured, has another scope, is modelled while the reading is measured, or
 * lies above the reading; idle that moved by over 10 % is told. */
void tern_reading_net(tern_reading *r, const tern_idle *idle);

/* A reading without a value: how unavailable, all numbers NAN. */
tern_reading tern_reading_none(void);

/* joules * seconds; NAN in, NAN out. */
double tern_energy_delay(double joules, double seconds);
/* Grams of CO2 for joules at a grid's grams a kWh; NAN without a factor >= 0. */
double tern_energy_co2(double joules, double grams_a_kwh);

#endif
