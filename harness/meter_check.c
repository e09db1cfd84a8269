/* The energy check: three loads under every meter. A meter that follows the
 * load reads more for more cores; one that does not is told, whatever it says. */
#include "harness/meter_check.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "harness/machine.h"
#include "harness/meter_figures.h"
#include "harness/meter_marker.h"

enum { LOADS = 3 };
static const char *const load_names[LOADS] = {"idle", "one core", "all cores"};
static const double USUAL_SECONDS = 2;
/* More load must show by at least this much. */
static const double RISE = 1.02;

typedef struct check {
  tern_meters *meters;
  int count;
  tern_reading *readings[LOADS]; /* [count] each */
  double cost;                   /* share of a window that looking took */
} check;

static int measure(check *c, const tern_energy_check_options *o, int load, tern_error *e) {
  const int cores[LOADS] = {0, 1, o->cores};
  const tern_clock *clock = o->meters.clock ? o->meters.clock : &tern_clock_real;
  int bad = 0;
  tern_meters_start(c->meters);
  if (cores[load] == 0) {
    clock->wait(clock->arg, o->seconds);
    bad = tern_interrupt_check(e);
  } else {
    bad = tern_marker_load(cores[load], o->seconds, clock, e);
  }
  tern_meters_stop(c->meters, c->readings[load]);
  c->cost = fmax(c->cost, tern_meters_cost(c->meters) / o->seconds);
  return bad;
}

/* A reason without the kind's name, which stands before it already. */
static const char *bare(const char *why, const char *kind) {
  size_t length = strlen(kind);
  return strncmp(why, kind, length) == 0 && strncmp(why + length, ": ", 2) == 0 ? why + length + 2 : why;
}

/* What the three readings say of a meter. */
static const char *verdict(const check *c, int meter) {
  const tern_reading *r[LOADS];
  for (int l = 0; l < LOADS; l++) {
    r[l] = &c->readings[l][meter];
    if (r[l]->how == TERN_MODELLED) return "modelled: says nothing about this machine";
    if (r[l]->how == TERN_UNAVAILABLE) return bare(r[l]->why, tern_meters_fact(c->meters, meter)->kind);
  }
  if (r[1]->watts < r[0]->watts * RISE) return "does not follow the load: one core reads no more than idle";
  if (r[2]->watts < r[0]->watts * RISE) return "does not follow the load: all cores read no more than idle";
  return "follows the load";
}

static void print_meter(FILE *out, const check *c, int meter) {
  const tern_meter_fact *f = tern_meters_fact(c->meters, meter);
  if (!f->usable) {
    fprintf(out, "  %-10s no: %s\n", f->kind, bare(f->why, f->kind));
    if (f->remedy[0]) fprintf(out, "  %-10s try: %s\n", "", f->remedy);
    return;
  }
  fprintf(out, "  %-10s", f->kind);
  for (int l = 0; l < LOADS; l++) {
    double watts = c->readings[l][meter].watts;
    if (isnan(watts))
      fprintf(out, " %9s", "-");
    else
      fprintf(out, " %7.2f W", watts);
  }
  fprintf(out, "  %s%s: %s\n", f->scope, f->primary ? " (primary)" : "", verdict(c, meter));
  fprintf(out, "  %-10s ", "");
  if (f->interval > 0)
    fprintf(out, "updates every %.3g s, a window needs %.0f s; ", f->interval,
            tern_energy_window(f->interval, TERN_RULES_USUAL));
  else
    fprintf(out, "update interval not known; ");
  fprintf(out, "reads %s\n", f->source);
}

static void print_table(FILE *out, const check *c) {
  fprintf(out, "Energy check\n  %-10s %9s %9s %9s  covers\n", "meter", load_names[0], load_names[1], load_names[2]);
  for (int i = 0; i < c->count; i++) print_meter(out, c, i);
  if (tern_meters_primary(c->meters) < 0) fprintf(out, "  No energy can be measured here.\n");
  fprintf(out, "  Looking took %.3f %% of the time.\n", 100 * c->cost);
}

static json_t *real_or_null(double x) {
  return isfinite(x) ? json_real(x) : json_null();
}

static json_t *text_or_null(const char *s) {
  return s[0] ? json_stringn_nocheck(s, strlen(s)) : json_null();
}

static json_t *meter_json(const check *c, int meter) {
  const tern_meter_fact *f = tern_meters_fact(c->meters, meter);
  json_t *o = json_object(), *loads = json_object(), *parts = json_array();
  json_object_set_new(o, "kind", json_string(f->kind));
  json_object_set_new(o, "usable", json_boolean(f->usable));
  json_object_set_new(o, "primary", json_boolean(f->primary));
  json_object_set_new(o, "source", text_or_null(f->source));
  json_object_set_new(o, "scope", text_or_null(f->scope));
  json_object_set_new(o, "unit", text_or_null(f->unit));
  json_object_set_new(o, "resolution", real_or_null(f->resolution));
  json_object_set_new(o, "interval_s", real_or_null(f->interval));
  json_object_set_new(o, "why", text_or_null(f->why));
  json_object_set_new(o, "remedy", text_or_null(f->remedy));
  for (int l = 0; f->usable && l < LOADS; l++) {
    const tern_reading *r = &c->readings[l][meter];
    json_object_set_new(loads, load_names[l],
                        json_pack("{s:o, s:o, s:o, s:s, s:o}", "joules", real_or_null(r->value), "watts",
                                  real_or_null(r->watts), "seconds", real_or_null(r->seconds), "how",
                                  tern_how_name(r->how), "why", text_or_null(r->why)));
  }
  tern_meter_part part;
  for (int i = 0; i < tern_meters_parts(c->meters, meter, 0, NULL); i++) {
    tern_meters_parts(c->meters, meter, i, &part);
    json_array_append_new(parts,
                          json_pack("{s:s, s:s, s:b}", "name", part.name, "path", part.path, "counted", part.counted));
  }
  json_object_set_new(o, "parts", parts);
  json_object_set_new(o, "loads", loads);
  json_object_set_new(o, "verdict", f->usable ? text_or_null(verdict(c, meter)) : json_null());
  return o;
}

static void print_json(FILE *out, const check *c) {
  json_t *list = json_array();
  for (int i = 0; i < c->count; i++) json_array_append_new(list, meter_json(c, i));
  json_t *o = json_pack("{s:o, s:o}", "energy_check", list, "cost_share", real_or_null(c->cost));
  json_dumpf(o, out, JSON_INDENT(2));
  fputc('\n', out);
  json_decref(o);
}

int tern_energy_check_with(FILE *out, const tern_energy_check_options *o, tern_error *e) {
  check c = {0};
  if (tern_meters_open(&c.meters, &o->meters, e)) return (int)e->status;
  c.count = tern_meters_count(c.meters);
  bool any = false;
  for (int i = 0; i < c.count; i++) any = any || tern_meters_fact(c.meters, i)->usable;
  for (int l = 0; l < LOADS; l++) {
    c.readings[l] = calloc((size_t)c.count, sizeof *c.readings[l]);
    if (!c.readings[l]) {
      tern_fail(e, TERN_FAILED, "energy check: out of memory");
      goto out;
    }
  }
  if (any) tern_meters_watch(c.meters, fmin(1, o->seconds));
  for (int l = 0; l < LOADS && any; l++)
    if (measure(&c, o, l, e)) goto out;
  if (o->json)
    print_json(out, &c);
  else
    print_table(out, &c);
  if (fflush(out) != 0) tern_fail_errno(e, "energy check: cannot write");
out:
  for (int l = 0; l < LOADS; l++) free(c.readings[l]);
  tern_meters_close(c.meters);
  return (int)e->status;
}

int tern_energy_check(FILE *out, const char *sysfs_root, bool json, tern_error *e) {
  tern_energy_check_options o = {.meters = TERN_METER_DEFAULTS, .seconds = USUAL_SECONDS, .json = json};
  tern_machine m;
  if (tern_machine_probe(&m, e)) return (int)e->status;
  o.cores = tern_machine_cores(&m);
  tern_machine_free(&m);
  o.meters.sysfs_root = sysfs_root;
  return tern_energy_check_with(out, &o, e);
}
