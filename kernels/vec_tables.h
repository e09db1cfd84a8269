/* The tables that this architecture's build has, lowest level first. */
#ifndef TERN_KERNELS_VEC_TABLES_H
#define TERN_KERNELS_VEC_TABLES_H

#include "kernels/vec.h"

extern const tern_vec tern_vec_scalar;
#if defined(__x86_64__)
extern const tern_vec tern_vec_avx2, tern_vec_avx512;
#elif defined(__aarch64__)
extern const tern_vec tern_vec_neon;
#endif

#endif
