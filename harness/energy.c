/* The table of energy sources, in order of preference, and the meter that
 * takes the first one that works. */
#include "harness/energy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const tern_meter_kind *const kinds[] = {&tern_meter_powercap};

enum { KINDS = sizeof kinds / sizeof *kinds };

struct tern_meter {
  const tern_meter_kind *kind; /* NULL: no source */
  void *state;
  char source[512];
};

tern_meter *tern_meter_open(const char *sysfs_root) {
  tern_meter *m = calloc(1, sizeof *m);
  if (!m) return NULL;
  char reasons[sizeof m->source] = "";
  for (int i = 0; i < KINDS && !m->state; i++) {
    char why[160] = "";
    m->state = kinds[i]->open(sysfs_root ? sysfs_root : "/sys", m->source, sizeof m->source, why, sizeof why);
    if (m->state) {
      m->kind = kinds[i];
      return m;
    }
    size_t used = strlen(reasons);
    snprintf(reasons + used, sizeof reasons - used, "%s%s", used ? "; " : "", why);
  }
  snprintf(m->source, sizeof m->source, "%s", reasons);
  return m;
}

void tern_meter_close(tern_meter *m) {
  if (!m) return;
  if (m->kind) m->kind->close(m->state);
  free(m);
}

const char *tern_meter_name(const tern_meter *m) {
  return m->kind ? m->kind->name : NULL;
}

const char *tern_meter_source(const tern_meter *m) {
  return m->source;
}

void tern_meter_start(tern_meter *m) {
  if (m->kind) m->kind->start(m->state);
}

void tern_meter_stop(tern_meter *m, tern_reading *out) {
  *out = (tern_reading){.value = NAN, .unit = "J", .how = TERN_UNAVAILABLE};
  if (m->kind)
    m->kind->stop(m->state, out);
  else
    snprintf(out->why, sizeof out->why, "%.*s", (int)sizeof out->why - 1, m->source);
}

const char *tern_how_name(tern_how how) {
  static const char *const names[] = {"measured", "modelled", "unavailable"};
  return names[how];
}
