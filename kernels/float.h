/* The panel of the float layouts: 64 rows, column after column, so that a GEMV
 * reads memory strictly in order and every output is one chain of fma. */
#ifndef TERN_KERNELS_FLOAT_H
#define TERN_KERNELS_FLOAT_H

enum {
  FLOAT_PANEL = 64, /* rows */
  FLOAT_DEPTH = 256 /* columns of a panel that a batch works through at a time */
};

#endif
