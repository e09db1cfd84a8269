/* What a run would take, before anything is loaded: memory a contender, which
 * of them fit together, and how long a block lasts. */
#ifndef TERN_HARNESS_PLAN_H
#define TERN_HARNESS_PLAN_H

#include "harness/job.h"
#include "harness/machine.h"
#include "harness/source.h"
#include "harness/teams.h"

typedef struct tern_run_plan_side {
  const tern_contender *contender;
  const char *layout; /* of the body; NULL: an outside program's own */
  size_t memory;      /* bytes, loaded and with its session */
  size_t token_bytes; /* read a decoded token */
  double weights;     /* of the body */
  const char *kernel; /* that the time was estimated with, and what one core does with it */
  double gops;        /* 0: not measured yet */
  bool fits;
  char why[256]; /* when it does not, or can't be opened */
} tern_run_plan_side;

typedef struct tern_run_plan {
  tern_run_plan_side sides[TERN_MOST_CONTENDERS];
  int count;
  size_t available; /* memory for engines */
} tern_run_plan;

/* How the job opens one of its engines on this model. */
tern_runner_spec tern_run_plan_spec(const tern_job *job, const tern_source *s, const tern_contender *c,
                                    const tern_workload_list *loads, const tern_team_spec *team);

/* Engines are all resident together: taken in the order asked for while they
 * fit. Fails when the model itself can't be used. */
int tern_run_plan_make(tern_run_plan *p, const tern_job *job, const tern_source *s, const tern_machine *m,
                       const tern_workload_list *loads, const tern_team_spec *greatest, tern_error *e);

/* Estimated seconds of one block's calls with a team of `threads`; gbs: read
 * bandwidth. */
double tern_run_plan_seconds(const tern_run_plan *p, const tern_workload_list *loads, double gbs, int threads);

/* One model's part of the plan, its time by short measurements (gops). */
int tern_run_plan_print(FILE *to, tern_run_plan *p, const tern_job *job, const tern_machine *m, const tern_source *s,
                        const tern_workload_list *loads, const tern_teams *teams, tern_error *e);

#endif
