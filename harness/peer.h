/* Outside engines under the same harness: any program that prints its speed.
 * Its command is run under the same CPUs, its counters are those of the whole
 * process tree, and its speed is what it says of itself, held against the wall
 * clock. */
#ifndef TERN_HARNESS_PEER_H
#define TERN_HARNESS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "harness/workload.h"

enum { TERN_MOST_PEERS = 12, TERN_PEER_NAME = 48, TERN_PEER_COMMAND = 4096 };

typedef struct tern_peer_spec {
  char name[TERN_PEER_NAME];       /* "llama.cpp:f16" of --peer 'llama.cpp:f16=command' */
  char command[TERN_PEER_COMMAND]; /* with {model} {threads} {prompt} {gen} {depth} {batch} {cpus} */
} tern_peer_spec;

typedef struct tern_peer_facts {
  char program[256]; /* the command's first word, without its folder */
  char sha256[65];   /* of that file; "" when it can't be read */
  char version[160]; /* what its output or `--version` says; "" when it says nothing */
  char reader[32];   /* "llama-bench JSON", "timings" (bitnet.cpp, llama-cli) */
} tern_peer_facts;

typedef struct tern_peer_result {
  double seconds;                                                 /* of the asked tokens, by its own account */
  double wall_s;                                                  /* of the process */
  int64_t task_clock_ns, page_faults, context_switches, peak_rss; /* of the process tree; -1: not told */
} tern_peer_result;

/* "NAME=COMMAND"; TERN_USAGE with the reason. */
int tern_peer_parse(tern_peer_spec *out, const char *text, tern_error *e);
/* Whether the command can be asked for this workload (a depth needs {depth}, ...); why not otherwise. */
bool tern_peer_can(const tern_peer_spec *spec, const tern_workload *load, char *why, size_t size);
/* Finds the program, its hash and version; runs nothing that measures. */
int tern_peer_probe(const tern_peer_spec *spec, tern_peer_facts *out, tern_error *e);
/* One run, bound to cpus[threads] (NULL: not bound); ended as a tree on an
 * interrupt or after limit_s. */
int tern_peer_run(const tern_peer_spec *spec, const char *model, const tern_workload *load, int threads,
                  const int *cpus, double limit_s, tern_peer_result *out, tern_error *e);

#endif
