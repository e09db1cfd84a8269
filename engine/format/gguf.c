/* GGUF reader: access to what the parser found good. */
#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf_private.h"

static tern_gguf *fresh(const char *name, tern_error *e) {
  tern_gguf *g = calloc(1, sizeof *g);
  if (g) g->name = strdup(name);
  if (g && g->name) return g;
  free(g);
  tern_fail(e, TERN_FAILED, "%s: out of memory", name);
  return NULL;
}

int tern_gguf_parse(tern_gguf **out, const uint8_t *data, size_t size, const char *name, tern_error *e) {
  *out = NULL;
  tern_gguf *g = fresh(name, e);
  if (!g) return TERN_FAILED;
  if (tern_gguf_read(g, data, size, e)) {
    tern_gguf_close(g);
    return TERN_FAILED;
  }
  *out = g;
  return 0;
}

void tern_gguf_close(tern_gguf *g) {
  if (!g) return;
  if (g->keep.close) g->keep.close(g->keep.owner);
  tern_map_close(&g->map);
  free(g->image);
  free(g->kvs);
  free(g->tensors);
  free(g->by_name);
  free(g->names);
  free(g->name);
  free(g);
}

const char *tern_gguf_name(const tern_gguf *g) {
  return g->name;
}
size_t tern_gguf_size(const tern_gguf *g) {
  return g->size;
}
int tern_gguf_tensor_count(const tern_gguf *g) {
  return g->tensor_count;
}
const tern_gguf_tensor *tern_gguf_tensor_at(const tern_gguf *g, int i) {
  return &g->tensors[i];
}

const tern_gguf_tensor *tern_gguf_tensor_find(const tern_gguf *g, const char *name) {
  int lo = 0, hi = g->tensor_count;
  while (lo < hi) {
    int middle = lo + (hi - lo) / 2;
    const tern_gguf_tensor *t = &g->tensors[g->by_name[middle]];
    int order = strcmp(name, t->name);
    if (order == 0) return t;
    if (order < 0) {
      hi = middle;
    } else {
      lo = middle + 1;
    }
  }
  return NULL;
}

void tern_gguf_tensor_done(const tern_gguf *g, const tern_gguf_tensor *t) {
  if (g->map.data) tern_map_done(&g->map, t->offset, t->bytes);
  if (g->keep.done) g->keep.done(g->keep.owner, t);
}

static const gguf_kv *find(const tern_gguf *g, const char *key) {
  size_t lo = 0, hi = g->kv_count, n = strlen(key);
  while (lo < hi) {
    size_t middle = lo + (hi - lo) / 2;
    tern_gguf_string k = g->kvs[middle].key;
    int order = memcmp(key, k.data, n < k.size ? n : k.size);
    if (order == 0) order = (n > k.size) - (n < k.size);
    if (order == 0) return &g->kvs[middle];
    if (order < 0) {
      hi = middle;
    } else {
      lo = middle + 1;
    }
  }
  return NULL;
}

static const gguf_kv *find_kind(const tern_gguf *g, const char *key, bool array) {
  const gguf_kv *kv = find(g, key);
  return kv && kv->array == array ? kv : NULL;
}

int tern_gguf_key_count(const tern_gguf *g) {
  return (int)g->kv_count;
}
tern_gguf_string tern_gguf_key_at(const tern_gguf *g, int i) {
  return g->kvs[i].key;
}
tern_i2s tern_gguf_i2s_order(const tern_gguf *g) {
  static const char *const names[] = {[TERN_I2S_128] = "128", [TERN_I2S_64] = "64", [TERN_I2S_ROWS4] = "rows4"};
  tern_gguf_string s;
  if (!tern_gguf_text(g, "ternmark.i2s_layout", &s)) return TERN_I2S_128;
  for (int i = TERN_I2S_128; i <= TERN_I2S_ROWS4; i++) {
    if (strlen(names[i]) == s.size && memcmp(names[i], s.data, s.size) == 0) return (tern_i2s)i;
  }
  return TERN_I2S_AUTO;
}

bool tern_gguf_has(const tern_gguf *g, const char *key) {
  return find(g, key) != NULL;
}

/* Element i as an integer; false for other types and what int64 can't hold. */
static bool integer_at(const gguf_kv *kv, uint64_t i, int64_t *out) {
  union {
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    int64_t i64;
  } v;
  size_t size = tern_gguf_element_bytes(kv->type);
  if (size == 0) return false;
  memcpy(&v, kv->data + i * size, size);
  switch (kv->type) {
  case KV_U8:
    *out = v.u8;
    return true;
  case KV_I8:
    *out = v.i8;
    return true;
  case KV_U16:
    *out = v.u16;
    return true;
  case KV_I16:
    *out = v.i16;
    return true;
  case KV_U32:
    *out = v.u32;
    return true;
  case KV_I32:
    *out = v.i32;
    return true;
  case KV_I64:
    *out = v.i64;
    return true;
  case KV_U64:
    if (v.u64 > INT64_MAX) return false;
    *out = v.i64;
    return true;
  default:
    return false;
  }
}

static bool real_at(const gguf_kv *kv, uint64_t i, double *out) {
  float f;
  int64_t n;
  if (kv->type == KV_F32) {
    memcpy(&f, kv->data + i * sizeof f, sizeof f);
    *out = (double)f;
    return true;
  }
  if (kv->type == KV_F64) {
    memcpy(out, kv->data + i * sizeof *out, sizeof *out);
    return true;
  }
  if (!integer_at(kv, i, &n)) return false;
  *out = (double)n;
  return true;
}

bool tern_gguf_integer(const tern_gguf *g, const char *key, int64_t *out) {
  const gguf_kv *kv = find_kind(g, key, false);
  return kv && integer_at(kv, 0, out);
}

bool tern_gguf_real(const tern_gguf *g, const char *key, double *out) {
  const gguf_kv *kv = find_kind(g, key, false);
  return kv && real_at(kv, 0, out);
}

bool tern_gguf_bool(const tern_gguf *g, const char *key, bool *out) {
  const gguf_kv *kv = find_kind(g, key, false);
  if (!kv || kv->type != KV_BOOL) return false;
  *out = kv->data[0] != 0;
  return true;
}

/* The string at *at, which moves behind it. Bounds were checked by the parser. */
static tern_gguf_string next_string(const uint8_t **at) {
  uint64_t n;
  memcpy(&n, *at, sizeof n);
  tern_gguf_string s = {.data = (const char *)*at + sizeof n, .size = (size_t)n};
  *at += sizeof n + (size_t)n;
  return s;
}

size_t tern_gguf_value_bytes(const gguf_kv *kv) {
  const uint8_t *at = kv->data;
  if (kv->type != KV_TEXT) return (size_t)kv->count * tern_gguf_element_bytes(kv->type);
  for (uint64_t i = 0; i < kv->count; i++) next_string(&at);
  return (size_t)(at - kv->data);
}

bool tern_gguf_text(const tern_gguf *g, const char *key, tern_gguf_string *out) {
  const gguf_kv *kv = find_kind(g, key, false);
  if (!kv || kv->type != KV_TEXT) return false;
  const uint8_t *at = kv->data;
  *out = next_string(&at);
  return true;
}

int64_t tern_gguf_array_length(const tern_gguf *g, const char *key) {
  const gguf_kv *kv = find_kind(g, key, true);
  return kv ? (int64_t)kv->count : -1;
}

tern_gguf_string *tern_gguf_texts(const tern_gguf *g, const char *key, int64_t *count) {
  const gguf_kv *kv = find_kind(g, key, true);
  if (!kv || kv->type != KV_TEXT) return NULL;
  tern_gguf_string *list = calloc((size_t)kv->count + 1, sizeof *list);
  if (!list) return NULL;
  const uint8_t *at = kv->data;
  for (uint64_t i = 0; i < kv->count; i++) list[i] = next_string(&at);
  *count = (int64_t)kv->count;
  return list;
}

int64_t *tern_gguf_integers(const tern_gguf *g, const char *key, int64_t *count) {
  const gguf_kv *kv = find_kind(g, key, true);
  int64_t *list = kv ? calloc((size_t)kv->count + 1, sizeof *list) : NULL;
  if (!list) return NULL;
  for (uint64_t i = 0; i < kv->count; i++) {
    double v;
    if (integer_at(kv, i, &list[i])) continue;
    if ((kv->type != KV_F32 && kv->type != KV_F64) || !real_at(kv, i, &v) || !(v >= -0x1p63 && v < 0x1p63)) {
      free(list);
      return NULL;
    }
    list[i] = (int64_t)v;
  }
  *count = (int64_t)kv->count;
  return list;
}

double *tern_gguf_reals(const tern_gguf *g, const char *key, int64_t *count) {
  const gguf_kv *kv = find_kind(g, key, true);
  double *list = kv ? calloc((size_t)kv->count + 1, sizeof *list) : NULL;
  if (!list) return NULL;
  for (uint64_t i = 0; i < kv->count; i++) {
    if (!real_at(kv, i, &list[i])) {
      free(list);
      return NULL;
    }
  }
  *count = (int64_t)kv->count;
  return list;
}
