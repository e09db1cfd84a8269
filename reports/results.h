/* A result folder in memory: manifest, summary (sorted for readers) and samples,
 * numbers checked.
 * Texts point into the tables and live as long as the results. */
#ifndef TERN_REPORTS_RESULTS_H
#define TERN_REPORTS_RESULTS_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/base/error.h"
#include "reports/csv_read.h"

typedef struct tern_summary_row {
  const char *metric, *engine, *model, *workload, *unit, *how, *note;
  const char *placement; /* "": the default */
  int threads, n;        /* 0: not of a thread count */
  double median, low, high, coverage;
  int metric_order, model_order, workload_order, order; /* where each first stood in the file */
} tern_summary_row;

typedef struct tern_sample_row {
  const char *engine, *model, *workload, *phase, *kernel, *head, *kv, *mark;
  const char *joules_how, *joules_why, *placement, *disturbed;
  int threads, block, attempt;
  bool superseded; /* its block was taken again */
  double start_s, tokens, seconds, read_gbs;
  double body_bytes, head_bytes, embedding_bytes, kv_bytes, peak_rss_bytes;
} tern_sample_row;

typedef struct tern_results {
  char *dir;
  json_t *manifest;
  tern_table *summary_table, *samples_table;
  tern_summary_row *summary;
  int summary_count;
  tern_sample_row *samples;
  int sample_count;
} tern_results;

int tern_results_read(tern_results *out, const char *dir, tern_error *e);
void tern_results_free(tern_results *r); /* of a zeroed struct: nothing */

/* First summary row at or after `start` of a metric, engine and model; NULL
 * matches anything. -1: none. */
int tern_results_find(const tern_results *r, int start, const char *metric, const char *engine, const char *model);

/* The row of another metric and engine (NULL: the same) for the same model,
 * workload, threads and placement; NULL: none. */
const tern_summary_row *tern_results_beside(const tern_results *r, const char *metric, const char *engine,
                                            const tern_summary_row *s);

/* The contender that ratios are shown to: the manifest's, else "ternary"; ""
 * when it was not measured. */
const char *tern_results_reference(const tern_results *r);
/* Times as fast as the reference, for a row's engine and cell; `out` takes
 * ratio, interval and n. False: no such pair was taken. */
bool tern_results_ratio(const tern_results *r, const tern_summary_row *s, tern_summary_row *out);

/* Whether a ratio's row has the reference on one side (or there is none). */
bool tern_results_of_reference(const tern_results *r, const tern_summary_row *s);
/* Whether a row of a ratio tells more than another: of two outside engines both
 * ratios are in the folder, and the lower one is the other turned round. */
bool tern_results_tells(const tern_results *r, const tern_summary_row *s);

bool tern_results_quick(const tern_results *r);
bool tern_results_finished(const tern_results *r);
/* Whether any model's weights are synthetic (or their source is not told). */
bool tern_results_synthetic(const tern_results *r);
/* "arm", "x86" or "" when the manifest does not say. */
const char *tern_results_platform(const tern_results *r);
/* Shape of a model of the run: the manifest's, else the model's own name. */
const char *tern_results_shape(const tern_results *r, const char *model);
/* Why no energy was measured, from the samples; "" when some was. */
const char *tern_results_no_energy(const tern_results *r);
/* Whether an outside engine ("peer:...") was measured. */
bool tern_results_peers(const tern_results *r);
/* Why a baseline is known to be slower than the best peer; NULL: it is not. */
const char *tern_results_provisional(const tern_results *r, const char *engine_or_ratio);

#endif
