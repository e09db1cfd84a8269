/* A tern_gguf that was no GGUF file: its keys are written to memory and parsed
 * back (so they are checked like any file's), its tensors point to bytes that a
 * keeper holds. */
#ifndef TERN_FORMAT_GGUF_BUILD_H
#define TERN_FORMAT_GGUF_BUILD_H

#include "engine/format/gguf.h"

typedef struct tern_gguf_keeper {
  void *owner;
  void (*close)(void *owner);
  void (*done)(void *owner, const tern_gguf_tensor *t); /* tern_gguf_tensor_done; NULL: nothing to drop */
} tern_gguf_keeper;

/* `keys` is freed in any case; names of tensors are copied; `size` is what
 * tern_gguf_size will say. keep.close runs when the result is closed, never
 * after a failure. */
int tern_gguf_build(tern_gguf **out, const char *name, tern_gguf_writer *keys, const tern_gguf_tensor *tensors,
                    int count, size_t size, tern_gguf_keeper keep, tern_error *e);

#endif
