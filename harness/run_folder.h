/* The folder of a run while it is measured: samples, manifest, plan.json,
 * meters. */
#ifndef TERN_HARNESS_RUN_FOLDER_H
#define TERN_HARNESS_RUN_FOLDER_H

#include "harness/measure.h"
#include "harness/run.h"

/* A new folder, or the interrupted one's with its rows in m->earlier. */
int tern_run_folder_open(tern_measure *m, const tern_job *job, char *dir, tern_error *e);
/* Closes everything; a finished run loses its plan.json, one that ended before
 * its first sample leaves nothing behind. Adds to *e what a user can do next. */
int tern_run_folder_close(tern_measure *m, const tern_job *job, const char *dir, tern_error *e);

#endif
