/* The summary's rows, in the same order whatever order the engines ran in.
 * Only the last attempt of a block counts; samples of the warm-up count for
 * sizes alone. */
#include "harness/summary.h"

#include <csv.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/attempt.h"
#include "harness/summary_parts.h"
#include "reports/manifest.h"

enum { PATH_BYTES = 4096 };

static void put_text(FILE *f, const char *text, char after) {
  if (text && text[0]) csv_fwrite(f, text, strlen(text));
  fputc(after, f);
}

static void put_real(FILE *f, double v, char after) {
  if (isfinite(v)) fprintf(f, "%.9g", v);
  fputc(after, f);
}

void tern_summary_put(const tern_summary *s, const tern_subject *about, const tern_estimate *m) {
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
  put_text(s->out, about->note, ',');
  put_text(s->out, about->placement, '\n');
}

const char *tern_summary_placement(const tern_sample *r) {
  return strcmp(r->placement, "cores") == 0 ? "" : r->placement;
}

bool tern_summary_counts(const tern_sample *r) {
  return r->block >= 0 && !r->mark[0] && r->seconds > 0 && r->tokens > 0;
}

static int compare_cells(const tern_sample *x, const tern_sample *y) {
  int order = strcmp(x->model, y->model);
  if (!order) order = (x->threads > y->threads) - (x->threads < y->threads);
  if (!order) order = strcmp(tern_summary_placement(x), tern_summary_placement(y));
  if (!order) order = -strcmp(x->phase, y->phase); /* prefill before decode */
  if (!order) order = strcmp(x->workload, y->workload);
  return order ? order : tern_contender_order(x->engine, y->engine);
}

static int by_subject(const void *a, const void *b) {
  const tern_sample *x = a, *y = b;
  int order = compare_cells(x, y);
  return order ? order : (x->sample > y->sample) - (x->sample < y->sample);
}

static void cut_cells(tern_summary *s) {
  for (size_t i = 0; i < s->count; i++) {
    if (i == 0 || compare_cells(&s->rows[i - 1], &s->rows[i]) != 0)
      s->cells[s->cell_count++] = (tern_cell_rows){&s->rows[i], 0};
    s->cells[s->cell_count - 1].count++;
  }
}

/* Same model, workload, team and placement: they differ in the contender. */
static bool comparable(const tern_sample *a, const tern_sample *b) {
  return strcmp(a->model, b->model) == 0 && strcmp(a->workload, b->workload) == 0 && a->threads == b->threads &&
         strcmp(tern_summary_placement(a), tern_summary_placement(b)) == 0;
}

static void put_all(const tern_summary *s) {
  char reference[96];
  tern_manifest_text(s->manifest, "reference", reference, sizeof reference);
  fputs("metric,engine,model,workload,threads,n,median,low,high,coverage,unit,how,note,placement\n", s->out);
  for (size_t i = 0; i < s->cell_count; i++) tern_summary_cell(s, &s->cells[i]);
  for (size_t i = 0; i < s->cell_count; i++)
    for (size_t j = 0; j < s->cell_count; j++)
      if (i != j && comparable(s->cells[i].rows, s->cells[j].rows) &&
          tern_summary_pairs(s->cells[i].rows->engine, s->cells[j].rows->engine, reference))
        tern_summary_pair(s, &s->cells[i], &s->cells[j]);
  tern_summary_sizes(s);
  tern_summary_bandwidth(s);
}

int tern_summary_write(const char *dir, tern_error *e) {
  char path[PATH_BYTES];
  json_t *manifest = NULL;
  tern_sample *rows = NULL;
  size_t count;
  tern_output *o = NULL;
  tern_summary s = {0};
  e->status = TERN_OK;
  if (tern_manifest_read(&manifest, dir, e)) return (int)e->status;
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  if (tern_samples_read(path, &rows, &count, e)) goto out;
  count = tern_attempts_latest(rows, count);
  if (count) qsort(rows, count, sizeof *rows, by_subject);
  s = (tern_summary){.manifest = manifest,
                     .rows = rows,
                     .count = count,
                     .cells = calloc(count + 1, sizeof *s.cells),
                     .values = calloc(count + 1, sizeof *s.values)};
  if (!s.cells || !s.values) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", path);
    goto out;
  }
  cut_cells(&s);
  snprintf(path, sizeof path, "%s/summary.csv", dir);
  if (tern_output_open(&o, path, e)) goto out;
  s.out = tern_output_stream(o);
  put_all(&s);
  tern_output_commit(o, e);
out:
  free(s.cells);
  free(s.values);
  free(rows);
  json_decref(manifest);
  return (int)e->status;
}
