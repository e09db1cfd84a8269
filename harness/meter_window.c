/* A window over all meters. The calling thread looks at both ends, as close to
 * the work as it can; between them a thread of its own looks often enough that
 * no counter wraps unseen, at first more often, for short windows. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "harness/meter_figures.h"
#include "harness/meter_list.h"
#include "harness/meter_poll.h"

/* The first pause of the thread is this part of the usual one; then it doubles. */
static const double FIRST_PAUSE = 1.0 / 16;

static tern_instant instant(const tern_clock *c) {
  return (tern_instant){c->now(c->arg), c->wall(c->arg)};
}

static bool polled(const tern_source *s) {
  return s->state && s->kind->poll > 0;
}

bool tern_window_prepare(tern_meters *m) {
  pthread_condattr_t attr;
  if (pthread_condattr_init(&attr) != 0) return false;
  pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  bool good = pthread_cond_init(&m->wake, &attr) == 0 && pthread_mutex_init(&m->lock, NULL) == 0;
  pthread_condattr_destroy(&attr);
  return good;
}

static void look(tern_meters *m) {
  double began = tern_clock_real.now(NULL);
  for (int i = 0; i < m->count; i++) {
    tern_source *s = m->sources[i];
    if (polled(s)) tern_poll_take(s, s->clock->now(s->clock->arg));
  }
  m->cost += tern_clock_real.now(NULL) - began;
}

static double usual_pause(const tern_meters *m) {
  double pause = INFINITY;
  for (int i = 0; i < m->count; i++)
    if (polled(m->sources[i])) pause = fmin(pause, tern_poll_interval(m->sources[i]));
  return pause;
}

static void *sampler(void *arg) {
  tern_meters *m = arg;
  double usual = usual_pause(m), pause = usual * FIRST_PAUSE;
  pthread_mutex_lock(&m->lock);
  while (m->open) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    double sum = (double)until.tv_nsec * 1e-9 + pause;
    until.tv_sec += (time_t)sum;
    until.tv_nsec = (long)((sum - floor(sum)) * 1e9);
    while (m->open && pthread_cond_timedwait(&m->wake, &m->lock, &until) != ETIMEDOUT)
      ;
    if (m->open) look(m);
    pause = fmin(usual, 2 * pause);
  }
  pthread_mutex_unlock(&m->lock);
  return NULL;
}

static void start_thread(tern_meters *m) {
  bool needed = false;
  for (int i = 0; i < m->count; i++) needed = needed || polled(m->sources[i]);
  if (!needed || m->options.by_hand) return;
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
  m->thread_runs = pthread_create(&m->thread, NULL, sampler, m) == 0;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void end_thread(tern_meters *m) {
  if (!m->thread_runs) return;
  pthread_cond_signal(&m->wake);
  pthread_join(m->thread, NULL);
  m->thread_runs = false;
}

void tern_meters_start(tern_meters *m) {
  tern_window_dismiss(m);
  m->cost = 0;
  m->open = true;
  start_thread(m); /* its first look comes a pause later, and waits for the lock */
  pthread_mutex_lock(&m->lock);
  double began = tern_clock_real.now(NULL);
  for (int i = 0; i < m->count; i++) {
    tern_source *s = m->sources[i];
    s->started = instant(s->clock);
    if (polled(s))
      tern_poll_start(s, s->started);
    else if (s->state)
      s->kind->begin(s);
  }
  m->cost += tern_clock_real.now(NULL) - began;
  pthread_mutex_unlock(&m->lock);
}

void tern_meters_sample(tern_meters *m) {
  pthread_mutex_lock(&m->lock);
  if (m->open) look(m);
  pthread_mutex_unlock(&m->lock);
}

void tern_window_dismiss(tern_meters *m) {
  pthread_mutex_lock(&m->lock);
  m->open = false;
  pthread_mutex_unlock(&m->lock);
  end_thread(m);
}

static void finish(tern_source *s, tern_instant end, tern_reading *out) {
  double window = end.now - s->started.now;
  *out = tern_reading_none();
  if (!s->state) {
    snprintf(out->why, sizeof out->why, "%s", s->fact.why);
    return;
  }
  if (!(window > 0)) {
    snprintf(out->why, sizeof out->why, "%s: the clock went back by %.3g s within the window", s->kind->name, -window);
    return;
  }
  out->seconds = window;
  if (s->kind->poll > 0)
    tern_poll_finish(s, end.now, out);
  else
    s->kind->finish(s, end, out);
  if (out->how == TERN_UNAVAILABLE) out->value = NAN;
  out->watts = out->value / window;
}

void tern_meters_stop(tern_meters *m, tern_reading *readings) {
  pthread_mutex_lock(&m->lock);
  double began = tern_clock_real.now(NULL);
  for (int i = 0; i < m->count && m->open; i++) {
    tern_source *s = m->sources[i];
    m->ends[i] = instant(s->clock);
    if (polled(s)) tern_poll_take(s, m->ends[i].now);
  }
  m->cost += tern_clock_real.now(NULL) - began;
  m->open = false;
  pthread_mutex_unlock(&m->lock);
  end_thread(m);
  for (int i = 0; i < m->count; i++) finish(m->sources[i], m->ends[i], &readings[i]);
}

bool tern_meters_broken(tern_meters *m) {
  const tern_source *s = m->primary < 0 ? NULL : m->sources[m->primary];
  if (!s || !s->state) return true;
  if (s->kind->ended) return s->kind->ended(s);
  pthread_mutex_lock(&m->lock);
  bool broken = polled(s) && s->broken[0];
  for (int i = 0; i < s->count && polled(s); i++)
    broken = broken || (s->channels[i].counted && s->channels[i].broken[0]);
  pthread_mutex_unlock(&m->lock);
  return broken;
}

double tern_meters_cost(const tern_meters *m) {
  return m->cost;
}

void tern_meters_watch(tern_meters *m, double seconds) {
  for (int i = 0; i < m->count; i++) {
    if (!polled(m->sources[i])) continue;
    tern_poll_watch(m->sources[i], seconds);
    tern_poll_facts(m->sources[i]);
  }
}
