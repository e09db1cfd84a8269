/* Kernels: one matrix times a batch of activation rows. Pure functions over a
 * row range: no threads, no allocation, no failure (shapes are checked where
 * the model is loaded). kernels.def lists one line a kernel. */
#ifndef TERN_KERNELS_KERNEL_H
#define TERN_KERNELS_KERNEL_H

#include "kernels/cpu.h"
#include "kernels/layout.h"

/* Y[t][r] = W[r] . X[t]. Arrays are 64-byte aligned unless said otherwise.
 *
 * Integer layouts (ternary, int8): x holds int8 rows, zero from cols up to the
 * layout's padded columns; sums are exact in int32 for cols <= 65536; then
 *   y = (float)sum * (w_scale[r] * x_scale[t])            (one written order)
 * where x_scale is max|x| / 127 of the token (the reciprocal of the quantiser's
 * s in arXiv 2402.17764, section 2).
 * Block-scaled layouts: x as above in blocks of the layout's scale_block columns;
 * x_scale and x_sum hold a value a block, x_block_stride of them a token, and
 *   y = fma((float)block_sum, w_scale * x_scale, y), blocks ascending, from 0
 * with exact sums: one order, so that every ISA gives the same bits. w_scale and
 * y_int are NULL.
 * Float layouts: x holds float rows; each output is one chain
 *   acc = fma(w[r][c], x[t][c], acc), c ascending, from 0;   y = acc
 * so that GEMV, GEMM, every ISA and every split give the same bits. */
typedef struct tern_gemm {
  const void *weights;   /* packed, in the kernel's layout */
  int rows, cols;        /* of the matrix, without padding; cols <= 65536 */
  const float *w_scale;  /* integer layouts: see w_scale_stride */
  int w_scale_stride;    /* 0: one scale for the matrix; 1: a scale a row */
  const void *x;         /* [tokens][x_stride] */
  size_t x_stride;       /* elements; >= padded columns, rows 64-byte aligned */
  const float *x_scale;  /* [tokens], integer layouts */
  const int32_t *x_sum;  /* [tokens] sum of the int8 row, integer layouts */
  size_t x_block_stride; /* block-scaled layouts: values of x_scale and x_sum a token */
  int tokens;            /* >= 1 */
  float *y;              /* [tokens][y_stride], any float alignment */
  size_t y_stride;       /* elements, >= rows */
  int32_t *y_int;        /* when not NULL: raw sums go here instead of y */
  void *scratch;         /* tern_kernel.scratch bytes for this caller, 64-byte aligned */
} tern_gemm;

typedef struct tern_kernel {
  const char *name; /* "t2_avx512vnni" */
  const tern_layout *layout;
  tern_isa isa;   /* level it needs */
  size_t scratch; /* bytes of scratch a caller provides */
  /* Computes outputs row0..row1-1 for all tokens; row0 is a multiple of the
   * layout's row_block, row1 too unless it equals rows. Writes nothing else. */
  void (*run)(const tern_gemm *g, int row0, int row1);
} tern_kernel;

/* Every kernel compiled for this architecture, NULL-terminated, scalar first
 * within a layout, then by rising ISA. The registry is the only global. */
const tern_kernel *const *tern_kernels(void);

/* Fastest-level kernel of a layout usable here and not above `cap`; the scalar
 * one always exists. */
const tern_kernel *tern_kernel_find(const tern_layout *layout, tern_isa cap);

#endif
