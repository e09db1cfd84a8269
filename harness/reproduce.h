/* The main job: probe, plan, make the models, measure, write the folder,
 * report. */
#ifndef TERN_HARNESS_REPRODUCE_H
#define TERN_HARNESS_REPRODUCE_H

#include "harness/job.h"

/* Fills defaults in `job` (teams). Returns an exit code. */
int tern_reproduce(tern_job *job, tern_error *e);

/* Summary, report and claims of a folder; prints the headline, or with json /
 * csv the machine-readable form alone. */
int tern_report_folder(const char *dir, bool json, bool csv, tern_error *e);

#endif
