/* Inside of a tern_gguf, shared by the parser and the accessors. */
#ifndef TERN_FORMAT_GGUF_PRIVATE_H
#define TERN_FORMAT_GGUF_PRIVATE_H

#include "engine/base/file.h"
#include "engine/format/gguf.h"
#include "engine/format/gguf_build.h"

/* Value types of metadata, as in the file. */
enum {
  KV_U8,
  KV_I8,
  KV_U16,
  KV_I16,
  KV_U32,
  KV_I32,
  KV_F32,
  KV_BOOL,
  KV_TEXT,
  KV_ARRAY,
  KV_U64,
  KV_I64,
  KV_F64,
  KV_TYPES
};

typedef struct gguf_kv {
  tern_gguf_string key;
  uint32_t type; /* of the value, or of the array's elements */
  bool array;
  uint64_t count;      /* elements; 1 when no array */
  const uint8_t *data; /* first element; a string starts with its length */
} gguf_kv;

struct tern_gguf {
  char *name;
  tern_map map; /* empty when parsed from memory */
  size_t size;
  gguf_kv *kvs; /* sorted by key */
  size_t kv_count;
  tern_gguf_tensor *tensors; /* in the file's order */
  int *by_name;              /* indices of tensors, sorted by name */
  int tensor_count;
  char *names;           /* all tensor names, NUL-terminated */
  uint8_t *image;        /* of a built one: the bytes that its keys lie in */
  tern_gguf_keeper keep; /* of a built one: who holds the tensors' bytes */
};

/* Bytes of one element of a type; 0 for strings and arrays. */
size_t tern_gguf_element_bytes(uint32_t type);
/* Bytes of a value as they lie in the file. */
size_t tern_gguf_value_bytes(const gguf_kv *kv);
/* Sorts the names of tensors that are there; a name that comes twice fails. */
int tern_gguf_index(tern_gguf *g, tern_error *e);
/* A value of i-th key in sorted order goes to w as it is. */
void tern_gguf_put_key(tern_gguf_writer *w, const tern_gguf *g, int i);
/* Writer without a file: keys only. The bytes of a GGUF file without tensors, free(). */
int tern_gguf_writer_memory(tern_gguf_writer **out, tern_error *e);
int tern_gguf_writer_image(tern_gguf_writer *w, uint8_t **data, size_t *size, tern_error *e);
/* Fills g (zeroed but for its name) from the bytes; g owns what is there also after a failure. */
int tern_gguf_read(tern_gguf *g, const uint8_t *data, size_t size, tern_error *e);

#endif
