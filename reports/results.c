/* Reads a result folder; every error names the file and the row. */
#include "reports/results.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/manifest.h"

typedef enum kind { TEXT, COUNT, REAL } kind;
typedef struct field {
  const char *column;
  kind kind;
  bool needed; /* the column must be there */
  size_t offset;
} field;

#define SUMMARY(kind, needed, name)                                                                                    \
  { #name, kind, needed, offsetof(tern_summary_row, name) }
static const field summary_fields[] = {
    SUMMARY(TEXT, true, metric),    SUMMARY(TEXT, true, engine),     SUMMARY(TEXT, true, model),
    SUMMARY(TEXT, true, workload),  SUMMARY(TEXT, true, unit),       SUMMARY(TEXT, false, how),
    SUMMARY(TEXT, false, note),     SUMMARY(COUNT, true, n),         SUMMARY(COUNT, true, threads),
    SUMMARY(REAL, true, median),    SUMMARY(REAL, true, low),        SUMMARY(REAL, true, high),
    SUMMARY(REAL, false, coverage), SUMMARY(TEXT, false, placement),
};

#define SAMPLE(kind, needed, name)                                                                                     \
  { #name, kind, needed, offsetof(tern_sample_row, name) }
static const field sample_fields[] = {
    SAMPLE(TEXT, true, engine),      SAMPLE(TEXT, true, model),
    SAMPLE(TEXT, true, workload),    SAMPLE(TEXT, true, phase),
    SAMPLE(TEXT, false, kernel),     SAMPLE(TEXT, false, head),
    SAMPLE(TEXT, false, kv),         SAMPLE(TEXT, false, mark),
    SAMPLE(TEXT, false, joules_how), SAMPLE(TEXT, false, joules_why),
    SAMPLE(TEXT, false, placement),  SAMPLE(TEXT, false, disturbed),
    SAMPLE(COUNT, true, threads),    SAMPLE(COUNT, true, block),
    SAMPLE(COUNT, false, attempt),   SAMPLE(REAL, false, start_s),
    SAMPLE(REAL, true, tokens),      SAMPLE(REAL, true, seconds),
    SAMPLE(REAL, false, read_gbs),   SAMPLE(REAL, false, body_bytes),
    SAMPLE(REAL, false, head_bytes), SAMPLE(REAL, false, embedding_bytes),
    SAMPLE(REAL, false, kv_bytes),   SAMPLE(REAL, false, peak_rss_bytes),
};

static int read_row(const tern_table *t, int row, const field *fields, size_t count, void *out, tern_error *e) {
  for (size_t i = 0; i < count; i++) {
    const field *f = &fields[i];
    void *at = (char *)out + f->offset;
    int column = tern_table_column(t, f->column);
    double value;
    if (column < 0 && f->needed)
      return tern_fail(e, TERN_FAILED, "%s: no column \"%s\"", tern_table_name(t), f->column);
    if (f->kind == TEXT) {
      *(const char **)at = tern_table_cell(t, row, column);
      continue;
    }
    if (tern_table_real(t, row, column, &value, e)) return (int)e->status;
    if (f->kind == REAL) {
      *(double *)at = value;
      continue;
    }
    if (isnan(value)) value = 0;
    if (!(value >= -1 && value <= 1e9 && value == floor(value)))
      return tern_fail(e, TERN_FAILED, "%s: row %d, column %s: %g is no count", tern_table_name(t), row + 1, f->column,
                       value);
    *(int *)at = (int)value;
  }
  return 0;
}

/* Rows of `size` bytes each from DIR/name; a table without rows still must
 * have the columns. */
static int read_rows(const char *dir, const char *name, bool growing, const field *fields, size_t fields_count,
                     size_t size, tern_table **table, void **rows, int *count, tern_error *e) {
  char path[4096];
  if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
    return tern_fail(e, TERN_FAILED, "%.80s: name too long", dir);
  if (tern_table_read(table, path, growing, e)) return (int)e->status;
  *count = tern_table_rows(*table);
  *rows = calloc((size_t)*count + 1, size);
  if (!*rows) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  for (int row = 0; row < *count || row == 0; row++) {
    if (read_row(*table, row, fields, fields_count, (char *)*rows + (size_t)row * size, e)) return (int)e->status;
  }
  return 0;
}

/* Order of rows for readers: models as they came, prefill before decoding, our
 * engines in one order everywhere. */
static int engine_rank(const char *engine) {
  static const char *const known[] = {"ternary", "f16", "bf16", "f32", "int8", "ternary/f16", "ternary/int8"};
  int count = sizeof known / sizeof *known;
  for (int i = 0; i < count; i++)
    if (strcmp(engine, known[i]) == 0) return i;
  return count;
}

static int phase_rank(const char *workload) {
  if (strncmp(workload, "decode", 6) != 0) return 0;
  return strchr(workload, '@') ? 2 : 1;
}

static int compare_rows(const void *a, const void *b) {
  const tern_summary_row *x = a, *y = b;
  const int keys[][2] = {{x->metric_order, y->metric_order},
                         {x->model_order, y->model_order},
                         {phase_rank(x->workload), phase_rank(y->workload)},
                         {x->workload_order, y->workload_order},
                         {x->threads, y->threads},
                         {strcmp(x->placement, y->placement), 0},
                         {engine_rank(x->engine), engine_rank(y->engine)},
                         {x->order, y->order}};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (keys[i][0] != keys[i][1]) return keys[i][0] < keys[i][1] ? -1 : 1;
  return 0;
}

/* Number of the first row whose text at `offset` equals that of `row`. */
static int first_with(const tern_results *r, int row, size_t offset) {
  int i = 0;
  const char *text = *(const char **)((char *)&r->summary[row] + offset);
  while (strcmp(*(const char **)((char *)&r->summary[i] + offset), text) != 0) i++;
  return i;
}

static void sort_summary(tern_results *r) {
  for (int i = 0; i < r->summary_count; i++) {
    tern_summary_row *s = &r->summary[i];
    s->metric_order = first_with(r, i, offsetof(tern_summary_row, metric));
    s->model_order = first_with(r, i, offsetof(tern_summary_row, model));
    s->workload_order = first_with(r, i, offsetof(tern_summary_row, workload));
    s->order = i;
  }
  qsort(r->summary, (size_t)r->summary_count, sizeof *r->summary, compare_rows);
}

static void mark_superseded(tern_results *r) {
  for (int i = 0; i < r->sample_count; i++)
    for (int k = 0; k < r->sample_count && !r->samples[i].superseded; k++) {
      const tern_sample_row *a = &r->samples[i], *b = &r->samples[k];
      r->samples[i].superseded =
          a->block >= 0 && a->block == b->block && a->attempt < b->attempt && strcmp(a->model, b->model) == 0;
    }
}

int tern_results_read(tern_results *out, const char *dir, tern_error *e) {
  *out = (tern_results){.dir = strdup(dir)};
  if (!out->dir) return tern_fail(e, TERN_FAILED, "%.80s: out of memory", dir);
  if (tern_manifest_read(&out->manifest, dir, e) ||
      read_rows(dir, "summary.csv", false, summary_fields, sizeof summary_fields / sizeof *summary_fields,
                sizeof *out->summary, &out->summary_table, (void **)&out->summary, &out->summary_count, e) ||
      read_rows(dir, "samples.csv", true, sample_fields, sizeof sample_fields / sizeof *sample_fields,
                sizeof *out->samples, &out->samples_table, (void **)&out->samples, &out->sample_count, e)) {
    tern_results_free(out);
    return (int)e->status;
  }
  sort_summary(out);
  mark_superseded(out);
  return 0;
}

void tern_results_free(tern_results *r) {
  free(r->dir);
  json_decref(r->manifest);
  tern_table_free(r->summary_table);
  tern_table_free(r->samples_table);
  free(r->summary);
  free(r->samples);
  *r = (tern_results){0};
}
