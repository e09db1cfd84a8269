/* Counter-based random numbers: value i of stream s under a seed, computable
 * in any order by any thread, the same everywhere. */
#ifndef TERN_BASE_RANDOM_H
#define TERN_BASE_RANDOM_H

#include <stdint.h>

static inline uint64_t tern_random_mix(uint64_t z) { /* splitmix64 finaliser, Steele et al. 2014 */
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}
static inline uint64_t tern_random_at(uint64_t seed, uint64_t stream, uint64_t i) {
  return tern_random_mix(tern_random_mix(tern_random_mix(seed + UINT64_C(0x9e3779b97f4a7c15)) ^ stream) +
                         (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}
/* Uniform in [0, 1), 53 bits. */
static inline double tern_random_unit(uint64_t r) {
  return (double)(r >> 11) * 0x1p-53;
}

#endif
