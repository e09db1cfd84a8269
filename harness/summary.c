/* The summary's rows. Samples of the warm-up count for sizes only. Ratios and
 * savings are taken within a block, where both sides saw the same machine, and
 * their medians over blocks: the median of ratios, not the ratio of medians. */
#include "harness/summary.h"

#include <csv.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/sample.h"
#include "harness/stats.h"
#include "harness/stats_ratio.h"

/* Every engine is compared with these, as baseline/engine time. */
static const char OURS[] = "ternary";

enum { PATH_BYTES = 4096, SCHEMA = 1 };

typedef struct summary {
  const tern_sample *rows; /* by_subject */
  size_t count;
  double *values; /* room for count numbers */
  FILE *out;
} summary;

/* What a row of summary.csv is about. */
typedef struct subject {
  const char *metric, *engine, *model, *workload, *unit;
  int64_t threads; /* -1: any */
  const char *how, *note;
} subject;

static void put_text(FILE *f, const char *text, char after) {
  if (text && text[0]) csv_fwrite(f, text, strlen(text));
  fputc(after, f);
}

static void put_real(FILE *f, double v, char after) {
  if (isfinite(v)) fprintf(f, "%.9g", v);
  fputc(after, f);
}

static void put_row(const summary *s, const subject *about, const tern_estimate *m) {
  put_text(s->out, about->metric, ',');
  put_text(s->out, about->engine, ',');
  put_text(s->out, about->model, ',');
  put_text(s->out, about->workload, ',');
  if (about->threads >= 0) fprintf(s->out, "%" PRId64, about->threads);
  fprintf(s->out, ",%d,", m->n);
  put_real(s->out, m->median, ',');
  put_real(s->out, m->low, ',');
  put_real(s->out, m->high, ',');
  put_real(s->out, m->coverage, ',');
  put_text(s->out, about->unit, ',');
  put_text(s->out, about->how, ',');
  put_text(s->out, about->note, '\n');
}

static bool counts(const tern_sample *r) {
  return r->block >= 0 && !r->mark[0] && r->seconds > 0 && r->tokens > 0;
}

/* Same engine, model, workload and team. */
static bool same_cell(const tern_sample *a, const tern_sample *b) {
  return strcmp(a->engine, b->engine) == 0 && strcmp(a->model, b->model) == 0 &&
         strcmp(a->workload, b->workload) == 0 && a->threads == b->threads;
}

static double speed(const tern_sample *r) {
  return (double)r->tokens / r->seconds;
}
static double latency(const tern_sample *r) {
  return strcmp(r->phase, "decode") == 0 ? 1e3 * r->seconds / (double)r->tokens : NAN;
}
static double bandwidth_share(const tern_sample *r) {
  if (strcmp(r->phase, "decode") != 0 || r->bytes_per_token == TERN_NO_COUNT || !(r->read_gbs > 0)) return NAN;
  return (double)r->bytes_per_token * speed(r) / (r->read_gbs * 1e9);
}
static double energy(const tern_sample *r) {
  return r->joules / (double)r->tokens;
}

/* Metrics of one cell. */
static const struct {
  const char *metric, *unit;
  double (*value)(const tern_sample *);
} cell_metrics[] = {
    {"speed", "tokens/s", speed},
    {"latency", "ms/token", latency},
    {"bandwidth_share", "1", bandwidth_share},
    {"energy", "J/token", energy},
};

/* Why a cell has no energy: its samples' own words. */
static const char *energy_note(const summary *s, const tern_sample *cell) {
  for (size_t i = 0; i < s->count; i++)
    if (same_cell(&s->rows[i], cell) && s->rows[i].joules_why[0]) return s->rows[i].joules_why;
  return "";
}

static void put_cell(const summary *s, const tern_sample *cell) {
  for (size_t m = 0; m < sizeof cell_metrics / sizeof *cell_metrics; m++) {
    bool is_energy = cell_metrics[m].value == energy;
    const char *scope = "";
    int n = 0;
    for (size_t i = 0; i < s->count; i++) {
      const tern_sample *r = &s->rows[i];
      if (!counts(r) || !same_cell(r, cell)) continue;
      double v = cell_metrics[m].value(r);
      if (!isfinite(v)) continue;
      if (r->joules_scope[0]) scope = r->joules_scope;
      s->values[n++] = v;
    }
    tern_estimate found = tern_estimate_median(s->values, n);
    if (n == 0 && !is_energy) continue;
    subject about = {cell_metrics[m].metric, cell->engine,  cell->model, cell->workload,
                     cell_metrics[m].unit,   cell->threads, "measured",  ""};
    if (is_energy) {
      about.how = n ? "measured" : "unavailable";
      about.note = n ? scope : energy_note(s, cell);
    }
    put_row(s, &about, &found);
  }
}

static double time_ratio(const tern_sample *ours, const tern_sample *other) {
  return (other->seconds / (double)other->tokens) / (ours->seconds / (double)ours->tokens);
}

static double joules_ratio(const tern_sample *ours, const tern_sample *other) {
  return strcmp(ours->joules_scope, other->joules_scope) == 0 ? energy(other) / energy(ours) : NAN;
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
} pair_metrics[] = {{"speedup", "x", time_ratio, as_ratio}, {"energy_saving", "%", joules_ratio, as_saving}};

/* The other engine's sample of the same block, model, workload and team. */
static const tern_sample *partner(const summary *s, const tern_sample *ours, const char *engine) {
  for (size_t i = 0; i < s->count; i++) {
    const tern_sample *r = &s->rows[i];
    if (counts(r) && r->block == ours->block && r->threads == ours->threads && strcmp(r->engine, engine) == 0 &&
        strcmp(r->model, ours->model) == 0 && strcmp(r->workload, ours->workload) == 0)
      return r;
  }
  return NULL;
}

static void put_pair(const summary *s, const tern_sample *cell, const char *engine) {
  char names[80];
  snprintf(names, sizeof names, "%s/%s", OURS, engine);
  for (size_t m = 0; m < sizeof pair_metrics / sizeof *pair_metrics; m++) {
    int n = 0;
    for (size_t i = 0; i < s->count; i++) {
      const tern_sample *ours = &s->rows[i], *other;
      if (!counts(ours) || !same_cell(ours, cell) || !(other = partner(s, ours, engine))) continue;
      double v = pair_metrics[m].ratio(ours, other);
      if (isfinite(v) && v > 0) s->values[n++] = v;
    }
    if (n == 0) continue;
    tern_ratio r = tern_ratio_estimate(s->values, n, TERN_RATIO_LEVEL);
    double (*shown)(double) = pair_metrics[m].shown;
    tern_estimate found = {n, shown(r.ratio), r.bounded, shown(r.low), shown(r.high), r.level};
    subject about = {pair_metrics[m].metric, names,         cell->model, cell->workload,
                     pair_metrics[m].unit,   cell->threads, "measured",  "ratios within a block, signed-rank interval"};
    put_row(s, &about, &found);
  }
}

/* Sizes: the greatest of the samples, warm-up included. */
static void put_sizes(const summary *s, const tern_sample *first) {
  static const struct {
    const char *metric;
    size_t offset;
    const char *how;
  } sizes[] = {
      {"body_memory", offsetof(tern_sample, body_bytes), "computed"},
      {"head_memory", offsetof(tern_sample, head_bytes), "computed"},
      {"embedding_memory", offsetof(tern_sample, embedding_bytes), "computed"},
      {"kv_memory", offsetof(tern_sample, kv_bytes), "computed"},
      {"peak_rss", offsetof(tern_sample, peak_rss_bytes), "measured"},
  };
  for (size_t m = 0; m < sizeof sizes / sizeof *sizes; m++) {
    tern_estimate found = {.median = NAN, .low = NAN, .high = NAN, .coverage = NAN};
    int64_t most = TERN_NO_COUNT;
    for (size_t i = 0; i < s->count; i++) {
      const tern_sample *r = &s->rows[i];
      int64_t v = *(const int64_t *)((const char *)r + sizes[m].offset);
      if (strcmp(r->engine, first->engine) != 0 || strcmp(r->model, first->model) != 0 || v == TERN_NO_COUNT) continue;
      found.n++;
      if (v > most) most = v;
    }
    if (most == TERN_NO_COUNT) continue;
    found.median = (double)most;
    subject about = {sizes[m].metric, first->engine, first->model, "", "bytes", -1, sizes[m].how, ""};
    put_row(s, &about, &found);
  }
}

/* One probe a block and team: its first sample stands for it. */
static void put_bandwidth(const summary *s, int64_t threads) {
  int n = 0;
  for (size_t i = 0; i < s->count; i++) {
    const tern_sample *r = &s->rows[i];
    if (r->threads != threads || r->block < 0 || !(r->read_gbs > 0)) continue;
    bool seen = false;
    for (size_t j = 0; j < i && !seen; j++)
      seen = s->rows[j].threads == threads && s->rows[j].block == r->block && strcmp(s->rows[j].model, r->model) == 0 &&
             s->rows[j].read_gbs > 0;
    if (!seen) s->values[n++] = r->read_gbs;
  }
  if (n == 0) return;
  tern_estimate found = tern_estimate_median(s->values, n);
  subject about = {"read_bandwidth", "machine", "", "", "GB/s", threads, "measured", ""};
  put_row(s, &about, &found);
}

static bool first_of(const summary *s, size_t i, bool (*same)(const tern_sample *, const tern_sample *)) {
  for (size_t j = 0; j < i; j++)
    if (same(&s->rows[i], &s->rows[j])) return false;
  return true;
}

static bool same_engine(const tern_sample *a, const tern_sample *b) {
  return strcmp(a->engine, b->engine) == 0 && strcmp(a->model, b->model) == 0;
}
static bool same_team(const tern_sample *a, const tern_sample *b) {
  return a->threads == b->threads;
}

/* Rows of the summary stand in the same order whatever order the engines ran
 * in: by model, team, workload, engine (ours first), then as measured. */
static int by_subject(const void *a, const void *b) {
  const tern_sample *x = a, *y = b;
  int order = strcmp(x->model, y->model);
  if (!order) order = (x->threads > y->threads) - (x->threads < y->threads);
  if (!order) order = -strcmp(x->phase, y->phase); /* prefill before decode */
  if (!order) order = strcmp(x->workload, y->workload);
  if (!order) order = (strcmp(y->engine, OURS) == 0) - (strcmp(x->engine, OURS) == 0);
  if (!order) order = strcmp(x->engine, y->engine);
  return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static void put_all(const summary *s) {
  fputs("metric,engine,model,workload,threads,n,median,low,high,coverage,unit,how,note\n", s->out);
  for (size_t i = 0; i < s->count; i++)
    if (first_of(s, i, same_cell)) put_cell(s, &s->rows[i]);
  for (size_t i = 0; i < s->count; i++) {
    if (strcmp(s->rows[i].engine, OURS) != 0 || !first_of(s, i, same_cell)) continue;
    for (size_t j = 0; j < s->count; j++)
      if (strcmp(s->rows[j].engine, OURS) != 0 && strcmp(s->rows[j].model, s->rows[i].model) == 0 &&
          first_of(s, j, same_engine))
        put_pair(s, &s->rows[i], s->rows[j].engine);
  }
  for (size_t i = 0; i < s->count; i++)
    if (first_of(s, i, same_engine)) put_sizes(s, &s->rows[i]);
  for (size_t i = 0; i < s->count; i++)
    if (first_of(s, i, same_team)) put_bandwidth(s, s->rows[i].threads);
}

/* A folder of another kind or a newer program's is refused before it is read. */
static int check_manifest(const char *dir, tern_error *e) {
  char path[PATH_BYTES];
  size_t size;
  json_error_t problem;
  snprintf(path, sizeof path, "%s/manifest.json", dir);
  char *text = tern_file_read(path, (size_t)64 << 20, &size, e);
  if (!text) return (int)e->status;
  json_t *m = json_loadb(text, size, 0, &problem);
  free(text);
  if (!m) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, problem.line, problem.text);
  json_int_t schema = json_integer_value(json_object_get(m, "schema"));
  json_decref(m);
  if (schema < 1) return tern_fail(e, TERN_FAILED, "%s: no \"schema\" number; is this a result folder?", path);
  if (schema > SCHEMA)
    return tern_fail(e, TERN_FAILED, "%s: schema %d is newer than this program's %d; use a newer ternmark", path,
                     (int)schema, SCHEMA);
  return 0;
}

int tern_summary_write(const char *dir, tern_error *e) {
  char path[PATH_BYTES];
  tern_sample *rows = NULL;
  size_t count;
  tern_output *o = NULL;
  summary s = {0};
  if (check_manifest(dir, e)) return (int)e->status;
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  if (tern_samples_read(path, &rows, &count, e)) return (int)e->status;
  if (count) qsort(rows, count, sizeof *rows, by_subject);
  s = (summary){rows, count, calloc(count + 1, sizeof *s.values), NULL};
  if (!s.values) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto out;
  }
  snprintf(path, sizeof path, "%s/summary.csv", dir);
  if (tern_output_open(&o, path, e)) goto out;
  s.out = tern_output_stream(o);
  put_all(&s);
  tern_output_commit(o, e);
out:
  free(s.values);
  free(rows);
  return (int)e->status;
}
