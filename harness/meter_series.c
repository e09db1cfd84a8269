/* Integration of an outside meter's points. What lies between two points that
 * are much further apart than usual was not measured: a gap is an error of the
 * window, not something to draw a line over. */
#include "harness/meter_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A gap is longer than so many usual intervals: one lost row is still drawn over. */
static const double GAP = 2.5;
enum { FEWEST = 3, MOST_POINTS = 50000000, INTERVALS = 512 };

bool tern_series_add(tern_series *s, double t, double watts) {
  if (s->count == s->room) {
    size_t room = s->room ? s->room * 2 : 1024;
    tern_point *more = room <= MOST_POINTS ? realloc(s->points, room * sizeof *more) : NULL;
    if (!more) return false;
    s->points = more;
    s->room = room;
  }
  s->points[s->count++] = (tern_point){t, watts};
  return true;
}

void tern_series_free(tern_series *s) {
  free(s->points);
  *s = (tern_series){0};
}

size_t tern_series_after(const tern_series *s, double t) {
  size_t low = 0, high = s->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (s->points[middle].t > t)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

void tern_series_trim(tern_series *s, double t) {
  size_t keep = tern_series_after(s, t);
  keep = keep ? keep - 1 : 0;
  if (keep) memmove(s->points, s->points + keep, (s->count - keep) * sizeof *s->points);
  s->count -= keep;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double tern_series_interval(const tern_series *s, size_t from, size_t to) {
  double gaps[INTERVALS];
  size_t n = 0;
  if (to >= s->count || to < from + 2) return NAN;
  size_t step = (to - from) / INTERVALS + 1; /* a spread of them will do */
  for (size_t i = from; i < to && n < INTERVALS; i += step) gaps[n++] = s->points[i + 1].t - s->points[i].t;
  qsort(gaps, n, sizeof *gaps, by_value);
  return n % 2 ? gaps[n / 2] : 0.5 * (gaps[n / 2 - 1] + gaps[n / 2]);
}

static double at(const tern_point *a, const tern_point *b, double t) {
  return b->t > a->t ? a->watts + (b->watts - a->watts) * (t - a->t) / (b->t - a->t) : b->watts;
}

/* Joules of the straight line between two points, within [t0, t1]. */
static double piece(const tern_point *a, const tern_point *b, double t0, double t1) {
  double from = fmax(a->t, t0), to = fmin(b->t, t1);
  return to > from ? 0.5 * (at(a, b, from) + at(a, b, to)) * (to - from) : 0;
}

bool tern_series_integrate(const tern_series *s, double t0, double t1, bool edges_held, double most_watts,
                           tern_integral *out, char *why, size_t size) {
  size_t inside = tern_series_after(s, nextafter(t0, -INFINITY)), end = tern_series_after(s, t1);
  *out = (tern_integral){.interval = NAN, .points = (int)(end - inside)};
  if (end - inside < FEWEST) {
    snprintf(why, size, "%zu values in a window of %.3g s: %d are the fewest", end - inside, t1 - t0, (int)FEWEST);
    return false;
  }
  size_t first = inside ? inside - 1 : 0, last = end < s->count ? end : end - 1;
  const tern_point *p = s->points;
  /* Neighbours outside help to know the usual interval of a short window. */
  out->interval = tern_series_interval(s, first > 8 ? first - 8 : 0, last);
  double gap = GAP * out->interval;
  if (!edges_held && (p[first].t > t0 || p[last].t < t1)) {
    snprintf(why, size, "values from %.3g s after the window's start to %.3g s before its end only",
             fmax(0, p[first].t - t0), fmax(0, t1 - p[last].t));
    return false;
  }
  double seen = t0;
  for (size_t i = inside; i < end; seen = p[i++].t) {
    if (!(p[i].watts >= 0 && p[i].watts <= most_watts)) {
      snprintf(why, size, "%.4g W at %.3g s of the window is not plausible", p[i].watts, p[i].t - t0);
      return false;
    }
    double before = i > first ? p[i - 1].t : t0;
    if (p[i].t - before <= gap) continue;
    snprintf(why, size, "no value for %.3g s at %.3g s of the window (usual: every %.3g s)", p[i].t - before,
             fmax(0, before - t0), out->interval);
    return false;
  }
  double after = last >= end ? p[last].t : t1;
  if (after - seen > gap) {
    snprintf(why, size, "no value for the last %.3g s of the window (usual: every %.3g s)", t1 - seen, out->interval);
    return false;
  }
  for (size_t i = first; i < last; i++) out->joules += piece(&p[i], &p[i + 1], t0, t1);
  out->joules += p[first].watts * fmax(0, p[first].t - t0) + p[last].watts * fmax(0, t1 - p[last].t);
  if (!(out->joules > 0)) {
    snprintf(why, size, "0 W is not a measurement");
    return false;
  }
  return true;
}
