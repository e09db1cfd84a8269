/* What a run would take, before anything is loaded: memory an engine, which of
 * them fit together, and how long a block lasts. */
#ifndef TERN_HARNESS_PLAN_H
#define TERN_HARNESS_PLAN_H

#include "harness/job.h"
#include "harness/machine.h"
#include "harness/source.h"

typedef struct tern_run_plan_engine {
  const char *name, *layout;
  size_t memory;      /* bytes, loaded and with its session */
  size_t token_bytes; /* read a decoded token */
  double weights;     /* of the body */
  bool fits;
  char why[256]; /* when it does not, or can't be opened */
} tern_run_plan_engine;

typedef struct tern_run_plan {
  tern_run_plan_engine engines[TERN_MOST_ENGINES];
  int count;
  size_t available; /* memory for engines */
} tern_run_plan;

/* How the job opens an engine on this model. */
tern_runner_spec tern_run_plan_spec(const tern_job *job, const tern_source *s, const char *engine,
                                    const tern_machine *m, int threads);

/* Engines are all resident together: taken in the order asked for while they
 * fit. Fails when the model itself can't be used. */
int tern_run_plan_make(tern_run_plan *p, const tern_job *job, const tern_source *s, const tern_machine *m, int threads,
                       tern_error *e);

/* Measured ceilings of this machine that the estimate stands on. */
typedef struct tern_rates {
  double gbs;                     /* read bandwidth of the team */
  double gops[TERN_MOST_ENGINES]; /* of one core with the engine's kernels */
} tern_rates;

/* Estimated seconds of one block's calls with a team of `threads`. */
double tern_run_plan_seconds(const tern_run_plan *p, const tern_preset *preset, const tern_rates *rates, int threads);

#endif
