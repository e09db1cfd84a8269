/* The rows that every output format prints. */
#ifndef TERN_HARNESS_BENCH_ROWS_H
#define TERN_HARNESS_BENCH_ROWS_H

#include <stdint.h>

#include "harness/sample.h"
#include "reports/results.h"

/* A figure with its interval; NAN where not available. */
typedef struct tern_bench_figure {
  double median, low, high;
} tern_bench_figure;

typedef struct tern_bench_row {
  const char *model, *engine, *workload, *phase, *placement, *kernel, *head, *kv;
  int64_t threads, batch, n_prompt, n_gen, n_depth, n; /* batch TERN_NO_COUNT: the engine's choice */
  tern_bench_figure speed;
  tern_bench_figure ratio; /* times as fast as the reference */
  const char *reference;   /* "" when there is none */
  tern_bench_figure latency, ttft, token_p50, token_p90, token_p99, bandwidth_share;
  tern_bench_figure energy, energy_net, energy_delay, ipc, gops, roofline;
  const char *energy_how, *energy_scope;
  double disturbed_share, body_bytes, peak_rss_bytes;
  const char *stopped; /* "precision", "blocks", "time"; "" when the folder does not say */
  double start_s;
  const tern_sample *samples; /* that stand, in order of time */
  size_t sample_count;
} tern_bench_row;

typedef struct tern_bench {
  tern_results results;
  tern_sample *samples;
  size_t sample_count;
  tern_bench_row *rows;
  size_t count;
} tern_bench;

int tern_bench_read(tern_bench *out, const char *dir, tern_error *e);
void tern_bench_free(tern_bench *b); /* of a zeroed struct: nothing */

#endif
