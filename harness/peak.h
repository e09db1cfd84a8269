/* What one core computes when its operands lie in cache: the other ceiling,
 * beside read bandwidth. */
#ifndef TERN_HARNESS_PEAK_H
#define TERN_HARNESS_PEAK_H

#include "engine/base/error.h"
#include "kernels/kernel.h"

/* Operations a second (a multiplication and an addition are two), in 1e9, of
 * the layout's best kernel not above `cap`, on one thread, some 30 ms. */
int tern_peak_measure(const char *layout, tern_isa cap, const tern_kernel **kernel, double *gops, tern_error *e);

#endif
