/* The measuring loop: engines in processes of their own, all workloads in
 * blocks, the engines' turns in random order, one sample written as it ends. */
#ifndef TERN_HARNESS_MEASURE_H
#define TERN_HARNESS_MEASURE_H

#include "harness/energy.h"
#include "harness/plan.h"
#include "harness/prompt.h"
#include "harness/record.h"
#include "harness/sample.h"

typedef struct tern_measure {
  const tern_job *job;
  const tern_machine *machine;
  tern_record *record;
  tern_samples *samples;
  tern_meter *meter;
  const char *dir; /* where the manifest is rewritten as engines open */
  int teams[TERN_MOST_TEAMS], team_count;
  int blocks;
  double began;    /* tern_now() at the start of the run */
  double deadline; /* no block starts that would end later; 0: none */
  int64_t next;    /* number of the next sample */
  bool counters_recorded;
} tern_measure;

/* All blocks of one model. Engines that don't fit, don't open or die are
 * skipped with their reason in the record; fails when none is left, when a
 * sample can't be written, or on an interrupt. */
int tern_measure_model(tern_measure *m, const tern_source *source, const tern_prompt *prompt, const tern_run_plan *plan,
                       tern_error *e);

#endif
