/* safetensors writer: data in the order of declaration, the header padded with
 * blanks so that the data begins at a multiple of 8. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/file.h"
#include "engine/base/memory.h"
#include "engine/format/safetensors.h"

static const struct {
  const char *name;
  size_t bytes;
} types[] = {[TERN_SAFE_F32] = {"F32", 4},
             [TERN_SAFE_F16] = {"F16", 2},
             [TERN_SAFE_BF16] = {"BF16", 2},
             [TERN_SAFE_U8] = {"U8", 1}};

struct tern_safetensors_writer {
  tern_output *output;
  char *path;
  json_t *header;
  size_t *ends; /* of each tensor's data */
  int count, capacity;
  size_t start; /* of the data in the file */
  bool failed;
};

int tern_safetensors_writer_open(tern_safetensors_writer **out, const char *path, tern_error *e) {
  *out = NULL;
  tern_safetensors_writer *w = calloc(1, sizeof *w);
  if (w) w->path = strdup(path);
  if (w) w->header = json_pack("{s{ss}}", "__metadata__", "format", "pt");
  int rc = w && w->path && w->header ? tern_output_open(&w->output, path, e)
                                     : tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  if (rc) {
    tern_safetensors_writer_abandon(w);
    return rc;
  }
  *out = w;
  return 0;
}

int tern_safetensors_put(tern_safetensors_writer *w, const char *name, tern_safetype type, int dims,
                         const int64_t *shape) {
  if (w->count == w->capacity) {
    int capacity = 2 * w->capacity + 64;
    size_t *grown = realloc(w->ends, (size_t)capacity * sizeof *grown);
    if (!grown) {
      w->failed = true;
      return -1;
    }
    w->ends = grown;
    w->capacity = capacity;
  }
  size_t begin = w->count ? w->ends[w->count - 1] : 0, bytes = types[type].bytes;
  json_t *sizes = json_array();
  for (int i = 0; i < dims; i++) {
    bytes = tern_mul(bytes, (size_t)shape[i]);
    json_array_append_new(sizes, json_integer(shape[i]));
  }
  if (bytes > SIZE_MAX / 2 - begin) w->failed = true;
  w->ends[w->count] = begin + bytes;
  json_t *entry = json_pack("{ss, so, s[I, I]}", "dtype", types[type].name, "shape", sizes, "data_offsets",
                            (json_int_t)begin, (json_int_t)(begin + bytes));
  if (!entry || json_object_set_new(w->header, name, entry) != 0) w->failed = true;
  return w->count++;
}

int tern_safetensors_writer_start(tern_safetensors_writer *w, tern_error *e) {
  char *text = w->failed ? NULL : json_dumps(w->header, JSON_COMPACT);
  if (!text) return tern_fail(e, TERN_FAILED, "%s: out of memory, or a tensor too large", w->path);
  size_t n = strlen(text), padded = (n + 7) / 8 * 8;
  uint64_t length = padded;
  w->start = sizeof length + padded;
  int rc = tern_output_write_at(w->output, &length, sizeof length, 0, e);
  if (!rc) rc = tern_output_write_at(w->output, text, n, sizeof length, e);
  if (!rc) rc = tern_output_write_at(w->output, "        ", padded - n, sizeof length + n, e);
  free(text);
  if (!rc && w->count && ftruncate(tern_output_fd(w->output), (off_t)(w->start + w->ends[w->count - 1])) != 0) {
    rc = tern_fail_errno(e, "%s: cannot reserve %zu bytes", w->path, w->start + w->ends[w->count - 1]);
  }
  return rc;
}

int tern_safetensors_writer_data(tern_safetensors_writer *w, int index, size_t offset, const void *data, size_t size,
                                 tern_error *e) {
  size_t begin = index ? w->ends[index - 1] : 0, room = w->ends[index] - begin;
  if (offset > room || size > room - offset) {
    return tern_fail(e, TERN_FAILED, "%s: data of tensor %d does not fit its place", w->path, index);
  }
  return tern_output_write_at(w->output, data, size, w->start + begin + offset, e);
}

int tern_safetensors_writer_finish(tern_safetensors_writer *w, tern_error *e) {
  int rc = tern_output_commit(w->output, e);
  w->output = NULL;
  tern_safetensors_writer_abandon(w);
  return rc;
}

void tern_safetensors_writer_abandon(tern_safetensors_writer *w) {
  if (!w) return;
  tern_output_abandon(w->output);
  json_decref(w->header);
  free(w->ends);
  free(w->path);
  free(w);
}
