/* Shares of a window. Mean watts times own seconds, not joules over calls: what
 * lies between calls then shifts the mean power by its difference only, and
 * joules over seconds is the power that was read. */
#include "harness/energy_share.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/meter_figures.h"

static const double TOLD_BETWEEN = 0.01, MOST_BETWEEN = 0.05, CLOCKS_DIFFER = 0.01;

static tern_energy_share none(long calls, double seconds) {
  return (tern_energy_share){.calls = calls,
                             .seconds = seconds,
                             .window = NAN,
                             .joules = NAN,
                             .net = NAN,
                             .watts = NAN,
                             .idle = NAN,
                             .how = TERN_UNAVAILABLE};
}

tern_energy_share tern_energy_divide(const tern_reading *window, long calls, double sum) {
  tern_energy_share s = none(calls, calls > 0 ? sum / (double)calls : NAN);
  double between = 1 - sum / window->seconds;
  if (window->how == TERN_UNAVAILABLE) {
    snprintf(s.why, sizeof s.why, "%s", window->why);
    return s;
  }
  s.window = window->seconds;
  if (!(calls > 0 && sum > 0) || between > MOST_BETWEEN) {
    snprintf(s.why, sizeof s.why, "%.0f %% of the window of %.3g s lie between the calls", 100 * between,
             window->seconds);
    return s;
  }
  if (between < -CLOCKS_DIFFER) {
    snprintf(s.why, sizeof s.why, "the calls say %.4g s in a window of %.4g s: their clock is another", sum,
             window->seconds);
    return s;
  }
  s.how = window->how;
  s.watts = window->value / window->seconds;
  s.joules = s.watts * s.seconds;
  s.net = window->net / window->seconds * s.seconds;
  s.idle = window->idle_watts;
  snprintf(s.scope, sizeof s.scope, "%s", window->scope);
  snprintf(s.note, sizeof s.note, "%s", window->net_note);
  if (between > TOLD_BETWEEN) {
    size_t used = strlen(s.note);
    snprintf(s.note + used, sizeof s.note - used, "%s%.1f %% of the window between calls", used ? "; " : "",
             100 * between);
  }
  return s;
}

tern_energy_share tern_energy_differ(const tern_energy_share *a, const tern_energy_share *b) {
  tern_energy_share s = none(b->calls, b->seconds - a->seconds);
  const tern_energy_share *missing = a->how == TERN_UNAVAILABLE ? a : b;
  if (missing->how == TERN_UNAVAILABLE) {
    snprintf(s.why, sizeof s.why, "%s", missing->why);
  } else if (strcmp(a->scope, b->scope) != 0 || a->how != b->how) {
    snprintf(s.why, sizeof s.why, "the two runs were read as %s %s and %s %s", tern_how_name(a->how), a->scope,
             tern_how_name(b->how), b->scope);
  } else if (!(s.seconds > 0 && b->joules > a->joules)) {
    snprintf(s.why, sizeof s.why, "the longer run (%.4g s, %.4g J) is not above the shorter one (%.4g s, %.4g J)",
             b->seconds, b->joules, a->seconds, a->joules);
  } else {
    s.how = b->how;
    s.window = b->window;
    s.joules = b->joules - a->joules;
    s.net = b->net > a->net ? b->net - a->net : NAN;
    s.watts = s.joules / s.seconds;
    s.idle = b->idle;
    snprintf(s.scope, sizeof s.scope, "%s", b->scope);
    snprintf(s.note, sizeof s.note, "%s", b->note);
  }
  return s;
}
