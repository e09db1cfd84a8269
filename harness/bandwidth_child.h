/* The bandwidth probe in its own process, so that its team and buffer are no
 * part of an engine. */
#ifndef TERN_HARNESS_BANDWIDTH_CHILD_H
#define TERN_HARNESS_BANDWIDTH_CHILD_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_bandwidth_child tern_bandwidth_child;

/* cpus: at least the greatest team's, kept until the child is started. */
int tern_bandwidth_child_start(tern_bandwidth_child **out, size_t last_level_cache, const int *cpus, tern_error *e);
/* GB/s of one short probe: the best pass of the best reader. The first call
 * also finds whether huge or small pages are the faster, and keeps those. */
int tern_bandwidth_child_measure(tern_bandwidth_child *b, int threads, double *gbs, tern_error *e);
void tern_bandwidth_child_end(tern_bandwidth_child *b); /* NULL allowed */

#endif
