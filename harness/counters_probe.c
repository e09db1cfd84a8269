/* What really counts: in a guest PAPI calls a component active although no
 * hardware event exists, and software events read 0 in the wrong domain
 * (design: measurement), so an event counts only when a deliberate disturbance
 * moved it, and a pass is a pass only when all its events moved together. */
#include <errno.h>
#include <papi.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "harness/counters_parts.h"

enum { DISTURB_BYTES = 8 << 20 };

int tern_counters_make_set(const tern_counters *c, const tern_counter_pass *pass, int *bad) {
  int set = PAPI_NULL, at = 0;
  *bad = PAPI_create_eventset(&set);
  if (*bad == PAPI_OK) *bad = PAPI_assign_eventset_component(set, c->component);
  for (; at < pass->events && *bad == PAPI_OK; at++) {
    int which = 0;
    while (pass->place[which] != at) which++;
    *bad = PAPI_add_named_event(set, c->facts[which].event);
  }
  if (*bad == PAPI_OK) *bad = PAPI_start(set);
  if (*bad == PAPI_OK) return set;
  if (set != PAPI_NULL) {
    PAPI_cleanup_eventset(set);
    PAPI_destroy_eventset(&set);
  }
  return PAPI_NULL;
}

void tern_counters_drop_set(int *set) {
  long long last[TERN_COUNTERS];
  if (*set == PAPI_NULL) return;
  PAPI_stop(*set, last);
  PAPI_cleanup_eventset(*set);
  PAPI_destroy_eventset(set);
}

/* Moves this thread to another allowed CPU and back: a migration. */
static void wander(void) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  for (size_t cpu = 0, moved = 0; cpu < CPU_SETSIZE && moved < 2; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    moved++;
  }
  sched_setaffinity(0, sizeof allowed, &allowed);
}

/* Vectors of floats and integers, as many instructions as a counter notices. */
static float vectors(void) {
  typedef float reals __attribute__((vector_size(16)));
  typedef unsigned integers __attribute__((vector_size(16)));
  reals r = {1, 2, 3, 4};
  integers n = {1, 2, 3, 4};
  for (int i = 0; i < 1000; i++) {
    r = r * 1.0001f + 0.5f;
    n = n * 3 + (n >> 1);
  }
  return r[0] + r[1] + (float)(n[2] & 1u);
}

/* Something of everything that is counted: pages, misses, branches taken by
 * chance, vectors, a sleep, a move. */
static void disturb(void) {
  unsigned char *p = mmap(NULL, DISTURB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p != MAP_FAILED) {
    uint32_t state = 1, odd = 0;
    for (int i = 0; i < 200000; i++) {
      state = state * 1664525u + 1013904223u;
      if ((state >> 16) & 1) odd += p[state % DISTURB_BYTES]++;
    }
    ((volatile unsigned char *)p)[0] = (unsigned char)((float)odd + vectors()); /* keeps the loops */
    munmap(p, DISTURB_BYTES);
  }
  nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  wander();
}

/* Index of the first event of the pass that stands still, -1: all move. */
static int still_in(const tern_counters *c, const tern_counter_pass *pass, char *why, size_t size) {
  long long values[TERN_COUNTERS] = {0};
  int bad, set = tern_counters_make_set(c, pass, &bad);
  if (bad == PAPI_OK) {
    disturb();
    bad = PAPI_read(set, values);
    tern_counters_drop_set(&set);
  }
  for (int i = 0; i < TERN_COUNTERS; i++) {
    if (pass->place[i] < 0 || values[pass->place[i]] > 0) continue;
    if (bad == PAPI_OK)
      snprintf(why, size, "%s: read 0 where it must count", c->facts[i].event);
    else
      snprintf(why, size, "%s: %s", c->facts[i].event, PAPI_strerror(bad));
    return i;
  }
  return -1;
}

static tern_counter_pass empty_pass(void) {
  tern_counter_pass p = {0};
  for (int i = 0; i < TERN_COUNTERS; i++) p.place[i] = -1;
  return p;
}

static tern_counter_pass with(const tern_counters *c, const tern_counter_pass *pass, int which) {
  tern_counter_pass p = *pass;
  p.place[which] = p.events++;
  if (!c->sources[which].anchor) p.extra++;
  return p;
}

/* PAPI's first event for it that counts alone. */
static void find_event(tern_counters *c, int which) {
  tern_counter_fact *f = &c->facts[which];
  tern_counter_pass empty = empty_pass(), alone = with(c, &empty, which);
  if (c->component < 0) snprintf(f->why, sizeof f->why, "PAPI does not start here");
  for (int i = 0; c->component >= 0 && i < TERN_COUNTER_CANDIDATES && c->sources[which].events[i]; i++) {
    char why[sizeof f->why];
    snprintf(f->event, sizeof f->event, "%s", c->sources[which].events[i]);
    f->counts = still_in(c, &alone, why, sizeof why) < 0;
    if (f->counts) return;
    if (i == 0) memcpy(f->why, why, sizeof why); /* the usual event's reason tells most */
  }
  f->event[0] = '\0';
}

/* The kernel's generic event, read in turns with the others. */
static void find_turn(tern_counters *c, int which) {
  tern_counter_fact *f = &c->facts[which];
  const tern_generic_event *event = &c->sources[which].generic;
  tern_turn from = {0}, to = {0};
  if (!event->name) {
    snprintf(f->why, sizeof f->why, "the kernel has no generic event for it");
    return;
  }
  int fd = tern_turn_open(event, c->domain == PAPI_DOM_ALL);
  if (fd < 0) {
    snprintf(f->why, sizeof f->why, "%s: %s", event->name, strerror(errno));
    return;
  }
  bool read = tern_turn_read(fd, &from);
  disturb();
  read = read && tern_turn_read(fd, &to);
  close(fd);
  f->counts = c->in_turns[which] = read && to.value > from.value && to.running_ns > 0;
  if (f->counts)
    snprintf(f->event, sizeof f->event, "%s, multiplexed", event->name);
  else
    snprintf(f->why, sizeof f->why, "%s: read 0 where it must count", event->name);
}

static bool moves(int64_t (*account)(bool thread)) {
  if (!account) return false;
  int64_t before = account(true);
  disturb();
  return account(true) > before;
}

static void find(tern_counters *c, int which) {
  const tern_counter_source *s = &c->sources[which];
  tern_counter_fact *f = &c->facts[which];
  f->software = s->software;
  f->pass = -1;
  c->accounted[which] = moves(s->proof ? s->proof : s->account);
  if (c->accounted[which]) {
    f->counts = true;
    snprintf(f->event, sizeof f->event, "%s", s->account_name);
  } else if (c->multiplexed) {
    find_turn(c, which);
  } else {
    find_event(c, which);
  }
  if (f->counts) f->why[0] = '\0';
}

static void lose(tern_counter_fact *f) {
  char event[sizeof f->event];
  memcpy(event, f->event, sizeof event);
  f->counts = false;
  f->event[0] = '\0';
  snprintf(f->why, sizeof f->why, "%s: counts alone, but not together with the others", event);
}

/* Whether the pass takes one more event; then it has it. */
static bool takes(const tern_counters *c, tern_counter_pass *pass, int which) {
  char why[128];
  tern_counter_pass wider = with(c, pass, which);
  if (c->most > 0 && wider.extra > c->most) return false;
  if (still_in(c, &wider, why, sizeof why) >= 0) return false;
  *pass = wider;
  return true;
}

/* Anchors are in every pass; each other event in the first that takes it. */
static void split(tern_counters *c) {
  tern_counter_pass base = empty_pass();
  for (int i = 0; i < TERN_COUNTERS; i++) {
    if (!c->facts[i].counts || c->accounted[i] || c->in_turns[i] || !c->sources[i].anchor) continue;
    if (!takes(c, &base, i)) lose(&c->facts[i]);
  }
  c->passes[0] = base;
  c->pass_count = 1;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    if (!c->facts[i].counts || c->accounted[i] || c->in_turns[i] || c->sources[i].anchor) continue;
    int p = 0;
    while (p < c->pass_count && !takes(c, &c->passes[p], i)) p++;
    if (p == c->pass_count) {
      tern_counter_pass next = base;
      if (!takes(c, &next, i)) {
        lose(&c->facts[i]);
        continue;
      }
      c->passes[c->pass_count++] = next;
    }
    c->facts[i].pass = p;
  }
}

/* Kernel side too where that is permitted: context switches happen there. */
static void choose_domain(tern_counters *c) {
  char why[128];
  tern_counter_pass empty = empty_pass(), one = with(c, &empty, TERN_CONTEXT_SWITCHES);
  snprintf(c->facts[TERN_CONTEXT_SWITCHES].event, sizeof c->facts->event, "perf::CONTEXT-SWITCHES");
  c->domain = PAPI_DOM_ALL;
  if (PAPI_set_domain(PAPI_DOM_ALL) == PAPI_OK && still_in(c, &one, why, sizeof why) < 0) return;
  c->domain = PAPI_DOM_USER;
  PAPI_set_domain(PAPI_DOM_USER);
}

void tern_counters_probe(tern_counters *c) {
  if (c->component >= 0) choose_domain(c);
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (!c->sources[i].uncore) find(c, i);
  split(c);
}
