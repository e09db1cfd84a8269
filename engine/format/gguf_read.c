/* GGUF parser. Everything is checked here, once: what a tern_gguf holds after
 * success is in bounds, unique and typed. No count is believed before the
 * bytes that it needs are known to be there.
 * Source: ggml docs/gguf.md (v2 and v3 differ only in big-endian files). */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/gguf_private.h"

enum {
  MOST_KEYS = 1 << 16,
  MOST_TENSORS = 1 << 20,
  MOST_KEY_BYTES = 65535,
  MOST_NAME_BYTES = 1023,
  LEAST_KV_BYTES = 8 + 1 + 4 + 1,
  LEAST_TENSOR_BYTES = 8 + 1 + 4 + 8 + 4 + 8,
  DEFAULT_ALIGNMENT = 32,
  MOST_ALIGNMENT = 1 << 20
};

typedef struct cursor {
  const uint8_t *data;
  size_t size, at;
  const char *file;
  tern_error *e;
} cursor;

static const size_t element_bytes[KV_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

size_t tern_gguf_element_bytes(uint32_t type) {
  return type < KV_TYPES ? element_bytes[type] : 0;
}

static size_t left(const cursor *c) {
  return c->size - c->at;
}

static int truncated(cursor *c, const char *what) {
  tern_fail(c->e, TERN_FAILED, "%s: truncated: %s at byte %zu runs past the end (%zu bytes)", c->file, what, c->at,
            c->size);
  return TERN_FAILED;
}

static int take(cursor *c, void *out, size_t n, const char *what) {
  if (left(c) < n) return truncated(c, what);
  memcpy(out, c->data + c->at, n);
  c->at += n;
  return 0;
}

static int take_string(cursor *c, tern_gguf_string *out, const char *what) {
  uint64_t n;
  if (take(c, &n, sizeof n, what)) return TERN_FAILED;
  if (n > left(c)) {
    tern_fail(c->e, TERN_FAILED, "%s: %s at byte %zu is said to have %llu bytes; %zu are left", c->file, what, c->at,
              (unsigned long long)n, left(c));
    return TERN_FAILED;
  }
  *out = (tern_gguf_string){.data = (const char *)c->data + c->at, .size = (size_t)n};
  c->at += (size_t)n;
  return 0;
}

/* A name: a string of 1..most bytes without NUL. */
static int take_name(cursor *c, tern_gguf_string *out, size_t most, const char *what) {
  if (take_string(c, out, what)) return TERN_FAILED;
  if (out->size == 0 || out->size > most || memchr(out->data, 0, out->size)) {
    tern_fail(c->e, TERN_FAILED, "%s: %s before byte %zu is no name (1 to %zu bytes, no NUL)", c->file, what, c->at,
              most);
    return TERN_FAILED;
  }
  return 0;
}

/* Walks over `count` values of a type, checking each that can be wrong. */
static int skip_values(cursor *c, const gguf_kv *kv) {
  size_t size = tern_gguf_element_bytes(kv->type);
  if (size) {
    if (kv->count > left(c) / size) return truncated(c, "a metadata value");
    for (uint64_t i = 0; kv->type == KV_BOOL && i < kv->count; i++) {
      if (c->data[c->at + i] > 1) return tern_fail(c->e, TERN_FAILED, "%s: a boolean is neither 0 nor 1", c->file);
    }
    c->at += (size_t)kv->count * size;
    return 0;
  }
  if (kv->count > left(c) / sizeof(uint64_t)) return truncated(c, "an array of strings");
  for (uint64_t i = 0; i < kv->count; i++) {
    tern_gguf_string s;
    if (take_string(c, &s, "a metadata string")) return TERN_FAILED;
  }
  return 0;
}

static int read_kv(cursor *c, gguf_kv *kv) {
  if (take_name(c, &kv->key, MOST_KEY_BYTES, "a metadata key")) return TERN_FAILED;
  int shown = kv->key.size < 80 ? (int)kv->key.size : 80;
  if (take(c, &kv->type, sizeof kv->type, "a metadata type")) return TERN_FAILED;
  kv->count = 1;
  kv->array = kv->type == KV_ARRAY;
  if (kv->array) {
    if (take(c, &kv->type, sizeof kv->type, "an array's type")) return TERN_FAILED;
    if (take(c, &kv->count, sizeof kv->count, "an array's length")) return TERN_FAILED;
    if (kv->type == KV_ARRAY) {
      return tern_fail(c->e, TERN_FAILED, "%s: key '%.*s': arrays of arrays are not supported", c->file, shown,
                       kv->key.data);
    }
  }
  if (kv->type >= KV_TYPES) {
    return tern_fail(c->e, TERN_FAILED, "%s: key '%.*s': unknown value type %u", c->file, shown, kv->key.data,
                     kv->type);
  }
  kv->data = c->data + c->at;
  return skip_values(c, kv);
}

static int order_strings(tern_gguf_string a, tern_gguf_string b) {
  int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
  return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int order_kvs(const void *a, const void *b) {
  return order_strings(((const gguf_kv *)a)->key, ((const gguf_kv *)b)->key);
}

static int read_kvs(tern_gguf *g, cursor *c, uint64_t count) {
  if (count > MOST_KEYS || count > left(c) / LEAST_KV_BYTES) {
    return tern_fail(c->e, TERN_FAILED, "%s: %llu metadata keys cannot be in %zu bytes (at most %d are read)", c->file,
                     (unsigned long long)count, left(c), MOST_KEYS);
  }
  g->kvs = calloc((size_t)count + 1, sizeof *g->kvs);
  if (!g->kvs) return tern_fail(c->e, TERN_FAILED, "%s: out of memory", c->file);
  for (; g->kv_count < count; g->kv_count++) {
    if (read_kv(c, &g->kvs[g->kv_count])) return TERN_FAILED;
  }
  qsort(g->kvs, g->kv_count, sizeof *g->kvs, order_kvs);
  for (size_t i = 1; i < g->kv_count; i++) {
    tern_gguf_string key = g->kvs[i].key;
    if (order_strings(g->kvs[i - 1].key, key) == 0) {
      return tern_fail(c->e, TERN_FAILED, "%s: duplicate key '%.*s'", c->file, key.size < 80 ? (int)key.size : 80,
                       key.data);
    }
  }
  return 0;
}

/* Dimensions in 1..4, each at least 1, columns and rows (the product of the rest) within int. */
static int check_shape(cursor *c, tern_gguf_tensor *t, const uint64_t shape[4], uint32_t dims) {
  int64_t rows = 1;
  for (uint32_t d = 0; d < 4; d++) {
    uint64_t n = d < dims ? shape[d] : 1;
    if (n == 0 || n > INT_MAX || (d > 0 && (rows *= (int64_t)n) > INT_MAX)) {
      return tern_fail(c->e, TERN_FAILED, "%s: tensor '%s': dimension %u is %llu: empty or too large", c->file, t->name,
                       d, (unsigned long long)n);
    }
    t->shape[d] = (int64_t)n;
  }
  t->dims = (int)dims;
  if (t->shape[0] % t->type->block) {
    return tern_fail(c->e, TERN_FAILED, "%s: tensor '%s': %lld columns are no multiple of %d, as type %s needs",
                     c->file, t->name, (long long)t->shape[0], t->type->block, t->type->name);
  }
  t->bytes = t->type->bytes(rows, t->shape[0]);
  if (t->bytes > c->size) {
    return tern_fail(c->e, TERN_FAILED,
                     "%s: tensor '%s': %lld x %lld of type %s cannot be in a file of %zu bytes (truncated?)", c->file,
                     t->name, (long long)rows, (long long)t->shape[0], t->type->name, c->size);
  }
  return 0;
}

static int check_type(cursor *c, tern_gguf_tensor *t, uint32_t id) {
  t->type = id <= 0xffff ? tern_dtype_by_id(id) : NULL; /* above: forms that only we tell apart */
  if (t->type) return 0;
  const char *foreign = tern_dtype_foreign(id);
  if (id == TERN_DISK_TL1 || id == TERN_DISK_TL2) {
    return tern_fail(
        c->e, TERN_FAILED,
        "%s: tensor '%s': type %u (%s): the order of its codes comes from kernels generated for one shape "
        "and machine, the file does not say which; take the model's I2_S file, or convert its Hugging Face "
        "folder (ternmark convert FOLDER OUT.gguf)",
        c->file, t->name, id, foreign);
  }
  return tern_fail(c->e, TERN_FAILED,
                   "%s: tensor '%s': type %u (%s) is not supported; I2_S, TQ1_0, TQ2_0, Q2_0, IQ1_BN, IQ2_BN, F32, "
                   "F16, BF16, Q8_0, Q6_K, Q4_K and Q4_0 are",
                   c->file, t->name, id, foreign ? foreign : "unknown");
}

/* One entry of the tensor table; the name is copied to *names, which moves on. */
static int read_tensor(cursor *c, tern_gguf_tensor *t, char **names) {
  tern_gguf_string name;
  uint32_t dims, id;
  uint64_t shape[4], offset;
  if (take_name(c, &name, MOST_NAME_BYTES, "a tensor's name")) return TERN_FAILED;
  memcpy(*names, name.data, name.size);
  (*names)[name.size] = 0;
  t->name = *names;
  *names += name.size + 1;
  if (take(c, &dims, sizeof dims, "a tensor's dimensions")) return TERN_FAILED;
  if (dims < 1 || dims > 4) {
    return tern_fail(c->e, TERN_FAILED, "%s: tensor '%s': %u dimensions, want 1 to 4", c->file, t->name, dims);
  }
  if (take(c, shape, dims * sizeof *shape, "a tensor's shape")) return TERN_FAILED;
  if (take(c, &id, sizeof id, "a tensor's type")) return TERN_FAILED;
  if (take(c, &offset, sizeof offset, "a tensor's offset")) return TERN_FAILED;
  if (check_type(c, t, id) || check_shape(c, t, shape, dims)) return TERN_FAILED;
  if (offset > c->size) {
    return tern_fail(c->e, TERN_FAILED, "%s: tensor '%s': offset %llu lies past the end", c->file, t->name,
                     (unsigned long long)offset);
  }
  t->offset = (size_t)offset;
  return 0;
}

typedef struct named {
  const char *name;
  int index;
} named;

static int order_named(const void *a, const void *b) {
  return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

int tern_gguf_index(tern_gguf *g, tern_error *e) {
  size_t n = (size_t)g->tensor_count;
  named *list = calloc(n + 1, sizeof *list);
  g->by_name = calloc(n + 1, sizeof *g->by_name);
  int rc = 0;
  if (!list || !g->by_name) {
    rc = tern_fail(e, TERN_FAILED, "%s: out of memory", g->name);
    goto out;
  }
  for (int i = 0; i < g->tensor_count; i++) list[i] = (named){.name = g->tensors[i].name, .index = i};
  qsort(list, n, sizeof *list, order_named);
  for (size_t i = 0; i < n; i++) {
    if (i && strcmp(list[i - 1].name, list[i].name) == 0) {
      rc = tern_fail(e, TERN_FAILED, "%s: duplicate tensor '%s'", g->name, list[i].name);
      goto out;
    }
    g->by_name[i] = list[i].index;
  }
out:
  free(list);
  return rc;
}

static int read_tensors(tern_gguf *g, cursor *c, uint64_t count) {
  if (count > MOST_TENSORS || count > left(c) / LEAST_TENSOR_BYTES) {
    return tern_fail(c->e, TERN_FAILED, "%s: %llu tensors cannot be described in %zu bytes (at most %d are read)",
                     c->file, (unsigned long long)count, left(c), MOST_TENSORS);
  }
  g->tensors = calloc((size_t)count + 1, sizeof *g->tensors);
  size_t room = tern_mul((size_t)count, MOST_NAME_BYTES + 1);
  g->names = malloc((room < left(c) ? room : left(c)) + 1); /* a name's NUL replaces its length in the file */
  if (!g->tensors || !g->names) return tern_fail(c->e, TERN_FAILED, "%s: out of memory", c->file);
  char *names = g->names;
  for (; (uint64_t)g->tensor_count < count; g->tensor_count++) {
    if (read_tensor(c, &g->tensors[g->tensor_count], &names)) return TERN_FAILED;
  }
  return tern_gguf_index(g, c->e);
}

static int read_alignment(const tern_gguf *g, cursor *c, size_t *alignment) {
  *alignment = DEFAULT_ALIGNMENT;
  if (!tern_gguf_has(g, "general.alignment")) return 0;
  int64_t v;
  if (!tern_gguf_integer(g, "general.alignment", &v) || v < 8 || v > MOST_ALIGNMENT || (v & (v - 1))) {
    return tern_fail(c->e, TERN_FAILED, "%s: general.alignment is no power of two from 8 to %d", c->file,
                     MOST_ALIGNMENT);
  }
  *alignment = (size_t)v;
  return 0;
}

static int order_offsets(const void *a, const void *b) {
  const tern_gguf_tensor *x = *(const tern_gguf_tensor *const *)a, *y = *(const tern_gguf_tensor *const *)b;
  return (x->offset > y->offset) - (x->offset < y->offset);
}

/* All tensors by offset; free(). NULL: out of memory. */
static tern_gguf_tensor **by_offset(const tern_gguf *g) {
  size_t n = (size_t)g->tensor_count;
  tern_gguf_tensor **list = calloc(n + 1, sizeof *list);
  for (size_t i = 0; list && i < n; i++) list[i] = &g->tensors[i];
  if (list) qsort(list, n, sizeof *list, order_offsets);
  return list;
}

/* Two forms of Q2_0 share an id (dtype_q2.c). Where the form with more bytes
 * would reach into the next tensor, the whole file is taken for the other. */
static int choose_q2_form(tern_gguf *g, cursor *c, size_t data_bytes) {
  size_t n = (size_t)g->tensor_count;
  tern_gguf_tensor **list = by_offset(g);
  if (!list) return tern_fail(c->e, TERN_FAILED, "%s: out of memory", c->file);
  const tern_dtype *other = tern_dtype_by_id(TERN_DISK_Q2_0_128);
  bool fits = true, possible = true;
  for (size_t i = 0; i < n; i++) {
    size_t end = i + 1 < n ? list[i + 1]->offset : data_bytes;
    if (list[i]->type->id != TERN_DISK_Q2_0) continue;
    fits &= end >= list[i]->offset && list[i]->bytes <= end - list[i]->offset;
    possible &= list[i]->shape[0] % other->block == 0;
  }
  for (size_t i = 0; i < n && !fits && possible; i++) {
    if (list[i]->type->id != TERN_DISK_Q2_0) continue;
    list[i]->type = other;
    list[i]->bytes = other->bytes(list[i]->shape[1] * list[i]->shape[2] * list[i]->shape[3], list[i]->shape[0]);
  }
  free(list);
  return 0;
}

static int check_overlap(const tern_gguf *g, cursor *c) {
  size_t n = (size_t)g->tensor_count;
  tern_gguf_tensor **list = by_offset(g);
  if (!list) return tern_fail(c->e, TERN_FAILED, "%s: out of memory", c->file);
  int rc = 0;
  for (size_t i = 1; i < n && !rc; i++) {
    if (list[i - 1]->offset + list[i - 1]->bytes > list[i]->offset) {
      rc = tern_fail(c->e, TERN_FAILED, "%s: tensors '%s' and '%s' overlap", c->file, list[i - 1]->name, list[i]->name);
    }
  }
  free(list);
  return rc;
}

/* Turns offsets within the data section into places in the file. */
static int place_tensors(tern_gguf *g, cursor *c) {
  size_t alignment;
  if (read_alignment(g, c, &alignment)) return TERN_FAILED;
  size_t start = (c->at + alignment - 1) / alignment * alignment;
  if (choose_q2_form(g, c, start > c->size ? 0 : c->size - start)) return TERN_FAILED;
  for (int i = 0; i < g->tensor_count; i++) {
    tern_gguf_tensor *t = &g->tensors[i];
    if (t->offset % alignment) {
      return tern_fail(c->e, TERN_FAILED, "%s: tensor '%s': offset %zu is not aligned to %zu", c->file, t->name,
                       t->offset, alignment);
    }
    if (start > c->size || t->offset > c->size - start || t->bytes > c->size - start - t->offset) {
      return tern_fail(c->e, TERN_FAILED, "%s: truncated: tensor '%s' ends past the end of the file (%zu bytes)",
                       c->file, t->name, c->size);
    }
    t->offset += start;
    t->data = c->data + t->offset;
  }
  return check_overlap(g, c);
}

int tern_gguf_read(tern_gguf *g, const uint8_t *data, size_t size, tern_error *e) {
  cursor c = {.data = data, .size = size, .file = g->name, .e = e};
  char magic[4];
  uint32_t version;
  uint64_t tensors, kvs;
  if (size < sizeof magic || memcmp(data, "GGUF", 4) != 0) {
    return tern_fail(e, TERN_FAILED, "%s: not a GGUF file (no magic 'GGUF')", g->name);
  }
  if (take(&c, magic, sizeof magic, "the magic") || take(&c, &version, sizeof version, "the version")) {
    return TERN_FAILED;
  }
  if (version != 2 && version != 3) {
    bool swapped = __builtin_bswap32(version) >= 1 && __builtin_bswap32(version) <= 3;
    return tern_fail(e, TERN_FAILED, "%s: GGUF version %u is not supported%s; versions 2 and 3 are", g->name,
                     swapped ? __builtin_bswap32(version) : version, swapped ? " when big-endian" : "");
  }
  if (take(&c, &tensors, sizeof tensors, "the header") || take(&c, &kvs, sizeof kvs, "the header")) {
    return TERN_FAILED;
  }
  g->size = size;
  if (read_kvs(g, &c, kvs) || read_tensors(g, &c, tensors)) return TERN_FAILED;
  return place_tensors(g, &c);
}
