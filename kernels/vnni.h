/* The dot product of AVX-512 VNNI. */
#ifndef TERN_KERNELS_VNNI_H
#define TERN_KERNELS_VNNI_H

#include "kernels/avx512.h"

/* acc[l] += u[4l..4l+3] . x[4l..4l+3]. Assembly because gcc 12 moves the
 * intrinsic's accumulators through the stack (441 GOPS fall to 241). */
TERN_INLINE __m512i tern_dpbusd(__m512i acc, __m512i u8, __m512i s8) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(u8), "v"(s8));
  return acc;
}

/* The same with four activations broadcast by the load itself: that takes no
 * vector port, but keeps nothing for a second use. */
TERN_INLINE __m512i tern_dpbusd_four(__m512i acc, __m512i u8, const int8_t *four) {
  __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(u8), "m"(*(const tern_any32 *)(const void *)four));
  return acc;
}

#endif
