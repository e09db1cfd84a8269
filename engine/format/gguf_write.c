/* GGUF writer (version 3, alignment 32). Metadata and the tensor table are
 * collected in memory; start() lays the file out at its full size, so that
 * data can then be put anywhere from any thread and a full disk shows first.
 * Gaps between tensors are zero, so equal content gives equal bytes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/format/gguf_private.h"

enum { VERSION = 3, ALIGNMENT = 32 };

typedef struct buffer {
  uint8_t *data;
  size_t size, capacity;
  bool failed; /* out of memory: told by start() */
} buffer;

typedef struct placed {
  size_t offset, bytes;
} placed;

struct tern_gguf_writer {
  tern_output *output;
  char *path;
  buffer kvs, table;
  uint64_t kv_count, tensor_count;
  placed *tensors;
  size_t capacity; /* of tensors */
  size_t data_bytes, data_start, size;
  const char *wrong; /* first misuse, told by start() */
};

static void append(buffer *b, const void *data, size_t size) {
  if (b->size + size > b->capacity) {
    size_t capacity = (b->size + size) * 2 + 4096;
    uint8_t *grown = realloc(b->data, capacity);
    if (!grown) {
      b->failed = true;
      return;
    }
    b->data = grown;
    b->capacity = capacity;
  }
  if (size) memcpy(b->data + b->size, data, size);
  b->size += size;
}

static void append_string(buffer *b, const char *data, size_t size) {
  uint64_t n = size;
  append(b, &n, sizeof n);
  append(b, data, size);
}

int tern_gguf_writer_open(tern_gguf_writer **out, const char *path, tern_error *e) {
  *out = NULL;
  tern_gguf_writer *w = calloc(1, sizeof *w);
  if (w) w->path = strdup(path);
  if (!w || !w->path) {
    free(w);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  }
  if (tern_output_open(&w->output, path, e)) {
    tern_gguf_writer_abandon(w);
    return TERN_FAILED;
  }
  *out = w;
  return 0;
}

int tern_gguf_writer_memory(tern_gguf_writer **out, tern_error *e) {
  *out = calloc(1, sizeof **out);
  return *out ? 0 : tern_fail(e, TERN_FAILED, "metadata: out of memory");
}

static void begin(tern_gguf_writer *w, const char *key, uint32_t type) {
  append_string(&w->kvs, key, strlen(key));
  append(&w->kvs, &type, sizeof type);
  w->kv_count++;
}

static void put_scalar(tern_gguf_writer *w, const char *key, uint32_t type, const void *v) {
  begin(w, key, type);
  append(&w->kvs, v, tern_gguf_element_bytes(type));
}

static void begin_array(tern_gguf_writer *w, const char *key, uint32_t type, uint64_t n) {
  begin(w, key, KV_ARRAY);
  append(&w->kvs, &type, sizeof type);
  append(&w->kvs, &n, sizeof n);
}

void tern_gguf_put_u32(tern_gguf_writer *w, const char *key, uint32_t v) {
  put_scalar(w, key, KV_U32, &v);
}
void tern_gguf_put_u64(tern_gguf_writer *w, const char *key, uint64_t v) {
  put_scalar(w, key, KV_U64, &v);
}
void tern_gguf_put_f32(tern_gguf_writer *w, const char *key, float v) {
  put_scalar(w, key, KV_F32, &v);
}

void tern_gguf_put_bool(tern_gguf_writer *w, const char *key, bool v) {
  uint8_t byte = v;
  put_scalar(w, key, KV_BOOL, &byte);
}

void tern_gguf_put_text(tern_gguf_writer *w, const char *key, const char *v) {
  begin(w, key, KV_TEXT);
  append_string(&w->kvs, v, strlen(v));
}

void tern_gguf_put_texts(tern_gguf_writer *w, const char *key, const tern_gguf_string *v, size_t n) {
  begin_array(w, key, KV_TEXT, n);
  for (size_t i = 0; i < n; i++) append_string(&w->kvs, v[i].data, v[i].size);
}

void tern_gguf_put_u8s(tern_gguf_writer *w, const char *key, const uint8_t *v, size_t n) {
  begin_array(w, key, KV_U8, n);
  append(&w->kvs, v, n);
}

void tern_gguf_put_i32s(tern_gguf_writer *w, const char *key, const int32_t *v, size_t n) {
  begin_array(w, key, KV_I32, n);
  append(&w->kvs, v, n * sizeof *v);
}

void tern_gguf_put_f32s(tern_gguf_writer *w, const char *key, const float *v, size_t n) {
  begin_array(w, key, KV_F32, n);
  append(&w->kvs, v, n * sizeof *v);
}

static size_t aligned(size_t n) {
  return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool grow_tensors(tern_gguf_writer *w) {
  if (w->tensor_count < w->capacity) return true;
  size_t capacity = w->capacity * 2 + 64;
  placed *grown = realloc(w->tensors, capacity * sizeof *grown);
  if (!grown) return false;
  w->tensors = grown;
  w->capacity = capacity;
  return true;
}

int tern_gguf_put_tensor(tern_gguf_writer *w, const char *name, const tern_dtype *type, int dims,
                         const int64_t *shape) {
  int64_t rows = 1;
  for (int d = 1; d < dims; d++) rows *= shape[d];
  size_t bytes = type->bytes(rows, shape[0]);
  if (!grow_tensors(w)) {
    w->table.failed = true;
    return -1;
  }
  if (bytes > SIZE_MAX / 2 - w->data_bytes) {
    w->wrong = "a tensor's shape does not fit its type";
    bytes = 0;
  }
  uint32_t count = (uint32_t)dims, id = type->id & 0xffff; /* forms of one type share its id */
  uint64_t offset = w->data_bytes;
  append_string(&w->table, name, strlen(name));
  append(&w->table, &count, sizeof count);
  append(&w->table, shape, (size_t)dims * sizeof *shape);
  append(&w->table, &id, sizeof id);
  append(&w->table, &offset, sizeof offset);
  w->tensors[w->tensor_count] = (placed){.offset = w->data_bytes, .bytes = bytes};
  w->data_bytes = aligned(w->data_bytes + bytes);
  return (int)w->tensor_count++;
}

/* Reserves the blocks; file systems that can't reserve only get the length. */
static int reserve(tern_gguf_writer *w, tern_error *e) {
  int fd = tern_output_fd(w->output);
  int rc = fallocate(fd, 0, 0, (off_t)w->size) == 0 ? 0 : errno;
  if (rc == EOPNOTSUPP || rc == ENOSYS) rc = ftruncate(fd, (off_t)w->size) == 0 ? 0 : errno;
  if (rc == 0) return 0;
  errno = rc;
  return tern_fail_errno(e, "%s: cannot reserve %zu bytes", w->path, w->size);
}

static void append_head(const tern_gguf_writer *w, buffer *head) {
  uint32_t version = VERSION;
  append(head, "GGUF", 4);
  append(head, &version, sizeof version);
  append(head, &w->tensor_count, sizeof w->tensor_count);
  append(head, &w->kv_count, sizeof w->kv_count);
}

int tern_gguf_writer_image(tern_gguf_writer *w, uint8_t **data, size_t *size, tern_error *e) {
  buffer image = {0};
  append_head(w, &image);
  append(&image, w->kvs.data, w->kvs.size);
  if (image.failed || w->kvs.failed) {
    free(image.data);
    return tern_fail(e, TERN_FAILED, "metadata: out of memory");
  }
  *data = image.data;
  *size = image.size;
  return 0;
}

void tern_gguf_put_key(tern_gguf_writer *w, const tern_gguf *g, int i) {
  const gguf_kv *kv = &g->kvs[i];
  uint32_t type = KV_ARRAY;
  append_string(&w->kvs, kv->key.data, kv->key.size);
  if (kv->array) append(&w->kvs, &type, sizeof type);
  append(&w->kvs, &kv->type, sizeof kv->type);
  if (kv->array) append(&w->kvs, &kv->count, sizeof kv->count);
  append(&w->kvs, kv->data, tern_gguf_value_bytes(kv));
  w->kv_count++;
}

int tern_gguf_writer_start(tern_gguf_writer *w, tern_error *e) {
  if (w->wrong) return tern_fail(e, TERN_FAILED, "%s: %s", w->path, w->wrong);
  buffer head = {0};
  append_head(w, &head);
  w->data_start = aligned(head.size + w->kvs.size + w->table.size);
  w->size = w->data_start + w->data_bytes;
  int rc = head.failed || w->kvs.failed || w->table.failed ? tern_fail(e, TERN_FAILED, "%s: out of memory", w->path)
                                                           : reserve(w, e);
  if (!rc) rc = tern_output_write_at(w->output, head.data, head.size, 0, e);
  if (!rc) rc = tern_output_write_at(w->output, w->kvs.data, w->kvs.size, head.size, e);
  if (!rc) rc = tern_output_write_at(w->output, w->table.data, w->table.size, head.size + w->kvs.size, e);
  free(head.data);
  return rc;
}

int tern_gguf_writer_data(tern_gguf_writer *w, int index, size_t offset, const void *data, size_t size, tern_error *e) {
  placed t = w->tensors[index];
  if (offset > t.bytes || size > t.bytes - offset) {
    return tern_fail(e, TERN_FAILED, "%s: data of tensor %d does not fit its place", w->path, index);
  }
  return tern_output_write_at(w->output, data, size, w->data_start + t.offset + offset, e);
}

size_t tern_gguf_writer_size(const tern_gguf_writer *w) {
  return w->size;
}

int tern_gguf_writer_finish(tern_gguf_writer *w, tern_error *e) {
  int rc = tern_output_commit(w->output, e);
  w->output = NULL;
  tern_gguf_writer_abandon(w);
  return rc;
}

void tern_gguf_writer_abandon(tern_gguf_writer *w) {
  if (!w) return;
  tern_output_abandon(w->output);
  free(w->kvs.data);
  free(w->table.data);
  free(w->tensors);
  free(w->path);
  free(w);
}
