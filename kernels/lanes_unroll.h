/* LANES_UNROLL before a loop of constant length: its iterations become code,
 * so that an array of lanes indexed by it lives in registers. LANES_INLINE is
 * for functions whose arguments decide such lengths. clang's sanitizers check
 * every unrolled access and take minutes over it: there loops stay loops. */
#ifndef TERN_KERNELS_LANES_UNROLL_H
#define TERN_KERNELS_LANES_UNROLL_H

#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(undefined_behavior_sanitizer) || __has_feature(thread_sanitizer)
#define LANES_UNROLL
#define LANES_INLINE static inline
#else
#define LANES_UNROLL _Pragma("clang loop unroll(full)")
#define LANES_INLINE static inline __attribute__((always_inline))
#endif
#else
#define LANES_UNROLL _Pragma("GCC unroll 16")
#define LANES_INLINE static inline __attribute__((always_inline))
#endif

#endif
