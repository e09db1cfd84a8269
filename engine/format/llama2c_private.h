/* A llama2.c checkpoint read: its numbers and where each tensor lies. */
#ifndef TERN_FORMAT_LLAMA2C_PRIVATE_H
#define TERN_FORMAT_LLAMA2C_PRIVATE_H

#include "engine/base/file.h"
#include "engine/format/llama2c.h"

typedef struct llama2c_tensor {
  char name[48];
  int dims, rows, cols;
  bool ternary; /* f32 scale, then 2-bit fields; else f32 */
  size_t offset;
} llama2c_tensor;

typedef struct llama2c_file {
  const char *path;
  const uint8_t *data;
  size_t size;
  int dim, hidden, layers, heads, kv_heads, vocab, context;
  bool tied, ternary;
  llama2c_tensor *tensors; /* free() */
  int count;
} llama2c_file;

/* Header, shapes and size, checked. */
int tern_llama2c_read(llama2c_file *f, const uint8_t *data, size_t size, const char *path, tern_error *e);

#endif
