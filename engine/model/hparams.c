/* Numbers of the model from GGUF metadata: each one read once, checked against
 * a range, so that nothing after this has to. Ranges are what the kernels and
 * int32 arithmetic allow, far above any model known. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/model/parts.h"

enum { MAX_COLS = 65536, MAX_CONTEXT = 10000000, MAX_LAYERS = 4096, MAX_VOCAB = 1 << 24 };

const char *tern_key(tern_keys *k, const char *name) {
  snprintf(k->key, sizeof k->key, "%s.%s", k->arch, name);
  return k->key;
}

int tern_key_integer(tern_keys *k, const char *name, int64_t low, int64_t high, int fallback, int *out, tern_error *e) {
  int64_t v = fallback;
  const char *key = tern_key(k, name);
  if (!tern_gguf_integer(k->g, key, &v)) {
    if (tern_gguf_has(k->g, key)) {
      return tern_fail(e, TERN_FAILED, "%s: key %s is not one integer", tern_gguf_name(k->g), key);
    }
    if (fallback < 0) return tern_fail(e, TERN_FAILED, "%s: key %s is missing", tern_gguf_name(k->g), key);
  }
  if (v < low || v > high) {
    return tern_fail(e, TERN_FAILED, "%s: key %s is %lld, want %lld to %lld", tern_gguf_name(k->g), key, (long long)v,
                     (long long)low, (long long)high);
  }
  *out = (int)v;
  return 0;
}

int tern_key_real(tern_keys *k, const char *name, double low, double high, double fallback, double *out,
                  tern_error *e) {
  double v = fallback;
  const char *key = tern_key(k, name);
  if (!tern_gguf_real(k->g, key, &v)) {
    if (tern_gguf_has(k->g, key)) {
      return tern_fail(e, TERN_FAILED, "%s: key %s is not one number", tern_gguf_name(k->g), key);
    }
    if (isnan(fallback)) return tern_fail(e, TERN_FAILED, "%s: key %s is missing", tern_gguf_name(k->g), key);
  }
  if (!(v >= low && v <= high)) {
    return tern_fail(e, TERN_FAILED, "%s: key %s is %g, want %g to %g", tern_gguf_name(k->g), key, v, low, high);
  }
  *out = v;
  return 0;
}

static int read_arch(tern_model_facts *f, tern_keys *r, char *name, size_t size, tern_error *e) {
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
  char known[256] = "";
  for (int i = 0; tern_arch_at(i); i++) {
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", tern_arch_at(i)->name);
  }
  return tern_fail(e, TERN_FAILED, "%s: architecture \"%s\" is not supported (%s are)", tern_gguf_name(r->g), name,
                   known);
}

static int read_heads(tern_model_facts *f, tern_keys *r, tern_error *e) {
  int key_length, value_length;
  if (tern_key_integer(r, "attention.head_count", 1, MAX_COLS, -1, &f->heads, e)) return TERN_FAILED;
  if (tern_key_integer(r, "attention.head_count_kv", 1, f->heads, f->heads, &f->kv_heads, e)) return TERN_FAILED;
  if (f->heads % f->kv_heads) {
    return tern_fail(e, TERN_FAILED, "%s: %d heads cannot share %d KV heads evenly", tern_gguf_name(r->g), f->heads,
                     f->kv_heads);
  }
  if (f->hidden % f->heads && !tern_gguf_has(r->g, tern_key(r, "attention.key_length"))) {
    return tern_fail(e, TERN_FAILED, "%s: embedding length %d is not a multiple of %d heads", tern_gguf_name(r->g),
                     f->hidden, f->heads);
  }
  int even = f->hidden / f->heads;
  if (tern_key_integer(r, "attention.key_length", 2, MAX_COLS / f->heads, even, &key_length, e)) return TERN_FAILED;
  if (tern_key_integer(r, "attention.value_length", 2, MAX_COLS / f->heads, even, &value_length, e)) return TERN_FAILED;
  if (tern_key_integer(r, "rope.dimension_count", 2, key_length, key_length, &f->rotated, e)) return TERN_FAILED;
  if (key_length != value_length || key_length % 2 || f->rotated % 2) {
    return tern_fail(e, TERN_FAILED,
                     "%s: heads of %d keys, %d values and %d rotated dimensions are not supported "
                     "(keys and values must be one even number, rotated ones even)",
                     tern_gguf_name(r->g), key_length, value_length, f->rotated);
  }
  f->head_dim = key_length;
  return 0;
}

/* Numbers that would change the answers and that no family here has. */
static int refuse_unknown(tern_keys *r, tern_error *e) {
  static const char *const zero[] = {"final_logit_softcapping", "attn_logit_softcapping", "expert_count"};
  bool causal;
  for (size_t i = 0; i < sizeof zero / sizeof *zero; i++) {
    double v = 0;
    if (tern_gguf_real(r->g, tern_key(r, zero[i]), &v) && v != 0)
      return tern_fail(e, TERN_FAILED, "%s: key %s is %g, which is not supported", tern_gguf_name(r->g), r->key, v);
  }
  if (tern_gguf_bool(r->g, tern_key(r, "attention.causal"), &causal) && !causal)
    return tern_fail(e, TERN_FAILED, "%s: attention to later tokens (key %s) is not supported", tern_gguf_name(r->g),
                     r->key);
  return 0;
}

/* A list of which layers have a window must be a period that ends with one that has none. */
static int read_pattern(tern_model_facts *f, tern_keys *r, tern_error *e) {
  const char *key = tern_key(r, "attention.sliding_window_pattern");
  int64_t n = tern_gguf_array_length(r->g, key), *local = NULL;
  if (n < 0)
    return tern_key_integer(r, "attention.sliding_window_pattern", 1, MAX_LAYERS, f->window_period, &f->window_period,
                            e);
  local = tern_gguf_integers(r->g, key, &n);
  bool good = local && n == f->layers;
  if (good) {
    int first = 0;
    while (first < n && local[first]) first++;
    f->window_period = first + 1;
    for (int i = 0; i < n; i++) good = good && (local[i] != 0) == (i % f->window_period != first);
  }
  free(local);
  if (good) return 0;
  return tern_fail(e, TERN_FAILED, "%s: key %s is no period of sliding windows over %d layers", tern_gguf_name(r->g),
                   key, f->layers);
}

static int read_window(tern_model_facts *f, tern_keys *r, tern_error *e) {
  f->window_period = f->arch->window_period;
  if (!f->window_period) return 0; /* readers of these families pass over the key, too */
  if (tern_key_integer(r, "attention.sliding_window", 0, MAX_CONTEXT, 0, &f->window, e)) return TERN_FAILED;
  return f->window ? read_pattern(f, r, e) : 0;
}

static int read_factor(const tern_model_facts *f, tern_keys *r, const tern_factor *from, double *out, tern_error *e) {
  *out = tern_factor_usual(from, f->hidden, f->layers);
  return from->key ? tern_key_real(r, from->key, 1e-6, 1e6, *out, out, e) : 0;
}

static int read_factors(tern_model_facts *f, tern_keys *r, tern_error *e) {
  const tern_arch *a = f->arch;
  float width = f->layers == a->layers_scaled_by_width ? (float)f->hidden / (float)f->heads : (float)f->head_dim;
  double score = 0, divisor;
  if (tern_key_real(r, "attention.scale", 0, 1e6, 0, &score, e)) return TERN_FAILED;
  f->attention_scale = score != 0 ? (float)score : 1 / sqrtf(width);
  if (read_factor(f, r, &a->embedding, &f->embedding_scale, e)) return TERN_FAILED;
  if (read_factor(f, r, &a->residual, &f->residual_scale, e)) return TERN_FAILED;
  if (read_factor(f, r, &a->logits, &divisor, e)) return TERN_FAILED;
  f->logit_scale = 1 / divisor;
  return 0;
}

static int read_pooling(tern_model_facts *f, tern_keys *r, tern_error *e) {
  int pooling;
  if (tern_key_integer(r, "pooling_type", TERN_POOLING_NONE, TERN_POOLING_LAST, TERN_POOLING_NONE, &pooling, e))
    return TERN_FAILED;
  f->pooling = (tern_pooling)pooling;
  return 0;
}

/* The rows of token_embd.weight are the vocabulary; what else names its size must agree. */
static int read_vocab(tern_model_facts *f, tern_keys *r, tern_error *e) {
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
  return tern_key_integer(r, "vocab_size", rows, rows, f->vocab, &f->vocab, e);
}

int tern_hparams_read(tern_model_facts *f, const tern_gguf *g, tern_error *e) {
  tern_keys r = {.g = g};
  char name[64];
  *f = (tern_model_facts){.zero_share = NAN};
  if (read_arch(f, &r, name, sizeof name, e)) return TERN_FAILED;
  if (tern_key_integer(&r, "block_count", 1, MAX_LAYERS, -1, &f->layers, e)) return TERN_FAILED;
  if (tern_key_integer(&r, "embedding_length", 2, MAX_COLS, -1, &f->hidden, e)) return TERN_FAILED;
  if (tern_key_integer(&r, "feed_forward_length", 1, MAX_COLS, -1, &f->ffn, e)) return TERN_FAILED;
  if (tern_key_integer(&r, "context_length", 1, MAX_CONTEXT, -1, &f->context, e)) return TERN_FAILED;
  if (tern_key_real(&r, "attention.layer_norm_rms_epsilon", 0, 1, NAN, &f->eps, e)) return TERN_FAILED;
  if (read_heads(f, &r, e) || tern_rope_read(f, &r, e) || read_window(f, &r, e)) return TERN_FAILED;
  if (read_factors(f, &r, e) || read_pooling(f, &r, e) || refuse_unknown(&r, e)) return TERN_FAILED;
  return read_vocab(f, &r, e);
}
