/* Times the kernels that whole models can use, for the tuning cache: every
 * usable one in cache and from DRAM, with one, few and many tokens, and with
 * teams of 1, 2, 4, ... threads. */
#ifndef TERN_HARNESS_KERNEL_TUNE_H
#define TERN_HARNESS_KERNEL_TUNE_H

#include <stdint.h>
#include <stdio.h>

#include "engine/base/error.h"
#include "kernels/tuning.h"

typedef struct tern_tune_ask {
  const int *teams; /* sizes, rising */
  int team_count;
  const int *cpus; /* [greatest team] to bind to, or NULL */
  size_t cache;    /* last-level cache, bytes */
  double seconds;  /* of timing one kernel in one situation */
  uint64_t seed;
} tern_tune_ask;

/* Candidates of a situation take turns; a time is the least of the rounds, for
 * what disturbs a timing only adds to it. */
int tern_kernel_tune(tern_tuning *t, const tern_tune_ask *ask, tern_error *e);

/* What the engine would choose in every situation. */
void tern_tune_print(const tern_tuning *t, const tern_tune_ask *ask, FILE *out);

#endif
