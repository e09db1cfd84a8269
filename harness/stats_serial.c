/* R. Bartels, The rank version of von Neumann's ratio test for randomness,
 * JASA 77 (1982) 40-46: sum of squared steps between neighbours' ranks over the
 * ranks' sum of squares; nearly normal from ten values on. */
#include "harness/stats_serial.h"

#include <math.h>

/* Rank of values[at] from 1; equal values share their mean rank. */
static double rank(const double *values, int n, int at) {
  int below = 0, equal = 0;
  for (int i = 0; i < n; i++) {
    below += values[i] < values[at];
    equal += values[i] == values[at];
  }
  return below + 0.5 * (equal + 1);
}

double tern_serial_score(const double *values, int n) {
  if (n < TERN_SERIAL_LEAST || n > TERN_SERIAL_MOST) return 0;
  double steps = 0, squares = 0, before = 0, count = n;
  for (int i = 0; i < n; i++) {
    double r = rank(values, n, i), away = r - 0.5 * (count + 1);
    if (i > 0) steps += (r - before) * (r - before);
    squares += away * away;
    before = r;
  }
  if (squares <= 0) return 0; /* all equal */
  double variance =
      4 * (count - 2) * (5 * count * count - 2 * count - 9) / (5 * count * (count + 1) * (count - 1) * (count - 1));
  return (steps / squares - 2) / sqrt(variance);
}

bool tern_serial_wanders(const double *values, int n) {
  return tern_serial_score(values, n) < -2.326;
}
