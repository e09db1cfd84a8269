/* The output rule of the integer layouts, in plain C. */
#ifndef TERN_KERNELS_INTEGER_H
#define TERN_KERNELS_INTEGER_H

#include "kernels/kernel.h"

/* Stores one exact sum: raw, or as (float)sum * (w_scale * x_scale). */
static inline void tern_put_sum(const tern_gemm *g, int token, int row, int32_t sum) {
  const size_t at = (size_t)token * g->y_stride + (size_t)row;
  if (g->y_int) {
    g->y_int[at] = sum;
  } else {
    const float scale = g->w_scale[(ptrdiff_t)row * g->w_scale_stride] * g->x_scale[token];
    g->y[at] = (float)sum * scale;
  }
}

#endif
