/* An outside meter whose logger writes a file: rows are matched to a window by
 * time of day, so both clocks matter. The offset between them is 0 unless the
 * user or a marker load gives it; a whole number of quarter hours between the
 * rows and the window is another time zone and is told, not guessed. */
#include "harness/meter_csv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"

static const double MOST_WATTS = 20000; /* a server rack's outlet */
/* How long a logger may keep rows to itself before they are in the file. */
static const double WAIT_LEAST_S = 2, WAIT_MOST_S = 15, WAIT_STEP_S = 0.25;
/* This machine's clock was set when it and CLOCK_MONOTONIC differ by more. */
static const double STEP_S = 0.05, DRIFT = 1e-3;
static const double QUARTER_HOUR_S = 900, ZONE_SLACK_S = 120;

typedef struct csv_meter {
  tern_csv file;
  double offset; /* NAN: not known */
} csv_meter;

static void csv_close(tern_source *s) {
  csv_meter *m = s->state;
  tern_csv_free(&m->file);
  free(m);
}

static void *csv_open(tern_source *s) {
  char why[160] = "";
  csv_meter *m = calloc(1, sizeof *m);
  if (!m) return tern_source_refuse(s, "out of memory");
  m->offset = s->options->csv_offset;
  snprintf(m->file.path, sizeof m->file.path, "%s", s->argument);
  bool good = tern_csv_load(&m->file, why, sizeof why);
  if (good && m->file.rows == 0) {
    snprintf(why, sizeof why, "%.100s: no row with a time and watts", m->file.path);
    good = false;
  }
  if (!good) {
    tern_source_refuse(s, "%s", why);
    tern_csv_free(&m->file);
    free(m);
    return NULL;
  }
  size_t n = m->file.series.count;
  s->fact.interval = tern_series_interval(&m->file.series, 0, n ? n - 1 : 0);
  snprintf(s->fact.source, sizeof s->fact.source, "%.400s%s", m->file.path,
           m->file.reversed ? " (newest row first: put in order)" : "");
  snprintf(s->fact.scope, sizeof s->fact.scope, "wall");
  snprintf(s->fact.unit, sizeof s->fact.unit, "W");
  return m;
}

static void csv_begin(tern_source *s) {
  (void)s;
}

/* Why rows and window don't meet: another zone, or no live logger. */
static void explain(const tern_csv *c, double t0, double t1, char *why, size_t size) {
  const tern_point *p = c->series.points;
  double behind = t1 - p[c->series.count - 1].t;
  double zone = round(behind / QUARTER_HOUR_S) * QUARTER_HOUR_S;
  if (zone != 0 && fabs(zone) <= 15 * 3600 && fabs(behind - zone) < ZONE_SLACK_S) {
    char text[16];
    tern_time_zone(zone, text, sizeof text);
    snprintf(why, size,
             "rows lie %s hours off this clock: another time zone? Give times with a zone or the offset %.0f", text,
             zone);
  } else if (p[0].t > t0) {
    snprintf(why, size, "the first row is %.4g s after the window's start", p[0].t - t0);
  } else {
    snprintf(why, size, "the last row is %.4g s before the window's end", behind);
  }
}

/* Waits for the rows of the window, as a logger writes them late. */
static bool cover(tern_source *s, csv_meter *m, double t0, double t1, char *why, size_t size) {
  const tern_clock *clock = s->clock;
  double patience = fmin(WAIT_MOST_S, fmax(WAIT_LEAST_S, 3 * (s->fact.interval > 0 ? s->fact.interval : 1)));
  for (double waited = 0;; waited += WAIT_STEP_S) {
    if (!tern_csv_load(&m->file, why, size)) return false;
    if (m->file.rows == 0) {
      snprintf(why, size, "the file was emptied");
      return false;
    }
    const tern_series *rows = &m->file.series;
    double last = rows->points[rows->count - 1].t;
    if (rows->points[0].t <= t0 && last >= t1) return true;
    if (waited >= patience || tern_interrupted() || t1 - last > 2 * WAIT_MOST_S || rows->points[0].t > t0) break;
    clock->wait(clock->arg, WAIT_STEP_S);
  }
  explain(&m->file, t0, t1, why, size);
  return false;
}

static bool integrate(tern_source *s, tern_instant end, tern_reading *out, char *why, size_t size) {
  csv_meter *m = s->state;
  double window = end.now - s->started.now, step = end.wall - s->started.wall - window;
  if (fabs(step) > fmax(STEP_S, DRIFT * window)) {
    snprintf(why, size, "this machine's clock was set by %+.3g s within the window", step);
    return false;
  }
  if (m->file.kind == TERN_TIME_RELATIVE && isnan(m->offset)) {
    snprintf(why, size, "times count from the logger's start: give the offset, or find it by a marker load");
    return false;
  }
  double offset = isnan(m->offset) ? 0 : m->offset, t0 = s->started.wall - offset, t1 = end.wall - offset;
  if (!cover(s, m, t0, t1, why, size)) return false;
  const tern_csv *c = &m->file;
  if (c->disorder_row && t1 >= c->disorder_from && t0 <= c->disorder_to) {
    snprintf(why, size,
             "line %zu goes back in time by up to %.4g s: the logger's clock was set, or two logs in one file",
             c->disorder_row, c->disorder_to - c->disorder_from);
    return false;
  }
  tern_integral sum;
  bool good = tern_series_integrate(&c->series, t0, t1, false, MOST_WATTS, &sum, why, size);
  out->samples = sum.points;
  out->interval = sum.interval;
  out->value = good ? sum.joules : NAN;
  return good;
}

static void csv_finish(tern_source *s, tern_instant end, tern_reading *out) {
  char why[200] = "";
  if (!integrate(s, end, out, why, sizeof why)) {
    snprintf(out->why, sizeof out->why, "csv: %.150s", why);
    return;
  }
  out->how = TERN_MEASURED;
  snprintf(out->scope, sizeof out->scope, "%s", s->fact.scope);
}

const tern_series *tern_meter_csv_series(tern_source *s, char *why, size_t size) {
  csv_meter *m = s->state;
  return tern_csv_load(&m->file, why, size) ? &m->file.series : NULL;
}

void tern_meter_csv_shift(tern_source *s, double offset) {
  ((csv_meter *)s->state)->offset = offset;
}

const tern_meter_kind tern_meter_csv = {
    .name = "csv", .asked = true, .open = csv_open, .begin = csv_begin, .finish = csv_finish, .close = csv_close};
