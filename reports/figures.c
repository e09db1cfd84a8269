/* From summary rows to a claim's figures. A claim over a range of sizes takes
 * all models of the run: the hull of their medians and intervals. */
#include "reports/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reports/energy_model.h"
#include "reports/manifest.h"

#define SMALLEST 1e8 /* weights of the layers */

static bool part_matches(const char *engine, size_t n, const char *pattern, size_t m) {
  return n >= m && strncasecmp(engine, pattern, m) == 0 && (n == m || engine[m] == ':');
}

bool tern_engine_matches(const char *engine, const char *pattern) {
  size_t n = strcspn(engine, "/"), m = strcspn(pattern, "/");
  if ((engine[n] == '/') != (pattern[m] == '/') || !part_matches(engine, n, pattern, m)) return false;
  return !pattern[m] || part_matches(engine + n + 1, strlen(engine + n + 1), pattern + m + 1, strlen(pattern + m + 1));
}

/* Whether our engines in a name are as they come, without an option after ':'
 * (an older instruction set, a slowed copy): those are measured to be compared
 * with, and would answer a claim with a straw man. */
static bool plain(const char *engine) {
  const char *slash = strchr(engine, '/');
  size_t n = strcspn(engine, "/");
  if (strncmp(engine, "peer:", 5) != 0 && memchr(engine, ':', n)) return false;
  return !slash || strncmp(slash + 1, "peer:", 5) == 0 || !strchr(slash, ':');
}

/* Order of preference among rows of one metric and model. */
static bool better(const tern_summary_row *a, const tern_summary_row *b) {
  if (plain(a->engine) != plain(b->engine)) return plain(a->engine);
  if (!*a->placement != !*b->placement) return !*a->placement;
  bool a_short = !strchr(a->workload, '@'), b_short = !strchr(b->workload, '@');
  if (a_short != b_short) return a_short;
  if (a->threads != b->threads) return a->threads > b->threads;
  bool less_is_better = strcmp(a->unit, "x") != 0 && strcmp(a->unit, "%") != 0 && strcmp(a->unit, "tokens/s") != 0;
  return less_is_better ? a->median < b->median : a->median > b->median;
}

int tern_results_representative(const tern_results *r, const char *metric, const char *engine, const char *model) {
  int best = -1;
  for (int i = 0; (i = tern_results_find(r, i, metric, NULL, model)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    if (isnan(s->median) || !tern_engine_matches(s->engine, engine)) continue;
    if (*s->workload && strncmp(s->workload, "decode", 6) != 0) continue;
    if (best < 0 || better(s, &r->summary[best])) best = i;
  }
  return best;
}

static void take(tern_figure *f, double median, double low, double high) {
  f->median_low = f->present ? fmin(f->median_low, median) : median;
  f->median_high = f->present ? fmax(f->median_high, median) : median;
  f->low = f->present && !isnan(low) ? fmin(f->low, low) : low;
  f->high = f->present && !isnan(high) ? fmax(f->high, high) : high;
  f->present = true;
  f->models++;
}

/* Whether an earlier summary row already names this model. */
static bool seen(const tern_results *r, int row) {
  return tern_results_find(r, 0, NULL, NULL, r->summary[row].model) < row;
}

/* Whether a claim's figure takes a shape: one of those that its "needs" column
 * lists after "model:" or "models:", any when it lists none. */
static bool wanted_shape(const tern_claim *c, const char *shape) {
  const char *at = strstr(c->needs, "model");
  at = at ? strchr(at, ':') : NULL;
  if (!at) return true;
  for (size_t n = 0; *at && *at != ';'; at += n) {
    n = strcspn(++at, "|;");
    if (n == strlen(shape) && strncasecmp(at, shape, n) == 0) return true;
  }
  return false;
}

/* Published figures begin at 125M: a model of a few million weights stays in
 * the caches and says nothing about them. */
static bool too_small(const tern_results *r, const char *model) {
  const json_t *engines = tern_manifest_at(r->manifest, "engines");
  tern_shape shape;
  tern_error ignored;
  if (tern_shape_find(tern_results_shape(r, model), &shape, &ignored) == 0)
    return tern_shape_body_weights(&shape) < SMALLEST;
  for (size_t i = 0; i < json_array_size(engines); i++) {
    const json_t *engine = json_array_get(engines, i);
    const char *name = json_string_value(json_object_get(engine, "model"));
    if (name && strcmp(name, model) == 0) return tern_manifest_number(engine, "body_weights") < SMALLEST;
  }
  return false;
}

static void gather(const tern_claim *c, const tern_results *r, const char *engine, tern_figure *f, char *how,
                   size_t how_size) {
  bool exact = strcmp(c->metric, "body_memory") == 0;
  double scale = strcmp(c->unit, "GB") == 0 ? 1e-9 : 1;
  const tern_summary_row *last = NULL;
  for (int i = 0; i < r->summary_count; i++) {
    const char *model = r->summary[i].model;
    if (seen(r, i) || too_small(r, model) || !wanted_shape(c, tern_results_shape(r, model))) continue;
    int row = tern_results_representative(r, c->metric, engine, model);
    if (row < 0) continue;
    const tern_summary_row *s = &r->summary[row];
    f->n = last && f->n < s->n ? f->n : s->n;
    f->coverage = last ? fmin(f->coverage, s->coverage) : s->coverage;
    take(f, s->median * scale, s->low * scale, s->high * scale);
    last = s;
  }
  f->exact = exact;
  if (!last) return;
  if (exact)
    snprintf(how, how_size, "size of the engine's buffers");
  else
    snprintf(how, how_size, "%.16s: %.32s, %d thread%s%s%s", *last->how ? last->how : "measured", last->workload,
             last->threads, last->threads == 1 ? "" : "s", f->models > 1 ? ", all models of the run" : "",
             tern_results_synthetic(r) ? ", synthetic weights" : "");
}

/* Formulas that stand in place of a measurement. */
static void model_figure(const char *key, tern_figure *f) {
  size_t count;
  const tern_energy_row *rows = tern_energy_rows(&count);
  tern_error ignored;
  f->exact = true;
  if (strcmp(key, "model:matmul") == 0) {
    take(f, TERN_ENERGY_FP16_MAC / TERN_ENERGY_INT8_ADD, NAN, NAN);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    tern_shape s;
    bool wanted = strcmp(key, "model:others") == 0 ? !rows[i].ternary : strcmp(key + 6, rows[i].shape) == 0;
    if (wanted && tern_shape_find(rows[i].shape, &s, &ignored) == 0)
      take(f, tern_energy_model(&s, rows[i].ternary), NAN, NAN);
  }
}

void tern_claim_figures(tern_claim *c, const tern_results *r) {
  if (strncmp(c->ours_key, "model:", 6) == 0) {
    model_figure(c->ours_key, &c->ours);
    snprintf(c->ours_how, sizeof c->ours_how, "modelled from the published shapes, never measured");
  } else if (*c->ours_key) {
    gather(c, r, c->ours_key, &c->ours, c->ours_how, sizeof c->ours_how);
  }
  if (*c->peers_key) gather(c, r, c->peers_key, &c->peers, c->peers_how, sizeof c->peers_how);
}
