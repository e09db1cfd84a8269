/* Rows of ternary blocks with a scale each. */
#include "engine/format/dtype_blocks.h"

#include <string.h>

static float scale_of(const tern_block_form *f, const uint8_t *block) {
  uint16_t h;
  memcpy(&h, block + f->scale, 2);
  return tern_f32_from_f16(h);
}

size_t tern_blocks_bytes(const tern_block_form *f, int64_t rows, int64_t cols) {
  return tern_block_bytes(rows, cols, f->weights, (size_t)f->bytes);
}

static const uint8_t *row_at(const tern_block_form *f, const uint8_t *data, int cols, int row) {
  return data + (size_t)row * tern_blocks_bytes(f, 1, cols);
}

void tern_blocks_floats(const tern_block_form *f, const uint8_t *data, int cols, int row, float *out) {
  data = row_at(f, data, cols, row);
  for (int c = 0; c < cols; c += f->weights, data += f->bytes) {
    uint8_t q[TERN_LARGEST_BLOCK];
    f->unpack(data, q);
    float d = scale_of(f, data);
    for (int i = 0; i < f->weights; i++) out[c + i] = d * (float)(q[i] - 1);
  }
}

int tern_blocks_codes(const tern_block_form *f, const uint8_t *data, int cols, int row, int8_t *codes, float *scale) {
  bool known = false;
  *scale = 0;
  data = row_at(f, data, cols, row);
  for (int c = 0; c < cols; c += f->weights, data += f->bytes) {
    uint8_t q[TERN_LARGEST_BLOCK], all = 0, broken = 0;
    f->unpack(data, q);
    float d = scale_of(f, data);
    for (int i = 0; i < f->weights; i++) {
      broken |= q[i] == 3;
      all |= q[i] ^ 1;
      codes[c + i] = (int8_t)(d == 0 ? 0 : q[i] - 1);
    }
    if (broken || !(d == d)) return 1;
    if (!all || d == 0) continue;
    if (known && d != *scale) return 1;
    *scale = d;
    known = true;
  }
  return 0;
}

int tern_blocks_rows(const tern_block_form *f, const uint8_t *data, int cols, int row, int8_t *codes,
                     uint16_t *scales) {
  int broken = 0;
  data = row_at(f, data, cols, row);
  for (int c = 0; c < cols; c += f->weights, data += f->bytes) {
    uint8_t q[TERN_LARGEST_BLOCK];
    f->unpack(data, q);
    memcpy(scales++, data + f->scale, sizeof *scales);
    for (int i = 0; i < f->weights; i++) {
      broken |= q[i] == 3;
      codes[c + i] = (int8_t)(q[i] - 1);
    }
  }
  return broken;
}

void tern_blocks_put(const tern_block_form *f, uint8_t *data, int cols, int row0, int count, const int8_t *codes,
                     float scale) {
  uint16_t h = tern_f16_from_f32(scale);
  size_t blocks = (size_t)count * (size_t)(cols / f->weights);
  data += (size_t)row0 * tern_blocks_bytes(f, 1, cols);
  for (size_t b = 0; b < blocks; b++, data += f->bytes) {
    f->pack(data, codes + b * (size_t)f->weights);
    memcpy(data + f->scale, &h, 2);
  }
}
