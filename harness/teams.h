/* The teams of a run: so many threads on these CPUs, by a placement policy. */
#ifndef TERN_HARNESS_TEAMS_H
#define TERN_HARNESS_TEAMS_H

#include <stdbool.h>

#include "harness/job.h"
#include "harness/machine.h"
#include "harness/placement.h"

typedef struct tern_team_spec {
  int threads;
  char placement[TERN_PLACEMENT_NAME];
  bool bound;               /* to cpus; else the kernel places the threads */
  int cpus[TERN_MOST_CPUS]; /* [threads] */
} tern_team_spec;

typedef struct tern_teams {
  tern_team_spec items[TERN_JOB_TEAMS]; /* by threads, rising */
  int count;
  struct {
    char team[64], why[256]; /* "8 threads, cores" */
  } refused[TERN_JOB_TEAMS];
  int refused_count;
} tern_teams;

/* Teams that the job asks for (none: one thread and all cores). What can't be
 * placed is in `refused`; fails when nothing is left. */
int tern_teams_choose(tern_teams *out, const tern_job *job, const tern_machine *m, tern_error *e);

/* Looked at again during a run: whether the team's CPUs still belong to this
 * process and the control group's quota still holds its threads; why not
 * otherwise. `quota`: CPUs, 0: none. */
bool tern_team_allowed(const tern_team_spec *t, double quota, char *why, size_t size);

#endif
