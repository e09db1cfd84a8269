/* The order in which engines take their turns: random, so that drift of the
 * machine is no engine's advantage, and the same again for the same seed. */
#ifndef TERN_HARNESS_ORDER_H
#define TERN_HARNESS_ORDER_H

#include <stdint.h>

/* Fills order[n] with a uniform permutation of 0..n-1 (Fisher-Yates); each
 * turn number has its own. */
void tern_order(uint64_t seed, uint64_t turn, int *order, int n);

#endif
