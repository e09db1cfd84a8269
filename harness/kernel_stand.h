/* A stand to time kernels on: one layout's matrix, a batch, and a pool of
 * copies that no cache holds. In "cache" one copy is used again and again; in
 * "dram" the copies are gone through in turn. */
#ifndef TERN_HARNESS_KERNEL_STAND_H
#define TERN_HARNESS_KERNEL_STAND_H

#include <stdint.h>

#include "engine/base/team.h"
#include "kernels/tuning.h"

enum { TERN_STAND_PARTS = 8 };

typedef struct tern_stand {
  const tern_layout *layout;
  int rows, cols, tokens;             /* tokens: of the greatest batch */
  size_t matrix_bytes, matrix_stride; /* of one copy, and from one to the next */
  size_t copies, next;                /* in the pool; where the next short pass begins */
  size_t blocks;                      /* scales of a row */
  size_t scratch;                     /* of one member */
  size_t part_bytes[TERN_STAND_PARTS];
  void *part[TERN_STAND_PARTS];
  tern_gemm gemm;
} tern_stand;

/* Weights and activations are random, from the seed. Room for teams up to
 * `threads`. After a failure nothing is left to close. */
int tern_stand_open(tern_stand *s, const tern_layout *layout, int rows, int cols, int tokens, int threads,
                    uint64_t seed, tern_error *e);
void tern_stand_close(tern_stand *s);

/* Best rate of reading what the place holds, with any reader, in passes as long
 * as a kernel's: GB/s (1e9). */
double tern_stand_read(tern_stand *s, tern_team *team, tern_place place, double seconds);

/* Seconds of one product: of the best pass within `seconds`, of at least one. */
double tern_stand_time(tern_stand *s, tern_team *team, const tern_kernel *k, int tokens, tern_place place,
                       double seconds);

/* One untimed pass. Returns its products. */
size_t tern_stand_pass(tern_stand *s, tern_team *team, const tern_kernel *k, int tokens, tern_place place);

#endif
