/* Benchmark of kernels, one thread: each figure beside the read bandwidth and
 * the instruction peak measured in the same rounds. */
#ifndef TERN_HARNESS_KERNEL_BENCH_H
#define TERN_HARNESS_KERNEL_BENCH_H

#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "kernels/cpu.h"

typedef enum tern_bench_format { TERN_BENCH_TEXT, TERN_BENCH_CSV, TERN_BENCH_JSON } tern_bench_format;

typedef struct tern_bench {
  const char *filter; /* part of a kernel's name; NULL: every kernel but the scalar ones */
  tern_isa cap;
  int rows, cols;    /* 0: the matrices of BitNet b1.58 2B4T */
  int batch;         /* tokens; 0: 1, 8 and 512 */
  const char *where; /* "cache" or "dram"; NULL: both */
  double seconds;    /* of timing a figure */
  uint64_t seed;
  tern_bench_format format;
} tern_bench;

int tern_kernel_bench(const tern_bench *b, FILE *out, tern_error *e);

#endif
