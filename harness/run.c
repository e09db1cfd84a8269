/* The steps of a run, in order. */
#include "harness/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/progress.h"
#include "harness/limits.h"
#include "harness/run_folder.h"

/* The report, and what a block's estimate is off by. */
static const double REPORT_S = 15;

/* Everything that a run holds. */
typedef struct run {
  tern_job *job;
  tern_machine machine;
  tern_teams teams;
  tern_source sources[TERN_MOST_MODELS];
  tern_run_plan plans[TERN_MOST_MODELS];
  tern_workload_list loads[TERN_MOST_MODELS];
  int runnable;
  tern_error last; /* why the last model that can't run can't */
  tern_measure measure;
} run;

static const tern_team_spec *greatest(const run *r) {
  return &r->teams.items[r->teams.count - 1];
}

/* The ids and workloads of a model that is there; for one still to be made,
 * its workloads at most. */
static int load_prompts(run *r, int i, tern_prompts *out, tern_error *e) {
  tern_gguf *g;
  *out = (tern_prompts){0};
  if (!r->sources[i].present) return tern_prompts_foresee(&r->loads[i], r->job, e);
  if (tern_gguf_open(&g, r->sources[i].path, e)) return (int)e->status;
  int bad = tern_prompts_make(out, &r->loads[i], r->job, g, e);
  tern_gguf_close(g);
  return bad;
}

static int plan_model(run *r, int i, tern_error *e) {
  tern_prompts prompts;
  if (load_prompts(r, i, &prompts, e)) return (int)e->status;
  tern_prompts_free(&prompts);
  return tern_run_plan_make(&r->plans[i], r->job, &r->sources[i], &r->machine, &r->loads[i], greatest(r), e);
}

/* Finds every model and plans it; a shape that is not known or a file that is
 * not there ends the run, one that does not fit only itself. */
static int plan_models(run *r, tern_error *e) {
  for (int i = 0; i < r->job->model_count; i++) {
    tern_error own = {0};
    if (tern_source_find(&r->sources[i], r->job, i, e)) return (int)e->status;
    int bad = plan_model(r, i, &own);
    if (bad == TERN_USAGE) {
      *e = own;
      return bad;
    }
    if (bad) r->last = own;
    r->runnable += bad == 0;
  }
  if (r->runnable > 0) return 0;
  *e = r->last;
  return (int)e->status;
}

static int dry_run(run *r, tern_error *e) {
  for (int i = 0; i < r->job->model_count; i++)
    if (tern_run_plan_print(stdout, &r->plans[i], r->job, &r->machine, &r->sources[i], &r->loads[i], &r->teams, e))
      return (int)e->status;
  return fflush(stdout) == 0 ? 0 : tern_fail_errno(e, "standard output");
}

static int run_model(run *r, int i, tern_error *e) {
  tern_source *s = &r->sources[i];
  tern_measure *m = &r->measure;
  tern_prompts prompts = {0};
  if (tern_source_make(s, r->job, tern_machine_cores(&r->machine), e) || load_prompts(r, i, &prompts, e)) goto out;
  tern_record_model(m->record, s, &prompts, &r->loads[i]);
  if (tern_record_has_stopped(m->record, s->name)) goto out; /* before the interruption */
  if (tern_run_plan_make(&r->plans[i], r->job, s, &r->machine, &r->loads[i], greatest(r), e)) goto out;
  if (tern_run_plan_print(stderr, &r->plans[i], r->job, &r->machine, s, &r->loads[i], &r->teams, e)) goto out;
  for (int k = 0; k < r->plans[i].count; k++)
    if (r->plans[i].sides[k].kernel)
      tern_record_gops(m->record, r->plans[i].sides[k].kernel, r->plans[i].sides[k].gops);
  tern_measure_model(m, s, &prompts, &r->loads[i], &r->plans[i], e);
out:
  tern_prompts_free(&prompts);
  return (int)e->status;
}

/* They move, so a report that names them measures them. */
static int measure_limits(run *r, tern_error *e) {
  tern_limits limits;
  tern_error own = {0};
  if (strcmp(r->job->command, "reproduce") != 0) return 0;
  if (tern_limits_measure(&limits, &r->machine, &own) == 0)
    tern_record_limits(r->measure.record, tern_limits_json(&limits));
  else if (own.status == TERN_INTERRUPTED)
    *e = own;
  else
    tern_record_warn(r->measure.record, own.text);
  return (int)e->status;
}

/* The time left is shared evenly by the models left. */
static void set_deadline(run *r, double end, int models_left) {
  double now = tern_now();
  r->measure.deadline = end > 0 ? now + (end - now) / models_left : 0;
}

static int run_models(run *r, tern_error *e) {
  int measured = 0, count = r->job->model_count;
  double budget = r->job->rule.budget_s, end = budget > 0 ? r->measure.began + budget - REPORT_S : 0;
  for (int i = 0; i < count; i++) {
    tern_error own = {0};
    set_deadline(r, end, count - i);
    run_model(r, i, &own);
    measured += own.status == TERN_OK;
    if (own.status == TERN_OK) continue;
    *e = own;
    /* Another model may still fit; a disk that is full or an interrupt is final. */
    if (own.status == TERN_INTERRUPTED || i == count - 1) break;
    tern_record_skipped(r->measure.record, r->sources[i].name, "", "", own.text);
    fprintf(stderr, "%s is left out: %s\n", r->sources[i].name, own.text);
  }
  if (measured > 0 && e->status != TERN_INTERRUPTED) *e = (tern_error){0};
  return (int)e->status;
}

int tern_run(tern_job *job, char *dir, tern_error *e) {
  double began = tern_now();
  run *r = calloc(1, sizeof *r);
  dir[0] = '\0';
  if (!r) return tern_fail(e, TERN_FAILED, "out of memory");
  r->job = job;
  if (tern_machine_probe(&r->machine, e) || tern_teams_choose(&r->teams, job, &r->machine, e) || plan_models(r, e))
    goto out;
  if (job->dry_run) {
    dry_run(r, e);
    goto out;
  }
  r->measure = (tern_measure){.job = job, .machine = &r->machine, .teams = &r->teams, .began = began};
  if (tern_run_folder_open(&r->measure, job, dir, e) == 0 && measure_limits(r, e) == 0) run_models(r, e);
  tern_run_folder_close(&r->measure, job, dir, e);
out:
  tern_machine_free(&r->machine);
  free(r);
  return (int)e->status;
}
