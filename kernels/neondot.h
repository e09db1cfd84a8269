/* The dot product of ARMv8.2. */
#ifndef TERN_KERNELS_NEONDOT_H
#define TERN_KERNELS_NEONDOT_H

#include "kernels/neon_sums.h"

/* acc[l] += w[4l..4l+3] . x[4 lane..4 lane + 3]. Assembly because gcc 12 moves
 * the intrinsic's accumulators through the stack. */
TERN_INLINE int32x4_t dot(int32x4_t acc, int8x16_t w, int8x16_t x, int lane) {
#define SDOT(i) __asm__("sdot %0.4s, %1.16b, %2.4b[" #i "]" : "+w"(acc) : "w"(w), "w"(x))
  if (lane == 0) SDOT(0);
  if (lane == 1) SDOT(1);
  if (lane == 2) SDOT(2);
  if (lane == 3) SDOT(3);
#undef SDOT
  return acc;
}

#endif
