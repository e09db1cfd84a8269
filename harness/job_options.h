/* Options that `reproduce` and `bench` share. */
#ifndef TERN_HARNESS_JOB_OPTIONS_H
#define TERN_HARNESS_JOB_OPTIONS_H

#include <argp.h>

#include "harness/job.h"

/* A child parser; its input is a tern_job. */
extern const struct argp tern_job_argp;

/* Parses argv into *job with `own` on top of the shared options. `job` comes
 * with its defaults; argv is cut and kept, job->argv holds the words as typed
 * (tern_job_free). With --resume the words of the interrupted run are parsed
 * instead, in its folder. */
int tern_job_parse(tern_job *job, const struct argp *own, int argc, char **argv, tern_error *e);
/* Fills what was not asked for (models, engines) and makes the contenders. */
int tern_job_complete(tern_job *job, tern_error *e);
void tern_job_free(tern_job *job);

#endif
