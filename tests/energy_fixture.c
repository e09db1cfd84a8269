/* The fake machine. Files are replaced by rename, so that a reader on another
 * thread never sees half a number. */
#include "energy_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/base/file.h"

static double fixture_now(void *arg) {
  fixture *f = arg;
  pthread_mutex_lock(&f->lock);
  double now = f->now;
  pthread_mutex_unlock(&f->lock);
  return now;
}

static double fixture_wall(void *arg) {
  fixture *f = arg;
  pthread_mutex_lock(&f->lock);
  double wall = f->wall;
  pthread_mutex_unlock(&f->lock);
  return wall;
}

static void fixture_wait(void *arg, double seconds) {
  fixture_pass(arg, seconds);
}

static int fixture_read(void *arg, const char *path, char *text, size_t size) {
  fixture *f = arg;
  if (f->denied[0] && strstr(path, f->denied)) return EACCES;
  int bad = tern_meter_io_kernel.read_file(NULL, path, text, size);
  pthread_mutex_lock(&f->lock);
  f->reads++;
  pthread_mutex_unlock(&f->lock);
  return bad;
}

static int fixture_perf(void *arg, uint32_t type, uint64_t config, int cpu) {
  (void)arg, (void)type, (void)config, (void)cpu;
  return -ENOENT;
}

void fixture_open(fixture *f) {
  memset(f, 0, sizeof *f);
  /* In memory where that is to be had: the counters are rewritten thousands of times. */
  snprintf(f->root, sizeof f->root, "%s/ternmark-energy-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
  assert_non_null(mkdtemp(f->root));
  f->clock = (tern_clock){fixture_now, fixture_wall, fixture_wait, f};
  f->io = (tern_meter_io){fixture_read, fixture_perf, f};
  f->now = 1000;
  f->wall = 1777636800; /* 2026-05-01T12:00:00Z */
  pthread_mutex_init(&f->lock, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at) {
  (void)st, (void)type, (void)at;
  return remove(path);
}

void fixture_close(fixture *f) {
  nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
  pthread_mutex_destroy(&f->lock);
}

void fixture_file(const fixture *f, const char *path, const char *text) {
  char whole[256], fresh[300];
  tern_error e = {0};
  snprintf(whole, sizeof whole, "%s/%s", f->root, path);
  char *slash = strrchr(whole, '/');
  *slash = '\0';
  if (tern_directory_make(whole, &e)) fail_msg("%s", e.text);
  *slash = '/';
  snprintf(fresh, sizeof fresh, "%s.new", whole);
  FILE *file = fopen(fresh, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(rename(fresh, whole), 0);
}

void fixture_remove(const fixture *f, const char *path) {
  char whole[256];
  snprintf(whole, sizeof whole, "%s/%s", f->root, path);
  assert_int_equal(nftw(whole, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void show(const fixture *f, const fake *k) {
  char text[32];
  if (!k->path[0]) return;
  snprintf(text, sizeof text, "%.0f\n", floor(k->power ? k->watts * k->scale : k->count));
  fixture_file(f, k->path, text);
}

static fake *add(fixture *f, const char *path, double watts, bool power) {
  assert_true(f->count < MOST_FAKES);
  fake *k = &f->fakes[f->count++];
  *k = (fake){.watts = watts, .scale = 1e6, .power = power};
  snprintf(k->path, sizeof k->path, "%s", path);
  show(f, k);
  return k;
}

fake *fixture_counter(fixture *f, const char *path, double watts) {
  return add(f, path, watts, false);
}

fake *fixture_power(fixture *f, const char *path, double watts) {
  return add(f, path, watts, true);
}

fake *fixture_zone(fixture *f, const char *folder, const char *name, double watts, double uj, double range) {
  char path[128], text[64];
  snprintf(path, sizeof path, "class/powercap/%s/name", folder);
  snprintf(text, sizeof text, "%s\n", name);
  fixture_file(f, path, text);
  snprintf(path, sizeof path, "class/powercap/%s/max_energy_range_uj", folder);
  snprintf(text, sizeof text, "%.0f\n", range);
  fixture_file(f, path, text);
  snprintf(path, sizeof path, "class/powercap/%s/energy_uj", folder);
  fake *k = add(f, path, watts, false);
  k->count = uj;
  k->range = range;
  show(f, k);
  return k;
}

void fixture_pass(fixture *f, double seconds) {
  pthread_mutex_lock(&f->lock);
  f->now += seconds;
  f->wall += seconds;
  double now = f->now;
  pthread_mutex_unlock(&f->lock);
  for (int i = 0; i < f->count; i++) {
    fake *k = &f->fakes[i];
    k->count += k->watts * k->scale * seconds;
    if (k->range > 0) k->count = fmod(k->count, k->range);
    if (k->lump > 0 && now - k->shown_at < k->lump) continue;
    k->shown_at = now;
    show(f, k);
  }
  if (f->tick) f->tick(f->arg, seconds);
}

void fixture_set_wall(fixture *f, double seconds) {
  pthread_mutex_lock(&f->lock);
  f->wall += seconds;
  pthread_mutex_unlock(&f->lock);
}

tern_meter_options fixture_options(fixture *f) {
  tern_meter_options o = TERN_METER_DEFAULTS;
  o.sysfs_root = f->root;
  o.clock = &f->clock;
  o.io = &f->io;
  o.by_hand = true;
  return o;
}

tern_meters *fixture_meters(fixture *f, const tern_meter_options *o) {
  tern_meter_options usual = fixture_options(f);
  tern_meters *m;
  tern_error e = {0};
  if (tern_meters_open(&m, o ? o : &usual, &e)) fail_msg("%s", e.text);
  return m;
}

int meter_of(const tern_meters *m, const char *kind) {
  for (int i = 0; i < tern_meters_count(m); i++)
    if (strcmp(tern_meters_fact(m, i)->kind, kind) == 0) return i;
  fail_msg("no meter of kind %s", kind);
  return -1;
}

tern_reading reading_over(fixture *f, tern_meters *m, const char *kind, int looks, double pause) {
  tern_reading all[32];
  tern_meters_start(m);
  for (int i = 0; i < looks; i++) {
    fixture_pass(f, pause);
    if (i + 1 < looks) tern_meters_sample(m);
  }
  tern_meters_stop(m, all);
  return all[meter_of(m, kind)];
}

void assert_near(double a, double b, double relative) {
  if (!(fabs(a - b) <= relative * fabs(b))) fail_msg("%.9g is not %.9g within %g", a, b, relative);
}

void assert_reading(const tern_reading *r, double joules, const char *scope) {
  if (r->how == TERN_UNAVAILABLE) fail_msg("unavailable: %s", r->why);
  assert_near(r->value, joules, 1e-5);
  assert_string_equal(r->scope, scope);
}

void assert_no_reading(const tern_reading *r, const char *reason) {
  if (r->how != TERN_UNAVAILABLE) fail_msg("%g J were read, not: %s", r->value, reason);
  assert_true(isnan(r->value) && isnan(r->watts));
  if (!strstr(r->why, reason)) fail_msg("'%s' does not say '%s'", r->why, reason);
}
