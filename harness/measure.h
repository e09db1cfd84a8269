/* The measuring loop: contenders in processes of their own, all workloads in
 * blocks, turns in random order, one sample written as it ends. */
#ifndef TERN_HARNESS_MEASURE_H
#define TERN_HARNESS_MEASURE_H

#include "harness/energy_call.h"
#include "harness/plan.h"
#include "harness/prompt.h"
#include "harness/record.h"
#include "harness/sample.h"

typedef struct tern_measure {
  const tern_job *job;
  const tern_machine *machine;
  const tern_teams *teams;
  tern_record *record;
  tern_samples *samples;
  tern_energy_run *energy;
  const char *dir; /* where the manifest is rewritten as engines open */
  double began;    /* tern_now() at the start of the run */
  double deadline; /* no block starts that would end later; 0: none */
  int64_t next;    /* number of the next sample */
  bool counters_recorded;
  const tern_sample *earlier; /* rows of the interrupted run that this one goes on with */
  size_t earlier_count;
} tern_measure;

/* All blocks of one model. Contenders that don't fit, don't open or die are
 * skipped with their reason in the record, teams whose CPUs are taken away as
 * well; fails when none is left, when a sample can't be written, or on an
 * interrupt. */
int tern_measure_model(tern_measure *m, const tern_source *source, const tern_prompts *prompts,
                       const tern_workload_list *loads, const tern_run_plan *plan, tern_error *e);

#endif
