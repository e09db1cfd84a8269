/* Layouts: how the weights of one matrix lie in memory for the kernels.
 * Canonical rows (int8 codes or floats) stand between disk types and layouts. */
#ifndef TERN_KERNELS_LAYOUT_H
#define TERN_KERNELS_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

typedef enum tern_weight_kind {
  TERN_KIND_TERNARY, /* canonical row: int8_t codes -1, 0, +1 */
  TERN_KIND_INT8,    /* canonical row: int8_t values -127..127 */
  TERN_KIND_FLOAT,   /* canonical row: float */
  TERN_KIND_BLOCKS   /* canonical rows: tern_block_rows */
} tern_weight_kind;

/* Rows of a block-scaled layout: codes [rows][cols], and one f16 scale for
 * `scale_block` columns, [rows][blocks of a row]. */
typedef struct tern_block_rows {
  int8_t *codes;
  uint16_t *scales;
} tern_block_rows;

typedef struct tern_layout {
  const char *name; /* "t2", "t5", "t5l", "q8", "f32", "f16", "bf16" */
  const char *what; /* one line for `ternmark kernels list` */
  tern_weight_kind kind;
  int row_block; /* rows are padded to a multiple of this with zeros */
  int col_block; /* columns likewise */
  double bits;   /* bits a weight, padding and scales not counted */

  int scale_block;     /* TERN_KIND_BLOCKS: columns of a scale; else 0 */
  int lowest, highest; /* TERN_KIND_BLOCKS: codes */

  /* Bytes of a packed rows x cols matrix, padding included; 64-byte aligned
   * buffers are required everywhere. */
  size_t (*bytes)(int rows, int cols);

  /* Packs `count` canonical rows (row stride `cols` elements) into rows
   * row0..row0+count-1 of dst. row0 is a multiple of row_block; count is too,
   * unless the range ends at `rows`. Pads with zero weights. */
  void (*pack)(void *dst, int rows, int cols, int row0, int count, const void *canonical);

  /* Writes one canonical row back. */
  void (*unpack)(const void *packed, int rows, int cols, int row, void *canonical);
} tern_layout;

extern const tern_layout tern_layout_t2, tern_layout_t5, tern_layout_t5l, tern_layout_q8;
extern const tern_layout tern_layout_f32, tern_layout_f16, tern_layout_bf16;

extern const tern_layout tern_layout_t2b64, tern_layout_t2b128, tern_layout_q8b32, tern_layout_q4b32;

/* Elements from one token's activations to the next's, padding of the columns included. */
size_t tern_layout_x_stride(const tern_layout *l, int cols);

/* All layouts, NULL-terminated. */
const tern_layout *const *tern_layouts(void);
/* Layout of that name, or NULL. */
const tern_layout *tern_layout_find(const char *name);

#endif
