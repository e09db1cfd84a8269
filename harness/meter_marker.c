/* Marker load and its recovery. The pattern is the Barker code of 13 chips,
 * whose autocorrelation has no second peak, between two idle chips at each end;
 * the offset is the one at which load and watts correlate best (Pearson). A
 * logger that averages over its interval shifts it by half of that. */
#include "harness/meter_marker.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "engine/base/interrupt.h"
#include "engine/base/team.h"
#include "harness/meter_csv.h"
#include "harness/meter_list.h"

static const char CODE[] = "0011111001101010100";
/* Found: this correlation at least, and clearly better than anywhere else. */
static const double SCORE = 0.8, CLEARLY = 1.1;
/* Steps of the search in chips, coarse and fine. */
static const double COARSE = 0.25, FINE = 0.01;
enum { MOST_STEPS = 4000000 };

typedef struct busy {
  const tern_clock *clock;
  double seconds;
  atomic_bool over;
} busy;

/* Member 0 keeps the time, the others burn it. */
static void burn(void *arg, int member, int size) {
  busy *b = arg;
  (void)size;
  if (member == 0) {
    b->clock->wait(b->clock->arg, b->seconds);
    atomic_store(&b->over, true);
    return;
  }
  volatile double sink = 0;
  double x = 1;
  while (!atomic_load_explicit(&b->over, memory_order_relaxed))
    for (int i = 0; i < 4096; i++) x = fma(x, 0.999999, 1e-6);
  sink = x;
  (void)sink;
}

int tern_marker_load(int cores, double seconds, const tern_clock *clock, tern_error *e) {
  tern_team *team;
  busy b = {.clock = clock, .seconds = seconds};
  if (tern_team_open(&team, cores + 1, NULL, e)) return (int)e->status;
  tern_team_run(team, burn, &b);
  tern_team_close(team);
  return tern_interrupt_check(e);
}

int tern_marker_play(tern_marker *m, int cores, double chip, const tern_clock *clock, tern_error *e) {
  *m = (tern_marker){.chip = chip, .begin = clock->wall(clock->arg)};
  for (const char *at = CODE; *at;) {
    int run = 1;
    while (at[run] == *at) run++;
    if (*at == '1') {
      m->edges[m->count++] = clock->wall(clock->arg);
      if (tern_marker_load(cores, run * chip, clock, e)) return (int)e->status;
      m->edges[m->count++] = clock->wall(clock->arg);
    } else {
      clock->wait(clock->arg, run * chip);
      if (tern_interrupt_check(e)) return (int)e->status;
    }
    at += run;
  }
  m->end = clock->wall(clock->arg);
  return 0;
}

static double loaded_at(const tern_marker *m, double t) {
  int passed = 0;
  while (passed < m->count && m->edges[passed] <= t) passed++;
  return passed % 2;
}

/* Correlation of load and watts when `offset` is added to the series' times;
 * -1 where rows are missing. */
static double correlate(const tern_marker *m, const tern_series *s, double offset, double interval) {
  size_t from = tern_series_after(s, m->begin - offset), to = tern_series_after(s, m->end - offset);
  double n = (double)(to - from), sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  if (n < 0.8 * (m->end - m->begin) / interval) return -1;
  double shift = s->points[from].watts; /* keeps the sums small */
  for (size_t i = from; i < to; i++) {
    double x = loaded_at(m, s->points[i].t + offset), y = s->points[i].watts - shift;
    sx += x;
    sy += y;
    sxx += x * x;
    syy += y * y;
    sxy += x * y;
  }
  double vx = n * sxx - sx * sx, vy = n * syy - sy * sy;
  return vx > 0 && vy > 0 ? (n * sxy - sx * sy) / sqrt(vx * vy) : -1;
}

typedef struct peak {
  double first, last, score; /* offsets of equal score next to each other */
} peak;

static void note(peak *p, double offset, double score) {
  if (score > p->score + 1e-9)
    *p = (peak){offset, offset, score};
  else if (score >= p->score - 1e-9)
    p->last = offset;
}

/* Best offset of [low, high]; positions within `around` of `not_here` are left out. */
static peak search(const tern_marker *m, const tern_series *s, double low, double high, double step, double interval,
                   double not_here, double around) {
  peak best = {NAN, NAN, -1};
  long steps = (long)fmin(floor((high - low) / step + 0.5), MOST_STEPS);
  for (long i = 0; i <= steps; i++) {
    double offset = low + (double)i * step;
    if (fabs(offset - not_here) > around) note(&best, offset, correlate(m, s, offset, interval));
  }
  return best;
}

tern_offset tern_marker_find(const tern_marker *m, const tern_series *s, double most) {
  tern_offset out = {.seconds = NAN, .score = NAN, .runner_up = NAN};
  size_t n = s->count;
  double interval = n > 2 ? tern_series_interval(s, 0, n - 1) : NAN, chip = m->chip, none = -INFINITY;
  if (!(interval > 0 && interval <= chip / 2)) {
    snprintf(out.why, sizeof out.why,
             "a row every %.3g s is too slow for a marker of %.3g s: two rows a chip are needed", interval, chip);
    return out;
  }
  double low = fmax(m->end - s->points[n - 1].t - chip, -most), high = fmin(m->begin - s->points[0].t + chip, most);
  if ((high - low) / (COARSE * chip) > MOST_STEPS) {
    snprintf(out.why, sizeof out.why, "the log is too long to be searched: cut it to the hours around the marker");
    return out;
  }
  peak coarse = search(m, s, low, high, COARSE * chip, interval, none, 0);
  if (coarse.score < 0) {
    snprintf(out.why, sizeof out.why, "the log does not hold the whole marker");
    return out;
  }
  double near = 0.5 * (coarse.first + coarse.last);
  peak fine = search(m, s, near - chip, near + chip, FINE * chip, interval, none, 0);
  double found = 0.5 * (fine.first + fine.last);
  out.score = fine.score;
  out.runner_up = search(m, s, low, high, COARSE * chip, interval, found, 2 * chip).score;
  if (out.score >= SCORE && out.score >= CLEARLY * out.runner_up)
    out.seconds = found;
  else
    snprintf(out.why, sizeof out.why, "the marker is not clear in the log: correlation %.2f, elsewhere up to %.2f",
             out.score, out.runner_up);
  return out;
}

int tern_meters_align(tern_meters *m, int cores, double chip, tern_error *e) {
  tern_marker marker;
  if (tern_marker_play(&marker, cores, chip, m->options.clock, e)) return (int)e->status;
  m->options.clock->wait(m->options.clock->arg, chip); /* rows come late */
  for (int i = 0; i < m->count; i++) {
    tern_source *s = m->sources[i];
    tern_offset found = {.seconds = NAN};
    if (s->kind != &tern_meter_csv || !s->state) continue;
    const tern_series *rows = tern_meter_csv_series(s, found.why, sizeof found.why);
    if (rows) found = tern_marker_find(&marker, rows, INFINITY);
    if (isnan(found.seconds)) return tern_fail(e, TERN_FAILED, "csv %s: %s", s->argument, found.why);
    tern_meter_csv_shift(s, found.seconds);
  }
  return 0;
}
