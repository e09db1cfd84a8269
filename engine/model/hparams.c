/* Numbers of the model from GGUF metadata: each one read once, checked against
 * a range, so that nothing after this has to. Ranges are what the kernels and
 * int32 arithmetic allow, far above any model known. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/model/parts.h"

enum { MAX_COLS = 65536, MAX_CONTEXT = 10000000, MAX_LAYERS = 4096, MAX_VOCAB = 1 << 24 };

typedef struct reader {
  const tern_gguf *g;
  const char *arch;
  char key[256];
} reader;

static const char *key_of(reader *r, const char *name) {
  snprintf(r->key, sizeof r->key, "%s.%s", r->arch, name);
  return r->key;
}

/* fallback < 0: required. */
static int read_integer(reader *r, const char *name, int64_t low, int64_t high, int fallback, int *out, tern_error *e) {
  int64_t v = fallback;
  const char *key = key_of(r, name);
  if (!tern_gguf_integer(r->g, key, &v)) {
    if (tern_gguf_has(r->g, key)) {
      return tern_fail(e, TERN_FAILED, "%s: key %s is not one integer", tern_gguf_name(r->g), key);
    }
    if (fallback < 0) return tern_fail(e, TERN_FAILED, "%s: key %s is missing", tern_gguf_name(r->g), key);
  }
  if (v < low || v > high) {
    return tern_fail(e, TERN_FAILED, "%s: key %s is %lld, want %lld to %lld", tern_gguf_name(r->g), key, (long long)v,
                     (long long)low, (long long)high);
  }
  *out = (int)v;
  return 0;
}

static int read_real(reader *r, const char *name, double low, double high, double fallback, double *out,
                     tern_error *e) {
  double v = fallback;
  const char *key = key_of(r, name);
  if (!tern_gguf_real(r->g, key, &v)) {
    if (tern_gguf_has(r->g, key)) {
      return tern_fail(e, TERN_FAILED, "%s: key %s is not one number", tern_gguf_name(r->g), key);
    }
    if (isnan(fallback)) return tern_fail(e, TERN_FAILED, "%s: key %s is missing", tern_gguf_name(r->g), key);
  }
  if (!(v >= low && v <= high)) {
    return tern_fail(e, TERN_FAILED, "%s: key %s is %g, want %g to %g", tern_gguf_name(r->g), key, v, low, high);
  }
  *out = v;
  return 0;
}

static int read_arch(tern_model_facts *f, reader *r, char *name, size_t size, tern_error *e) {
  tern_gguf_string s;
  if (!tern_gguf_text(r->g, "general.architecture", &s)) {
    return tern_fail(e, TERN_FAILED, "%s: key general.architecture is missing", tern_gguf_name(r->g));
  }
  snprintf(name, size, "%.*s", (int)(s.size < size ? s.size : size - 1), s.data);
  f->arch = tern_arch_find(name);
  if (f->arch) {
    r->arch = f->arch->name;
    return 0;
  }
  char known[128] = "";
  for (int i = 0; tern_arch_at(i); i++) {
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", tern_arch_at(i)->name);
  }
  return tern_fail(e, TERN_FAILED, "%s: architecture \"%s\" is not supported (%s are)", tern_gguf_name(r->g), name,
                   known);
}

static int read_heads(tern_model_facts *f, reader *r, tern_error *e) {
  int key_length, value_length, rotated;
  if (read_integer(r, "attention.head_count", 1, MAX_COLS, -1, &f->heads, e)) return TERN_FAILED;
  if (read_integer(r, "attention.head_count_kv", 1, f->heads, f->heads, &f->kv_heads, e)) return TERN_FAILED;
  if (f->heads % f->kv_heads) {
    return tern_fail(e, TERN_FAILED, "%s: %d heads cannot share %d KV heads evenly", tern_gguf_name(r->g), f->heads,
                     f->kv_heads);
  }
  if (f->hidden % f->heads && !tern_gguf_has(r->g, key_of(r, "attention.key_length"))) {
    return tern_fail(e, TERN_FAILED, "%s: embedding length %d is not a multiple of %d heads", tern_gguf_name(r->g),
                     f->hidden, f->heads);
  }
  int even = f->hidden / f->heads;
  if (read_integer(r, "attention.key_length", 2, MAX_COLS / f->heads, even, &key_length, e)) return TERN_FAILED;
  if (read_integer(r, "attention.value_length", 2, MAX_COLS / f->heads, even, &value_length, e)) return TERN_FAILED;
  if (read_integer(r, "rope.dimension_count", 2, MAX_COLS, key_length, &rotated, e)) return TERN_FAILED;
  if (key_length != value_length || rotated != key_length || key_length % 2) {
    return tern_fail(e, TERN_FAILED,
                     "%s: heads of %d keys, %d values and %d rotated dimensions are not supported "
                     "(all must be one even number)",
                     tern_gguf_name(r->g), key_length, value_length, rotated);
  }
  f->head_dim = key_length;
  return 0;
}

static int read_rope(tern_model_facts *f, reader *r, tern_error *e) {
  double factor;
  if (read_real(r, "rope.freq_base", 1, 1e12, 10000, &f->rope_theta, e)) return TERN_FAILED;
  if (read_real(r, "rope.scaling.factor", 0, 1e6, 1, &factor, e)) return TERN_FAILED;
  if (factor == 0 || factor == 1) return 0;
  return tern_fail(e, TERN_FAILED, "%s: RoPE scaling (factor %g) is not supported", tern_gguf_name(r->g), factor);
}

/* The rows of token_embd.weight are the vocabulary; what else names its size must agree. */
static int read_vocab(tern_model_facts *f, reader *r, tern_error *e) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(r->g, "token_embd.weight");
  if (!t) return tern_fail(e, TERN_FAILED, "%s: tensor token_embd.weight is missing", tern_gguf_name(r->g));
  int64_t rows = t->dims >= 2 ? t->shape[1] : 1;
  if (rows < 1 || rows > MAX_VOCAB) {
    return tern_fail(e, TERN_FAILED, "%s: tensor token_embd.weight has %lld rows, want 1 to %d", tern_gguf_name(r->g),
                     (long long)rows, MAX_VOCAB);
  }
  f->vocab = (int)rows;
  int64_t tokens = tern_gguf_array_length(r->g, "tokenizer.ggml.tokens");
  if (tokens >= 0 && tokens != rows) {
    return tern_fail(e, TERN_FAILED, "%s: tokenizer.ggml.tokens has %lld entries, token_embd.weight %lld rows",
                     tern_gguf_name(r->g), (long long)tokens, (long long)rows);
  }
  return read_integer(r, "vocab_size", rows, rows, f->vocab, &f->vocab, e);
}

int tern_hparams_read(tern_model_facts *f, const tern_gguf *g, tern_error *e) {
  reader r = {.g = g};
  char name[64];
  *f = (tern_model_facts){.zero_share = NAN};
  if (read_arch(f, &r, name, sizeof name, e)) return TERN_FAILED;
  if (read_integer(&r, "block_count", 1, MAX_LAYERS, -1, &f->layers, e)) return TERN_FAILED;
  if (read_integer(&r, "embedding_length", 2, MAX_COLS, -1, &f->hidden, e)) return TERN_FAILED;
  if (read_integer(&r, "feed_forward_length", 1, MAX_COLS, -1, &f->ffn, e)) return TERN_FAILED;
  if (read_integer(&r, "context_length", 1, MAX_CONTEXT, -1, &f->context, e)) return TERN_FAILED;
  if (read_real(&r, "attention.layer_norm_rms_epsilon", 0, 1, NAN, &f->eps, e)) return TERN_FAILED;
  if (read_heads(f, &r, e) || read_rope(f, &r, e)) return TERN_FAILED;
  return read_vocab(f, &r, e);
}
