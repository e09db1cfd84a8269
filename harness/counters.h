/* Event counters over a call: hardware events through PAPI, software events
 * from the kernel's own accounting. Which events really count is found by
 * adding, starting, disturbing and reading each; an absent one carries its
 * reason and never stops a run. Hardware events that the CPU can't count at
 * once are split into passes; they are multiplexed only where asked for.
 *
 * Guaranteed: a value is a whole count of what its scope says, or -1. PAPI's
 * events are of the bound team's threads alone, so without tern_counters_bind
 * they are -1; software events are then of the whole process. */
#ifndef TERN_HARNESS_COUNTERS_H
#define TERN_HARNESS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/team.h"

typedef enum tern_counter {
  TERN_CYCLES,
  TERN_REF_CYCLES, /* at the rate of the time stamp counter: cycles / ref_cycles is the clock's ratio */
  TERN_INSTRUCTIONS,
  TERN_L1D_MISSES,
  TERN_L2_MISSES,
  TERN_CACHE_MISSES, /* last level */
  TERN_BRANCHES,
  TERN_BRANCH_MISSES,
  TERN_STALLED_FRONTEND, /* cycles */
  TERN_STALLED_BACKEND,
  TERN_VECTOR_OPS,   /* what counts as one is the event's business: see its name */
  TERN_MEMORY_BYTES, /* at the memory controllers, of the whole machine */
  TERN_TASK_CLOCK,   /* ns of CPU time */
  TERN_PAGE_FAULTS,  /* minor and major */
  TERN_MAJOR_FAULTS,
  TERN_CONTEXT_SWITCHES,
  TERN_MIGRATIONS,
  TERN_COUNTERS
} tern_counter;

/* Whose events a value counts. */
typedef enum tern_counter_scope { TERN_SCOPE_THREADS, TERN_SCOPE_SYSTEM } tern_counter_scope;

typedef struct tern_counter_fact {
  bool counts;
  bool software;  /* the kernel's event, not the CPU's */
  char event[64]; /* PAPI's name for it, or the kernel's interface */
  char why[128];  /* when it does not count */
  int pass;       /* that it is in; -1: in every pass */
  tern_counter_scope scope;
} tern_counter_fact;

typedef struct tern_counters tern_counters;

/* Column name: "cycles", "task_clock_ns", ... */
const char *tern_counter_name(tern_counter c);

/* Always gives an object, even one in which nothing counts (NULL only out of
 * memory). PAPI does not survive fork(): open in the process that measures.
 * Takes a tenth of a second where there is much to probe. */
tern_counters *tern_counters_open(void);
void tern_counters_close(tern_counters *c); /* NULL allowed; unbinds */
/* All events at once, taking turns on the CPU's counters where there are more:
 * one pass, scaled values, and none of them a whole count. Only the kernel's
 * generic events; their names say "multiplexed". */
tern_counters *tern_counters_open_multiplexed(void);
const tern_counter_fact *tern_counters_fact(const tern_counters *c, tern_counter which);
/* "user and kernel" or "user": of PAPI's events. */
const char *tern_counters_domain(const tern_counters *c);

/* Counts each thread of the team by itself from now on. Call on the team's
 * member 0; start, stop and the rest as well, and never inside a job. Unbind
 * before the team is closed. */
void tern_counters_bind(tern_counters *c, tern_team *team);
void tern_counters_unbind(tern_counters *c);

/* Groups of hardware events, at least 1. Cycles, instructions and software
 * events are in each, so that a pass's ratios come from one call. Choosing one
 * takes effect at once; do it between calls. */
int tern_counters_passes(const tern_counters *c);
void tern_counters_pass(tern_counters *c, int index);

/* values[TERN_COUNTERS]: counts between start and stop, summed over the
 * threads; -1: does not count, is in another pass, or was lost by a thread. */
void tern_counters_start(tern_counters *c);
void tern_counters_stop(tern_counters *c, int64_t *values);

/* Least share of the last call's time that a multiplexed event ran on a thread;
 * 1: all of it, so nothing was scaled; NAN: not multiplexed. */
double tern_counters_share(const tern_counters *c);

/* The same call, one thread of the bound team; 0 threads when none is bound. */
int tern_counters_threads(const tern_counters *c);
void tern_counters_thread(const tern_counters *c, int member, int64_t *values);

/* On a member's own thread: what it has counted so far; -1 of events in turns,
 * which a moment does not tell. */
void tern_counters_now(const tern_counters *c, int member, int64_t *values);

/* Seconds that a start and stop take together, as bound now: the median of
 * many pairs. None of it is inside a window that is timed between the two. */
double tern_counters_cost(tern_counters *c);

#endif
