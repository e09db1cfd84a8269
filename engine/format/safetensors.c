/* safetensors reader: header through jansson, then every number checked
 * against the bytes that are there. As the format wants, tensors fill the data
 * section without holes, so overlap and truncation show in one pass. */
#include "engine/format/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum { LENGTH = 8, MOST_HEADER = 100 << 20, MOST_TENSORS = 1 << 20 };

struct tern_safetensors {
  json_t *header; /* owns the names */
  tern_safetensor *list;
  int count;
};

static const struct {
  const char *name;
  tern_safetype type;
  size_t bytes;
} types[] = {
    {"F32", TERN_SAFE_F32, 4},    {"F16", TERN_SAFE_F16, 2},       {"BF16", TERN_SAFE_BF16, 2},
    {"U8", TERN_SAFE_U8, 1},      {"F64", TERN_SAFE_OTHER, 8},     {"I64", TERN_SAFE_OTHER, 8},
    {"U64", TERN_SAFE_OTHER, 8},  {"I32", TERN_SAFE_OTHER, 4},     {"U32", TERN_SAFE_OTHER, 4},
    {"I16", TERN_SAFE_OTHER, 2},  {"U16", TERN_SAFE_OTHER, 2},     {"I8", TERN_SAFE_OTHER, 1},
    {"BOOL", TERN_SAFE_OTHER, 1}, {"F8_E4M3", TERN_SAFE_OTHER, 1}, {"F8_E5M2", TERN_SAFE_OTHER, 1},
    {"C64", TERN_SAFE_OTHER, 8},
};

typedef struct reader {
  const uint8_t *data; /* the data section */
  size_t size, start;  /* its bytes; its place in the file */
  const char *file;
  tern_error *e;
} reader;

static int refuse(const reader *r, const char *name, const char *what) {
  return tern_fail(r->e, TERN_FAILED, "%s: tensor '%.100s': %s", r->file, name, what);
}

static int read_shape(const reader *r, tern_safetensor *t, const json_t *shape, size_t *elements) {
  *elements = 1;
  if (!json_is_array(shape) || json_array_size(shape) > 4)
    return refuse(r, t->name, "shape is no list of 0 to 4 sizes");
  t->dims = (int)json_array_size(shape);
  for (int i = 0; i < 4; i++) {
    const json_t *n = i < t->dims ? json_array_get(shape, (size_t)i) : NULL;
    t->shape[i] = n ? json_integer_value(n) : 1;
    if ((n && !json_is_integer(n)) || t->shape[i] < 0) return refuse(r, t->name, "shape holds what is no size");
    *elements = tern_mul(*elements, (size_t)t->shape[i]);
  }
  return 0;
}

static int read_type(const reader *r, tern_safetensor *t, const json_t *type, size_t *bytes) {
  t->type_name = json_string_value(type);
  for (size_t i = 0; t->type_name && i < sizeof types / sizeof *types; i++) {
    if (strcmp(types[i].name, t->type_name) != 0) continue;
    t->type = types[i].type;
    *bytes = types[i].bytes;
    return 0;
  }
  return tern_fail(r->e, TERN_FAILED, "%s: tensor '%.100s': dtype %.20s is not known (F32, F16, BF16, U8 are read)",
                   r->file, t->name, t->type_name ? t->type_name : "is missing or");
}

static int read_tensor(const reader *r, tern_safetensor *t, const char *name, const json_t *j) {
  const json_t *range = json_object_get(j, "data_offsets");
  const json_t *first = json_array_get(range, 0), *end = json_array_get(range, 1);
  size_t elements = 0, size = 0;
  t->name = name;
  if (!json_is_object(j)) return refuse(r, name, "its entry is no object");
  if (read_type(r, t, json_object_get(j, "dtype"), &size)) return TERN_FAILED;
  if (read_shape(r, t, json_object_get(j, "shape"), &elements)) return TERN_FAILED;
  if (json_array_size(range) != 2 || !json_is_integer(first) || !json_is_integer(end)) {
    return refuse(r, name, "data_offsets is no pair of numbers");
  }
  json_int_t a = json_integer_value(first), b = json_integer_value(end);
  if (a < 0 || b < a) return refuse(r, name, "data_offsets is no range");
  t->offset = (size_t)a;
  t->bytes = (size_t)(b - a);
  if (tern_mul(elements, size) == t->bytes) return 0;
  return refuse(r, name, "data_offsets give other bytes than shape and dtype ask for");
}

static int order_offsets(const void *a, const void *b) {
  const tern_safetensor *x = a, *y = b;
  if (x->offset != y->offset) return x->offset < y->offset ? -1 : 1;
  return (x->bytes > y->bytes) - (x->bytes < y->bytes); /* an empty one first */
}

static int place(const reader *r, tern_safetensors *s) {
  size_t at = 0;
  qsort(s->list, (size_t)s->count, sizeof *s->list, order_offsets);
  for (int i = 0; i < s->count; i++) {
    tern_safetensor *t = &s->list[i];
    if (t->offset > r->size || t->bytes > r->size - t->offset) {
      return tern_fail(r->e, TERN_FAILED,
                       "%s: truncated: tensor '%.100s' ends past the end of the file; fetch it again", r->file,
                       t->name);
    }
    if (t->offset != at) {
      return refuse(r, t->name,
                    t->offset < at ? "overlaps the tensor before" : "leaves a hole after the tensor before");
    }
    at += t->bytes;
    t->data = r->data + t->offset;
    t->offset += r->start;
  }
  if (at == r->size) return 0;
  return tern_fail(r->e, TERN_FAILED, "%s: %zu bytes after the last tensor", r->file, r->size - at);
}

static int read_all(const reader *r, tern_safetensors *s) {
  const char *name;
  json_t *entry;
  size_t n = json_object_size(s->header);
  if (n > MOST_TENSORS) return tern_fail(r->e, TERN_FAILED, "%s: %zu tensors are too many", r->file, n);
  s->list = calloc(n + 1, sizeof *s->list);
  if (!s->list) return tern_fail(r->e, TERN_FAILED, "%s: out of memory", r->file);
  json_object_foreach(s->header, name, entry) {
    if (strcmp(name, "__metadata__") == 0) continue;
    if (read_tensor(r, &s->list[s->count++], name, entry)) return TERN_FAILED;
  }
  return place(r, s);
}

int tern_safetensors_parse(tern_safetensors **out, const uint8_t *data, size_t size, const char *name, tern_error *e) {
  uint64_t length = 0;
  json_error_t wrong;
  *out = NULL;
  if (size >= LENGTH) memcpy(&length, data, sizeof length);
  if (size < LENGTH || length > size - LENGTH || length > MOST_HEADER) {
    return tern_fail(e, TERN_FAILED, "%s: a header of %llu bytes cannot be in %zu bytes: truncated, or no safetensors",
                     name, (unsigned long long)length, size);
  }
  tern_safetensors *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "%s: out of memory", name);
  s->header = json_loadb((const char *)data + LENGTH, (size_t)length, JSON_REJECT_DUPLICATES, &wrong);
  reader r = {.data = data + LENGTH + length,
              .size = size - LENGTH - (size_t)length,
              .start = LENGTH + (size_t)length,
              .file = name,
              .e = e};
  int rc = json_is_object(s->header)
               ? read_all(&r, s)
               : tern_fail(e, TERN_FAILED, "%s: header is no JSON object: %.150s", name, s->header ? "" : wrong.text);
  if (rc) {
    tern_safetensors_close(s);
    return rc;
  }
  *out = s;
  return 0;
}

void tern_safetensors_close(tern_safetensors *s) {
  if (!s) return;
  json_decref(s->header);
  free(s->list);
  free(s);
}

int tern_safetensors_count(const tern_safetensors *s) {
  return s->count;
}
const tern_safetensor *tern_safetensors_at(const tern_safetensors *s, int i) {
  return &s->list[i];
}
