/* llama2.c checkpoints, recognised by header and exact size.
 * legacy: seven int32 (dim, hidden, layers, heads, kv heads, vocab (negative:
 * own classifier), context), then f32 tensors, each for all layers.
 * ternary: 256-byte header (magic "24ka", version 1, the seven, shared flag),
 * f32 final norm and embedding, then per matrix an f32 scale and 2-bit fields.
 * Sources: karpathy/llama2.c export.py, HKUSTGZ-MICS-LYU/bitllama2.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/format/llama2c_private.h"

enum {
  NUMBERS = 7,
  LEGACY_HEADER = 28,
  TERNARY_HEADER = 256,
  MAGIC = 0x616b3432,
  MOST_WIDTH = 65536,
  MOST_LAYERS = 1024,
  MOST_VOCAB = 1 << 20,
  A_LAYER = 9,
  GLOBALS = 3
};

typedef enum extent { ONE, DIM, HIDDEN, KEY, VOCAB } extent;

/* Tensors in the file's order. `name` has %d where a tensor comes once a
 * layer; NULL: bytes that GGUF has no use for (RoPE tables). */
typedef struct entry {
  const char *name;
  extent rows, cols;
  bool matrix; /* a projection: ternary in a ternary file */
} entry;

static const entry legacy[] = {
    {"token_embd.weight", VOCAB, DIM, false},      {"blk.%d.attn_norm.weight", ONE, DIM, false},
    {"blk.%d.attn_q.weight", DIM, DIM, true},      {"blk.%d.attn_k.weight", KEY, DIM, true},
    {"blk.%d.attn_v.weight", KEY, DIM, true},      {"blk.%d.attn_output.weight", DIM, DIM, true},
    {"blk.%d.ffn_norm.weight", ONE, DIM, false},   {"blk.%d.ffn_gate.weight", HIDDEN, DIM, true},
    {"blk.%d.ffn_down.weight", DIM, HIDDEN, true}, {"blk.%d.ffn_up.weight", HIDDEN, DIM, true},
    {"output_norm.weight", ONE, DIM, false},       {NULL, ONE, ONE, false},
    {"output.weight", VOCAB, DIM, false},
};
static const entry ternary[] = {
    {"output_norm.weight", ONE, DIM, false},       {"token_embd.weight", VOCAB, DIM, false},
    {"blk.%d.attn_q.weight", DIM, DIM, true},      {"blk.%d.attn_k.weight", KEY, DIM, true},
    {"blk.%d.attn_v.weight", KEY, DIM, true},      {"blk.%d.attn_output.weight", DIM, DIM, true},
    {"blk.%d.ffn_gate.weight", HIDDEN, DIM, true}, {"blk.%d.ffn_down.weight", DIM, HIDDEN, true},
    {"blk.%d.ffn_up.weight", HIDDEN, DIM, true},
};

static int extent_of(const llama2c_file *f, extent x) {
  const int sizes[] = {
      [ONE] = 1, [DIM] = f->dim, [HIDDEN] = f->hidden, [KEY] = f->dim / f->heads * f->kv_heads, [VOCAB] = f->vocab};
  return sizes[x];
}

static int check_range(const llama2c_file *f, const char *what, int v, int most, tern_error *e) {
  if (v >= 1 && v <= most) return 0;
  return tern_fail(e, TERN_FAILED, "%s: %s is %d, want 1 to %d: not a llama2.c checkpoint?", f->path, what, v, most);
}

static int check_header(const llama2c_file *f, tern_error *e) {
  if (check_range(f, "dim", f->dim, MOST_WIDTH, e) || check_range(f, "hidden", f->hidden, MOST_WIDTH, e) ||
      check_range(f, "layers", f->layers, MOST_LAYERS, e) || check_range(f, "heads", f->heads, f->dim, e) ||
      check_range(f, "kv heads", f->kv_heads, f->heads, e) || check_range(f, "vocabulary", f->vocab, MOST_VOCAB, e) ||
      check_range(f, "context", f->context, 1 << 24, e)) {
    return TERN_FAILED;
  }
  if (f->dim % (2 * f->heads) || f->heads % f->kv_heads) {
    return tern_fail(e, TERN_FAILED, "%s: dim %d, %d heads, %d kv heads do not divide: not a llama2.c checkpoint?",
                     f->path, f->dim, f->heads, f->kv_heads);
  }
  return 0;
}

static int read_header(llama2c_file *f, tern_error *e) {
  uint32_t magic;
  int32_t n[NUMBERS], version;
  if (f->size < LEGACY_HEADER) {
    return tern_fail(e, TERN_FAILED, "%s: %zu bytes are no llama2.c checkpoint", f->path, f->size);
  }
  memcpy(&magic, f->data, sizeof magic);
  f->ternary = magic == MAGIC;
  if (f->ternary) {
    memcpy(&version, f->data + 4, sizeof version);
    if (f->size < TERNARY_HEADER || version != 1) {
      return tern_fail(e, TERN_FAILED,
                       "%s: llama2.c checkpoint of version %d; only legacy fp32 files and version 1 "
                       "of bitllama2c are read",
                       f->path, version);
    }
  }
  memcpy(n, f->data + (f->ternary ? 8 : 0), sizeof n);
  f->dim = n[0];
  f->hidden = n[1];
  f->layers = n[2];
  f->heads = n[3];
  f->kv_heads = n[4];
  f->tied = f->ternary ? f->data[8 + sizeof n] == 1 : n[5] > 0;
  f->vocab = n[5] < 0 && n[5] >= -MOST_VOCAB && !f->ternary ? -n[5] : n[5];
  f->context = n[6];
  if (f->ternary && !f->tied) {
    return tern_fail(e, TERN_FAILED, "%s: a ternary checkpoint with a classifier of its own is not supported", f->path);
  }
  return check_header(f, e);
}

/* Adds one tensor that starts at *at, which moves behind it. */
static void add(llama2c_file *f, const entry *x, int layer, size_t *at) {
  llama2c_tensor *t = &f->tensors[f->count++];
  *t = (llama2c_tensor){.rows = extent_of(f, x->rows),
                        .cols = extent_of(f, x->cols),
                        .dims = x->rows == ONE ? 1 : 2,
                        .ternary = f->ternary && x->matrix,
                        .offset = *at};
  if (layer < 0) {
    snprintf(t->name, sizeof t->name, "%s", x->name);
  } else {
    const char *rest = strchr(x->name + strlen("blk."), '.');
    snprintf(t->name, sizeof t->name, "blk.%d%s", layer, rest);
  }
  size_t n = (size_t)t->rows * (size_t)t->cols; /* below 2^36 by check_header */
  *at += t->ternary ? sizeof(float) + n / 4 : n * sizeof(float);
}

static size_t lay_out(llama2c_file *f) {
  const entry *list = f->ternary ? ternary : legacy;
  size_t entries = f->ternary ? sizeof ternary / sizeof *ternary : sizeof legacy / sizeof *legacy;
  size_t at = f->ternary ? TERNARY_HEADER : LEGACY_HEADER;
  if (!f->ternary && f->tied) entries--;
  for (size_t i = 0; i < entries; i++) {
    if (!list[i].name) {
      at += (size_t)f->context * (size_t)(f->dim / f->heads) * sizeof(float); /* cos and sin of half a head */
      continue;
    }
    int times = strchr(list[i].name, '%') ? f->layers : 0;
    if (!times) add(f, &list[i], -1, &at);
    for (int layer = 0; layer < times; layer++) add(f, &list[i], layer, &at);
  }
  return at;
}

bool tern_llama2c_is(const uint8_t *data, size_t size) {
  llama2c_file f = {.path = "", .data = data, .size = size};
  tern_error ignored;
  uint32_t magic = 0;
  if (size >= sizeof magic) memcpy(&magic, data, sizeof magic);
  return magic == MAGIC || read_header(&f, &ignored) == 0;
}

int tern_llama2c_read(llama2c_file *f, const uint8_t *data, size_t size, const char *path, tern_error *e) {
  *f = (llama2c_file){.path = path, .data = data, .size = size};
  if (read_header(f, e)) return TERN_FAILED;
  if (f->ternary && (f->dim % 4 || f->hidden % 4)) {
    return tern_fail(e, TERN_FAILED, "%s: dim %d or hidden %d is no multiple of 4", path, f->dim, f->hidden);
  }
  f->tensors = calloc((size_t)f->layers * A_LAYER + GLOBALS, sizeof *f->tensors);
  if (!f->tensors) return tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  size_t wanted = lay_out(f);
  if (wanted == size) return 0;
  return tern_fail(e, TERN_FAILED, "%s: %zu bytes, but its header asks for %zu: truncated, or another format", path,
                   size, wanted);
}
