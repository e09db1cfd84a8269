/* GGUF v2/v3: reader (mmap, everything validated at open: a tern_gguf that
 * opened is safe to walk) and writer. Little-endian hosts only. */
#ifndef TERN_FORMAT_GGUF_H
#define TERN_FORMAT_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"
#include "engine/format/dtype.h"

typedef struct tern_gguf tern_gguf;

typedef struct tern_gguf_tensor {
  const char *name; /* NUL-terminated copy owned by the reader */
  const tern_dtype *type;
  int dims;            /* 1..4 */
  int64_t shape[4];    /* GGUF order: shape[0] = columns (fastest) */
  const uint8_t *data; /* inside the mapping; only the type's own functions can read it (view.h) */
  size_t bytes;        /* in the file */
  size_t offset;       /* in the file */
} tern_gguf_tensor;

typedef struct tern_gguf_string {
  const char *data; /* not NUL-terminated */
  size_t size;
} tern_gguf_string;

/* Opens a model of any kind: a GGUF file, a Hugging Face folder, a llama2.c
 * checkpoint. The others look like the GGUF file that they would convert to
 * (keys, names, row order), their weights read from where they lie. */
int tern_gguf_open(tern_gguf **out, const char *path, tern_error *e);
/* Parses bytes that outlive the reader; `name` stands for the path in errors. */
int tern_gguf_parse(tern_gguf **out, const uint8_t *data, size_t size, const char *name, tern_error *e);
void tern_gguf_close(tern_gguf *g);

const char *tern_gguf_name(const tern_gguf *g);
size_t tern_gguf_size(const tern_gguf *g);
int tern_gguf_tensor_count(const tern_gguf *g);
const tern_gguf_tensor *tern_gguf_tensor_at(const tern_gguf *g, int i);
const tern_gguf_tensor *tern_gguf_tensor_find(const tern_gguf *g, const char *name); /* NULL: absent */
/* Lets the kernel drop a tensor's pages once they are packed. */
void tern_gguf_tensor_done(const tern_gguf *g, const tern_gguf_tensor *t);

/* Keys in sorted order, for listings (not NUL-terminated). */
int tern_gguf_key_count(const tern_gguf *g);
tern_gguf_string tern_gguf_key_at(const tern_gguf *g, int i);

/* Order of I2_S codes that the file says, TERN_I2S_128 when it is silent,
 * TERN_I2S_AUTO when it says what is no order. */
tern_i2s tern_gguf_i2s_order(const tern_gguf *g);

/* Metadata. A getter returns true and fills *out when the key exists with a
 * value of that class (any integer type converts when it fits; any float to
 * double; integers to double), else leaves *out alone and returns false. */
bool tern_gguf_has(const tern_gguf *g, const char *key);
bool tern_gguf_integer(const tern_gguf *g, const char *key, int64_t *out);
bool tern_gguf_real(const tern_gguf *g, const char *key, double *out);
bool tern_gguf_bool(const tern_gguf *g, const char *key, bool *out);
bool tern_gguf_text(const tern_gguf *g, const char *key, tern_gguf_string *out);
/* Length of an array value, -1 when the key is no array. */
int64_t tern_gguf_array_length(const tern_gguf *g, const char *key);
/* All strings of a string array, in one allocation (free()); NULL when it is none. */
tern_gguf_string *tern_gguf_texts(const tern_gguf *g, const char *key, int64_t *count);
/* All values of an integer or float array converted; free(); NULL when it is none. */
int64_t *tern_gguf_integers(const tern_gguf *g, const char *key, int64_t *count);
double *tern_gguf_reals(const tern_gguf *g, const char *key, int64_t *count);

/* Writer: declare metadata and tensors, start, put data at each tensor (any
 * order, any thread), finish. */
typedef struct tern_gguf_writer tern_gguf_writer;
int tern_gguf_writer_open(tern_gguf_writer **out, const char *path, tern_error *e);
void tern_gguf_put_u32(tern_gguf_writer *w, const char *key, uint32_t v);
void tern_gguf_put_u64(tern_gguf_writer *w, const char *key, uint64_t v);
void tern_gguf_put_f32(tern_gguf_writer *w, const char *key, float v);
void tern_gguf_put_bool(tern_gguf_writer *w, const char *key, bool v);
void tern_gguf_put_text(tern_gguf_writer *w, const char *key, const char *v);
void tern_gguf_put_texts(tern_gguf_writer *w, const char *key, const tern_gguf_string *v, size_t n);
void tern_gguf_put_u8s(tern_gguf_writer *w, const char *key, const uint8_t *v, size_t n);
void tern_gguf_put_i32s(tern_gguf_writer *w, const char *key, const int32_t *v, size_t n);
void tern_gguf_put_f32s(tern_gguf_writer *w, const char *key, const float *v, size_t n);
/* Returns the tensor's index. shape in GGUF order. */
int tern_gguf_put_tensor(tern_gguf_writer *w, const char *name, const tern_dtype *type, int dims, const int64_t *shape);
/* Writes header, metadata, tensor table; reserves the file's full size (a full
 * disk fails here). */
int tern_gguf_writer_start(tern_gguf_writer *w, tern_error *e);
/* Writes bytes at `offset` within tensor `index`. Thread-safe. */
int tern_gguf_writer_data(tern_gguf_writer *w, int index, size_t offset, const void *data, size_t size, tern_error *e);
size_t tern_gguf_writer_size(const tern_gguf_writer *w); /* after start: bytes of the whole file */
/* fsync and rename; frees w in any case. */
int tern_gguf_writer_finish(tern_gguf_writer *w, tern_error *e);
void tern_gguf_writer_abandon(tern_gguf_writer *w);

#endif
