/* The tables that this architecture's build has, lowest level first. */
#ifndef TERN_KERNELS_GRAD_TABLES_H
#define TERN_KERNELS_GRAD_TABLES_H

#include "kernels/grad.h"

extern const tern_grad tern_grad_scalar;
#if defined(__x86_64__)
extern const tern_grad tern_grad_avx2, tern_grad_avx512;
#elif defined(__aarch64__)
extern const tern_grad tern_grad_neon;
#endif

#endif
