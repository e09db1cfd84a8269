/* Watts at times, as an outside meter gives them, and their integral. */
#ifndef TERN_HARNESS_METER_SERIES_H
#define TERN_HARNESS_METER_SERIES_H

#include <stdbool.h>
#include <stddef.h>

typedef struct tern_point {
  double t, watts; /* s of whatever clock the owner keeps */
} tern_point;

typedef struct tern_series {
  tern_point *points; /* t never falls */
  size_t count, room;
} tern_series;

bool tern_series_add(tern_series *s, double t, double watts); /* false: out of memory */
void tern_series_free(tern_series *s);
/* Forgets all before the last point at or before t. */
void tern_series_trim(tern_series *s, double t);
/* Index of the first point with a time above t. */
size_t tern_series_after(const tern_series *s, double t);
/* Median time between the points of [from, to] (indices); NAN under two gaps. */
double tern_series_interval(const tern_series *s, size_t from, size_t to);

typedef struct tern_integral {
  double joules;
  double interval; /* median s between points */
  int points;      /* within the window */
} tern_integral;

/* Joules over [t0, t1] by straight lines between points. `edges_held`: the first
 * and last value reach to the window's ends (live meters); otherwise points on
 * both sides are needed. False with the reason: too few, a gap, implausible. */
bool tern_series_integrate(const tern_series *s, double t0, double t1, bool edges_held, double most_watts,
                           tern_integral *out, char *why, size_t size);

#endif
