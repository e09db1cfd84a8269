/* Going on with an interrupted run. plan.json lies in its folder until the run
 * has finished: the words of its command line and the folder they were typed
 * in, so that relative names mean the same again. */
#ifndef TERN_HARNESS_RESUME_H
#define TERN_HARNESS_RESUME_H

#include "harness/job.h"
#include "harness/sample.h"

/* Writes DIR/plan.json. */
int tern_resume_write(const tern_job *job, const char *dir, tern_error *e);
void tern_resume_remove(const char *dir);
/* Reads it and changes into the folder where the run was started. *folder (the
 * run's, absolute) and the words are the caller's to free. Fails when it is
 * another command's, or the run has finished. */
int tern_resume_load(const char *dir, const char *command, char **folder, int *count, char ***words, tern_error *e);

#endif
