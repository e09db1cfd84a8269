/* config.json: which family, how weights are stored, and the numbers as GGUF
 * keys. What the architectures here don't do is refused by name, not passed
 * over. Sources: transformers models/<name>/configuration_<name>.py (defaults),
 * integrations/bitnet.py (weight_scale), llama.cpp conversion/ (keys). */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/format/gguf_private.h"
#include "engine/format/hf_parts.h"

static bool given(const json_t *j) {
  return j && !json_is_null(j);
}

static int read_integer(const hf_config *c, const char *name, int fallback, int *out, tern_error *e) {
  const json_t *j = json_object_get(c->text, name);
  *out = fallback;
  if (!given(j)) {
    return fallback > 0 ? 0 : tern_fail(e, TERN_FAILED, "%s: field %s is missing", c->path, name);
  }
  double v = json_is_number(j) ? json_number_value(j) : 0;
  if (!(v >= 1 && v <= INT_MAX && v == floor(v)))
    return tern_fail(e, TERN_FAILED, "%s: field %s is no whole number above 0", c->path, name);
  *out = (int)v;
  return 0;
}

static int read_real(const hf_config *c, const json_t *from, const char *name, double *out, tern_error *e) {
  const json_t *j = json_object_get(from, name);
  if (!given(j)) return 0;
  *out = json_is_number(j) ? json_number_value(j) : NAN;
  return isfinite(*out) ? 0 : tern_fail(e, TERN_FAILED, "%s: field %s is no number", c->path, name);
}

static int find_family(hf_config *c, tern_error *e) {
  const char *class_name = json_string_value(json_array_get(json_object_get(c->root, "architectures"), 0));
  const char *type = json_string_value(json_object_get(c->text, "model_type"));
  c->family = tern_hf_family(class_name, type);
  if (c->family) return 0;
  char known[256] = "";
  for (int i = 0; tern_hf_family_at(i); i++) {
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", tern_hf_family_at(i)->classes[0]);
  }
  return tern_fail(e, TERN_FAILED, "%s: field architectures: models of class %.60s are not supported (%s are)", c->path,
                   class_name ? class_name
                   : type     ? type
                              : "(none named)",
                   known);
}

static int read_quantisation(hf_config *c, tern_error *e) {
  const json_t *q = json_object_get(c->root, "quantization_config");
  hf_quantisation *out = &c->quantisation;
  *out = (hf_quantisation){.masters = c->family->masters, .divides = true};
  if (!given(q)) return 0;
  const char *method = json_string_value(json_object_get(q, "quant_method"));
  const char *class_name = json_string_value(json_object_get(q, "linear_class"));
  const char *mode = json_string_value(json_object_get(q, "quantization_mode"));
  if (!method || strcmp(method, "bitnet") != 0) {
    return tern_fail(
        e, TERN_FAILED,
        "%s: field quantization_config: method %.40s is not supported, bitnet is; take the checkpoint that "
        "was not quantised",
        c->path, method ? method : "(none named)");
  }
  out->bitnet = true;
  out->divides = !class_name || strcmp(class_name, "autobitlinear") != 0;
  out->masters = mode ? strcmp(mode, "online") == 0 : c->family->masters;
  return 0;
}

/* What changes answers and is not in the graphs: refused when it says so. */
static int refuse_unknown(const hf_config *c, tern_error *e) {
  static const char *const acts[] = {"hidden_activation", "hidden_act"};
  static const char *const caps[] = {"final_logit_softcapping", "attn_logit_softcapping"};
  const char *act = NULL;
  for (int i = 0; i < 2 && !act; i++) act = json_string_value(json_object_get(c->text, acts[i]));
  if (act && strcmp(act, c->family->act) != 0) {
    return tern_fail(e, TERN_FAILED, "%s: field hidden_act is %.40s; models of class %s have %s here", c->path, act,
                     c->family->classes[0], c->family->act);
  }
  for (int i = 0; i < 2; i++) {
    if (given(json_object_get(c->text, caps[i])))
      return tern_fail(e, TERN_FAILED, "%s: field %s is set, which is not supported", c->path, caps[i]);
  }
  if (json_is_true(json_object_get(c->text, "use_sliding_window"))) {
    return tern_fail(e, TERN_FAILED, "%s: field use_sliding_window is true, which is not supported", c->path);
  }
  double part = 1;
  if (read_real(c, c->text, "partial_rotary_factor", &part, e)) return TERN_FAILED;
  if (part != 1) {
    return tern_fail(e, TERN_FAILED, "%s: field partial_rotary_factor is %g, want 1", c->path, part);
  }
  return 0;
}

static int read_sizes(hf_config *c, tern_error *e) {
  int hidden;
  if (read_integer(c, "num_hidden_layers", 0, &c->layers, e) || read_integer(c, "hidden_size", 0, &hidden, e) ||
      read_integer(c, "num_attention_heads", 0, &c->heads, e) ||
      read_integer(c, "num_key_value_heads", c->heads, &c->kv_heads, e)) {
    return TERN_FAILED;
  }
  int usual = c->family->head_dim ? c->family->head_dim : hidden / c->heads;
  if (read_integer(c, "head_dim", usual ? usual : 1, &c->head_dim, e)) return TERN_FAILED;
  if (c->head_dim % 2)
    return tern_fail(e, TERN_FAILED, "%s: field head_dim is %d, want an even number", c->path, c->head_dim);
  return 0;
}

int tern_hf_config_read(hf_config *c, const char *text, size_t size, const char *path, tern_error *e) {
  json_error_t wrong;
  *c = (hf_config){.path = path};
  c->root = json_loadb(text, size, JSON_DECODE_INT_AS_REAL, &wrong); /* some fields outgrow 64 bits */
  if (!json_is_object(c->root)) {
    return tern_fail(e, TERN_FAILED, "%s: no JSON object: %.150s", path, c->root ? "" : wrong.text);
  }
  json_t *inner = json_object_get(c->root, "text_config");
  c->text = json_is_object(inner) ? inner : c->root;
  if (find_family(c, e) || read_quantisation(c, e) || refuse_unknown(c, e) || read_sizes(c, e)) return TERN_FAILED;
  const json_t *tie = json_object_get(c->root, "tie_word_embeddings");
  if (!json_is_boolean(tie)) tie = json_object_get(c->text, "tie_word_embeddings");
  c->tied = json_is_boolean(tie) ? json_is_true(tie) : c->family->tied;
  return 0;
}

void tern_hf_config_close(hf_config *c) {
  json_decref(c->root);
  c->root = NULL;
}

typedef struct putter {
  const hf_config *c;
  tern_gguf_writer *w;
  tern_error *e;
  char key[96];
} putter;

static const char *key_of(putter *p, const char *name) {
  snprintf(p->key, sizeof p->key, "%s.%s", p->c->family->arch, name);
  return p->key;
}

static int put_integer(putter *p, const char *field, const char *key, int fallback) {
  int v;
  if (read_integer(p->c, field, fallback, &v, p->e)) return TERN_FAILED;
  tern_gguf_put_u32(p->w, key_of(p, key), (uint32_t)v);
  return 0;
}

static int put_sizes(putter *p) {
  const hf_config *c = p->c;
  const struct {
    const char *field, *key;
    int fallback;
  } rows[] = {{"max_position_embeddings", "context_length", 0},
              {"hidden_size", "embedding_length", 0},
              {"num_hidden_layers", "block_count", 0},
              {"intermediate_size", "feed_forward_length", 0},
              {"vocab_size", "vocab_size", 0},
              {"num_attention_heads", "attention.head_count", 0},
              {"num_key_value_heads", "attention.head_count_kv", c->heads},
              {"head_dim", "attention.key_length", c->head_dim},
              {"head_dim", "attention.value_length", c->head_dim},
              {"head_dim", "rope.dimension_count", c->head_dim}};
  double eps = 1e-6;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (put_integer(p, rows[i].field, rows[i].key, rows[i].fallback)) return TERN_FAILED;
  }
  if (read_real(c, c->text, "rms_norm_eps", &eps, p->e)) return TERN_FAILED;
  tern_gguf_put_f32(p->w, key_of(p, "attention.layer_norm_rms_epsilon"), (float)eps);
  return 0;
}

/* The object that holds the scaling of full attention: rope_parameters (which
 * may hold one for each kind of layer) or its older name rope_scaling. */
static const json_t *rope_object(const hf_config *c) {
  const json_t *j = json_object_get(c->text, "rope_parameters");
  if (!given(j)) j = json_object_get(c->text, "rope_scaling");
  const json_t *full = json_object_get(j, "full_attention");
  return given(full) ? full : j;
}

static const char *rope_type(const hf_config *c) {
  const json_t *rope = rope_object(c);
  const char *type = json_string_value(json_object_get(rope, "rope_type"));
  if (!type) type = json_string_value(json_object_get(rope, "type"));
  return type ? type : "default";
}

/* attention_factor stands for the usual 1 + 0.1 ln(factor), which GGUF's key multiplies. */
static int put_yarn(putter *p, const json_t *rope, double factor) {
  const struct {
    const char *field, *key;
    double unit;
  } rows[] = {{"beta_fast", "rope.scaling.yarn_beta_fast", 1},
              {"beta_slow", "rope.scaling.yarn_beta_slow", 1},
              {"attention_factor", "rope.scaling.attn_factor", 1 + 0.1 * log(factor)}};
  double context = 0;
  if (read_real(p->c, rope, "original_max_position_embeddings", &context, p->e)) return TERN_FAILED;
  if (!(context >= 1 && context <= INT_MAX)) {
    return tern_fail(p->e, TERN_FAILED, "%s: field rope_scaling: yarn wants original_max_position_embeddings",
                     p->c->path);
  }
  tern_gguf_put_u32(p->w, key_of(p, "rope.scaling.original_context_length"), (uint32_t)context);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    double v = NAN;
    if (read_real(p->c, rope, rows[i].field, &v, p->e)) return TERN_FAILED;
    if (!isnan(v)) tern_gguf_put_f32(p->w, key_of(p, rows[i].key), (float)(v / rows[i].unit));
  }
  return 0;
}

static int put_rope(putter *p) {
  const hf_config *c = p->c;
  const json_t *rope = rope_object(c), *local = json_object_get(c->text, "rope_parameters");
  double theta = c->family->rope_theta, factor = 0, swa = 0;
  if (read_real(c, rope, "rope_theta", &theta, p->e) || read_real(c, c->text, "rope_theta", &theta, p->e) ||
      read_real(c, json_object_get(local, "sliding_attention"), "rope_theta", &swa, p->e) ||
      read_real(c, c->text, "rope_local_base_freq", &swa, p->e) || read_real(c, rope, "factor", &factor, p->e)) {
    return TERN_FAILED;
  }
  tern_gguf_put_f32(p->w, key_of(p, "rope.freq_base"), (float)theta);
  if (swa > 0) tern_gguf_put_f32(p->w, key_of(p, "rope.freq_base_swa"), (float)swa);
  const char *type = rope_type(c);
  if (strcmp(type, "default") == 0 || strcmp(type, "llama3") == 0) return 0; /* llama3: tern_hf_rope_factors */
  bool yarn = strcmp(type, "yarn") == 0;
  if ((!yarn && strcmp(type, "linear") != 0) || !(factor > 0)) {
    return tern_fail(p->e, TERN_FAILED,
                     "%s: field rope_scaling: type %.40s is not supported; default, linear, yarn and llama3 are",
                     c->path, type);
  }
  tern_gguf_put_text(p->w, key_of(p, "rope.scaling.type"), type);
  tern_gguf_put_f32(p->w, key_of(p, "rope.scaling.factor"), (float)factor);
  return yarn ? put_yarn(p, rope, factor) : 0;
}

/* Every n-th layer sees everything: n from layer_types where they are listed. */
static int window_pattern(const hf_config *c, int *every, tern_error *e) {
  const json_t *types = json_object_get(c->text, "layer_types");
  *every = 6;
  if (!json_is_array(types)) {
    const char *name = given(json_object_get(c->text, "sliding_window_pattern")) ? "sliding_window_pattern"
                                                                                 : "_sliding_window_pattern";
    return read_integer(c, name, *every, every, e);
  }
  size_t n = json_array_size(types), first = n;
  for (size_t i = 0; i < n; i++) {
    const char *type = json_string_value(json_array_get(types, i));
    bool full = type && strcmp(type, "full_attention") == 0;
    if (full && first == n) first = i;
    if (full != (first < n && (i + 1) % (first + 1) == 0)) {
      return tern_fail(e, TERN_FAILED, "%s: field layer_types: full attention is not at every n-th layer", c->path);
    }
  }
  *every = (int)(first < n ? first + 1 : n + 1);
  return 0;
}

static int put_window(putter *p) {
  const hf_config *c = p->c;
  int every;
  double scalar = c->head_dim;
  if (strcmp(c->family->arch, "gemma3") != 0) return 0;
  if (put_integer(p, "sliding_window", "attention.sliding_window", 4096)) return TERN_FAILED;
  if (window_pattern(c, &every, p->e)) return TERN_FAILED;
  tern_gguf_put_u32(p->w, key_of(p, "attention.sliding_window_pattern"), (uint32_t)every);
  if (read_real(c, c->text, "query_pre_attn_scalar", &scalar, p->e)) return TERN_FAILED;
  if (!(scalar > 0)) return tern_fail(p->e, TERN_FAILED, "%s: field query_pre_attn_scalar is not above 0", c->path);
  if (scalar != c->head_dim) tern_gguf_put_f32(p->w, key_of(p, "attention.scale"), (float)(1 / sqrt(scalar)));
  return 0;
}

/* MiniCPM's factors; transformers' defaults are 1, 1 and hidden / 1. */
static int put_scales(putter *p) {
  const hf_config *c = p->c;
  double embedding = 1, depth = 1, base = 1, hidden = 1;
  if (strcmp(c->family->arch, "minicpm") != 0) return 0;
  if (read_real(c, c->text, "scale_emb", &embedding, p->e) || read_real(c, c->text, "scale_depth", &depth, p->e) ||
      read_real(c, c->text, "dim_model_base", &base, p->e) || read_real(c, c->text, "hidden_size", &hidden, p->e)) {
    return TERN_FAILED;
  }
  if (!(base > 0)) return tern_fail(p->e, TERN_FAILED, "%s: field dim_model_base is not above 0", c->path);
  tern_gguf_put_f32(p->w, key_of(p, "embedding_scale"), (float)embedding);
  tern_gguf_put_f32(p->w, key_of(p, "residual_scale"), (float)(depth / sqrt(c->layers)));
  tern_gguf_put_f32(p->w, key_of(p, "logit_scale"), (float)(hidden / base));
  return 0;
}

int tern_hf_config_put(const hf_config *c, tern_gguf_writer *w, const char *name, tern_error *e) {
  putter p = {.c = c, .w = w, .e = e};
  tern_gguf_put_text(w, "general.architecture", c->family->arch);
  tern_gguf_put_text(w, "general.name", name);
  return put_sizes(&p) || put_rope(&p) || put_window(&p) || put_scales(&p) ? TERN_FAILED : 0;
}

int tern_hf_rope_factors(const hf_config *c, float **factors, tern_error *e) {
  const json_t *rope = rope_object(c);
  double theta = c->family->rope_theta, factor = 8, low = 1, high = 4, context = 8192;
  *factors = NULL;
  if (strcmp(rope_type(c), "llama3") != 0) return 0;
  if (read_real(c, rope, "rope_theta", &theta, e) || read_real(c, c->text, "rope_theta", &theta, e) ||
      read_real(c, rope, "factor", &factor, e) || read_real(c, rope, "low_freq_factor", &low, e) ||
      read_real(c, rope, "high_freq_factor", &high, e) ||
      read_real(c, rope, "original_max_position_embeddings", &context, e)) {
    return TERN_FAILED;
  }
  if (!(theta > 0 && factor > 0 && low > 0 && high > low && context > 0)) {
    return tern_fail(e, TERN_FAILED, "%s: field rope_scaling: factors of llama3 scaling must rise from above 0",
                     c->path);
  }
  int n = c->head_dim / 2;
  float *out = malloc((size_t)n * sizeof *out);
  if (!out) return tern_fail(e, TERN_FAILED, "%s: out of memory", c->path);
  for (int i = 0; i < n; i++) {
    double turns = context * pow(theta, -2.0 * i / c->head_dim) / (2 * M_PI); /* within the trained context */
    double smooth = (turns - low) / (high - low);
    out[i] = (float)(turns < low ? factor : turns > high ? 1 : 1 / ((1 - smooth) / factor + smooth));
  }
  *factors = out;
  return 0;
}

int tern_hf_config_parse(tern_gguf **out, const char *text, size_t size, const char *name, tern_error *e) {
  hf_config c;
  tern_gguf_writer *w = NULL;
  float *factors = NULL;
  *out = NULL;
  int rc = tern_hf_config_read(&c, text, size, name, e);
  if (!rc) rc = tern_gguf_writer_memory(&w, e);
  if (!rc) rc = tern_hf_config_put(&c, w, name, e);
  if (!rc) rc = tern_hf_rope_factors(&c, &factors, e);
  if (rc) {
    tern_gguf_writer_abandon(w);
  } else {
    rc = tern_gguf_build(out, name, w, NULL, 0, 0, (tern_gguf_keeper){0}, e);
  }
  free(factors);
  tern_hf_config_close(&c);
  return rc;
}
