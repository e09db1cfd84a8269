/* Fork-join team. Every wait is on a gate: a counter that is watched for a
 * moment (pause), then slept on (futex). Invariant: a waiter announces itself
 * in `sleepers` before it sleeps and a bumper reads `sleepers` after it
 * counted, both sequentially consistent, so no wake-up is lost. */
#include "engine/base/team.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/progress.h"

/* How long a member watches before it sleeps: longer than the serial pieces of
 * a forward pass, shorter than anybody notices. */
static const double watch_s = 100e-6;
enum { PAUSES_A_LOOK = 32, YIELDS = 16 };

typedef struct gate {
  _Alignas(64) atomic_uint count;
  atomic_int sleepers;
} gate;

typedef struct team_member {
  tern_team *team;
  int index;
  pthread_t thread;
} team_member;

struct tern_team {
  gate start, done, barrier;
  _Alignas(64) atomic_int running;
  _Alignas(64) atomic_int arrived;
  _Alignas(64) void (*job)(void *arg, int member, int size); /* NULL: end */
  void *arg;
  int size, threads; /* threads: started, without the caller */
  bool crowded;      /* more members than CPUs: watching would only steal time */
  bool bound;
  cpu_set_t old_cpus;
  team_member members[];
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory"); /* yield is a no-op on most cores */
#endif
}

static void gate_bump(gate *g) {
  atomic_fetch_add(&g->count, 1);
  if (atomic_load(&g->sleepers) > 0) {
    syscall(SYS_futex, (void *)&g->count, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
  }
}

/* Waits until the count differs from `seen`. */
static void gate_wait(gate *g, unsigned seen, bool crowded) {
  double end = 0;
  for (int yields = 0;;) {
    for (int i = 0; i < PAUSES_A_LOOK; i++) {
      if (atomic_load_explicit(&g->count, memory_order_acquire) != seen) return;
      if (!crowded) relax();
    }
    if (crowded) {
      if (yields++ == YIELDS) break;
      sched_yield();
    } else {
      double now = tern_now();
      if (end == 0) end = now + watch_s;
      if (now >= end) break;
    }
  }
  atomic_fetch_add(&g->sleepers, 1);
  while (atomic_load(&g->count) == seen) {
    syscall(SYS_futex, (void *)&g->count, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
  }
  atomic_fetch_sub(&g->sleepers, 1);
}

static void *member_main(void *arg) {
  team_member *m = arg;
  tern_team *t = m->team;
  for (unsigned seen = 0;; seen++) {
    gate_wait(&t->start, seen, t->crowded);
    if (!t->job) return NULL;
    t->job(t->arg, m->index, t->size);
    if (atomic_fetch_sub(&t->running, 1) == 1) gate_bump(&t->done);
  }
}

static int bind_thread(pthread_t thread, int cpu, tern_error *e) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < 0 || cpu >= CPU_SETSIZE) return tern_fail(e, TERN_FAILED, "CPU %d: no such CPU to bind a thread to", cpu);
  CPU_SET((size_t)cpu, &set);
  if (pthread_setaffinity_np(thread, sizeof set, &set) == 0) return 0;
  return tern_fail(e, TERN_FAILED, "CPU %d: a thread cannot be bound to it (not there, or not allowed here)", cpu);
}

static int bind_members(tern_team *t, const int *cpus, tern_error *e) {
  if (pthread_getaffinity_np(pthread_self(), sizeof t->old_cpus, &t->old_cpus) != 0) {
    return tern_fail(e, TERN_FAILED, "thread team: the CPUs allowed here cannot be read");
  }
  t->bound = true;
  for (int i = 0; i < t->size; i++) {
    if (bind_thread(i ? t->members[i].thread : pthread_self(), cpus[i], e)) return TERN_FAILED;
  }
  return 0;
}

int tern_team_open(tern_team **out, int size, const int *cpus, tern_error *e) {
  *out = NULL;
  if (size < 1 || size > 4096) return tern_fail(e, TERN_FAILED, "thread team: %d threads, want 1 to 4096", size);
  size_t bytes = sizeof(tern_team) + (size_t)size * sizeof(team_member);
  tern_team *t = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!t) return tern_fail(e, TERN_FAILED, "thread team: out of memory");
  *t = (tern_team){.size = size};
  cpu_set_t allowed;
  t->crowded = sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) < size;
  for (int i = 1; i < size; i++) {
    t->members[i] = (team_member){.team = t, .index = i};
    if (pthread_create(&t->members[i].thread, NULL, member_main, &t->members[i]) != 0) {
      tern_fail(e, TERN_FAILED, "thread team: thread %d of %d cannot be started", i + 1, size);
      goto failed;
    }
    t->threads = i;
  }
  if (cpus && bind_members(t, cpus, e)) goto failed;
  *out = t;
  return 0;

failed:
  tern_team_close(t);
  return (int)e->status;
}

void tern_team_close(tern_team *t) {
  if (!t) return;
  t->job = NULL;
  gate_bump(&t->start);
  for (int i = 1; i <= t->threads; i++) pthread_join(t->members[i].thread, NULL);
  if (t->bound) pthread_setaffinity_np(pthread_self(), sizeof t->old_cpus, &t->old_cpus);
  free(t);
}

int tern_team_size(const tern_team *t) {
  return t->size;
}

void tern_team_run(tern_team *t, void (*job)(void *arg, int member, int size), void *arg) {
  if (t->size == 1) {
    job(arg, 0, 1);
    return;
  }
  unsigned seen = atomic_load(&t->done.count);
  t->job = job;
  t->arg = arg;
  atomic_store(&t->running, t->size - 1);
  gate_bump(&t->start);
  job(arg, 0, t->size);
  gate_wait(&t->done, seen, t->crowded);
}

void tern_team_barrier(tern_team *t) {
  if (t->size == 1) return;
  unsigned seen = atomic_load(&t->barrier.count);
  if (atomic_fetch_add(&t->arrived, 1) == t->size - 1) {
    atomic_store(&t->arrived, 0);
    gate_bump(&t->barrier);
  } else {
    gate_wait(&t->barrier, seen, t->crowded);
  }
}

void tern_split(int count, int unit, int member, int size, int *lo, int *hi) {
  int64_t units = ((int64_t)count + unit - 1) / unit;
  int64_t first = units * member / size * unit, end = units * (member + 1) / size * unit;
  *lo = (int)(first < count ? first : count);
  *hi = (int)(end < count ? end : count);
}
