/* A peer's process tree: started bound to CPUs, bounded in time and output,
 * ended whole. */
#ifndef TERN_HARNESS_PEER_PROCESS_H
#define TERN_HARNESS_PEER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "harness/counters.h"

enum { TERN_PEER_OUTPUT = 16 << 20, TERN_PEER_ERRORS = 64 << 10 };

typedef struct tern_peer_process {
  char *out, *err; /* what it wrote; of standard error the last TERN_PEER_ERRORS bytes */
  double wall_s;
  int64_t peak_rss; /* of its largest process; -1: below what a fork brings along */
  int64_t counters[TERN_COUNTERS];
} tern_peer_process;

/* Runs `command` by /bin/sh on cpus[count] (NULL: not bound). Fails with what
 * `name` did: a start that failed, an exit code, a signal, the limit (0:
 * none), too much output, an interrupt. tern_peer_process_free in any case. */
int tern_peer_process_run(tern_peer_process *out, const char *name, const char *command, const int *cpus, int count,
                          double limit_s, tern_error *e);
void tern_peer_process_free(tern_peer_process *p);

#endif
