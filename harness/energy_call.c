/* Windows of a run. The primary alone decides how long they are; when it gives
 * no reading three times in a row it is given up, and no call waits for it any
 * more. It is never replaced: another meter covers something else. */
#include "harness/energy_call.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "harness/meter_list.h"

static const double MOST_WINDOW_S = 600, WATCH_S = 1;
/* An outside meter shows its interval only in a window. */
static const double LEARN_S = 5;
/* Clocks and fans come down before idle is read. */
static const double SETTLE_S = 1;
static const double SLICE_S = 0.25; /* between looks for an interrupt */
/* Idle costs a twentieth of the run at most. */
static const double WORK_A_REST = 20;
static const double IDLE_DRIFT = 0.1;
enum { STRIKES = 3 };

struct tern_energy_run {
  tern_meters *meters;
  const tern_clock *clock;
  tern_rules rules;
  double most_window;
  double interval; /* of the primary, the last one known */
  int strikes;
  char why[320]; /* "" while readings are to be had */
  tern_energy_idle *idles;
  int idle_count;
  double worked; /* s of windows since the last baseline */
  char doubt[160];
};

static double now(const tern_energy_run *r) {
  return r->clock->now(r->clock->arg);
}

static const tern_meter_fact *primary(const tern_energy_run *r) {
  int p = tern_meters_primary(r->meters);
  return p < 0 ? NULL : tern_meters_fact(r->meters, p);
}

/* The window from what is known of the source; refuses one that needs too much. */
static void plan(tern_energy_run *r) {
  const tern_meter_fact *f = primary(r);
  if (!f) {
    tern_meters_reasons(r->meters, r->why, sizeof r->why);
  } else if (!f->usable) {
    snprintf(r->why, sizeof r->why, "%s", f->why);
  } else {
    if (f->interval > 0) r->interval = f->interval;
    double window = tern_energy_window(r->interval, r->rules);
    if (f->how == TERN_MEASURED && window > r->most_window)
      snprintf(r->why, sizeof r->why, "%s: updates every %.3g s need windows of %.0f s, above the limit of %.0f s",
               f->kind, r->interval, window, r->most_window);
  }
}

double tern_energy_window_s(const tern_energy_run *r) {
  /* A reading that is a constant times the time gains nothing by more time. */
  return r->why[0] || primary(r)->how == TERN_MODELLED ? 0 : tern_energy_window(r->interval, r->rules);
}

static int pass(const tern_energy_run *r, double seconds, tern_error *e) {
  double end = now(r) + seconds;
  for (double left = seconds; left > 0; left = fmin(left - SLICE_S, end - now(r))) {
    if (tern_interrupt_check(e)) return (int)e->status;
    r->clock->wait(r->clock->arg, fmin(left, SLICE_S));
  }
  return 0;
}

static tern_reading stop(tern_energy_run *r) {
  tern_reading all[TERN_MOST_METERS];
  tern_meters_stop(r->meters, all);
  return all[tern_meters_primary(r->meters)];
}

static int learn(tern_energy_run *r, tern_error *e) {
  if (r->why[0] || primary(r)->how == TERN_MODELLED || r->interval > 0) return 0;
  tern_meters_start(r->meters);
  int bad = pass(r, LEARN_S, e);
  stop(r); /* which keeps it in the facts */
  plan(r);
  return bad;
}

/* Two rows a chip at least. A marker that the log does not show leaves the log's
 * own times; those that count from the logger's start then give no reading. */
static int align(tern_energy_run *r, int cores, double interval, tern_error *e) {
  tern_error own = {0};
  if (tern_meters_align(r->meters, cores, fmax(1, 2.5 * interval), &own) == 0) return 0;
  if (own.status == TERN_INTERRUPTED) {
    *e = own;
    return (int)e->status;
  }
  snprintf(r->doubt, sizeof r->doubt, "the log's own times are used: %.120s", own.text);
  return 0;
}

int tern_energy_begin_run(tern_energy_run **out, const tern_energy_options *o, tern_error *e) {
  *out = NULL;
  tern_energy_run *r = calloc(1, sizeof *r);
  if (!r) return tern_fail(e, TERN_FAILED, "energy: out of memory");
  r->clock = o->meters.clock ? o->meters.clock : &tern_clock_real;
  r->rules = o->rules;
  r->most_window = o->most_window > 0 ? o->most_window : MOST_WINDOW_S;
  r->interval = NAN;
  int bad = tern_meters_open(&r->meters, &o->meters, e);
  const tern_meter_fact *f = bad ? NULL : primary(r);
  if (f && f->usable) {
    tern_meters_watch(r->meters, WATCH_S);
    if (o->marker_cores > 0) bad = align(r, o->marker_cores, f->interval, e);
  }
  if (!bad) plan(r);
  if (!bad) bad = learn(r, e);
  if (bad)
    tern_energy_end_run(r);
  else
    *out = r;
  return bad;
}

void tern_energy_end_run(tern_energy_run *r) {
  if (!r) return;
  tern_meters_close(r->meters);
  free(r->idles);
  free(r);
}

const tern_meters *tern_energy_meters(const tern_energy_run *r) {
  return r->meters;
}

const char *tern_energy_why(const tern_energy_run *r) {
  return r->why[0] ? r->why : NULL;
}

const tern_energy_idle *tern_energy_idles(const tern_energy_run *r, int *count) {
  *count = r->idle_count;
  return r->idles;
}

const char *tern_energy_doubt(const tern_energy_run *r) {
  return r->doubt;
}

/* Counts windows without a reading; so many in a row end the metering. */
static void judge(tern_energy_run *r, const tern_reading *reading) {
  if (reading->interval > 0) r->interval = reading->interval;
  r->strikes = reading->how == TERN_UNAVAILABLE ? r->strikes + 1 : 0;
  if (r->strikes < STRIKES)
    plan(r);
  else
    snprintf(r->why, sizeof r->why, "given up after %d windows without a reading: %.260s", STRIKES, reading->why);
}

static bool due(const tern_energy_run *r, bool last) {
  double window = tern_energy_window_s(r);
  return window > 0 && (r->idle_count == 0 || (last && r->worked > 0) || r->worked >= WORK_A_REST * window);
}

static void compare(tern_energy_run *r) {
  const tern_energy_idle *b = &r->idles[r->idle_count - 1], *a = b - 1;
  if (r->idle_count < 2 || r->doubt[0]) return;
  double moved = fabs(b->reading.watts - a->reading.watts);
  if (moved > IDLE_DRIFT * 0.5 * (a->reading.watts + b->reading.watts))
    snprintf(r->doubt, sizeof r->doubt,
             "idle moved from %.4g to %.4g W within %.0f s: joules above idle are uncertain by that much",
             a->reading.watts, b->reading.watts, b->start - a->start);
}

int tern_energy_rest(tern_energy_run *r, bool last, tern_error *e) {
  if (!due(r, last)) return 0;
  tern_energy_idle *more = realloc(r->idles, ((size_t)r->idle_count + 1) * sizeof *more);
  if (!more) return tern_fail(e, TERN_FAILED, "energy: out of memory");
  r->idles = more;
  if (pass(r, SETTLE_S, e)) return (int)e->status;
  tern_energy_idle *idle = &r->idles[r->idle_count];
  idle->start = now(r);
  tern_meters_start(r->meters);
  int bad = pass(r, tern_energy_window_s(r), e);
  idle->reading = stop(r);
  if (bad) return bad;
  judge(r, &idle->reading);
  r->worked = 0;
  r->idle_count++;
  compare(r);
  return 0;
}

/* The latest baseline that is a reading, before the work; the next one comes too
 * late for a sample that is written as it ends. */
static void subtract(const tern_energy_run *r, tern_reading *reading) {
  tern_idle idle = {.before = tern_reading_none(), .after = tern_reading_none()};
  for (int i = 0; i < r->idle_count; i++)
    if (r->idles[i].reading.how != TERN_UNAVAILABLE || i == 0) idle.before = r->idles[i].reading;
  tern_reading_net(reading, &idle);
}

typedef struct window {
  double began, length, sum;
  long calls;
} window;

/* Whether the window wants another call. A clock that stands still or goes back
 * must not make it endless: then the calls' own seconds, twice over, end it. */
static bool wants(const tern_energy_run *r, const window *w) {
  return now(r) - w->began < w->length && w->sum < 2 * w->length && !tern_meters_broken(r->meters);
}

/* A source that ended may have covered the calls so far: too short all the same. */
static void refuse_short(const tern_energy_run *r, const window *w, tern_reading *reading) {
  if (reading->how != TERN_MEASURED || reading->seconds >= w->length - 1e-6) return;
  double seconds = reading->seconds;
  *reading = tern_reading_none();
  snprintf(reading->why, sizeof reading->why, "%s: it ended %.3g s into a window that needs %.3g s", primary(r)->kind,
           seconds, w->length);
}

int tern_energy_call(tern_energy_run *r, tern_energy_work work, void *arg, tern_energy_share *out, tern_error *e) {
  window w = {.length = tern_energy_window_s(r)};
  tern_reading reading = tern_reading_none();
  bool metered = !r->why[0];
  snprintf(reading.why, sizeof reading.why, "%s", r->why);
  if (metered) tern_meters_start(r->meters);
  w.began = now(r);
  int bad;
  do {
    double seconds = NAN;
    bad = tern_interrupt_check(e);
    if (!bad) bad = work(arg, w.calls, &seconds, e);
    w.sum += seconds;
    w.calls++;
  } while (!bad && w.length > 0 && wants(r, &w));
  if (metered) reading = stop(r);
  if (bad) return bad;
  if (metered) {
    r->worked += now(r) - w.began;
    refuse_short(r, &w, &reading);
    subtract(r, &reading);
    judge(r, &reading);
  }
  *out = tern_energy_divide(&reading, w.calls, w.sum);
  return 0;
}
