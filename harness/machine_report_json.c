/* The report as JSON: the manifest's facts of the machine, and beside them what
 * only `ternmark machine` gathers. What is not known is null. */
#include <math.h>

#include "harness/cpu_features.h"
#include "harness/machine_report.h"

static json_t *text_or_null(const char *s) {
  return s[0] ? json_string(s) : json_null();
}

static json_t *real_or_null(double v) {
  return isfinite(v) ? json_real(v) : json_null();
}

static json_t *features_json(void) {
  const tern_cpu_feature *list;
  const int count = tern_cpu_features(&list);
  json_t *features = json_array();
  for (int i = 0; i < count; i++) {
    char users[512];
    tern_cpu_feature_users(&list[i], users, sizeof users);
    json_array_append_new(features,
                          json_pack("{s:s, s:b, s:b, s:o}", "name", list[i].name, "advertised", list[i].advertised,
                                    "runs", list[i].executed, "kernels", text_or_null(users)));
  }
  return features;
}

static json_t *components_json(const tern_machine_report *r) {
  json_t *components = json_array();
  for (int i = 0; i < r->component_count; i++) {
    const tern_papi_component *c = &r->components[i];
    json_array_append_new(components,
                          json_pack("{s:s, s:s, s:i, s:o}", "name", c->name, "version", c->version, "native_events",
                                    c->native_events, "disabled", text_or_null(c->disabled)));
  }
  return components;
}

static json_t *counters_json(const tern_machine_report *r) {
  json_t *counters = json_array();
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(r->counters, (tern_counter)i);
    json_array_append_new(counters, json_pack("{s:s, s:b, s:b, s:o, s:o}", "what", tern_counter_name((tern_counter)i),
                                              "usable", f->counts, "software", f->software, "source",
                                              text_or_null(f->event), "why", text_or_null(f->why)));
  }
  return counters;
}

static json_t *meter_json(const tern_machine_report *r, int meter) {
  const tern_meter_fact *f = tern_meters_fact(r->meters, meter);
  json_t *parts = json_array();
  for (int i = 0, n = tern_meters_parts(r->meters, meter, 0, NULL); i < n; i++) {
    tern_meter_part part;
    tern_meters_parts(r->meters, meter, i, &part);
    json_array_append_new(parts,
                          json_pack("{s:s, s:s, s:b}", "name", part.name, "path", part.path, "counted", part.counted));
  }
  json_t *o = json_pack("{s:s, s:b, s:b, s:s, s:b}", "kind", f->kind, "usable", f->usable, "primary", f->primary, "how",
                        tern_how_name(f->how), "denied", f->denied);
  json_object_set_new(o, "source", text_or_null(f->source));
  json_object_set_new(o, "scope", text_or_null(f->scope));
  json_object_set_new(o, "unit", text_or_null(f->unit));
  json_object_set_new(o, "resolution", real_or_null(f->resolution));
  json_object_set_new(o, "interval_s", real_or_null(f->interval));
  json_object_set_new(o, "why", text_or_null(f->why));
  json_object_set_new(o, "remedy", text_or_null(f->remedy));
  json_object_set_new(o, "parts", parts);
  return o;
}

static json_t *energy_json(const tern_machine_report *r) {
  json_t *sources = json_array();
  const int primary = tern_meters_primary(r->meters);
  for (int i = 0; i < tern_meters_count(r->meters); i++) json_array_append_new(sources, meter_json(r, i));
  return json_pack("{s:b, s:o, s:o}", "usable", primary >= 0, "primary",
                   primary < 0 ? json_null() : json_string(tern_meters_fact(r->meters, primary)->kind), "sources",
                   sources);
}

static json_t *likwid_json(const tern_likwid *l) {
  if (!l->compared) return json_pack("{s:b, s:s}", "compared", 0, "why", l->why);
  return json_pack("{s:b, s:s, s:s, s:i, s:f, s:f}", "compared", 1, "kernel", l->kernel, "pages",
                   tern_pages_name(l->pages), "threads", l->threads, "gbs", l->gbs, "ours_gbs", l->ours);
}

static json_t *kernels_json(const tern_machine_report *r) {
  json_t *kernels = json_array();
  for (int i = 0; i < TERN_REPORT_KERNELS; i++)
    json_array_append_new(
        kernels, json_pack("{s:s, s:f}", "kernel", r->kernels[i].kernel->name, "gops_per_core", r->kernels[i].gops));
  return kernels;
}

static json_t *outlook_json(const tern_machine_report *r) {
  tern_outlook list[TERN_MOST_OUTLOOKS];
  json_t *lines = json_array();
  const int count = tern_machine_outlook(r, list);
  for (int i = 0; i < count; i++)
    json_array_append_new(lines, json_pack("{s:s, s:s}", "verdict", list[i].verdict, "text", list[i].text));
  return lines;
}

json_t *tern_machine_report_json(const tern_machine_report *r) {
  json_t *o = tern_machine_json(&r->machine);
  json_object_set_new(o, "shape", tern_topology_facts_json(&r->shape));
  json_object_set_new(o, "features", features_json());
  json_object_set_new(o, "papi_components", components_json(r));
  json_object_set_new(o, "counters_domain", json_string(tern_counters_domain(r->counters)));
  json_object_set_new(o, "counters", counters_json(r));
  json_object_set_new(o, "energy", energy_json(r));
  json_object_set_new(o, "limits", tern_limits_json(&r->limits));
  json_object_set_new(o, "likwid", likwid_json(&r->likwid));
  json_object_set_new(o, "kernel_peaks", kernels_json(r));
  json_object_set_new(o, "outlook", outlook_json(r));
  return o;
}
