/* LANES_UNROLL before a loop of constant length: its iterations become code,
 * so that an array of lanes indexed by it lives in registers. LANES_INLINE is
 * for functions whose arguments decide such lengths. */
#ifndef TERN_KERNELS_LANES_UNROLL_H
#define TERN_KERNELS_LANES_UNROLL_H

#if defined(__clang__)
#define LANES_UNROLL _Pragma("clang loop unroll(full)")
#else
#define LANES_UNROLL _Pragma("GCC unroll 16")
#endif
#define LANES_INLINE static inline __attribute__((always_inline))

#endif
