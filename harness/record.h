/* manifest.json in the making. Keys are those that reports/manifest.h reads. */
#ifndef TERN_HARNESS_RECORD_H
#define TERN_HARNESS_RECORD_H

#include "harness/energy.h"
#include "harness/job.h"
#include "harness/machine.h"
#include "harness/prompt.h"
#include "harness/worker.h"

typedef struct tern_record tern_record;

/* blocks and teams as planned; job gives the rest. NULL: out of memory. */
tern_record *tern_record_open(const tern_job *job, const tern_machine *m, int blocks, const int *teams, int team_count);
void tern_record_close(tern_record *r); /* NULL allowed */

void tern_record_model(tern_record *r, const char *name, const char *shape, bool synthetic, size_t file_bytes,
                       const tern_prompt *prompt);
void tern_record_meter(tern_record *r, const char *what, const char *source, const char *why);
void tern_record_engine(tern_record *r, const char *model, const char *engine, const tern_worker_facts *f,
                        tern_kv_type kv);
void tern_record_skipped(tern_record *r, const char *model, const char *engine, const char *reason);
void tern_record_warn(tern_record *r, const char *text);
void tern_record_set_real(tern_record *r, const char *key, double value);
void tern_record_finish(tern_record *r);

int tern_record_write(const tern_record *r, const char *dir, tern_error *e);

#endif
