/* samples.csv: one row a repetition. The columns are one table, read by the
 * writer and the reader; docs/results.md tells what they mean. A value that is
 * not available is an empty cell, never zero. */
#ifndef TERN_HARNESS_SAMPLE_H
#define TERN_HARNESS_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "harness/counters.h"

/* Not available: TERN_NO_COUNT in integers, NAN in reals, "" in texts. */
#define TERN_NO_COUNT INT64_C(-1)
/* Warm-up's block number. */
#define TERN_WARMUP_BLOCK INT64_C(-1)

typedef struct tern_sample {
  int64_t sample, block, place;
  double start_s;
  char engine[64], model[96], workload[32], phase[16];
  int64_t threads;
  char kernel[64], head[32], kv[8];
  int64_t tokens;
  double seconds, read_gbs;
  int64_t bytes_per_token;
  double joules;
  char joules_how[16], joules_scope[32], joules_why[320];
  int64_t body_bytes, head_bytes, embedding_bytes, kv_bytes, peak_rss_bytes;
  int64_t counters[TERN_COUNTERS];
  int64_t steal_ticks;
  char mark[16];
  /* Columns that older folders lack. */
  int64_t attempt; /* a block taken again counts up; the last attempt stands */
  char placement[32];
  int64_t batch; /* tokens fed at once; not available: the engine's choice */
  int64_t calls; /* in the timed window; seconds and joules are of one */
  double ttft_s, token_p50_s, token_p90_s, token_p99_s;
  double joules_net, idle_watts;
  char joules_note[96];
  int64_t pass;       /* group of hardware counters that was read */
  char disturbed[96]; /* "steal+waiting" */
} tern_sample;

/* Every field not available. */
void tern_sample_clear(tern_sample *s);

typedef struct tern_samples tern_samples;
/* Creates the file with its header row; fails when it exists. */
int tern_samples_create(tern_samples **out, const char *path, tern_error *e);
/* Goes on with a file: a row cut off at its end is taken away. Its header must
 * be this program's. */
int tern_samples_reopen(tern_samples **out, const char *path, tern_error *e);
/* Writes one row whole: a killed run keeps every row appended before. */
int tern_samples_append(tern_samples *s, const tern_sample *sample, tern_error *e);
int tern_samples_close(tern_samples *s, tern_error *e); /* NULL allowed */

/* Reads all rows (free()); a row cut off at the end of the file is left out.
 * Unknown columns are passed over, a missing one is an error that names it. */
int tern_samples_read(const char *path, tern_sample **out, size_t *count, tern_error *e);

#endif
