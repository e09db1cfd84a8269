/* Ternary types whose blocks carry an f16 scale each. */
#ifndef TERN_FORMAT_DTYPE_BLOCKS_H
#define TERN_FORMAT_DTYPE_BLOCKS_H

#include "engine/format/dtype_rows.h"

enum { TERN_LARGEST_BLOCK = 256 };

typedef struct tern_block_form {
  int weights, bytes, scale;                        /* of a block; the scale's offset */
  void (*unpack)(const uint8_t *block, uint8_t *q); /* code + 1; 3: not ternary */
  void (*pack)(uint8_t *block, const int8_t *codes);
} tern_block_form;

size_t tern_blocks_bytes(const tern_block_form *f, int64_t rows, int64_t cols);
/* scale * (q - 1), q = 3 included, as ggml reads it. */
void tern_blocks_floats(const tern_block_form *f, const uint8_t *data, int cols, int row, float *out);
/* 1 when the row is not ternary with one scale; a block of zeros has no say in
 * the scale (ggml's quantiser gives it 0). */
int tern_blocks_codes(const tern_block_form *f, const uint8_t *data, int cols, int row, int8_t *codes, float *scale);
/* Codes, and the scale of each block; 1 when a code is 3. */
int tern_blocks_rows(const tern_block_form *f, const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales);
void tern_blocks_put(const tern_block_form *f, uint8_t *data, int cols, int row0, int count, const int8_t *codes,
                     float scale);

#endif
