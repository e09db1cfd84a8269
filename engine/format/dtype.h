/* Disk types: how GGUF stores a matrix, and the way from there to canonical
 * rows (ternary codes with scales, or floats). One row of a table a type. */
#ifndef TERN_FORMAT_DTYPE_H
#define TERN_FORMAT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

/* GGUF type ids (ggml's; 36 is bitnet.cpp's I2_S, 134 and 135 ik_llama.cpp's). */
enum {
  TERN_DISK_F32 = 0,
  TERN_DISK_F16 = 1,
  TERN_DISK_Q4_0 = 2,
  TERN_DISK_Q8_0 = 8,
  TERN_DISK_Q4_K = 12,
  TERN_DISK_Q6_K = 14,
  TERN_DISK_BF16 = 30,
  TERN_DISK_TQ1_0 = 34,
  TERN_DISK_TQ2_0 = 35,
  TERN_DISK_I2_S = 36,
  TERN_DISK_TL1 = 38, /* known, never read */
  TERN_DISK_TL2 = 39,
  TERN_DISK_Q2_0 = 42,
  TERN_DISK_IQ1_BN = 134,
  TERN_DISK_IQ2_BN = 135,
  TERN_DISK_Q2_0_128 = 0x10000 | 42 /* in the file: 42 */
};

/* Orders of I2_S's 2-bit fields (the file has no tag; design: formats). */
typedef enum tern_i2s { TERN_I2S_AUTO, TERN_I2S_128, TERN_I2S_64, TERN_I2S_ROWS4 } tern_i2s;

typedef struct tern_dtype {
  uint32_t id;
  const char *name; /* "I2_S" as GGUF tools print it */
  bool ternary;     /* rows can be given as codes */
  int block;        /* columns must be a multiple of this */
  size_t tail;      /* bytes after the rows that belong to the whole tensor (I2_S: scale and spare) */
  /* Bytes of rows x cols on disk, alignment padding not counted; SIZE_MAX when
   * the size overflows or the type can't hold that shape. */
  size_t (*bytes)(int64_t rows, int64_t cols);
  /* Floats of one row. */
  void (*row_floats)(const uint8_t *data, int rows, int cols, int row, tern_i2s order, float *out);
  /* Ternary only: codes of one row and the row's scale. Returns 0; 1 when the
   * bytes are not ternary with one scale a row (code 3, or unequal blocks). */
  int (*row_codes)(const uint8_t *data, int rows, int cols, int row, tern_i2s order, int8_t *codes, float *scale);
  /* Types with an f16 scale for each scale_block columns of a row (0: no such
   * type): codes and scales (their bits) of one row as they lie there. Ternary
   * ones return 1 when a code is not -1, 0 or +1. */
  int scale_block;
  int (*row_blocks)(const uint8_t *data, int cols, int row, int8_t *codes, uint16_t *scales);
  /* Encodes canonical rows [count][cols] to rows row0.. of `data` (a buffer of
   * bytes(rows, cols)); ternary types take codes and one scale, others floats
   * (NULL where the type can't be written). */
  void (*put_codes)(uint8_t *data, int rows, int cols, int row0, int count, const int8_t *codes, float scale);
  void (*put_floats)(uint8_t *data, int rows, int cols, int row0, int count, const float *values);
} tern_dtype;

const tern_dtype *tern_dtype_by_id(uint32_t id);        /* NULL: not known */
const tern_dtype *tern_dtype_by_name(const char *name); /* case-insensitive; NULL: not known */
const tern_dtype *tern_dtype_at(int i);                 /* i-th row; NULL past the end */
/* Name of a type that exists elsewhere but can't be read here ("Q4_K"); NULL: never heard of. */
const char *tern_dtype_foreign(uint32_t id);

/* Round to nearest even; both exact in the other direction. */
uint16_t tern_f16_from_f32(float x);
float tern_f32_from_f16(uint16_t h);
uint16_t tern_bf16_from_f32(float x);
float tern_f32_from_bf16(uint16_t h);

#endif
