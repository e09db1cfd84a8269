/* Events of a process that is yet to start its children, all of them included. */
#ifndef TERN_HARNESS_PEER_COUNTERS_H
#define TERN_HARNESS_PEER_COUNTERS_H

#include <stdint.h>
#include <sys/types.h>

#include "harness/counters.h"

typedef struct tern_peer_counters {
  int fds[TERN_COUNTERS]; /* -1: does not count */
} tern_peer_counters;

void tern_peer_counters_attach(tern_peer_counters *c, pid_t pid);
/* values[TERN_COUNTERS], once the process has ended: -1: did not count all the
 * time. Closes. */
void tern_peer_counters_take(tern_peer_counters *c, int64_t *values);

#endif
