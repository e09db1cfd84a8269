/* Counters through PAPI, counting threads started later by inheritance. In a
 * guest PAPI calls a component active although no hardware event exists, and
 * software events read 0 in the wrong domain (design: measurement), so an
 * event counts only when a deliberate disturbance moved it. PAPI 7.0 tests
 * inheritance with a hardware event: where there is none it refuses it for
 * software events too, and the kernel's own accounting of the process stands
 * in. PAPI state does not survive fork(): open in the process that measures. */
#include "harness/counters.h"

#include <papi.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

enum { CANDIDATES = 3, DISTURB_BYTES = 8 << 20 };

static int64_t process_clock(void) {
  struct timespec t;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0) return 0;
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t process_faults(void) {
  struct rusage u;
  return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_minflt + u.ru_majflt : 0;
}

static int64_t process_switches(void) {
  struct rusage u;
  return getrusage(RUSAGE_SELF, &u) == 0 ? u.ru_nvcsw + u.ru_nivcsw : 0;
}

/* First candidate that counts is taken, the kernel's accounting last. */
static const struct {
  const char *name, *events[CANDIDATES];
  int64_t (*account)(void); /* of the whole process so far; NULL: none */
  const char *account_name;
} table[TERN_COUNTERS] = {
    [TERN_CYCLES] = {"cycles", {"PAPI_TOT_CYC", "perf::CYCLES"}, NULL, NULL},
    [TERN_INSTRUCTIONS] = {"instructions", {"PAPI_TOT_INS", "perf::INSTRUCTIONS"}, NULL, NULL},
    [TERN_CACHE_MISSES] = {"cache_misses", {"PAPI_L3_TCM", "perf::CACHE-MISSES"}, NULL, NULL},
    [TERN_BRANCH_MISSES] = {"branch_misses", {"PAPI_BR_MSP", "perf::BRANCH-MISSES"}, NULL, NULL},
    [TERN_TASK_CLOCK] = {"task_clock_ns", {"perf::TASK-CLOCK"}, process_clock, "CLOCK_PROCESS_CPUTIME_ID"},
    [TERN_PAGE_FAULTS] = {"page_faults", {"perf::PAGE-FAULTS"}, process_faults, "getrusage(2)"},
    [TERN_CONTEXT_SWITCHES] = {"context_switches", {"perf::CONTEXT-SWITCHES"}, process_switches, "getrusage(2)"},
    [TERN_MIGRATIONS] = {"migrations", {"perf::CPU-MIGRATIONS"}, NULL, NULL},
};

struct tern_counters {
  int set;    /* PAPI_NULL: no PAPI event counts */
  int domain; /* PAPI_DOM_* */
  tern_counter_fact facts[TERN_COUNTERS];
  int place[TERN_COUNTERS]; /* in the event set; -1: the kernel's accounting */
  int events;
  int64_t before[TERN_COUNTERS];
};

const char *tern_counter_name(tern_counter c) {
  return table[c].name;
}

/* An empty set that counts threads started later; PAPI's status. */
static int make_set(int *set) {
  *set = PAPI_NULL;
  int bad = PAPI_create_eventset(set);
  if (bad != PAPI_OK) return bad;
  PAPI_option_t inherit = {.inherit = {.eventset = *set, .inherit = PAPI_INHERIT_ALL}};
  bad = PAPI_assign_eventset_component(*set, 0);
  if (bad == PAPI_OK) bad = PAPI_set_opt(PAPI_INHERIT, &inherit);
  if (bad != PAPI_OK) PAPI_destroy_eventset(set);
  return bad;
}

static void drop_set(int *set) {
  if (*set == PAPI_NULL) return;
  PAPI_cleanup_eventset(*set);
  PAPI_destroy_eventset(set);
}

/* Moves this thread to another allowed CPU and back: a migration. */
static void wander(void) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  int moved = 0;
  for (size_t cpu = 0; cpu < CPU_SETSIZE && moved < 2; cpu++) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    moved++;
  }
  sched_setaffinity(0, sizeof allowed, &allowed);
}

/* Something of everything that is counted: pages, misses, a sleep, a move.
 * Runs on a thread of its own, so that inheritance is proven as well. */
static void *disturb(void *arg) {
  (void)arg;
  unsigned char *p = mmap(NULL, DISTURB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p != MAP_FAILED) {
    uint32_t state = 1, odd = 0;
    for (int i = 0; i < 200000; i++) {
      state = state * 1664525u + 1013904223u;
      if ((state >> 16) & 1) odd += p[state % DISTURB_BYTES]++;
    }
    p[0] = (unsigned char)odd; /* keeps the loop */
    munmap(p, DISTURB_BYTES);
  }
  nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  wander();
  return NULL;
}

static void disturb_once(void) {
  pthread_t t;
  if (pthread_create(&t, NULL, disturb, NULL) == 0) pthread_join(t, NULL);
}

/* Adds, starts, disturbs and reads one event alone. */
static bool event_counts(const char *event, char *why, size_t size) {
  int set;
  long long value = 0;
  int bad = make_set(&set);
  if (bad != PAPI_OK) {
    snprintf(why, size, "PAPI cannot count all threads here: %s", PAPI_strerror(bad));
  } else if ((bad = PAPI_add_named_event(set, event)) != PAPI_OK) {
    snprintf(why, size, "%s: %s", event, PAPI_strerror(bad));
  } else if ((bad = PAPI_start(set)) != PAPI_OK) {
    snprintf(why, size, "%s: cannot start: %s", event, PAPI_strerror(bad));
  } else {
    disturb_once();
    bad = PAPI_stop(set, &value);
    if (bad != PAPI_OK)
      snprintf(why, size, "%s: cannot read: %s", event, PAPI_strerror(bad));
    else if (value <= 0)
      snprintf(why, size, "%s: read 0 where it must count", event);
  }
  drop_set(&set);
  return value > 0;
}

static bool accounting_counts(int which) {
  if (!table[which].account) return false;
  int64_t before = table[which].account();
  disturb_once();
  return table[which].account() > before;
}

static void found(tern_counter_fact *f, const char *event) {
  f->counts = true;
  f->why[0] = '\0';
  snprintf(f->event, sizeof f->event, "%s", event);
}

static void probe(tern_counters *c, int which, bool papi) {
  tern_counter_fact *f = &c->facts[which];
  c->place[which] = -1;
  if (!papi) snprintf(f->why, sizeof f->why, "PAPI does not start here");
  for (int i = 0; papi && i < CANDIDATES && table[which].events[i]; i++) {
    if (!event_counts(table[which].events[i], f->why, sizeof f->why)) continue;
    found(f, table[which].events[i]);
    c->place[which] = 0;
    return;
  }
  if (accounting_counts(which)) found(f, table[which].account_name);
}

static void lose(tern_counter_fact *f, const char *why) {
  f->counts = false;
  snprintf(f->why, sizeof f->why, "%s: not together with the others: %s", f->event, why);
}

/* All PAPI events that count, in one set that runs all the time: calls are
 * differences, because what ended threads counted cannot be reset. */
static void assemble(tern_counters *c) {
  int bad = make_set(&c->set);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    if (!c->facts[i].counts || c->place[i] < 0) continue;
    if (bad == PAPI_OK) bad = PAPI_add_named_event(c->set, c->facts[i].event);
    if (bad == PAPI_OK)
      c->place[i] = c->events++;
    else
      lose(&c->facts[i], PAPI_strerror(bad));
    bad = c->set == PAPI_NULL ? bad : PAPI_OK;
  }
  if (c->events > 0 && (bad = PAPI_start(c->set)) == PAPI_OK) return;
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (c->facts[i].counts && c->place[i] >= 0) lose(&c->facts[i], PAPI_strerror(bad));
  drop_set(&c->set);
}

/* Kernel side too where that is permitted: context switches happen there. */
static int best_domain(void) {
  char why[128];
  if (PAPI_set_domain(PAPI_DOM_ALL) == PAPI_OK && event_counts("perf::CONTEXT-SWITCHES", why, sizeof why))
    return PAPI_DOM_ALL;
  PAPI_set_domain(PAPI_DOM_USER);
  return PAPI_DOM_USER;
}

tern_counters *tern_counters_open(void) {
  tern_counters *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->set = PAPI_NULL;
  bool papi = PAPI_library_init(PAPI_VER_CURRENT) == PAPI_VER_CURRENT;
  if (papi) c->domain = best_domain();
  for (int i = 0; i < TERN_COUNTERS; i++) probe(c, i, papi);
  if (papi) assemble(c);
  return c;
}

void tern_counters_close(tern_counters *c) {
  if (!c) return;
  long long last[TERN_COUNTERS];
  if (c->set != PAPI_NULL) PAPI_stop(c->set, last);
  drop_set(&c->set);
  free(c);
}

const tern_counter_fact *tern_counters_fact(const tern_counters *c, tern_counter which) {
  return &c->facts[which];
}

const char *tern_counters_domain(const tern_counters *c) {
  return c->domain == PAPI_DOM_ALL ? "user and kernel" : "user";
}

static void read_all(const tern_counters *c, int64_t *values) {
  long long papi[TERN_COUNTERS] = {0};
  bool running = c->set != PAPI_NULL && PAPI_read(c->set, papi) == PAPI_OK;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    values[i] = -1;
    if (!c->facts[i].counts) continue;
    if (c->place[i] < 0)
      values[i] = table[i].account();
    else if (running)
      values[i] = papi[c->place[i]];
  }
}

void tern_counters_start(tern_counters *c) {
  read_all(c, c->before);
}

void tern_counters_stop(tern_counters *c, int64_t *values) {
  read_all(c, values);
  for (int i = 0; i < TERN_COUNTERS; i++)
    if (values[i] >= 0) values[i] = c->before[i] >= 0 ? values[i] - c->before[i] : -1;
}
