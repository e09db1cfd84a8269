/* The block-scaled layouts: pack and unpack (blocks.h says what lies where). */
#include "kernels/blocks.h"

#include <string.h>

static void put_code(uint8_t *at, int bits, int shift, int code) {
  const int mask = (1 << bits) - 1;
  *at = (uint8_t)((*at & ~(mask << shift)) | code << shift);
}

/* One row of one block; columns from `have` on and rows outside are zero. */
static void pack_block(const tern_layout *l, uint8_t *step, int row, int index, const int8_t *codes, int have,
                       uint16_t scale) {
  const int bits = (int)l->bits;
  for (int c = 0; c < l->scale_block; c++) {
    int shift;
    uint8_t *at = step + tern_blocks_byte(bits, l->scale_block, row, index, c, &shift);
    put_code(at, bits, shift, (c < have ? codes[c] : 0) - l->lowest);
  }
  memcpy(step + tern_blocks_scale(row, index), &scale, sizeof scale);
}

static size_t bytes(const tern_layout *l, int rows, int cols) {
  const size_t panels = ((size_t)rows + TERN_BLOCKS_ROWS - 1) / TERN_BLOCKS_ROWS;
  return panels * tern_blocks_panel((int)l->bits, l->scale_block, cols);
}

static void pack(const tern_layout *l, void *dst, int rows, int cols, int row0, int count,
                 const tern_block_rows *canonical) {
  const int block = l->scale_block, blocks = (cols + block - 1) / block, padded = (blocks + 1) / 2 * 2;
  const int past = row0 + count < rows ? 0 : -rows & (TERN_BLOCKS_ROWS - 1); /* rows of padding */
  for (int i = 0; i < count + past; i++) {
    for (int b = 0; b < padded; b++) {
      const int left = i < count && b < blocks ? cols - b * block : 0;
      const size_t row = (size_t)i;
      const int8_t *codes = left ? canonical->codes + row * (size_t)cols + (size_t)b * (size_t)block : NULL;
      const uint16_t scale = left ? canonical->scales[row * (size_t)blocks + (size_t)b] : 0;
      uint8_t *step = (uint8_t *)dst + tern_blocks_at((int)l->bits, block, cols, row0 + i, b);
      pack_block(l, step, row0 + i, b, codes, left, scale);
    }
  }
}

static void unpack(const tern_layout *l, const void *packed, int cols, int row, tern_block_rows *canonical) {
  const int block = l->scale_block, bits = (int)l->bits;
  for (int c = 0; c < cols; c++) {
    const int b = c / block;
    const uint8_t *step = (const uint8_t *)packed + tern_blocks_at(bits, block, cols, row, b);
    int shift;
    const int byte = step[tern_blocks_byte(bits, block, row, b, c % block, &shift)];
    canonical->codes[c] = (int8_t)((byte >> shift & ((1 << bits) - 1)) + l->lowest);
    if (c % block == 0) memcpy(canonical->scales + b, step + tern_blocks_scale(row, b), sizeof *canonical->scales);
  }
}

#define LAYOUT(id, text, code_bits, block, low, high)                                                                  \
  static size_t bytes_##id(int rows, int cols) {                                                                       \
    return bytes(&tern_layout_##id, rows, cols);                                                                       \
  }                                                                                                                    \
  static void pack_##id(void *dst, int rows, int cols, int row0, int count, const void *canonical) {                   \
    pack(&tern_layout_##id, dst, rows, cols, row0, count, canonical);                                                  \
  }                                                                                                                    \
  static void unpack_##id(const void *packed, int rows, int cols, int row, void *canonical) {                          \
    (void)rows;                                                                                                        \
    unpack(&tern_layout_##id, packed, cols, row, canonical);                                                           \
  }                                                                                                                    \
  const tern_layout tern_layout_##id = {.name = #id,                                                                   \
                                        .what = text,                                                                  \
                                        .kind = TERN_KIND_BLOCKS,                                                      \
                                        .row_block = TERN_BLOCKS_ROWS,                                                 \
                                        .col_block = 2 * (block),                                                      \
                                        .bits = code_bits,                                                             \
                                        .scale_block = block,                                                          \
                                        .lowest = low,                                                                 \
                                        .highest = high,                                                               \
                                        .bytes = bytes_##id,                                                           \
                                        .pack = pack_##id,                                                             \
                                        .unpack = unpack_##id}

LAYOUT(t2b64, "ternary, 2 bits and an f16 scale for 64 columns of a row", 2, 64, -1, 1);
LAYOUT(t2b128, "ternary, 2 bits and an f16 scale for 128 columns of a row", 2, 128, -1, 1);
LAYOUT(q8b32, "int8 and an f16 scale for 32 columns of a row", 8, 32, -127, 127);
LAYOUT(q4b32, "4 bits and an f16 scale for 32 columns of a row", 4, 32, -8, 7);
