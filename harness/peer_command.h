/* A peer's command template: filled in, and looked through for its program. */
#ifndef TERN_HARNESS_PEER_COMMAND_H
#define TERN_HARNESS_PEER_COMMAND_H

#include "harness/peer.h"

enum { TERN_PEER_PATH = 4096 };

typedef struct tern_peer_values {
  const char *model;
  int threads, prompt, gen, depth, batch;
  const int *cpus; /* [threads]; NULL: those that this process may use */
} tern_peer_values;

/* What a workload asks of a peer; its context told as depth unless short. */
tern_peer_values tern_peer_ask(const tern_workload *load);

/* The command for /bin/sh -c (free()); values are quoted for it. */
int tern_peer_expand(const tern_peer_spec *spec, const tern_peer_values *values, char **out, tern_error *e);

/* A word for /bin/sh that stands for exactly that text (free()); NULL: out of memory. */
char *tern_peer_quote(const char *text);

typedef struct tern_peer_program {
  char path[TERN_PEER_PATH];
  /* Where its word begins in the command: what stands before is needed to
   * start it (environment, taskset); -1: inside of sh -c '...'. */
  long place;
} tern_peer_program;

/* The first word of the command that is a program of its own: not an
 * assignment, a shell builtin, or a wrapper such as env, taskset, numactl, sh. */
int tern_peer_find_program(const tern_peer_spec *spec, tern_peer_program *out, tern_error *e);

#endif
