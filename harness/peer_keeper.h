/* A keeper: a process between this one and a peer's. It collects every
 * descendant of the peer, and ends them all when told to or when this process
 * is gone, however it ended. */
#ifndef TERN_HARNESS_PEER_KEEPER_H
#define TERN_HARNESS_PEER_KEEPER_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum tern_keeper_kind {
  TERN_KEEPER_ENDED,   /* the figures hold */
  TERN_KEEPER_UNBOUND, /* the CPUs were refused, with `code` */
  TERN_KEEPER_UNABLE   /* nothing was started, with `code` */
} tern_keeper_kind;

typedef struct tern_keeper_report {
  int kind, code; /* code: errno, or a wait status */
  double wall_s;
  int64_t task_clock_ns, page_faults, context_switches, peak_rss;
} tern_keeper_report;

typedef struct tern_keeper_order {
  const char *command;
  const cpu_set_t *cpus; /* NULL: not bound */
  size_t cpus_size;
  int in, out, err, report; /* descriptors, moved to 0..3 */
  pid_t parent;
} tern_keeper_order;

/* Runs in the forked keeper, all signals blocked. Waits for SIGUSR1, so that
 * counters can be attached; SIGTERM then ends the peer: politely, and after
 * two seconds not. Only async-signal-safe calls: the parent has threads. */
_Noreturn void tern_keeper_live(const tern_keeper_order *order);

#endif
