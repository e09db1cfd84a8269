/* Adding up what is seen at each look. A counter that wraps is followed as long
 * as two looks lie closer than its shortest possible round at the highest
 * plausible power; a step that would need more power than that is a reset, not
 * a wrap. RAPL's width and rate: Linux, Documentation/power/powercap. */
#include "harness/meter_poll.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const double MOST_WATTS = 2000; /* a socket or a rail */
static const double MOST_INTERVAL = 10;
/* Counters move in lumps: a look may see this much more time than has passed. */
static const double LUMP_S = 0.1;
/* A counted source that stands still for longer is frozen ... */
static const double STILL_S = 1;
/* ... and a power that never changes is, over so many looks and seconds. */
enum { STILL_LOOKS = 30 };
static const double STILL_POWER_S = 60;
/* Steps that are enough to know the interval, and the pause between looks. */
enum { STEPS_WATCHED = 8 };
static const double WATCH_PAUSE_S = 2e-4;

static double most_watts(const tern_source *s) {
  return s->options->most_watts > 0 ? s->options->most_watts : MOST_WATTS;
}

double tern_poll_interval(const tern_source *s) {
  double interval = s->options->interval > 0 ? s->options->interval : s->kind->poll;
  for (int i = 0; i < s->count; i++) {
    const tern_channel *c = &s->channels[i];
    if (c->power || c->range == 0) continue;
    double round = (double)c->range * c->unit / most_watts(s);
    if (interval > round / 4) interval = round / 4;
  }
  return interval < MOST_INTERVAL ? interval : MOST_INTERVAL;
}

/* Counts since the last look, over one wrap at most; false with a reason. */
static bool counts_since(const tern_channel *c, uint64_t now, uint64_t *counts, char *why, size_t size) {
  if (now >= c->last.count) {
    *counts = now - c->last.count;
    return true;
  }
  if (c->range == 0 || c->last.count > c->range) {
    snprintf(why, size, "%s: the counter went backwards (%" PRIu64 " after %" PRIu64 ")", c->name, now, c->last.count);
    return false;
  }
  *counts = c->range - c->last.count + now;
  return true;
}

static void take_counter(const tern_source *s, tern_channel *c, tern_level level, double now, double elapsed) {
  uint64_t counts;
  double most = most_watts(s);
  if (c->range && elapsed * most > (double)c->range * c->unit) {
    snprintf(c->broken, sizeof c->broken, "%s: not looked at for %.3g s, in which its counter may have wrapped twice",
             c->name, elapsed);
    return;
  }
  if (!counts_since(c, level.count, &counts, c->broken, sizeof c->broken)) return;
  double joules = (double)counts * c->unit;
  if (joules > most * (elapsed + LUMP_S)) {
    snprintf(c->broken, sizeof c->broken, "%s: %.4g J in %.3g s is not plausible: the counter was set back", c->name,
             joules, elapsed);
    return;
  }
  c->wraps += level.count < c->last.count;
  if (counts) c->changed = now;
  c->joules += joules;
  c->last = level;
}

static void take_power(const tern_source *s, tern_channel *c, tern_level level, double now, double elapsed) {
  if (!(level.watts >= 0 && level.watts <= most_watts(s))) {
    snprintf(c->broken, sizeof c->broken, "%s: %.4g W is not plausible", c->name, level.watts);
    return;
  }
  if (elapsed > MOST_INTERVAL) {
    snprintf(c->broken, sizeof c->broken, "%s: not looked at for %.3g s", c->name, elapsed);
    return;
  }
  c->joules += 0.5 * (c->last.watts + level.watts) * elapsed;
  if (level.watts != c->last.watts) c->changed = now;
  c->last = level;
}

void tern_poll_start(tern_source *s, tern_instant at) {
  s->started = at;
  s->last = at.now;
  s->samples = 1;
  s->broken[0] = '\0';
  for (int i = 0; i < s->count; i++) {
    tern_channel *c = &s->channels[i];
    c->broken[0] = '\0';
    c->joules = 0;
    c->wraps = 0;
    c->changed = at.now;
    c->last = (tern_level){0};
    if (s->kind->read(s, i, &c->last, c->broken, sizeof c->broken) && c->power) take_power(s, c, c->last, at.now, 0);
  }
}

void tern_poll_take(tern_source *s, double now) {
  if (now < s->last && !s->broken[0])
    snprintf(s->broken, sizeof s->broken, "the clock went back by %.3g s within the window", s->last - now);
  for (int i = 0; i < s->count && !s->broken[0]; i++) {
    tern_channel *c = &s->channels[i];
    tern_level level;
    if (c->broken[0] || !s->kind->read(s, i, &level, c->broken, sizeof c->broken)) continue;
    (c->power ? take_power : take_counter)(s, c, level, now, now - s->last);
  }
  s->samples++;
  s->last = now;
}

/* Whether a counted channel says something; otherwise the reason. */
static bool believable(const tern_source *s, const tern_channel *c, double now, char *why, size_t size) {
  double window = now - s->started.now, still = now - c->changed, looks = window / fmax(1, s->samples - 1);
  double lasting = fmax(STILL_S, fmax(20 * (c->interval > 0 ? c->interval : 0), 2.5 * looks));
  if (c->broken[0])
    snprintf(why, size, "%s", c->broken);
  else if (c->power && s->samples >= STILL_LOOKS && still >= fmax(STILL_POWER_S, lasting) && still >= window)
    snprintf(why, size, "%s: frozen, the same value in %d looks over %.0f s", c->name, s->samples, window);
  else if (c->power)
    return true;
  else if (c->joules <= 0 && c->interval > 0 && window < 2 * c->interval)
    snprintf(why, size, "%s: a window of %.3g s is shorter than two of its updates (%.3g s)", c->name, window,
             c->interval);
  else if (c->joules <= 0 && (c->domain != TERN_DOMAIN_DRAM || window >= lasting))
    snprintf(why, size, "%s: the counter did not move in %.3g s", c->name, window);
  else if (still > lasting)
    snprintf(why, size, "%s: frozen, the counter stood still for the last %.3g s", c->name, still);
  else
    return true;
  return false;
}

void tern_poll_finish(tern_source *s, double now, tern_reading *out) {
  double joules = 0;
  int sockets = 0, wraps = 0;
  out->samples = s->samples;
  out->interval = s->fact.interval;
  if (s->broken[0]) {
    snprintf(out->why, sizeof out->why, "%s: %s", s->kind->name, s->broken);
    return;
  }
  for (int i = 0; i < s->count; i++) {
    const tern_channel *c = &s->channels[i];
    char why[140];
    if (!c->counted) continue;
    if (!believable(s, c, now, why, sizeof why)) {
      snprintf(out->why, sizeof out->why, "%s: %s", s->kind->name, why);
      return;
    }
    joules += c->joules;
    wraps += c->wraps;
    sockets++;
  }
  double watts = joules / out->seconds;
  if (!(watts > 0 && watts <= most_watts(s) * sockets)) {
    snprintf(out->why, sizeof out->why, "%s: %.4g W is not a measurement", s->kind->name, watts);
    return;
  }
  out->value = joules;
  out->wraps = wraps;
  out->how = s->fact.how;
  snprintf(out->scope, sizeof out->scope, "%s", s->fact.scope);
}

typedef struct watched {
  tern_level last;
  double first_t, last_t;
  int steps;
} watched;

static void watch_look(tern_source *s, int i, watched *w, double now) {
  tern_channel *c = &s->channels[i];
  tern_level level;
  if (c->why[0] || w->steps > STEPS_WATCHED || !s->kind->read(s, i, &level, c->why, sizeof c->why)) return;
  uint64_t counts = 0;
  if (!c->power && !counts_since(c, level.count, &counts, c->why, sizeof c->why)) return;
  double step = c->power ? fabs(level.watts - c->last.watts) : (double)counts * c->unit;
  c->last = level;
  if (step <= 0) return;
  c->moves = true;
  /* The first step may have begun before the watching did: size and time unknown. */
  if (w->steps++ == 0) {
    w->first_t = now;
  } else if (!(c->step <= step)) {
    c->step = step;
  }
  w->last_t = now;
}

void tern_poll_watch(tern_source *s, double limit) {
  watched seen[TERN_MOST_CHANNELS] = {0};
  const tern_clock *clock = s->clock;
  for (int i = 0; i < s->count; i++) {
    tern_channel *c = &s->channels[i];
    c->why[0] = '\0';
    c->step = NAN; /* the interval stays as the driver told it, unless it is seen */
    c->moves = false;
    s->kind->read(s, i, &c->last, c->why, sizeof c->why);
  }
  double end = clock->now(clock->arg) + limit;
  for (double looks = limit / WATCH_PAUSE_S; looks > 0; looks--) {
    bool enough = true;
    clock->wait(clock->arg, WATCH_PAUSE_S);
    double now = clock->now(clock->arg);
    if (now >= end) looks = 0;
    for (int i = 0; i < s->count; i++) {
      watch_look(s, i, &seen[i], now);
      enough = enough && (s->channels[i].why[0] || seen[i].steps > STEPS_WATCHED);
    }
    if (enough) break;
  }
  for (int i = 0; i < s->count; i++)
    if (seen[i].steps > 1) s->channels[i].interval = (seen[i].last_t - seen[i].first_t) / (seen[i].steps - 1);
}

void tern_poll_facts(tern_source *s) {
  double interval = NAN, step = NAN;
  for (int i = 0; i < s->count; i++) {
    const tern_channel *c = &s->channels[i];
    if (!c->counted) continue;
    interval = fmax(interval, c->interval); /* the one that is known */
    step = fmax(step, c->step);
  }
  s->fact.interval = interval;
  s->fact.resolution = step;
}
