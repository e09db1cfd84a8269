/* The one runner behind `reproduce` and `bench`: probe, plan, make the models,
 * measure, write the folder. */
#ifndef TERN_HARNESS_RUN_H
#define TERN_HARNESS_RUN_H

#include "harness/job.h"

enum { TERN_RUN_PATH = 4096 };

/* `dir` [TERN_RUN_PATH]: the result folder. With --dry-run the plan is printed
 * and dir is "". The samples' figures are not summed up yet. */
int tern_run(tern_job *job, char *dir, tern_error *e);

#endif
