/* Rows from the summary, each with its samples. */
#include "harness/bench_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/attempt.h"
#include "harness/summary_parts.h"
#include "reports/manifest.h"

static const struct {
  const char *metric;
  size_t offset;
} figures[] = {
    {"speed", offsetof(tern_bench_row, speed)},
    {"latency", offsetof(tern_bench_row, latency)},
    {"ttft", offsetof(tern_bench_row, ttft)},
    {"token_p50", offsetof(tern_bench_row, token_p50)},
    {"token_p90", offsetof(tern_bench_row, token_p90)},
    {"token_p99", offsetof(tern_bench_row, token_p99)},
    {"bandwidth_share", offsetof(tern_bench_row, bandwidth_share)},
    {"energy", offsetof(tern_bench_row, energy)},
    {"energy_net", offsetof(tern_bench_row, energy_net)},
    {"energy_delay", offsetof(tern_bench_row, energy_delay)},
    {"ipc", offsetof(tern_bench_row, ipc)},
    {"gops", offsetof(tern_bench_row, gops)},
    {"roofline", offsetof(tern_bench_row, roofline)},
};

/* Samples of a row stand together, in order of time. */
static int compare_rows(const tern_sample *x, const tern_sample *y) {
  int order = strcmp(x->model, y->model);
  if (!order) order = strcmp(x->engine, y->engine);
  if (!order) order = strcmp(x->workload, y->workload);
  if (!order) order = (x->threads > y->threads) - (x->threads < y->threads);
  return order ? order : strcmp(tern_summary_placement(x), tern_summary_placement(y));
}

static int by_row(const void *a, const void *b) {
  const tern_sample *x = a, *y = b;
  int order = compare_rows(x, y);
  return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static bool of_row(const tern_sample *s, const tern_summary_row *row) {
  return s->threads == row->threads && strcmp(s->engine, row->engine) == 0 && strcmp(s->model, row->model) == 0 &&
         strcmp(s->workload, row->workload) == 0 && strcmp(tern_summary_placement(s), row->placement) == 0;
}

/* "decode-128@512": 512; 0 without. */
static int64_t depth_of(const char *workload) {
  const char *at = strchr(workload, '@');
  return at ? strtoll(at + 1, NULL, 10) : 0;
}

static const char *stopped_by(const tern_results *r, const char *model) {
  const json_t *list = tern_manifest_at(r->manifest, "stopped");
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i);
    const char *name = json_string_value(json_object_get(item, "model"));
    const char *by = json_string_value(json_object_get(item, "by"));
    if (name && by && strcmp(name, model) == 0) return by;
  }
  return "";
}

static void take_figures(tern_bench_row *row, const tern_results *r, const tern_summary_row *s) {
  tern_summary_row ratio;
  for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
    const tern_summary_row *f = tern_results_beside(r, figures[i].metric, NULL, s);
    *(tern_bench_figure *)(void *)((char *)row + figures[i].offset) =
        f ? (tern_bench_figure){f->median, f->low, f->high} : (tern_bench_figure){NAN, NAN, NAN};
  }
  row->ratio = (tern_bench_figure){NAN, NAN, NAN};
  if (tern_results_ratio(r, s, &ratio)) row->ratio = (tern_bench_figure){ratio.median, ratio.low, ratio.high};
  row->reference = tern_results_reference(r);
  const tern_summary_row *share = tern_results_beside(r, "disturbed_share", NULL, s);
  row->disturbed_share = share ? share->median : NAN;
  const tern_summary_row *energy = tern_results_beside(r, "energy", NULL, s);
  row->energy_how = energy ? energy->how : "";
  row->energy_scope = energy && !isnan(energy->median) ? energy->note : "";
  int body = tern_results_find(r, 0, "body_memory", s->engine, s->model);
  int peak = tern_results_find(r, 0, "peak_rss", s->engine, s->model);
  row->body_bytes = body >= 0 ? r->summary[body].median : NAN;
  row->peak_rss_bytes = peak >= 0 ? r->summary[peak].median : NAN;
}

static void take_samples(tern_bench_row *row, const tern_bench *b, const tern_summary_row *s) {
  for (size_t i = 0; i < b->sample_count; i++) {
    if (!of_row(&b->samples[i], s)) continue;
    if (!row->samples) row->samples = &b->samples[i];
    row->sample_count++;
  }
  const tern_sample *first = row->samples;
  row->phase = first ? first->phase : "";
  row->kernel = first ? first->kernel : "";
  row->head = first ? first->head : "";
  row->kv = first ? first->kv : "";
  row->batch = first ? first->batch : TERN_NO_COUNT;
  row->start_s = first ? first->start_s : NAN;
  int64_t tokens = first ? first->tokens : 0;
  bool decode = strcmp(row->phase, "decode") == 0;
  row->n_prompt = decode ? 0 : tokens;
  row->n_gen = decode ? tokens : 0;
  row->n_depth = depth_of(s->workload);
}

static size_t keep_counted(tern_sample *samples, size_t count) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (!tern_summary_counts(&samples[i])) continue;
    if (kept != i) samples[kept] = samples[i];
    kept++;
  }
  return kept;
}

int tern_bench_read(tern_bench *out, const char *dir, tern_error *e) {
  char path[4096];
  *out = (tern_bench){0};
  e->status = TERN_OK;
  if (tern_results_read(&out->results, dir, e)) return (int)e->status;
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  if (tern_samples_read(path, &out->samples, &out->sample_count, e)) goto out;
  out->sample_count = tern_attempts_latest(out->samples, out->sample_count);
  out->sample_count = keep_counted(out->samples, out->sample_count);
  if (out->sample_count) qsort(out->samples, out->sample_count, sizeof *out->samples, by_row);
  out->rows = calloc((size_t)out->results.summary_count + 1, sizeof *out->rows);
  if (!out->rows) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto out;
  }
  const tern_results *r = &out->results;
  for (int i = 0; (i = tern_results_find(r, i, "speed", NULL, NULL)) >= 0; i++) {
    const tern_summary_row *s = &r->summary[i];
    tern_bench_row *row = &out->rows[out->count++];
    *row = (tern_bench_row){.model = s->model,
                            .engine = s->engine,
                            .workload = s->workload,
                            .placement = s->placement,
                            .threads = s->threads,
                            .n = s->n,
                            .stopped = stopped_by(r, s->model)};
    take_figures(row, r, s);
    take_samples(row, out, s);
  }
  return 0;
out:
  tern_bench_free(out);
  return (int)e->status;
}

void tern_bench_free(tern_bench *b) {
  tern_results_free(&b->results);
  free(b->samples);
  free(b->rows);
  *b = (tern_bench){0};
}
