/* The reference forward pass (reference.h). Written to be read, not to be fast. */
#include "tests/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/reference_matrix.h"

typedef struct layer {
  matrix q, k, v, o, gate, up, down;
  float *q_bias, *k_bias, *v_bias;
  float *attn_norm, *q_norm, *k_norm, *attn_sub_norm, *attn_post_norm, *ffn_norm, *ffn_sub_norm, *ffn_post_norm;
  float *q_in, *k_in, *v_in, *gate_in, *up_in;
  bool local;
} layer;

typedef struct model {
  const tern_gguf *g;
  char arch[32];
  int layers, hidden, ffn, heads, kv_heads, dim, rotated, vocab, context;
  int window;
  double *rates[2]; /* global, local */
  float size;       /* of cos and sin, global */
  float eps, bare_eps, embedding_scale, residual_scale, logit_scale;
  bool neox, bare, gelu, relu2;
  layer *layer;
  float *output_norm;
  matrix embedding, head;
} model;

static void *get(size_t count, size_t size) {
  return reference_get(count, size);
}

/* ---- what the file says ---- */

static bool is(const model *m, const char *arch) {
  return strcmp(m->arch, arch) == 0;
}

static int number(const model *m, const char *name, int fallback) {
  char key[96];
  int64_t v = fallback;
  snprintf(key, sizeof key, "%s.%s", m->arch, name);
  if (!tern_gguf_integer(m->g, key, &v) && fallback < 0) reference_stop(key);
  return (int)v;
}

static double real(const model *m, const char *name, double fallback) {
  char key[96];
  snprintf(key, sizeof key, "%s.%s", m->arch, name);
  tern_gguf_real(m->g, key, &fallback);
  return fallback;
}

static bool scaling_is(const model *m, const char *kind) {
  char key[96];
  tern_gguf_string s;
  snprintf(key, sizeof key, "%s.rope.scaling.type", m->arch);
  return tern_gguf_text(m->g, key, &s) && s.size == strlen(kind) && memcmp(s.data, kind, s.size) == 0;
}

/* Rates of the layers that see all, with scaling. */
static void scale_rates(model *m, double theta) {
  const double pi = 3.14159265358979323846, factor = real(m, "rope.scaling.factor", 1);
  double *rates = m->rates[0], trained = number(m, "rope.scaling.original_context_length", m->context);
  float *divisors = reference_vector(m->g, -1, "rope_freqs", "weight");
  double low = m->rotated * tern_log(trained / (32 * 2 * pi)) / (2 * tern_log(theta));
  double high = m->rotated * tern_log(trained / (2 * pi)) / (2 * tern_log(theta));
  low = floor(low) > 0 ? floor(low) : 0;
  high = ceil(high) < m->rotated - 1 ? ceil(high) : m->rotated - 1;
  for (int i = 0; i < m->rotated / 2; i++) {
    double turns = rates[i] * trained / (2 * pi), keep = 1;
    if (scaling_is(m, "linear")) keep = 0;
    if (scaling_is(m, "yarn")) keep = 1 - (i - low) / (high - low > 0.001 ? high - low : 0.001);
    if (scaling_is(m, "llama3")) keep = (turns - 1) / (4 - 1);
    keep = keep < 0 ? 0 : keep > 1 ? 1 : keep;
    if (factor != 1) rates[i] = keep * rates[i] + (1 - keep) * (rates[i] / factor);
    if (divisors) rates[i] /= divisors[i];
  }
  if (scaling_is(m, "yarn")) m->size = (float)(1 + 0.1 * tern_log(factor));
  free(divisors);
}

static void read_rope(model *m) {
  double thetas[2] = {real(m, "rope.freq_base", 10000), real(m, "rope.freq_base_swa", 10000)};
  m->size = 1;
  for (int k = 0; k < 2; k++) {
    m->rates[k] = get((size_t)m->rotated, sizeof(double));
    for (int i = 0; i < m->rotated / 2; i++) m->rates[k][i] = tern_exp(-tern_log(thetas[k]) * (2.0 * i / m->rotated));
  }
  scale_rates(m, thetas[0]);
}

static void read_numbers(model *m) {
  m->layers = number(m, "block_count", -1);
  m->hidden = number(m, "embedding_length", -1);
  m->ffn = number(m, "feed_forward_length", -1);
  m->heads = number(m, "attention.head_count", -1);
  m->kv_heads = number(m, "attention.head_count_kv", -1);
  m->context = number(m, "context_length", -1);
  m->dim = number(m, "attention.key_length", m->hidden / m->heads);
  m->rotated = number(m, "rope.dimension_count", m->dim);
  m->eps = (float)real(m, "attention.layer_norm_rms_epsilon", 0);
  m->bare_eps = 1e-24f;
  m->relu2 = is(m, "bitnet-b1.58") || is(m, "bitnet-25");
  m->gelu = is(m, "gemma3");
  m->neox = m->relu2 || is(m, "bitnet") || is(m, "qwen2") || is(m, "qwen3") || is(m, "gemma3");
  m->bare = is(m, "bitllama2c");
  m->window = is(m, "gemma3") ? number(m, "attention.sliding_window", 0) : 0;
  m->embedding_scale = is(m, "gemma3") ? sqrtf((float)m->hidden) : is(m, "minicpm") ? 12.0f : 1.0f;
  m->residual_scale = is(m, "minicpm") ? (float)(1.4 / sqrt(m->layers)) : 1;
  m->logit_scale = is(m, "minicpm") ? (float)(1 / real(m, "logit_scale", m->hidden / 256.0)) : 1;
}

/* A sub norm of one of its two names. */
static float *sub_norm(const tern_gguf *g, int at, const char *name, const char *other) {
  float *gain = reference_vector(g, at, name, "weight");
  return gain ? gain : reference_vector(g, at, other, "weight");
}

static layer load_layer(const model *m, int i, const char *body) {
  const tern_gguf *g = m->g;
  int period = number(m, "attention.sliding_window_pattern", 6);
  return (layer){.q = reference_load(g, i, "attn_q", body),
                 .k = reference_load(g, i, "attn_k", body),
                 .v = reference_load(g, i, "attn_v", body),
                 .o = reference_load(g, i, "attn_output", body),
                 .gate = reference_load(g, i, "ffn_gate", body),
                 .up = reference_load(g, i, "ffn_up", body),
                 .down = reference_load(g, i, "ffn_down", body),
                 .q_bias = reference_vector(g, i, "attn_q", "bias"),
                 .k_bias = reference_vector(g, i, "attn_k", "bias"),
                 .v_bias = reference_vector(g, i, "attn_v", "bias"),
                 .attn_norm = reference_vector(g, i, "attn_norm", "weight"),
                 .q_norm = reference_vector(g, i, "attn_q_norm", "weight"),
                 .k_norm = reference_vector(g, i, "attn_k_norm", "weight"),
                 .attn_sub_norm = sub_norm(g, i, "attn_sub_norm", "attn_output_norm_in"),
                 .attn_post_norm = reference_vector(g, i, "post_attention_norm", "weight"),
                 .ffn_norm = reference_vector(g, i, "ffn_norm", "weight"),
                 .ffn_sub_norm = sub_norm(g, i, "ffn_sub_norm", "ffn_down_norm_in"),
                 .ffn_post_norm = reference_vector(g, i, "post_ffw_norm", "weight"),
                 .q_in = reference_vector(g, i, "attn_q_norm_in", "weight"),
                 .k_in = reference_vector(g, i, "attn_k_norm_in", "weight"),
                 .v_in = reference_vector(g, i, "attn_v_norm_in", "weight"),
                 .gate_in = reference_vector(g, i, "ffn_gate_norm_in", "weight"),
                 .up_in = reference_vector(g, i, "ffn_up_norm_in", "weight"),
                 .local = m->window && (i + 1) % period != 0};
}

static model load_model(const tern_gguf *g, const reference_spec *spec) {
  model m = {.g = g};
  tern_gguf_string arch;
  if (!tern_gguf_text(g, "general.architecture", &arch)) reference_stop("architecture");
  snprintf(m.arch, sizeof m.arch, "%.*s", (int)arch.size, arch.data);
  read_numbers(&m);
  read_rope(&m);
  m.layer = get((size_t)m.layers, sizeof *m.layer);
  for (int i = 0; i < m.layers; i++) m.layer[i] = load_layer(&m, i, spec->body);
  m.output_norm = reference_vector(g, -1, "output_norm", "weight");
  for (int i = 0; i < m.hidden; i++) m.output_norm[i] *= m.logit_scale;
  m.embedding = reference_load(g, -1, "token_embd", spec->head);
  m.head = reference_load(g, -1, reference_tensor(g, -1, "output", "weight") ? "output" : "token_embd", spec->head);
  m.vocab = m.head.rows;
  return m;
}

static void free_model(model *m) {
  for (int i = 0; i < m->layers; i++) {
    layer *l = &m->layer[i];
    matrix *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    float *vectors[] = {l->q_bias,         l->k_bias,   l->v_bias,       l->attn_norm,     l->q_norm, l->k_norm,
                        l->attn_sub_norm,  l->ffn_norm, l->ffn_sub_norm, l->ffn_post_norm, l->q_in,   l->k_in,
                        l->attn_post_norm, l->v_in,     l->gate_in,      l->up_in};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) reference_free(all[k]);
    for (size_t k = 0; k < sizeof vectors / sizeof *vectors; k++) free(vectors[k]);
  }
  free(m->layer);
  free(m->output_norm);
  free(m->rates[0]);
  free(m->rates[1]);
  reference_free(&m->embedding);
  reference_free(&m->head);
}

/* ---- attention ---- */

static void rmsnorm(float *y, const float *x, const float *gain, int n, float eps) {
  float r = 1 / sqrtf(reference_dot(x, x, n) / (float)n + eps);
  for (int i = 0; i < n; i++) y[i] = gain ? x[i] * r * gain[i] : x[i] * r;
}

/* A cached vector as the cache type keeps it: values and, for int8, a scale. */
static float store(float *to, const float *x, int n, tern_kv_type type) {
  float max = reference_absmax(x, n);
  for (int i = 0; i < n; i++) {
    to[i] = type == TERN_KV_F32   ? x[i]
            : type == TERN_KV_F16 ? reference_round("f16", x[i])
                                  : (float)reference_clamped(x[i] * (127 / max));
  }
  return max / 127;
}

static void rotate(const model *m, float *x, int position, bool local) {
  int half = m->rotated / 2;
  float size = local ? 1 : m->size;
  for (int i = 0; i < half; i++) {
    double sine, cosine;
    tern_sincos(position * m->rates[local][i], &sine, &cosine);
    float s = (float)sine * size, c = (float)cosine * size, *a = m->neox ? &x[i] : &x[2 * i];
    float *b = m->neox ? &x[i + half] : &x[2 * i + 1], old = *a;
    *a = fmaf(old, c, -(*b * s));
    *b = fmaf(old, s, *b * c);
  }
}

/* Keys and values of one layer and KV head so far: [position][dim]. */
typedef struct cache {
  float *k, *v, *k_scale, *v_scale;
} cache;

/* Positions [start, positions). */
static void attend(const model *m, const cache *c, const float *q, int start, int positions, tern_kv_type type,
                   float *out) {
  float *p = get((size_t)positions, sizeof *p), lane[16] = {0}, max = -INFINITY;
  for (int t = start; t < positions; t++) {
    p[t] = reference_dot(q, c->k + (size_t)t * (size_t)m->dim, m->dim);
    if (type == TERN_KV_INT8) p[t] = p[t] * c->k_scale[t];
    p[t] = p[t] * (1 / sqrtf((float)m->dim));
    max = p[t] > max ? p[t] : max;
  }
  for (int t = start; t < positions; t++) {
    p[t] = tern_expf(p[t] - max);
    lane[(t - start) % 16] = lane[(t - start) % 16] + p[t];
  }
  float inverse = 1 / reference_tree(lane);
  for (int d = 0; d < m->dim; d++) {
    float acc = 0;
    for (int t = start; t < positions; t++) {
      float weight = type == TERN_KV_INT8 ? p[t] * c->v_scale[t] : p[t];
      acc = fmaf(weight, c->v[(size_t)t * (size_t)m->dim + (size_t)d], acc);
    }
    out[d] = acc * inverse;
  }
  free(p);
}

/* Bias, norm and rotation of the heads of one kind. */
static void prepare_heads(const model *m, float *x, int heads, const float *bias, const float *norm, int position,
                          bool local) {
  for (int i = 0; bias && i < heads * m->dim; i++) x[i] = x[i] + bias[i];
  for (int i = 0; i < heads; i++) {
    float *head = x + (size_t)i * (size_t)m->dim;
    if (norm) rmsnorm(head, head, norm, m->dim, m->eps);
    rotate(m, head, position, local);
  }
}

/* ---- the graph ---- */

static void place_norm(const model *m, float *y, const float *x, const float *gain, int n) {
  if (m->bare) {
    rmsnorm(y, x, NULL, n, m->bare_eps);
  } else if (gain) {
    rmsnorm(y, x, gain, n, m->eps);
  } else {
    memmove(y, x, (size_t)n * sizeof *x);
  }
}

/* A projection of h through its input norm. */
static void project(const model *m, float *y, const matrix *w, const float *h, const float *norm) {
  float *in = get((size_t)w->cols, 4);
  if (norm) {
    rmsnorm(in, h, norm, w->cols, m->eps);
  } else {
    memcpy(in, h, (size_t)w->cols * sizeof *in);
  }
  reference_multiply(y, w, in);
  free(in);
}

static void add_branch(const model *m, float *x, float *h, const float *post_norm) {
  if (post_norm) rmsnorm(h, h, post_norm, m->hidden, m->eps);
  for (int i = 0; i < m->hidden; i++) x[i] = x[i] + (m->residual_scale != 1 ? h[i] * m->residual_scale : h[i]);
}

static void attention(const model *m, const layer *l, cache *caches, float *x, int position, tern_kv_type type) {
  size_t dim = (size_t)m->dim, wide = (size_t)(m->heads * m->dim);
  float *h = get((size_t)m->hidden, 4), *q = get(wide, 4), *k = get(wide, 4), *v = get(wide, 4), *a = get(wide, 4);
  int start = l->local && position >= m->window ? position + 1 - m->window : 0;
  place_norm(m, h, x, l->attn_norm, m->hidden);
  project(m, q, &l->q, h, l->q_in);
  project(m, k, &l->k, h, l->k_in);
  project(m, v, &l->v, h, l->v_in);
  prepare_heads(m, q, m->heads, l->q_bias, l->q_norm, position, l->local);
  prepare_heads(m, k, m->kv_heads, l->k_bias, l->k_norm, position, l->local);
  for (int i = 0; l->v_bias && i < m->kv_heads * m->dim; i++) v[i] = v[i] + l->v_bias[i];
  for (int i = 0; i < m->kv_heads; i++) {
    cache *c = &caches[i];
    c->k_scale[position] = store(c->k + (size_t)position * dim, k + (size_t)i * dim, m->dim, type);
    c->v_scale[position] = store(c->v + (size_t)position * dim, v + (size_t)i * dim, m->dim, type);
  }
  for (int i = 0; i < m->heads; i++) {
    const cache *c = &caches[i / (m->heads / m->kv_heads)];
    attend(m, c, q + (size_t)i * dim, start, position + 1, type, a + (size_t)i * dim);
  }
  place_norm(m, a, a, l->attn_sub_norm, (int)wide);
  reference_multiply(h, &l->o, a);
  add_branch(m, x, h, l->attn_post_norm);
  free(h), free(q), free(k), free(v), free(a);
}

static float activated(const model *m, float g) {
  float r = g > 0 ? g : 0;
  if (m->relu2) return r * r;
  return g / (1 + tern_expf(m->gelu ? -(g * fmaf(g * g, TERN_GELU_C3, TERN_GELU_C1)) : -g));
}

static void ffn(const model *m, const layer *l, float *x) {
  float *h = get((size_t)m->hidden, 4), *g = get((size_t)m->ffn, 4), *u = get((size_t)m->ffn, 4);
  place_norm(m, h, x, l->ffn_norm, m->hidden);
  project(m, g, &l->gate, h, l->gate_in);
  project(m, u, &l->up, h, l->up_in);
  for (int i = 0; i < m->ffn; i++) g[i] = activated(m, g[i]) * u[i];
  place_norm(m, g, g, l->ffn_sub_norm, m->ffn);
  reference_multiply(h, &l->down, g);
  add_branch(m, x, h, l->ffn_post_norm);
  free(h), free(g), free(u);
}

void reference_logits(const tern_gguf *g, const reference_spec *spec, const int32_t *ids, int n, float *logits) {
  model m = load_model(g, spec);
  int caches = m.layers * m.kv_heads;
  cache *c = get((size_t)caches, sizeof *c);
  float *x = get((size_t)m.hidden, sizeof *x);
  for (int i = 0; i < caches; i++) {
    size_t count = (size_t)n;
    c[i] = (cache){.k = get(count * (size_t)m.dim, 4),
                   .v = get(count * (size_t)m.dim, 4),
                   .k_scale = get(count, 4),
                   .v_scale = get(count, 4)};
  }
  for (int t = 0; t < n; t++) {
    for (int i = 0; i < m.hidden; i++) {
      float value = reference_weight(&m.embedding, ids[t], i);
      x[i] = m.embedding_scale != 1 ? value * m.embedding_scale : value;
    }
    for (int i = 0; i < m.layers; i++) {
      attention(&m, &m.layer[i], c + i * m.kv_heads, x, t, spec->kv);
      ffn(&m, &m.layer[i], x);
    }
    rmsnorm(x, x, m.output_norm, m.hidden, m.eps);
    reference_multiply(logits + (size_t)t * (size_t)m.vocab, &m.head, x);
  }
  for (int i = 0; i < caches; i++) free(c[i].k), free(c[i].v), free(c[i].k_scale), free(c[i].v_scale);
  free(c);
  free(x);
  free_model(&m);
}
