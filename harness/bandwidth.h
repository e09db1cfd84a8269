/* Measured read bandwidth: what a team of threads gets out of memory when all
 * it does is read. Shares its machine with everything else, so measure it
 * beside the figure it is compared with. */
#ifndef TERN_HARNESS_BANDWIDTH_H
#define TERN_HARNESS_BANDWIDTH_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_bandwidth tern_bandwidth;

/* A buffer (huge pages asked for) beyond four times `last_level_cache` bytes,
 * less where memory is short. */
int tern_bandwidth_open(tern_bandwidth **out, size_t last_level_cache, tern_error *e);

/* Best pass of about `seconds` of reading by `threads` bound to `cpus` (NULL:
 * not bound), in GB/s (1e9); the fastest of the usable readers. */
int tern_bandwidth_measure(tern_bandwidth *b, int threads, const int *cpus, double seconds, double *gbs, tern_error *e);

#endif
