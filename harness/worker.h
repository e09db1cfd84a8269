/* One engine in its own process: peak resident memory is the engine's own, and
 * an engine that crashes is one error line while the others go on. Timing and
 * counters happen inside the child, around the one call. */
#ifndef TERN_HARNESS_WORKER_H
#define TERN_HARNESS_WORKER_H

#include <stdint.h>
#include <sys/types.h>

#include "baselines/runner.h"
#include "harness/counters.h"
#include "harness/prompt.h"
#include "harness/teams.h"
#include "harness/workload.h"

typedef struct tern_worker_spec {
  const char *name;            /* for errors */
  tern_runner_spec runner;     /* threads, cpus: of the team that loads */
  const tern_prompt *prompts;  /* by a workload's prompt; the same for all engines; the caller's until the end */
  const char *model, *profile; /* name and file of profiles; NULL where none is taken */
  double slowdown;             /* injected: busy for this share of each call's time, within it */
} tern_worker_spec;

typedef struct tern_worker_facts {
  tern_runner_facts runner;
  tern_counter_fact counters[TERN_COUNTERS];
  char counters_domain[32];
  int passes;           /* groups of hardware counters, read in turn */
  double counters_cost; /* s of starting and stopping them, outside of the timed call */
} tern_worker_facts;

typedef struct tern_worker_result {
  double seconds;
  double ttft_s;                          /* prefill: from the call to the first choice of a token; else NAN */
  double token_p50, token_p90, token_p99; /* s of a decoded token, nearest rank; NAN in prefill */
  int64_t counters[TERN_COUNTERS];
  int64_t peak_rss; /* bytes; -1: not told */
} tern_worker_result;

typedef struct tern_worker tern_worker;

/* Starts the process; the engine is not loaded yet. */
int tern_worker_start(tern_worker **out, const tern_worker_spec *spec, tern_error *e);
int tern_worker_open(tern_worker *w, tern_worker_facts *facts, tern_error *e);
/* Brings team and KV cache to where the workload starts, and chooses the
 * counters' pass; not timed. */
int tern_worker_prepare(tern_worker *w, const tern_workload *load, const tern_team_spec *team, int pass, tern_error *e);
/* The timed call. */
int tern_worker_run(tern_worker *w, const tern_workload *load, tern_worker_result *out, tern_error *e);
/* Prepares and makes the call again for the spec's profile: once for the times
 * alone, once a pass with the counters. None of these is a sample. */
int tern_worker_profile(tern_worker *w, const tern_workload *load, const tern_team_spec *team, tern_error *e);
pid_t tern_worker_pid(const tern_worker *w); /* -1 once it has ended */
void tern_worker_end(tern_worker *w);        /* NULL allowed */

#endif
