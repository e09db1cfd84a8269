/* Figures that follow from joules. The 1 % rule: an update may be missed at
 * each end of the window, so it bounds the error by 2 %; MLPerf Power asks for
 * 60 s whatever the meter. */
#include "harness/meter_figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double UPDATES = 100, LEAST_S = 5, MLPERF_S = 60, UNKNOWN_INTERVAL_S = 1;
static const double IDLE_DRIFT = 0.1;
static const double JOULES_A_KWH = 3.6e6;

double tern_energy_window(double interval, tern_rules rules) {
  double least = rules == TERN_RULES_MLPERF ? MLPERF_S : LEAST_S;
  return fmax(least, UPDATES * (interval > 0 ? interval : UNKNOWN_INTERVAL_S));
}

long tern_energy_repeats(double seconds, double window) {
  if (!(seconds > 0) || !(window > seconds)) return 1;
  double times = ceil(window / seconds);
  return times < 1e9 ? (long)times : 1000000000L;
}

tern_reading tern_reading_none(void) {
  return (tern_reading){.value = NAN,
                        .unit = "J",
                        .how = TERN_UNAVAILABLE,
                        .seconds = NAN,
                        .watts = NAN,
                        .net = NAN,
                        .idle_watts = NAN,
                        .interval = NAN};
}

static bool fits(const tern_reading *idle, const tern_reading *r) {
  return idle->how == r->how && idle->watts > 0 && strcmp(idle->scope, r->scope) == 0;
}

void tern_reading_net(tern_reading *r, const tern_idle *idle) {
  const tern_reading *a = &idle->before, *b = &idle->after;
  bool before = fits(a, r), after = fits(b, r);
  r->net = r->idle_watts = NAN;
  r->net_note[0] = '\0';
  if (r->how == TERN_UNAVAILABLE) {
    snprintf(r->net_note, sizeof r->net_note, "no reading");
    return;
  }
  if (!before && !after) {
    snprintf(r->net_note, sizeof r->net_note, "%.90s",
             a->how == TERN_UNAVAILABLE && a->why[0] ? a->why : "idle was not measured in this scope");
    return;
  }
  r->idle_watts = before && after ? 0.5 * (a->watts + b->watts) : before ? a->watts : b->watts;
  double net = r->value - r->idle_watts * r->seconds;
  if (!(net > 0)) {
    snprintf(r->net_note, sizeof r->net_note, "the reading is not above idle (%.4g W against %.4g W)", r->watts,
             r->idle_watts);
    return;
  }
  r->net = net;
  if (!before || !after)
    snprintf(r->net_note, sizeof r->net_note, "idle measured %s the work only", before ? "before" : "after");
  else if (fabs(a->watts - b->watts) > IDLE_DRIFT * r->idle_watts)
    snprintf(r->net_note, sizeof r->net_note, "idle moved from %.4g to %.4g W", a->watts, b->watts);
}

double tern_energy_delay(double joules, double seconds) {
  return joules * seconds;
}

double tern_energy_co2(double joules, double grams_a_kwh) {
  return grams_a_kwh >= 0 ? joules / JOULES_A_KWH * grams_a_kwh : NAN;
}
