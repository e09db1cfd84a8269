/* Metadata of a synthetic model: what bitnet.cpp and llama.cpp require, with
 * exactly the value types that they insist on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/format/synth_private.h"

enum { CONTEXT = 4096, QUANTISATION_VERSION = 2, WINDOW = 512, POOLING_LAST = 3 };

/* general.file_type as llama.cpp and bitnet.cpp number them; readers only print it. */
static const struct {
  uint32_t type, file_type;
} file_types[] = {{TERN_DISK_F32, 0},    {TERN_DISK_F16, 1},    {TERN_DISK_Q8_0, 7}, {TERN_DISK_BF16, 32},
                  {TERN_DISK_TQ1_0, 36}, {TERN_DISK_TQ2_0, 37}, {TERN_DISK_I2_S, 40}};

static uint32_t file_type_of(uint32_t type) {
  for (size_t i = 0; i < sizeof file_types / sizeof *file_types; i++) {
    if (file_types[i].type == type) return file_types[i].file_type;
  }
  return 0;
}

typedef struct keys {
  tern_gguf_writer *w;
  const char *arch;
  char key[96];
} keys;

static const char *key_of(keys *k, const char *name) {
  snprintf(k->key, sizeof k->key, "%s.%s", k->arch, name);
  return k->key;
}

static void put_u32(keys *k, const char *name, int v) {
  tern_gguf_put_u32(k->w, key_of(k, name), (uint32_t)v);
}
static void put_f32(keys *k, const char *name, float v) {
  tern_gguf_put_f32(k->w, key_of(k, name), v);
}

static void put_factor(keys *k, const tern_factor *f, const tern_synth_shape *s) {
  if (f->key) put_f32(k, f->key, (float)tern_factor_usual(f, s->hidden, s->layers));
}

static void put_sizes(keys *k, const tern_synth_shape *s) {
  put_u32(k, "context_length", CONTEXT);
  put_u32(k, "embedding_length", s->hidden);
  put_u32(k, "block_count", s->layers);
  put_u32(k, "feed_forward_length", s->ffn);
  put_u32(k, "vocab_size", s->vocab);
  put_u32(k, "attention.head_count", s->heads);
  put_u32(k, "attention.head_count_kv", s->kv_heads);
  put_u32(k, "attention.key_length", s->head_dim);
  put_u32(k, "attention.value_length", s->head_dim);
  put_u32(k, "rope.dimension_count", s->head_dim);
}

void tern_synth_put_keys(tern_gguf_writer *w, const synth_plan *plan) {
  const tern_synth_shape *s = &plan->shape;
  const tern_arch *arch = plan->arch;
  keys k = {.w = w, .arch = arch->name};
  char name[64];
  snprintf(name, sizeof name, "synthetic %s", s->name);
  tern_gguf_put_text(w, "general.architecture", arch->name);
  tern_gguf_put_text(w, "general.name", name);
  tern_gguf_put_u32(w, "general.file_type", file_type_of(plan->type->id));
  tern_gguf_put_u32(w, "general.quantization_version", QUANTISATION_VERSION);
  put_sizes(&k, s);
  put_f32(&k, "attention.layer_norm_rms_epsilon", arch->norm_eps > 0 ? (float)arch->norm_eps : 1e-5f);
  put_f32(&k, "rope.freq_base", (float)s->rope_theta);
  if (arch->window_period && !s->input_norms) put_u32(&k, "attention.sliding_window", s->window ? s->window : WINDOW);
  if (s->input_norms) put_u32(&k, "pooling_type", POOLING_LAST);
  put_factor(&k, &arch->embedding, s);
  put_factor(&k, &arch->residual, s);
  put_factor(&k, &arch->logits, s);
  tern_gguf_put_bool(w, "ternmark.synthetic", true);
  tern_gguf_put_u32(w, "ternmark.synth_version", TERN_SYNTH_VERSION);
  tern_gguf_put_text(w, "ternmark.shape", s->name);
  tern_gguf_put_u64(w, "ternmark.seed", plan->seed);
  if (plan->type->id == TERN_DISK_I2_S) tern_gguf_put_text(w, "ternmark.i2s_layout", "128");
}
