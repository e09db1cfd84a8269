#include "harness/eval/records.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/mtbench.h"
#include "harness/eval/results.h"

struct tern_records {
  char *folder, *model;
  json_t *results;
};

int tern_records_open(tern_records **out, const char *folder, const json_t *run, tern_error *e) {
  tern_records *r = *out = calloc(1, sizeof *r);
  const char *model = json_string_value(json_object_get(run, "model"));
  if (r == NULL || (r->folder = strdup(folder)) == NULL ||
      (r->model = strdup(model != NULL ? model : "model")) == NULL) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  } else if ((r->results = tern_results_begin(run, e)) != NULL) {
    return 0;
  }
  tern_records_close(r);
  *out = NULL;
  return (int)e->status;
}

int tern_records_add(tern_records *r, const tern_documents *d, const tern_journal *j, const bool *wanted,
                     struct tern_sandbox *sandbox, tern_error *e) {
  tern_sample_call call = {.documents = d, .journal = j, .wanted = wanted, .sandbox = sandbox, .folder = r->folder};
  json_t *graders = json_object();
  if (graders == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", r->folder);
  int status = tern_samples_write(&call, graders, e);
  if (status == 0 && d->task->turns.given) status = tern_mtbench_write(r->folder, d->name, r->model, e);
  if (status == 0) status = tern_results_add(r->results, d, graders, e);
  json_decref(graders);
  return status;
}

int tern_records_finish(tern_records *r, json_t **results, tern_error *e) {
  int status = tern_results_sum(r->results, r->folder, e);
  if (status == 0) status = tern_results_write(r->results, r->folder, e);
  if (status == 0 && results != NULL) *results = json_incref(r->results);
  return status;
}

void tern_records_close(tern_records *r) {
  if (r == NULL) return;
  json_decref(r->results);
  free(r->folder);
  free(r->model);
  free(r);
}
