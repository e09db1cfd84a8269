/* The primary meter alone, for those who want one reading a window. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/meter_figures.h"
#include "harness/meter_list.h"

struct tern_meter {
  tern_meters *all;
  char reasons[512]; /* of every kind, when none is usable */
};

tern_meter *tern_meter_open(const char *sysfs_root) {
  tern_meter *m = calloc(1, sizeof *m);
  tern_error e = {0};
  tern_meter_options o = TERN_METER_DEFAULTS;
  o.sysfs_root = sysfs_root;
  if (!m || tern_meters_open(&m->all, &o, &e)) {
    free(m);
    return NULL;
  }
  tern_meters_reasons(m->all, m->reasons, sizeof m->reasons);
  return m;
}

void tern_meter_close(tern_meter *m) {
  if (!m) return;
  tern_meters_close(m->all);
  free(m);
}

static const tern_meter_fact *primary(const tern_meter *m) {
  return m->all->primary < 0 ? NULL : &m->all->sources[m->all->primary]->fact;
}

const char *tern_meter_name(const tern_meter *m) {
  const tern_meter_fact *f = primary(m);
  return f && f->usable ? f->kind : NULL;
}

const char *tern_meter_source(const tern_meter *m) {
  const tern_meter_fact *f = primary(m);
  return f ? f->usable ? f->source : f->why : m->reasons;
}

void tern_meter_start(tern_meter *m) {
  if (m->all->primary >= 0) tern_meters_start(m->all);
}

void tern_meter_stop(tern_meter *m, tern_reading *out) {
  tern_reading all[TERN_MOST_METERS];
  *out = tern_reading_none();
  if (m->all->primary < 0) {
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, m->reasons);
    return;
  }
  tern_meters_stop(m->all, all);
  *out = all[m->all->primary];
}
