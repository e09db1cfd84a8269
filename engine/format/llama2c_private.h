/* A llama2.c checkpoint opened: its numbers and where each tensor lies. */
#ifndef TERN_FORMAT_LLAMA2C_PRIVATE_H
#define TERN_FORMAT_LLAMA2C_PRIVATE_H

#include "engine/base/file.h"
#include "engine/format/llama2c.h"

typedef struct llama2c_tensor {
  char name[48];
  int dims, rows, cols;
  bool ternary; /* f32 scale, then 2-bit fields; else f32 */
  bool matrix;  /* a projection: stored in the type asked for */
  size_t offset;
  int index; /* in the writer */
} llama2c_tensor;

typedef struct llama2c_file {
  const char *path;
  tern_map map;
  int dim, hidden, layers, heads, kv_heads, vocab, context;
  bool tied, ternary;
  llama2c_tensor *tensors;
  int count;
} llama2c_file;

int tern_llama2c_open(llama2c_file *f, const char *path, tern_error *e);
void tern_llama2c_close(llama2c_file *f);

#endif
