/* Ratios of two contenders, taken within a block, where both saw the same
 * machine: the median of ratios, not the ratio of medians. A ratio belongs to
 * one team and placement; across them it would compare machines. */
#include <math.h>
#include <string.h>

#include "harness/stats_ratio.h"
#include "harness/summary_parts.h"

/* Base engines in the order of the rows; unknown ones of ours follow, outside
 * programs ("peer:") are last. */
static const char *const known[] = {"ternary", "f16", "bf16", "f32", "int8"};
enum { KNOWN = sizeof known / sizeof *known };

static bool is_engine(const char *name, const char *engine) {
  size_t n = strlen(engine);
  return strncmp(name, engine, n) == 0 && (!name[n] || name[n] == ':');
}

static int rank(const char *name) {
  for (int i = 0; i < KNOWN; i++)
    if (is_engine(name, known[i])) return i;
  return is_engine(name, "peer") ? KNOWN + 1 : KNOWN;
}

int tern_contender_order(const char *a, const char *b) {
  int x = rank(a), y = rank(b);
  return x != y ? x - y : strcmp(a, b); /* "ternary" before "ternary:t5" */
}

static bool same_base(const char *a, const char *b) {
  size_t n = strcspn(a, ":");
  return n == strcspn(b, ":") && strncmp(a, b, n) == 0;
}

/* Ternary against all others, ours against outside programs, those among
 * themselves in both orders (claims name either), two settings of one engine,
 * and the reference against all. */
bool tern_summary_pairs(const char *ours, const char *other, const char *reference) {
  bool peer = is_engine(ours, "peer"), other_peer = is_engine(other, "peer");
  if (strcmp(ours, other) == 0) return false;
  if (peer || other_peer) return other_peer;
  if (tern_contender_order(ours, other) > 0) return false;
  return is_engine(ours, known[0]) || same_base(ours, other) || strcmp(ours, reference) == 0 ||
         strcmp(other, reference) == 0;
}

static double time_ratio(const tern_sample *ours, const tern_sample *other) {
  return (other->seconds / (double)other->tokens) / (ours->seconds / (double)ours->tokens);
}

/* Joules of different scopes, or read and modelled ones, are not compared. */
static double joules_ratio(const tern_sample *ours, const tern_sample *other) {
  if (strcmp(ours->joules_scope, other->joules_scope) != 0 || strcmp(ours->joules_how, other->joules_how) != 0)
    return NAN;
  return (other->joules / (double)other->tokens) / (ours->joules / (double)ours->tokens);
}

static double as_ratio(double ratio) {
  return ratio;
}

/* % of the other's joules that ours does not take. */
static double as_saving(double ratio) {
  return 100 * (1 - 1 / ratio);
}

/* Ratios are estimated (harness/stats_ratio.h), then shown; both ways of showing rise with the ratio. */
static const struct {
  const char *metric, *unit;
  double (*ratio)(const tern_sample *, const tern_sample *);
  double (*shown)(double ratio);
  bool of_energy;
} metrics[] = {{"speedup", "x", time_ratio, as_ratio, false}, {"energy_saving", "%", joules_ratio, as_saving, true}};

/* The other contender's sample of the same block. */
static const tern_sample *partner(const tern_cell_rows *other, int64_t block) {
  for (size_t i = 0; i < other->count; i++)
    if (other->rows[i].block == block && tern_summary_counts(&other->rows[i])) return &other->rows[i];
  return NULL;
}

void tern_summary_pair(const tern_summary *s, const tern_cell_rows *ours, const tern_cell_rows *other) {
  const tern_sample *cell = ours->rows;
  char names[sizeof cell->engine * 2];
  snprintf(names, sizeof names, "%s/%s", cell->engine, other->rows->engine);
  for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
    const char *how = "measured";
    int n = 0;
    for (size_t i = 0; i < ours->count; i++) {
      const tern_sample *a = &ours->rows[i], *b = NULL;
      if (tern_summary_counts(a)) b = partner(other, a->block);
      double v = b ? metrics[m].ratio(a, b) : NAN;
      if (!isfinite(v) || v <= 0) continue;
      if (metrics[m].of_energy && strcmp(a->joules_how, "modelled") == 0) how = "modelled";
      s->values[n++] = v;
    }
    if (n == 0) continue;
    tern_ratio r = tern_ratio_estimate(s->values, n, TERN_RATIO_LEVEL);
    double (*shown)(double) = metrics[m].shown;
    tern_estimate found = {n, shown(r.ratio), r.bounded, shown(r.low), shown(r.high), r.level};
    tern_subject about = {metrics[m].metric,
                          names,
                          cell->model,
                          cell->workload,
                          metrics[m].unit,
                          cell->threads,
                          how,
                          "ratios within a block, signed-rank interval",
                          tern_summary_placement(cell)};
    tern_summary_put(s, &about, &found);
  }
}
