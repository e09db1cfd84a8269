/* The steps of `ternmark reproduce`, in order. */
#include "harness/reproduce.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/base/progress.h"
#include "harness/bandwidth_child.h"
#include "harness/measure.h"
#include "harness/peak.h"

enum { PATH_BYTES = 4096 };
/* The report, and what a block's estimate is off by. */
static const double REPORT_S = 15;

const char *tern_kv_name(tern_kv_type kv) {
  static const char *const names[] = {[TERN_KV_F32] = "f32", [TERN_KV_F16] = "f16", [TERN_KV_INT8] = "int8"};
  return names[kv];
}

static int rising(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

/* One thread and all cores, unless the job names teams; rising. */
static int choose_teams(tern_job *job, const tern_machine *m, tern_error *e) {
  int cores = tern_machine_cores(m);
  if (job->team_count == 0) {
    job->teams[job->team_count++] = 1;
    if (cores > 1) job->teams[job->team_count++] = cores;
  }
  for (int i = 0; i < job->team_count; i++) {
    if (job->teams[i] == 0) job->teams[i] = cores; /* "all" */
    if (job->teams[i] > m->topology.allowed_cpus)
      return tern_fail(e, TERN_FAILED, "--threads %d: this process may use %d CPUs", job->teams[i],
                       m->topology.allowed_cpus);
  }
  qsort(job->teams, (size_t)job->team_count, sizeof *job->teams, rising);
  int kept = 1;
  for (int i = 1; i < job->team_count; i++)
    if (job->teams[i] != job->teams[kept - 1]) job->teams[kept++] = job->teams[i];
  job->team_count = kept;
  return 0;
}

/* results/<UTC time>, or what was asked for; must be writable and without a run. */
static int make_folder(const tern_job *job, char *dir, size_t size, tern_error *e) {
  if (job->out) {
    if (snprintf(dir, size, "%s", job->out) >= (int)size) return tern_fail(e, TERN_FAILED, "--out: name too long");
  } else {
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(dir, size, "results/%Y%m%dT%H%M%SZ", &t);
  }
  return tern_directory_make(dir, e);
}

/* Ceilings for the estimate of time, by short measurements. */
static int measure_rates(tern_rates *r, const tern_job *job, const tern_machine *m, const tern_run_plan *plan,
                         tern_error *e) {
  const tern_topology *t = &m->topology;
  tern_bandwidth_child *probe;
  if (tern_bandwidth_child_start(&probe, t->l3 ? t->l3 : t->l2, t->order, e)) return (int)e->status;
  int bad = tern_bandwidth_child_measure(probe, 1, &r->gbs, e);
  tern_bandwidth_child_end(probe);
  const tern_kernel *kernel;
  for (int i = 0; i < plan->count && !bad; i++)
    if (plan->engines[i].fits) bad = tern_peak_measure(plan->engines[i].layout, job->isa_cap, &kernel, &r->gops[i], e);
  return bad;
}

/* Seconds of the whole run; 0: no limit. */
static double budget_of(const tern_job *job) {
  return job->budget_s >= 0 ? job->budget_s : job->preset->budget_s;
}

static int print_plan(FILE *to, const tern_job *job, const tern_machine *m, const tern_source *s,
                      const tern_run_plan *p, int blocks, tern_error *e) {
  tern_rates rates = {0};
  if (measure_rates(&rates, job, m, p, e)) return (int)e->status;
  fprintf(to, "%s: %s weights, %.3g GB %s\n", s->name, s->synthetic ? "synthetic" : "trained", (double)s->bytes * 1e-9,
          s->present ? "on disk" : "to be made in the cache folder");
  for (int i = 0; i < p->count; i++) {
    const tern_run_plan_engine *engine = &p->engines[i];
    if (engine->fits)
      fprintf(to, "  %-12s %.3g GB of memory, %.3g GB read a decoded token\n", engine->name,
              (double)engine->memory * 1e-9, (double)engine->token_bytes * 1e-9);
    else
      fprintf(to, "  %-12s left out: %s\n", engine->name, engine->why);
  }
  double block = 0;
  for (int t = 0; t < job->team_count; t++) block += tern_run_plan_seconds(p, job->preset, &rates, job->teams[t]);
  fprintf(to, "  a warm-up and %d blocks of", blocks);
  for (int w = 0; w < job->preset->count; w++) fprintf(to, "%s %s", w ? "," : "", job->preset->workloads[w].name);
  fprintf(to, " with");
  for (int t = 0; t < job->team_count; t++) fprintf(to, "%s %d", t ? "," : "", job->teams[t]);
  fprintf(to, " threads: about %.0f min", ceil(block * (blocks + 1) / 60));
  double budget = budget_of(job);
  if (budget > 0) fprintf(to, ", ended after a whole block before %.0f min", ceil(budget / 60));
  fputc('\n', to);
  return 0;
}

/* Everything that a run holds. */
typedef struct run {
  tern_job *job;
  tern_machine machine;
  tern_source sources[TERN_MOST_MODELS];
  tern_run_plan plans[TERN_MOST_MODELS];
  int count, runnable;
  tern_error last; /* why the last model that can't run can't */
  char dir[PATH_BYTES];
  tern_measure measure;
} run;

/* Finds every model and plans it; a shape that is not known or a file that is
 * not there ends the run, one that does not fit only itself. */
static int plan_models(run *r, tern_error *e) {
  tern_job *job = r->job;
  r->count = job->model_file ? 1 : job->model_count;
  for (int i = 0; i < r->count; i++) {
    tern_error own = {0};
    if (tern_source_find(&r->sources[i], job, i, e)) return (int)e->status;
    int bad = tern_run_plan_make(&r->plans[i], job, &r->sources[i], &r->machine, job->teams[job->team_count - 1], &own);
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

static int dry_run(const run *r, int blocks, tern_error *e) {
  for (int i = 0; i < r->count; i++)
    if (print_plan(stdout, r->job, &r->machine, &r->sources[i], &r->plans[i], blocks, e)) return (int)e->status;
  return fflush(stdout) == 0 ? 0 : tern_fail_errno(e, "standard output");
}

/* Folder, samples.csv, meters and the manifest's first form. */
static int open_run(run *r, tern_error *e) {
  tern_measure *m = &r->measure;
  char path[PATH_BYTES + 32];
  if (make_folder(r->job, r->dir, sizeof r->dir, e)) return (int)e->status;
  snprintf(path, sizeof path, "%s/samples.csv", r->dir);
  m->dir = r->dir;
  if (tern_samples_create(&m->samples, path, e)) return (int)e->status;
  m->record = tern_record_open(r->job, &r->machine, m->blocks, m->teams, m->team_count);
  m->meter = tern_meter_open(r->job->sysfs_root);
  if (!m->record || !m->meter) return tern_fail(e, TERN_FAILED, "%s: out of memory", r->dir);
  const char *meter = tern_meter_name(m->meter), *source = tern_meter_source(m->meter);
  tern_record_meter(m->record, "energy", meter ? source : NULL, meter ? NULL : source);
  if (!meter) fprintf(stderr, "energy is not measured: %s\n", source);
  return tern_record_write(m->record, r->dir, e);
}

static int load_prompt(tern_prompt *out, const run *r, const tern_source *s, tern_error *e) {
  tern_gguf *g;
  if (tern_gguf_open(&g, s->path, e)) return (int)e->status;
  int bad = tern_prompt_make(out, g, r->job->seed, tern_preset_positions(r->job->preset), e);
  tern_gguf_close(g);
  return bad;
}

static int run_model(run *r, int i, tern_error *e) {
  tern_source *s = &r->sources[i];
  tern_measure *m = &r->measure;
  tern_prompt prompt = {0};
  int cores = tern_machine_cores(&r->machine);
  if (tern_source_make(s, r->job, cores, e) || load_prompt(&prompt, r, s, e)) goto out;
  tern_record_model(m->record, s->name, s->synthetic ? s->shape.name : "", s->synthetic, s->bytes, &prompt);
  if (tern_run_plan_make(&r->plans[i], r->job, s, &r->machine, m->teams[m->team_count - 1], e)) goto out;
  if (print_plan(stderr, r->job, &r->machine, s, &r->plans[i], m->blocks, e)) goto out;
  tern_measure_model(m, s, &prompt, &r->plans[i], e);
out:
  free(prompt.ids);
  return (int)e->status;
}

/* The time left is shared evenly by the models left. */
static void set_deadline(run *r, double end, int models_left) {
  double now = tern_now();
  r->measure.deadline = end > 0 ? now + (end - now) / models_left : 0;
}

static int run_models(run *r, double end, tern_error *e) {
  int measured = 0;
  for (int i = 0; i < r->count; i++) {
    tern_error own = {0};
    set_deadline(r, end, r->count - i);
    run_model(r, i, &own);
    measured += own.status == TERN_OK;
    if (own.status == TERN_OK) continue;
    *e = own;
    /* Another model may still fit; a disk that is full or an interrupt is final. */
    if (own.status == TERN_INTERRUPTED || i == r->count - 1) break;
    tern_record_skipped(r->measure.record, r->sources[i].name, "", own.text);
    fprintf(stderr, "%s is left out: %s\n", r->sources[i].name, own.text);
  }
  if (measured > 0 && e->status != TERN_INTERRUPTED) *e = (tern_error){0};
  return (int)e->status;
}

/* A run that ended before its first sample leaves nothing behind. */
static void sweep(const run *r) {
  char path[PATH_BYTES + 32];
  static const char *const files[] = {"samples.csv", "manifest.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", r->dir, files[i]);
    remove(path);
  }
  remove(r->dir); /* only when empty */
}

static int finish(run *r, tern_error *e) {
  tern_measure *m = &r->measure;
  tern_error own = {0};
  bool opened = m->samples != NULL;
  int bad = tern_samples_close(m->samples, &own);
  if (bad && !e->status) *e = own;
  if (opened && e->status && m->next == 0) sweep(r);
  if (e->status == TERN_INTERRUPTED && m->next > 0)
    tern_fail(e, TERN_INTERRUPTED, "interrupted; %d samples are kept: ternmark report %.300s", (int)m->next, r->dir);
  if (!e->status) {
    tern_record_set_real(m->record, "seconds", tern_now() - m->began);
    tern_record_finish(m->record);
    tern_record_write(m->record, r->dir, e);
  }
  tern_record_close(m->record);
  tern_meter_close(m->meter);
  return (int)e->status;
}

int tern_reproduce(tern_job *job, tern_error *e) {
  double began = tern_now();
  run *r = calloc(1, sizeof *r);
  if (!r) return tern_fail(e, TERN_FAILED, "out of memory");
  r->job = job;
  int blocks = job->blocks > 0 ? job->blocks : job->preset->blocks;
  double budget = budget_of(job);
  if (tern_machine_probe(&r->machine, e) || choose_teams(job, &r->machine, e) || plan_models(r, e)) goto out;
  if (job->dry_run) {
    dry_run(r, blocks, e);
    goto out;
  }
  r->measure = (tern_measure){.job = job, .machine = &r->machine, .blocks = blocks, .began = began};
  r->measure.team_count = job->team_count;
  memcpy(r->measure.teams, job->teams, sizeof job->teams);
  if (open_run(r, e) == 0) run_models(r, budget > 0 ? began + budget - REPORT_S : 0, e);
  if (finish(r, e) == 0) tern_report_folder(r->dir, job->json, job->csv, e);
out:
  tern_machine_free(&r->machine);
  free(r);
  return (int)e->status;
}
