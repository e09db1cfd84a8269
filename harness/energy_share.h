/* One call's share of a window that holds several, and what two windows tell
 * of the work by which they differ. No state, no clock. */
#ifndef TERN_HARNESS_ENERGY_SHARE_H
#define TERN_HARNESS_ENERGY_SHARE_H

#include "harness/energy.h"

typedef struct tern_energy_share {
  long calls;         /* in the window */
  double seconds;     /* of one call, by its own account: the mean */
  double window;      /* s of the meter's window; NAN: none */
  double joules;      /* of one call, idle included; NAN: unavailable */
  double net;         /* above idle; NAN: not known */
  double watts, idle; /* W; NAN: not known */
  tern_how how;
  char scope[32];
  char why[320]; /* when unavailable */
  char note[96]; /* what to know about the figures; "" */
} tern_energy_share;

/* `calls` calls took `sum` seconds within the window (net included, see
 * tern_reading_net). A call's joules are the window's mean watts times the
 * call's own seconds. Unavailable where the calls fill less than 95 % of the
 * window, or more than 101 % (two clocks that disagree). */
tern_energy_share tern_energy_divide(const tern_reading *window, long calls, double sum);

/* What the longer work has more than the shorter one, which does all else alike
 * (a process that loads, then makes n or 2n tokens). Unavailable unless both
 * are known in one scope and the longer one took more time and more joules. */
tern_energy_share tern_energy_differ(const tern_energy_share *shorter, const tern_energy_share *longer);

#endif
