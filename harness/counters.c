/* Counters of a call. Each thread of the bound team has an event set of its
 * own that it starts and reads itself: PAPI reads another thread's hardware
 * counters wrongly (it takes them from the CPU it runs on), refuses to attach
 * or to inherit where there is no hardware event (7.0 tests for one), and
 * needs no permission for a thread's own. Sets run all the time, calls are
 * differences. */
#include "harness/counters.h"

#include <math.h>
#include <papi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/progress.h"
#include "harness/counters_parts.h"
#include "harness/papi_components.h"

static void *probe_thread(void *arg) {
  tern_counters_probe(arg);
  PAPI_unregister_thread();
  return NULL;
}

static unsigned long thread_number(void) {
  return (unsigned long)pthread_self();
}

static int start_papi(void) {
  if (!tern_papi_start()) return -1;
  if (PAPI_thread_init(thread_number) != PAPI_OK) return -1;
  return PAPI_get_component_index("perf_event");
}

static void open_uncore(tern_counters *c, int which) {
  tern_counter_fact *f = &c->facts[which];
  f->pass = -1;
  f->scope = TERN_SCOPE_SYSTEM;
  if (c->component < 0)
    snprintf(f->why, sizeof f->why, "PAPI does not start here");
  else
    c->uncore = tern_uncore_open(f->event, sizeof f->event, f->why, sizeof f->why);
  f->counts = c->uncore != NULL;
  if (!f->counts) f->event[0] = '\0';
}

tern_counters *tern_counters_open_from(const tern_counter_source *sources, int most, bool multiplexed) {
  pthread_t prober;
  tern_counters *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->sources = sources;
  c->most = most;
  c->multiplexed = multiplexed;
  c->component = start_papi();
  c->pass_count = 1;
  if (pthread_create(&prober, NULL, probe_thread, c) == 0)
    pthread_join(prober, NULL);
  else
    for (int i = 0; i < TERN_COUNTERS; i++) snprintf(c->facts[i].why, sizeof c->facts->why, "no thread to probe on");
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (sources[i].uncore) open_uncore(c, i);
  return c;
}

tern_counters *tern_counters_open(void) {
  return tern_counters_open_from(tern_counter_sources, 0, false);
}

tern_counters *tern_counters_open_multiplexed(void) {
  return tern_counters_open_from(tern_counter_sources, 0, true);
}

void tern_counters_close(tern_counters *c) {
  if (!c) return;
  tern_counters_unbind(c);
  tern_uncore_close(c->uncore);
  free(c);
}

const tern_counter_fact *tern_counters_fact(const tern_counters *c, tern_counter which) {
  return &c->facts[which];
}

const char *tern_counters_domain(const tern_counters *c) {
  return c->domain == PAPI_DOM_ALL ? "user and kernel" : "user";
}

int tern_counters_passes(const tern_counters *c) {
  return c->pass_count;
}

static void open_member(void *arg, int member, int size) {
  (void)size;
  tern_counters *c = arg;
  int bad;
  const tern_counter_pass *pass = &c->passes[c->pass];
  tern_counter_member *m = &c->members[member];
  m->set = pass->events ? tern_counters_make_set(c, pass, &bad) : PAPI_NULL;
  for (int i = 0; i < TERN_COUNTERS; i++)
    m->turns[i] = c->in_turns[i] ? tern_turn_open(&c->sources[i].generic, c->domain == PAPI_DOM_ALL) : -1;
}

static void close_member(void *arg, int member, int size) {
  (void)size;
  tern_counters *c = arg;
  tern_counter_member *m = &c->members[member];
  tern_counters_drop_set(&m->set);
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (m->turns[i] >= 0) close(m->turns[i]);
}

static void forget_thread(void *arg, int member, int size) {
  close_member(arg, member, size);
  if (member > 0) PAPI_unregister_thread();
}

void tern_counters_bind(tern_counters *c, tern_team *team) {
  tern_counters_unbind(c);
  int size = tern_team_size(team);
  c->members = aligned_alloc(_Alignof(tern_counter_member), (size_t)size * sizeof *c->members);
  if (!c->members) return; /* as if it had not been bound: PAPI's events are absent */
  memset(c->members, 0, (size_t)size * sizeof *c->members);
  c->size = size;
  c->team = team;
  tern_team_run(team, open_member, c);
}

void tern_counters_unbind(tern_counters *c) {
  if (!c->team) return;
  tern_team_run(c->team, forget_thread, c);
  free(c->members);
  c->members = NULL;
  c->team = NULL;
  c->size = 0;
}

void tern_counters_pass(tern_counters *c, int index) {
  if (index < 0 || index >= c->pass_count || index == c->pass) return;
  if (c->team) tern_team_run(c->team, close_member, c);
  c->pass = index;
  if (c->team) tern_team_run(c->team, open_member, c);
}

void tern_counters_now(const tern_counters *c, int member, int64_t *values) {
  long long papi[TERN_COUNTERS];
  const tern_counter_pass *pass = &c->passes[c->pass];
  int set = member < c->size ? c->members[member].set : PAPI_NULL;
  bool running = set != PAPI_NULL && PAPI_read(set, papi) == PAPI_OK;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    values[i] = -1;
    if (c->accounted[i])
      values[i] = c->sources[i].account(true);
    else if (running && pass->place[i] >= 0)
      values[i] = papi[pass->place[i]];
  }
}

static int64_t difference(int64_t before, int64_t after) {
  return before < 0 || after < 0 ? -1 : after - before;
}

static void start_member(void *arg, int member, int size) {
  (void)size;
  tern_counters *c = arg;
  tern_counter_member *m = &c->members[member];
  tern_counters_now(c, member, m->before);
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (c->in_turns[i] && !tern_turn_read(m->turns[i], &m->turn_before[i]))
      m->turn_before[i] = (tern_turn){.value = -1};
}

static void stop_turns(const tern_counters *c, tern_counter_member *m) {
  tern_turn now;
  m->share = 1;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    double share;
    if (!c->in_turns[i] || m->turn_before[i].value < 0 || !tern_turn_read(m->turns[i], &now)) continue;
    m->counted[i] = tern_turn_scale(&m->turn_before[i], &now, &share);
    m->share = fmin(m->share, share);
  }
}

static void stop_member(void *arg, int member, int size) {
  (void)size;
  tern_counters *c = arg;
  tern_counter_member *m = &c->members[member];
  tern_counters_now(c, member, m->counted);
  for (int i = 0; i < TERN_COUNTERS; i++) m->counted[i] = difference(m->before[i], m->counted[i]);
  if (c->multiplexed) stop_turns(c, m);
}

/* What does not belong to threads of a team. */
static void read_whole(const tern_counters *c, int64_t *values) {
  for (int i = 0; i < TERN_COUNTERS; i++) {
    values[i] = -1;
    if (c->sources[i].uncore && c->uncore) values[i] = tern_uncore_bytes(c->uncore);
    if (c->accounted[i] && !c->team) values[i] = c->sources[i].account(false);
  }
}

void tern_counters_start(tern_counters *c) {
  read_whole(c, c->before);
  if (c->team) tern_team_run(c->team, start_member, c);
}

static int64_t sum_of(const tern_counters *c, int which) {
  int64_t sum = 0;
  for (int m = 0; m < c->size; m++) {
    if (c->members[m].counted[which] < 0) return -1;
    sum += c->members[m].counted[which];
  }
  return sum;
}

void tern_counters_stop(tern_counters *c, int64_t *values) {
  if (c->team) tern_team_run(c->team, stop_member, c);
  read_whole(c, values);
  for (int i = 0; i < TERN_COUNTERS; i++)
    values[i] = c->team && !c->sources[i].uncore ? sum_of(c, i) : difference(c->before[i], values[i]);
}

double tern_counters_share(const tern_counters *c) {
  double share = 1;
  if (!c->multiplexed || !c->team) return NAN;
  for (int m = 0; m < c->size; m++) share = fmin(share, c->members[m].share);
  return share;
}

int tern_counters_threads(const tern_counters *c) {
  return c->size;
}

void tern_counters_thread(const tern_counters *c, int member, int64_t *values) {
  memcpy(values, c->members[member].counted, sizeof c->members[member].counted);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double tern_counters_cost(tern_counters *c) {
  enum { PAIRS = 101 };
  double seconds[PAIRS];
  int64_t values[TERN_COUNTERS];
  for (int i = 0; i < PAIRS; i++) {
    double start = tern_now();
    tern_counters_start(c);
    tern_counters_stop(c, values);
    seconds[i] = tern_now() - start;
  }
  qsort(seconds, PAIRS, sizeof *seconds, by_size);
  return seconds[PAIRS / 2];
}
