/* The table of energy sources, and the meters opened from it. By rule the
 * primary is the usable one that covers most; what the user names goes first,
 * and is never replaced by another one when it does not work. */
#include "harness/energy.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/meter_figures.h"
#include "harness/meter_list.h"
#include "harness/meter_poll.h"

static const tern_meter_kind *const kinds[] = {&tern_meter_powercap, &tern_meter_perf,    &tern_meter_hwmon,
                                               &tern_meter_ina3221,  &tern_meter_battery, &tern_meter_csv,
                                               &tern_meter_command,  &tern_meter_serial,  &tern_meter_constant};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* From what covers most; among equals the order of the kinds decides. */
static const char *const scopes[] = {"wall",    "machine",     "psys",  "package+dram",
                                     "package", "board input", "rails", "battery"};

enum { SCOPES = sizeof scopes / sizeof *scopes };

static double real_seconds(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double real_now(void *arg) {
  (void)arg;
  return real_seconds(CLOCK_MONOTONIC);
}

static double real_wall(void *arg) {
  (void)arg;
  return real_seconds(CLOCK_REALTIME);
}

static void real_wait(void *arg, double seconds) {
  (void)arg;
  struct timespec t = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
  nanosleep(&t, NULL);
}

const tern_clock tern_clock_real = {real_now, real_wall, real_wait, NULL};

tern_channel *tern_source_add(tern_source *s, tern_domain domain, const char *name, const char *path) {
  if (s->count == TERN_MOST_CHANNELS) return NULL;
  tern_channel *c = &s->channels[s->count++];
  *c = (tern_channel){.domain = domain, .unit = 1, .interval = NAN, .step = NAN};
  snprintf(c->name, sizeof c->name, "%s", name);
  snprintf(c->path, sizeof c->path, "%s", path);
  return c;
}

void *tern_source_refuse(tern_source *s, const char *format, ...) {
  int used = snprintf(s->fact.why, sizeof s->fact.why, "%s: ", s->kind->name);
  va_list args;
  va_start(args, format);
  vsnprintf(s->fact.why + used, sizeof s->fact.why - (size_t)used, format, args);
  va_end(args);
  return NULL;
}

void *tern_source_refuse_file(tern_source *s, int error, const char *path) {
  s->fact.denied = error == EACCES || error == EPERM;
  if (s->fact.denied) snprintf(s->fact.remedy, sizeof s->fact.remedy, "sudo chmod a+r %.120s", path);
  return tern_source_refuse(s, "%.100s: %s", path, strerror(error));
}

void tern_source_describe(tern_source *s) {
  size_t used = strlen(s->fact.source), size = sizeof s->fact.source;
  for (int i = 0; i < s->count && used < size; i++) {
    const tern_channel *c = &s->channels[i];
    if (!c->counted) continue;
    used += (size_t)snprintf(s->fact.source + used, size - used, "%s%s (%s)", used ? ", " : "", c->name, c->path);
  }
}

static int add_source(tern_meters *m, const tern_meter_kind *kind, const char *argument, tern_error *e) {
  if (m->count == TERN_MOST_METERS)
    return tern_fail(e, TERN_USAGE, "--meter: %d meters at once are too many", TERN_MOST_METERS);
  tern_source *s = calloc(1, sizeof *s);
  char *kept = strdup(argument);
  if (!s || !kept) {
    free(s);
    free(kept);
    return tern_fail(e, TERN_FAILED, "meter %s: out of memory", kind->name);
  }
  m->sources[m->count++] = s;
  s->kind = kind;
  s->options = &m->options;
  s->clock = m->options.clock;
  s->root = m->root;
  s->argument = kept;
  s->fact = (tern_meter_fact){.kind = kind->name, .how = TERN_MEASURED, .interval = NAN, .resolution = NAN};
  s->state = kind->open(s);
  s->fact.usable = s->state != NULL;
  if (!s->state) return 0;
  tern_source_describe(s);
  if (kind->poll > 0) tern_poll_facts(s);
  return 0;
}

/* The kind of "kind" or "kind:argument". */
static const tern_meter_kind *parse(const char *named, const char **argument, tern_error *e) {
  char known[160] = "";
  size_t length = strcspn(named, ":");
  *argument = named[length] ? named + length + 1 : "";
  for (int i = 0; i < KINDS; i++) {
    bool same = strlen(kinds[i]->name) == length && strncmp(kinds[i]->name, named, length) == 0;
    if (same && (**argument || !kinds[i]->asked)) return kinds[i];
    if (same) tern_fail(e, TERN_USAGE, "--meter %s: write %s:WHAT", named, named);
    if (same) return NULL;
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", kinds[i]->name);
  }
  tern_fail(e, TERN_USAGE, "--meter %s: no such meter; there are %s", named, known);
  return NULL;
}

static int open_all(tern_meters *m, const tern_meter_options *o, tern_error *e) {
  const char *arguments[KINDS] = {0};
  int named[KINDS] = {0}, first = -1;
  for (int i = 0; i < o->named_count; i++) {
    const char *argument;
    const tern_meter_kind *kind = parse(o->named[i], &argument, e);
    if (!kind) return (int)e->status;
    for (int k = 0; k < KINDS; k++)
      if (kinds[k] == kind && !kind->asked && named[k]++ == 0) arguments[k] = argument;
    if (i == 0 && kind->asked) first = m->count;
    if (kind->asked && add_source(m, kind, argument, e)) return (int)e->status;
    if (i == 0 && !kind->asked) first = -2;
  }
  for (int k = 0; k < KINDS; k++) {
    if (kinds[k]->asked) continue;
    const char *argument;
    if (first == -2 && parse(o->named[0], &argument, e) == kinds[k]) first = m->count;
    if (add_source(m, kinds[k], arguments[k] ? arguments[k] : "", e)) return (int)e->status;
  }
  m->primary = first;
  return 0;
}

static int by_rule(const tern_meters *m) {
  for (int r = 0; r < SCOPES; r++)
    for (int i = 0; i < m->count; i++)
      if (m->sources[i]->fact.usable && strcmp(m->sources[i]->fact.scope, scopes[r]) == 0) return i;
  return -1;
}

int tern_meters_open(tern_meters **out, const tern_meter_options *options, tern_error *e) {
  *out = NULL;
  tern_meters *m = calloc(1, sizeof *m);
  if (!m || !tern_window_prepare(m)) {
    free(m);
    return tern_fail(e, TERN_FAILED, "meters: out of memory");
  }
  m->options = *options;
  m->primary = -1;
  if (!m->options.clock) m->options.clock = &tern_clock_real;
  snprintf(m->root, sizeof m->root, "%s", options->sysfs_root ? options->sysfs_root : "/sys");
  if (open_all(m, options, e)) {
    tern_meters_close(m);
    return (int)e->status;
  }
  if (m->primary < 0) m->primary = by_rule(m);
  if (m->primary >= 0) m->sources[m->primary]->fact.primary = true;
  *out = m;
  return 0;
}

void tern_meters_close(tern_meters *m) {
  if (!m) return;
  tern_window_dismiss(m);
  for (int i = 0; i < m->count; i++) {
    tern_source *s = m->sources[i];
    if (s->state) s->kind->close(s);
    free((char *)s->argument);
    free(s);
  }
  pthread_cond_destroy(&m->wake);
  pthread_mutex_destroy(&m->lock);
  free(m);
}

int tern_meters_count(const tern_meters *m) {
  return m->count;
}

const tern_meter_fact *tern_meters_fact(const tern_meters *m, int meter) {
  return &m->sources[meter]->fact;
}

int tern_meters_parts(const tern_meters *m, int meter, int index, tern_meter_part *part) {
  const tern_source *s = m->sources[meter];
  if (!part || index < 0 || index >= s->count) return s->count;
  const tern_channel *c = &s->channels[index];
  *part = (tern_meter_part){.counted = c->counted, .joules = c->broken[0] || !(c->joules > 0) ? NAN : c->joules};
  snprintf(part->name, sizeof part->name, "%s", c->name);
  snprintf(part->path, sizeof part->path, "%s", c->path);
  return s->count;
}

int tern_meters_primary(const tern_meters *m) {
  return m->primary;
}

void tern_meters_reasons(const tern_meters *m, char *text, size_t size) {
  size_t used = 0;
  text[0] = '\0';
  for (int i = 0; i < m->count && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "; " : "", m->sources[i]->fact.why);
}

const char *tern_how_name(tern_how how) {
  static const char *const names[] = {"measured", "modelled", "unavailable"};
  return names[how];
}
