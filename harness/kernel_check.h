/* Checks every kernel in the registry against its layout's scalar kernel bit
 * for bit, and that one against a plain triple loop over canonical weights.
 * Depends on kernels/ and libc only, so that it also runs cross-compiled. */
#ifndef TERN_HARNESS_KERNEL_CHECK_H
#define TERN_HARNESS_KERNEL_CHECK_H

#include <stdint.h>
#include <stdio.h>

#include "kernels/cpu.h"

/* Checks the layouts and kernels whose name contains `filter` (NULL: all), up
 * to level `cap`; a line each, failures and the seed go to `out`. Returns the
 * number of layouts and kernels that failed (0: all good). */
int tern_kernel_check(const char *filter, uint64_t seed, tern_isa cap, FILE *out);

#endif
