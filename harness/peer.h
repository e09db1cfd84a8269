/* Outside engines under the same harness: any program that prints its speed.
 * Its command is run under the same CPUs, its counters are those of the whole
 * process tree, and its speed is what it says of itself, held against the wall
 * clock (docs/peers.md). */
#ifndef TERN_HARNESS_PEER_H
#define TERN_HARNESS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "harness/counters.h"
#include "harness/workload.h"

enum {
  TERN_MOST_PEERS = 12,
  TERN_PEER_NAME = 48,
  TERN_PEER_COMMAND = 4096,
  TERN_PEER_READER = 32,
  TERN_PEER_VERSION = 160
};

typedef struct tern_peer_spec {
  char name[TERN_PEER_NAME];       /* "llama.cpp:f16" of --peer 'llama.cpp:f16=command' */
  char command[TERN_PEER_COMMAND]; /* with {model} {stem} {threads} {prompt} {gen} {depth} {batch} {cpus} */
} tern_peer_spec;

typedef struct tern_peer_facts {
  char program[256];               /* the command's program, without its folder */
  char sha256[65];                 /* of that file; "" when it can't be read */
  char libraries[65];              /* of its own shared libraries' hashes, in the loader's order; "" when it has none */
  char version[TERN_PEER_VERSION]; /* what `--version` says; "" when nothing: take a result's */
} tern_peer_facts;

typedef struct tern_peer_result {
  double seconds;                                                 /* of the asked tokens, by its own account */
  double wall_s;                                                  /* of the process */
  int64_t task_clock_ns, page_faults, context_switches, peak_rss; /* of the process tree; -1: not told */
  int64_t counters[TERN_COUNTERS]; /* of the process tree, loading included; -1: does not count */
  int repeats;                     /* that `seconds` is the mean of */
  char reader[TERN_PEER_READER];   /* "JSON", "CSV", "table", "timings" (llama-cli) */
  char version[TERN_PEER_VERSION]; /* what its output says; "" when it says nothing */
} tern_peer_result;

/* "NAME=COMMAND"; TERN_USAGE with the reason. */
int tern_peer_parse(tern_peer_spec *out, const char *text, tern_error *e);
/* Whether the command can be asked for this workload; a context up to
 * TERN_SHORT_CONTEXT counts as none (a depth needs {depth}, ...); why not otherwise. */
bool tern_peer_can(const tern_peer_spec *spec, const tern_workload *load, char *why, size_t size);
/* Finds the program, its hash and version; runs nothing that measures. */
int tern_peer_probe(const tern_peer_spec *spec, tern_peer_facts *out, tern_error *e);
/* One run, bound to cpus[threads] (NULL: not bound); ended as a tree on an
 * interrupt, after limit_s, or when the calling thread ends. */
int tern_peer_run(const tern_peer_spec *spec, const char *model, const tern_workload *load, int threads,
                  const int *cpus, double limit_s, tern_peer_result *out, tern_error *e);
/* Whether loading cancels in the difference of a run of n tokens and one of
 * 2n, so that their joules may be subtracted: the longer one must take as much
 * longer as its own account says. The reason otherwise. */
bool tern_peer_pair(const tern_peer_result *once, const tern_peer_result *twice, char *why, size_t size);

#endif
