/* profile.csv: a profiled call, operator by operator, one row a member and one
 * for the team, with the counters that count. docs/results.md tells what the
 * columns mean. */
#ifndef TERN_HARNESS_PROFILE_H
#define TERN_HARNESS_PROFILE_H

#include "engine/model/profile.h"
#include "harness/counters.h"

/* Columns that tell which call it was. */
typedef struct tern_profile_label {
  const char *engine, *model, *placement, *workload, *phase;
  int pass; /* of the counters; -1: times alone */
} tern_profile_label;

/* Attributes the bound counters beside the time; NULL: the time alone. Each
 * mark then costs a reading of all counters, which is told as "meter" and is
 * in no operator. The counters must stay open, and bound to the team that runs,
 * as long as the profile is used. */
void tern_profile_count(tern_profile *p, tern_counters *c);

/* Appends the profile's rows; a new file gets its header first. All rows are
 * one write: a killed run leaves whole profiles. */
int tern_profile_write(const char *path, const tern_profile_label *label, const tern_profile *p, tern_error *e);

/* Seconds a mark takes, without counters: the median of many. */
double tern_profile_cost(void);

#endif
