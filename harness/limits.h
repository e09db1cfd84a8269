/* What this machine can do at most, measured afresh: read bandwidth of every
 * reader, kind of pages and team size, memory latency, and the rates of the
 * instructions that kernels are made of. Other figures are held against these,
 * so each is the best found, and all that were tried are kept. */
#ifndef TERN_HARNESS_LIMITS_H
#define TERN_HARNESS_LIMITS_H

#include <jansson.h>

#include "harness/bandwidth.h"
#include "harness/machine.h"

enum { TERN_MOST_RATES = 192, TERN_MOST_TEAMS = 12 };

typedef struct tern_limit_rate {
  char reader[24];
  tern_pages pages;
  int threads;
  double gbs; /* best pass */
} tern_limit_rate;

typedef enum tern_limit_peak_kind { TERN_PEAK_INT8, TERN_PEAK_F32, TERN_PEAK_BF16, TERN_PEAKS } tern_limit_peak_kind;

/* 1e9 operations a second; NAN: this CPU has no such instruction. */
typedef struct tern_limit_peak {
  char instruction[32];
  double one, all; /* one core; all cores at once */
} tern_limit_peak;

/* Plain data: travels between processes as it is. */
typedef struct tern_limits {
  int cores; /* that "all" means */
  size_t buffer_bytes;
  double huge_share; /* of the buffer that asked for huge pages and got them */
  tern_limit_rate rates[TERN_MOST_RATES];
  int rate_count;
  double latency_ns[TERN_PAGES_KINDS];
  tern_limit_peak peaks[TERN_PEAKS];
  double seconds; /* that measuring took */
} tern_limits;

/* Measures in a process of its own: memory and threads are no part of the
 * caller's. A second or two; fork before starting threads. */
int tern_limits_measure(tern_limits *l, const tern_machine *m, tern_error *e);

/* The best read with `threads` threads (0: with any); NULL: none was tried. */
const tern_limit_rate *tern_limits_best(const tern_limits *l, int threads);
const char *tern_limit_peak_name(tern_limit_peak_kind kind); /* "int8 dot product" */

/* For the manifest's `limits` and `machine --json`. */
json_t *tern_limits_json(const tern_limits *l);

#endif
