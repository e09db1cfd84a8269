/* Event counters over a call, summed over every thread that this process
 * starts after they were opened. Which events really count is found by
 * adding, starting and reading each; an absent one carries its reason and
 * never stops a run. */
#ifndef TERN_HARNESS_COUNTERS_H
#define TERN_HARNESS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum tern_counter {
  TERN_CYCLES,
  TERN_INSTRUCTIONS,
  TERN_CACHE_MISSES,
  TERN_BRANCH_MISSES,
  TERN_TASK_CLOCK, /* ns of CPU time */
  TERN_PAGE_FAULTS,
  TERN_CONTEXT_SWITCHES,
  TERN_MIGRATIONS,
  TERN_COUNTERS
} tern_counter;

typedef struct tern_counter_fact {
  bool counts;
  char event[48]; /* PAPI's name for it */
  char why[128];  /* when it does not count */
} tern_counter_fact;

typedef struct tern_counters tern_counters;

/* Column name: "cycles", "task_clock_ns", ... */
const char *tern_counter_name(tern_counter c);

/* Always gives an object, even one in which nothing counts (NULL only out of
 * memory). Open before starting threads; read on the thread that opened. */
tern_counters *tern_counters_open(void);
void tern_counters_close(tern_counters *c); /* NULL allowed */
const tern_counter_fact *tern_counters_fact(const tern_counters *c, tern_counter which);
/* "user and kernel" or "user". */
const char *tern_counters_domain(const tern_counters *c);

/* values[TERN_COUNTERS]: counts between start and stop; -1: does not count. */
void tern_counters_start(tern_counters *c);
void tern_counters_stop(tern_counters *c, int64_t *values);

#endif
