/* What is asked of a result folder. */
#include <stdio.h>
#include <string.h>

#include "reports/manifest.h"
#include "reports/results.h"

int tern_results_find(const tern_results *r, int start, const char *metric, const char *engine, const char *model) {
  for (int i = start; i < r->summary_count; i++) {
    const tern_summary_row *s = &r->summary[i];
    if ((!metric || strcmp(s->metric, metric) == 0) && (!engine || strcmp(s->engine, engine) == 0) &&
        (!model || strcmp(s->model, model) == 0))
      return i;
  }
  return -1;
}

const tern_summary_row *tern_results_beside(const tern_results *r, const char *metric, const char *engine,
                                            const tern_summary_row *s) {
  for (int i = 0; (i = tern_results_find(r, i, metric, engine ? engine : s->engine, s->model)) >= 0; i++) {
    const tern_summary_row *other = &r->summary[i];
    if (other->threads == s->threads && strcmp(other->workload, s->workload) == 0 &&
        strcmp(other->placement, s->placement) == 0)
      return other;
  }
  return NULL;
}

const char *tern_results_reference(const tern_results *r) {
  const char *named = json_string_value(tern_manifest_at(r->manifest, "reference"));
  if (!named) named = "ternary";
  return tern_results_find(r, 0, "speed", named, NULL) >= 0 ? named : "";
}

bool tern_results_ratio(const tern_results *r, const tern_summary_row *s, tern_summary_row *out) {
  const char *reference = tern_results_reference(r);
  char pair[256];
  *out = *s;
  snprintf(pair, sizeof pair, "%.120s/%.120s", s->engine, reference);
  const tern_summary_row *row = tern_results_beside(r, "speedup", pair, s);
  if (row) {
    out->median = row->median;
    out->low = row->low;
    out->high = row->high;
  } else {
    snprintf(pair, sizeof pair, "%.120s/%.120s", reference, s->engine);
    if (!(row = tern_results_beside(r, "speedup", pair, s))) return false;
    out->median = 1 / row->median;
    out->low = 1 / row->high;
    out->high = 1 / row->low;
  }
  out->n = row->n;
  out->coverage = row->coverage;
  return true;
}

bool tern_results_of_reference(const tern_results *r, const tern_summary_row *s) {
  const char *reference = tern_results_reference(r), *slash = strchr(s->engine, '/');
  size_t n = strlen(reference);
  if (!n || !slash) return true;
  return strcmp(slash + 1, reference) == 0 ||
         ((size_t)(slash - s->engine) == n && strncmp(s->engine, reference, n) == 0);
}

bool tern_results_tells(const tern_results *r, const tern_summary_row *s) {
  const char *slash = strchr(s->engine, '/');
  char turned[256];
  if (!slash) return true;
  snprintf(turned, sizeof turned, "%.120s/%.*s", slash + 1, (int)(slash - s->engine), s->engine);
  const tern_summary_row *other = tern_results_beside(r, s->metric, turned, s);
  return !other || s->median > other->median || (s->median == other->median && s->order < other->order);
}

bool tern_results_quick(const tern_results *r) {
  return tern_manifest_true(r->manifest, "quick");
}
bool tern_results_finished(const tern_results *r) {
  return tern_manifest_true(r->manifest, "finished");
}

bool tern_results_synthetic(const tern_results *r) {
  const json_t *models = tern_manifest_at(r->manifest, "models");
  char text[32];
  if (json_array_size(models) == 0) return true;
  for (size_t i = 0; i < json_array_size(models); i++)
    if (strcmp(tern_manifest_text(json_array_get(models, i), "weights", text, sizeof text), "trained") != 0)
      return true;
  return false;
}

const char *tern_results_platform(const tern_results *r) {
  static const char *const known[][2] = {{"x86", "x86"},     {"x86_64", "x86"}, {"amd64", "x86"},
                                         {"aarch64", "arm"}, {"arm64", "arm"},  {"arm", "arm"}};
  char text[32];
  tern_manifest_text(r->manifest, "machine.architecture|machine.arch|architecture", text, sizeof text);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(text, known[i][0]) == 0) return known[i][1];
  return "";
}

const char *tern_results_shape(const tern_results *r, const char *model) {
  const json_t *models = tern_manifest_at(r->manifest, "models");
  for (size_t i = 0; i < json_array_size(models); i++) {
    const json_t *m = json_array_get(models, i);
    const char *name = json_string_value(json_object_get(m, "name"));
    const char *shape = json_string_value(json_object_get(m, "shape"));
    if (name && shape && strcmp(name, model) == 0) return shape;
  }
  return model;
}

const char *tern_results_no_energy(const tern_results *r) {
  const char *why = NULL;
  bool modelled = false;
  for (int i = 0; i < r->sample_count; i++) {
    const tern_sample_row *s = &r->samples[i];
    if (strcmp(s->mark, "warmup") == 0) continue;
    if (strcmp(s->joules_how, "measured") == 0) return "";
    modelled = modelled || strcmp(s->joules_how, "modelled") == 0;
    if (!why && *s->joules_why) why = s->joules_why;
  }
  if (modelled) return "the power was given by the user, no meter read it";
  return why ? why : "no meter gave a reading";
}

bool tern_results_peers(const tern_results *r) {
  for (int i = 0; i < r->summary_count; i++)
    if (strncmp(r->summary[i].engine, "peer:", 5) == 0) return true;
  return false;
}

const char *tern_results_provisional(const tern_results *r, const char *engine_or_ratio) {
  const char *slash = strchr(engine_or_ratio, '/');
  const json_t *p = tern_manifest_at(r->manifest, "provisional");
  if (json_is_string(p)) return json_string_value(p);
  return json_string_value(json_object_get(p, slash ? slash + 1 : engine_or_ratio));
}
