/* Opening and closing a run. */
#include "harness/run_folder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/file.h"
#include "engine/base/progress.h"
#include "harness/resume.h"

enum { FILE_PATH = TERN_RUN_PATH + 32 };

/* results/<UTC time>, or what was asked for; must be writable and without a run. */
static int make_folder(const tern_job *job, char *dir, tern_error *e) {
  if (job->out) {
    if (snprintf(dir, TERN_RUN_PATH, "%s", job->out) >= TERN_RUN_PATH)
      return tern_fail(e, TERN_FAILED, "--out: name too long");
  } else {
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(dir, TERN_RUN_PATH, "results/%Y%m%dT%H%M%SZ", &t);
  }
  return tern_directory_make(dir, e);
}

static int open_energy(tern_measure *m, const tern_job *job, tern_error *e) {
  tern_energy_options o = {.meters = TERN_METER_DEFAULTS};
  o.meters.sysfs_root = job->sysfs_root;
  o.meters.named = job->meters;
  o.meters.named_count = job->meter_count;
  o.rules = job->energy_rules ? TERN_RULES_MLPERF : TERN_RULES_USUAL;
  for (int i = 0; i < job->meter_count; i++)
    if (strncmp(job->meters[i], "csv:", 4) == 0) o.marker_cores = tern_machine_cores(m->machine);
  return tern_energy_begin_run(&m->energy, &o, e);
}

static void record_energy(const tern_measure *m) {
  const tern_meters *all = tern_energy_meters(m->energy);
  int primary = tern_meters_primary(all);
  const char *why = tern_energy_why(m->energy);
  tern_record_meter(m->record, "energy", why || primary < 0 ? NULL : tern_meters_fact(all, primary)->source, why);
  for (int i = 0; i < tern_meters_count(all); i++) {
    const tern_meter_fact *f = tern_meters_fact(all, i);
    char what[64];
    snprintf(what, sizeof what, "energy:%.40s", f->kind);
    tern_record_meter(m->record, what, f->usable ? f->source : NULL, f->usable ? NULL : f->why);
  }
  if (why) fprintf(stderr, "energy is not measured: %s\n", why);
}

/* The rows that are there, and the clock set back so that times go on. */
static int take_earlier(tern_measure *m, const char *path, tern_error *e) {
  tern_sample *rows;
  if (tern_samples_reopen(&m->samples, path, e) || tern_samples_read(path, &rows, &m->earlier_count, e))
    return (int)e->status;
  m->earlier = rows;
  for (size_t i = 0; i < m->earlier_count; i++)
    if (rows[i].sample >= m->next) m->next = rows[i].sample + 1;
  if (m->earlier_count > 0) {
    const tern_sample *last = &rows[m->earlier_count - 1];
    double end = last->start_s + last->seconds;
    if (end > 0) m->began -= end;
  }
  fprintf(stderr, "going on with %s after %zu samples\n", m->dir, m->earlier_count);
  return 0;
}

int tern_run_folder_open(tern_measure *m, const tern_job *job, char *dir, tern_error *e) {
  char path[FILE_PATH];
  if (make_folder(job, dir, e)) return (int)e->status;
  m->dir = dir;
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  if (job->resume ? take_earlier(m, path, e) : tern_samples_create(&m->samples, path, e)) return (int)e->status;
  m->record = job->resume ? tern_record_reopen(job, m->machine, m->teams, dir, m->next)
                          : tern_record_open(job, m->machine, m->teams);
  if (!m->record) return tern_fail(e, TERN_FAILED, "%s: out of memory", dir);
  if (tern_resume_write(job, dir, e) || open_energy(m, job, e)) return (int)e->status;
  record_energy(m);
  return tern_record_write(m->record, dir, e);
}

static void sweep(const char *dir) {
  char path[FILE_PATH];
  static const char *const files[] = {"samples.csv", "manifest.json", "plan.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    snprintf(path, sizeof path, "%s/%s", dir, files[i]);
    remove(path);
  }
  remove(dir); /* only when empty */
}

static void record_idle(const tern_measure *m) {
  int count;
  const tern_energy_idle *idles = tern_energy_idles(m->energy, &count);
  for (int i = 0; i < count; i++) {
    const tern_reading *r = &idles[i].reading;
    if (r->how == TERN_UNAVAILABLE) continue;
    tern_record_add(m->record, "idle",
                    json_pack("{s:f, s:f, s:f, s:s}", "start_s", idles[i].start - m->began, "seconds", r->seconds,
                              "watts", r->watts, "scope", r->scope));
  }
  const char *doubt = tern_energy_doubt(m->energy);
  if (doubt[0]) tern_record_warn(m->record, doubt);
}

/* A run that could be gone on with says so. */
static void tell_rest(const tern_measure *m, const tern_job *job, const char *dir, tern_error *e) {
  tern_error why = *e;
  if (why.status == TERN_INTERRUPTED)
    tern_fail(e, TERN_INTERRUPTED,
              "interrupted; %d samples are kept: ternmark report %.150s, or go on: ternmark %s --resume %.150s",
              (int)m->next, dir, job->command, dir);
  else
    tern_fail(e, why.status, "%.300s; %d samples are kept in %.150s", why.text, (int)m->next, dir);
}

int tern_run_folder_close(tern_measure *m, const tern_job *job, const char *dir, tern_error *e) {
  tern_error own = {0};
  bool opened = m->samples != NULL;
  int bad = tern_samples_close(m->samples, &own);
  if (bad && !e->status) *e = own;
  if (opened && e->status && m->next == 0)
    sweep(dir);
  else if (opened && e->status)
    tell_rest(m, job, dir, e);
  if (!e->status) {
    record_idle(m);
    tern_record_set(m->record, "seconds", json_real(tern_now() - m->began));
    tern_record_finish(m->record);
    if (tern_record_write(m->record, dir, e) == 0) tern_resume_remove(dir);
  }
  tern_record_close(m->record);
  tern_energy_end_run(m->energy);
  free((tern_sample *)m->earlier);
  return (int)e->status;
}
