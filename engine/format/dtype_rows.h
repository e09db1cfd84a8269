/* The rows of the table of disk types, one file a family; dtype.c lists them. */
#ifndef TERN_FORMAT_DTYPE_ROWS_H
#define TERN_FORMAT_DTYPE_ROWS_H

#include "engine/base/memory.h"
#include "engine/format/dtype.h"

extern const tern_dtype tern_dtype_f32, tern_dtype_f16, tern_dtype_bf16, tern_dtype_q8_0, tern_dtype_q6_k,
    tern_dtype_tq1_0, tern_dtype_tq2_0, tern_dtype_i2_s, tern_dtype_q4_0, tern_dtype_q4_k, tern_dtype_q2_0,
    tern_dtype_q2_0_128, tern_dtype_iq1_bn, tern_dtype_iq2_bn;

/* Bytes of rows of `block_bytes` a block of `block` columns. */
static inline size_t tern_block_bytes(int64_t rows, int64_t cols, int block, size_t block_bytes) {
  if (rows < 0 || cols < 0 || cols % block) return SIZE_MAX;
  return tern_mul((size_t)rows, tern_mul((size_t)(cols / block), block_bytes));
}

#endif
