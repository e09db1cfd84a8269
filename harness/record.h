/* manifest.json in the making. Keys are those that reports/manifest.h reads. */
#ifndef TERN_HARNESS_RECORD_H
#define TERN_HARNESS_RECORD_H

#include <jansson.h>

#include "harness/entrant.h"
#include "harness/job.h"
#include "harness/machine.h"
#include "harness/prompt.h"
#include "harness/source.h"

typedef struct tern_record tern_record;

/* teams as planned; job gives the rest. NULL: out of memory. */
tern_record *tern_record_open(const tern_job *job, const tern_machine *m, const tern_teams *teams);
/* The same for a resumed run, with what DIR/manifest.json holds of it. */
tern_record *tern_record_reopen(const tern_job *job, const tern_machine *m, const tern_teams *teams, const char *dir,
                                int64_t samples);
void tern_record_close(tern_record *r); /* NULL allowed */

void tern_record_model(tern_record *r, const tern_source *s, const tern_prompts *prompts,
                       const tern_workload_list *loads);
void tern_record_meter(tern_record *r, const char *what, const char *source, const char *why);
void tern_record_entrant(tern_record *r, const char *model, const tern_entrant *n);
/* What an outside engine said of itself when it ran. */
void tern_record_outside(tern_record *r, const char *model, const tern_entrant *n);
/* Ceilings measured in this run: all of them (takes the reference), and what
 * one core does with a kernel. */
void tern_record_limits(tern_record *r, json_t *limits);
void tern_record_gops(tern_record *r, const char *kernel, double gops);
/* `what`: a workload or a team, "" for all. */
void tern_record_skipped(tern_record *r, const char *model, const char *engine, const char *what, const char *reason);
void tern_record_warn(tern_record *r, const char *text);
/* A list's item: "idle", "checks", ... Takes the reference. */
void tern_record_add(tern_record *r, const char *list, json_t *item);
void tern_record_set(tern_record *r, const char *key, json_t *value);
/* How a model's blocks ended ("model" in it). Takes the reference. */
void tern_record_stopped(tern_record *r, json_t *entry);
bool tern_record_has_stopped(const tern_record *r, const char *model);
void tern_record_finish(tern_record *r);

int tern_record_write(const tern_record *r, const char *dir, tern_error *e);

#endif
