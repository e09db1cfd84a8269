/* A second opinion on read bandwidth: likwid-bench, where it is installed. */
#ifndef TERN_HARNESS_LIKWID_H
#define TERN_HARNESS_LIKWID_H

#include <stdbool.h>

#include "harness/bandwidth.h"
#include "harness/machine.h"

typedef struct tern_likwid {
  bool compared;
  char why[160];   /* not compared */
  char kernel[24]; /* of likwid-bench: "load_avx512" */
  int threads;
  tern_pages pages; /* that it gets here: huge ones only where every program gets them */
  double gbs, ours; /* the best of as many means each */
} tern_likwid;

/* Runs likwid-bench and our own probe in turn, on all cores: some five seconds.
 * Without it, the fact says so. */
int tern_likwid_compare(tern_likwid *l, const tern_machine *m, tern_error *e);

#endif
