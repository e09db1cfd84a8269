/* Inside of the counters, shared by harness/counters*.c and their tests: where
 * each value may come from, and the event sets of a bound team. */
#ifndef TERN_HARNESS_COUNTERS_PARTS_H
#define TERN_HARNESS_COUNTERS_PARTS_H

#include "harness/counters.h"
#include "harness/counters_multiplex.h"
#include "harness/counters_uncore.h"

enum { TERN_COUNTER_CANDIDATES = 5 };

typedef struct tern_counter_source {
  const char *name;
  bool software;
  bool anchor; /* in every pass */
  bool uncore; /* of memory controllers */
  /* The kernel's accounting of the calling thread or the whole process; taken
   * where it moves, as it needs no permission and no counter. NULL: none. */
  int64_t (*account)(bool thread);
  int64_t (*proof)(bool thread); /* moves whenever account is kept at all; NULL: account */
  const char *account_name;
  const char *events[TERN_COUNTER_CANDIDATES]; /* of PAPI; the first that counts is taken */
  tern_generic_event generic;                  /* when multiplexed */
} tern_counter_source;

extern const tern_counter_source tern_counter_sources[TERN_COUNTERS];

/* One group of events. */
typedef struct tern_counter_pass {
  int place[TERN_COUNTERS]; /* in the event set; -1: not in this pass */
  int events;               /* in the set */
  int extra;                /* of them, hardware events that are no anchors */
} tern_counter_pass;

/* A thread of the bound team; touched by that thread, and by member 0 between jobs. */
typedef struct tern_counter_member {
  _Alignas(64) int set; /* PAPI_NULL: nothing counts */
  int64_t before[TERN_COUNTERS], counted[TERN_COUNTERS];
  int turns[TERN_COUNTERS]; /* multiplexed: file descriptors, -1: none */
  tern_turn turn_before[TERN_COUNTERS];
  double share; /* least that an event of the last call ran */
} tern_counter_member;

struct tern_counters {
  const tern_counter_source *sources;
  bool multiplexed;
  int most;      /* hardware events of a pass beside the anchors; 0: as many as the CPU takes */
  int component; /* PAPI's perf_event; negative: PAPI does not start here */
  int domain;    /* PAPI_DOM_* */
  tern_counter_fact facts[TERN_COUNTERS];
  bool accounted[TERN_COUNTERS]; /* by the kernel */
  bool in_turns[TERN_COUNTERS];  /* multiplexed */
  tern_counter_pass passes[TERN_COUNTERS];
  int pass_count, pass;
  tern_uncore *uncore; /* NULL: not readable */
  tern_team *team;     /* NULL: not bound */
  tern_counter_member *members;
  int size;
  int64_t before[TERN_COUNTERS]; /* of process and machine */
};

/* tern_counters_open with other sources and a limit of the group's size: where
 * no hardware event exists, tests put software events in the place of them. */
tern_counters *tern_counters_open_from(const tern_counter_source *sources, int most, bool multiplexed);

/* Fills facts and passes. Runs on a thread of its own. */
void tern_counters_probe(tern_counters *c);

/* An event set of the calling thread with the pass's events, started;
 * PAPI_NULL where that fails, then `bad` is PAPI's status. */
int tern_counters_make_set(const tern_counters *c, const tern_counter_pass *pass, int *bad);
void tern_counters_drop_set(int *set);

#endif
