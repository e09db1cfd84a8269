/* Benchmark of kernels: each figure beside the read bandwidth and the
 * instruction peak measured in the same blocks by the same team, and as a share
 * of them, with intervals over the blocks. */
#ifndef TERN_HARNESS_KERNEL_BENCH_H
#define TERN_HARNESS_KERNEL_BENCH_H

#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "harness/counters.h"
#include "harness/stats.h"
#include "kernels/tuning.h"

typedef enum tern_bench_format { TERN_BENCH_TEXT, TERN_BENCH_CSV, TERN_BENCH_JSON } tern_bench_format;

enum { TERN_BENCH_LIST = 32, TERN_BENCH_MATRICES = 64 };

typedef struct tern_bench_matrix {
  char name[64]; /* "2B4T gate+up", or "" */
  int rows, cols;
} tern_bench_matrix;

typedef struct tern_bench {
  const char *filter; /* part of a kernel's name; NULL: every kernel but the scalar ones */
  tern_isa cap;
  tern_bench_matrix matrices[TERN_BENCH_MATRICES];
  int matrix_count;
  int batches[TERN_BENCH_LIST], batch_count;
  int teams[TERN_BENCH_LIST], team_count; /* sizes */
  const int *cpus;                        /* [greatest team] to bind to, or NULL */
  bool places[TERN_PLACES];
  double seconds; /* of timing a figure */
  uint64_t seed;
  bool counters;
  tern_bench_format format;
} tern_bench;

/* One kernel, matrix, batch, team and place. */
typedef struct tern_figure {
  const tern_kernel *kernel;
  const tern_bench_matrix *matrix;
  tern_place place;
  int batch, threads, blocks;
  double seconds;                  /* of a product: the best block's */
  double gbs, read_gbs;            /* medians of the blocks; weights alone count */
  double gops, peak_gops;          /* medians; peak NAN: no instruction is known for this level */
  tern_estimate of_read, of_peak;  /* kernel and ceiling of the same block */
  const char *instruction;         /* of the peak */
  int64_t counters[TERN_COUNTERS]; /* of one pass; -1: does not count */
  size_t products;                 /* in that pass */
} tern_figure;

/* The matrices of a published shape, those of equal size once. TERN_USAGE with
 * the nearest names when it is not known. */
int tern_bench_add_model(tern_bench *b, const char *shape, tern_error *e);

int tern_kernel_bench(const tern_bench *b, FILE *out, tern_error *e);

/* Printing (kernel_bench_print.c): begin, figures, end. */
typedef struct tern_bench_print tern_bench_print;
tern_bench_print *tern_bench_print_begin(const tern_bench *b, FILE *out);
void tern_bench_print_figure(tern_bench_print *p, const tern_figure *f);
void tern_bench_print_end(tern_bench_print *p); /* NULL allowed */

#endif
