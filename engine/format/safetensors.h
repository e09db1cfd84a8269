/* safetensors: reader (everything validated at open, bytes never copied) and
 * writer. A file is a u64 length, a JSON header of that length, the data.
 * Source: huggingface/safetensors README (format). */
#ifndef TERN_FORMAT_SAFETENSORS_H
#define TERN_FORMAT_SAFETENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

typedef enum tern_safetype {
  TERN_SAFE_F32,
  TERN_SAFE_F16,
  TERN_SAFE_BF16,
  TERN_SAFE_U8,
  TERN_SAFE_OTHER /* F64, integers, F8 ...: known by their size, not used */
} tern_safetype;

typedef struct tern_safetensor {
  const char *name; /* owned by the reader */
  tern_safetype type;
  const char *type_name; /* as the file writes it */
  int dims;              /* 0..4 */
  int64_t shape[4];      /* rows first; 1 beyond dims */
  const uint8_t *data;   /* any alignment */
  size_t bytes, offset;  /* offset in the file */
} tern_safetensor;

typedef struct tern_safetensors tern_safetensors;
/* Bytes that outlive the reader; `name` stands for the path in errors. */
int tern_safetensors_parse(tern_safetensors **out, const uint8_t *data, size_t size, const char *name, tern_error *e);
void tern_safetensors_close(tern_safetensors *s);
int tern_safetensors_count(const tern_safetensors *s);
const tern_safetensor *tern_safetensors_at(const tern_safetensors *s, int i); /* by offset */

/* Writer: declare all tensors, start, put each one's data in any order. */
typedef struct tern_safetensors_writer tern_safetensors_writer;
int tern_safetensors_writer_open(tern_safetensors_writer **out, const char *path, tern_error *e);
/* Returns the tensor's index, -1 when memory is short (start() then fails). */
int tern_safetensors_put(tern_safetensors_writer *w, const char *name, tern_safetype type, int dims,
                         const int64_t *shape);
int tern_safetensors_writer_start(tern_safetensors_writer *w, tern_error *e);
int tern_safetensors_writer_data(tern_safetensors_writer *w, int index, size_t offset, const void *data, size_t size,
                                 tern_error *e);
/* fsync and rename; frees w in any case. */
int tern_safetensors_writer_finish(tern_safetensors_writer *w, tern_error *e);
void tern_safetensors_writer_abandon(tern_safetensors_writer *w);

#endif
