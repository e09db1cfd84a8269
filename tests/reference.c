/* The reference forward pass (reference.h). Written to be read, not to be fast. */
#include "tests/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct matrix {
  int rows, cols;
  float *w;     /* float weights */
  int8_t *q;    /* or integers */
  float *scale; /* with a scale a row */
} matrix;

typedef struct layer {
  matrix q, k, v, o, gate, up, down;
  float *attn_norm, *attn_sub_norm, *ffn_norm, *ffn_sub_norm;
} layer;

typedef struct model {
  const tern_gguf *g;
  char arch[32];
  int layers, hidden, ffn, heads, kv_heads, dim, vocab;
  double theta;
  float eps, bare_eps;
  bool relu2, neox, bare, sub_norms;
  layer *layer;
  float *output_norm;
  matrix embedding, head;
} model;

static void *get(size_t count, size_t size) {
  void *p = calloc(count, size);
  if (!p) abort();
  return p;
}

static void stop(const char *what) {
  fprintf(stderr, "reference: %s\n", what);
  abort();
}

/* ---- float operations in their written order ---- */

static float tree(float *lane) {
  for (int step = 8; step; step /= 2) {
    for (int l = 0; l < step; l++) lane[l] = lane[l] + lane[l + step];
  }
  return lane[0];
}

static float dot(const float *a, const float *b, int n) {
  float lane[16] = {0};
  for (int i = 0; i < n; i++) lane[i % 16] = fmaf(a[i], b[i], lane[i % 16]);
  return tree(lane);
}

static void rmsnorm(float *y, const float *x, const float *gain, int n, float eps) {
  float r = 1 / sqrtf(dot(x, x, n) / (float)n + eps);
  for (int i = 0; i < n; i++) y[i] = gain ? x[i] * r * gain[i] : x[i] * r;
}

static float bf16(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  u = (u + 0x7fff + (u >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &u, sizeof u);
  return x;
}

static float round_to(const char *type, float x) {
  if (!strcmp(type, "f16")) return tern_f32_from_f16(tern_f16_from_f32(x));
  return !strcmp(type, "bf16") ? bf16(x) : x;
}

static float absmax(const float *x, int n) {
  float m = 0;
  for (int i = 0; i < n; i++) m = fabsf(x[i]) > m ? fabsf(x[i]) : m;
  return m;
}

static int8_t clamped(float v) {
  v = rintf(v);
  return (int8_t)(v > 127 ? 127 : v < -128 ? -128 : v);
}

/* y = m . x; integer matrices quantise x first. */
static void multiply(float *y, const matrix *m, const float *x) {
  if (m->w) {
    for (int r = 0; r < m->rows; r++) {
      float acc = 0;
      for (int c = 0; c < m->cols; c++) acc = fmaf(m->w[(size_t)r * (size_t)m->cols + (size_t)c], x[c], acc);
      y[r] = acc;
    }
    return;
  }
  float max = absmax(x, m->cols), s = 127 / (max > 1e-5f ? max : 1e-5f), x_scale = 1 / s;
  for (int r = 0; r < m->rows; r++) {
    int64_t sum = 0;
    for (int c = 0; c < m->cols; c++) sum += m->q[(size_t)r * (size_t)m->cols + (size_t)c] * clamped(x[c] * s);
    y[r] = (float)sum * (m->scale[r] * x_scale);
  }
}

/* ---- weights ---- */

static const tern_gguf_tensor *tensor(const tern_gguf *g, int at, const char *name) {
  char full[64];
  if (at < 0) {
    snprintf(full, sizeof full, "%s.weight", name);
  } else {
    snprintf(full, sizeof full, "blk.%d.%s.weight", at, name);
  }
  return tern_gguf_tensor_find(g, full);
}

static void quantise_row(matrix *m, int r, const float *w) {
  float max = absmax(w, m->cols);
  for (int c = 0; c < m->cols; c++) {
    m->q[(size_t)r * (size_t)m->cols + (size_t)c] = max > 0 ? clamped(w[c] * (127 / max)) : 0;
  }
  m->scale[r] = max / 127;
}

/* The number in blk.N.<name>.scale, which multiplies the matrix; 1 without it. */
static float factor_of(const tern_gguf *g, int at, const char *name) {
  char full[64];
  float factor = 1;
  snprintf(full, sizeof full, "blk.%d.%s.scale", at, name);
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, full);
  if (t) memcpy(&factor, t->data, sizeof factor);
  return factor;
}

static matrix load(const tern_gguf *g, int at, const char *name, const char *layout) {
  const tern_gguf_tensor *t = tensor(g, at, name);
  if (!t) stop(name);
  matrix m = {.rows = (int)t->shape[1], .cols = (int)t->shape[0]};
  size_t n = (size_t)m.rows * (size_t)m.cols, cols = (size_t)m.cols;
  bool integer = !strcmp(layout, "q8") || layout[0] == 't';
  float *row = get(cols, sizeof *row), factor = factor_of(g, at, name);
  int8_t *codes = get(cols, 1);
  if (integer) {
    m.q = get(n, 1);
    m.scale = get((size_t)m.rows, sizeof(float));
  } else {
    m.w = get(n, sizeof(float));
  }
  for (int r = 0; r < m.rows; r++) {
    float scale = 0;
    if (t->type->ternary) {
      if (t->type->row_codes(t->data, m.rows, m.cols, r, TERN_I2S_128, codes, &scale)) stop("not ternary");
    } else {
      t->type->row_floats(t->data, m.rows, m.cols, r, TERN_I2S_128, row);
    }
    scale *= factor;
    for (size_t c = 0; c < cols; c++) {
      row[c] *= factor;
      if (!integer) m.w[(size_t)r * cols + c] = round_to(layout, t->type->ternary ? (float)codes[c] * scale : row[c]);
      if (integer && t->type->ternary) m.q[(size_t)r * cols + c] = (int8_t)(codes[c] * (layout[0] == 't' ? 1 : 127));
    }
    if (integer && t->type->ternary) m.scale[r] = layout[0] == 't' ? scale : scale / 127;
    if (integer && !t->type->ternary) quantise_row(&m, r, row);
  }
  free(row);
  free(codes);
  return m;
}

static float *load_gain(const tern_gguf *g, int at, const char *name) {
  const tern_gguf_tensor *t = tensor(g, at, name);
  if (!t) return NULL;
  float *gain = get((size_t)t->shape[0], sizeof *gain);
  t->type->row_floats(t->data, 1, (int)t->shape[0], 0, TERN_I2S_128, gain);
  return gain;
}

static int number(const model *m, const char *name) {
  char key[96];
  int64_t v = -1;
  snprintf(key, sizeof key, "%s.%s", m->arch, name);
  if (!tern_gguf_integer(m->g, key, &v)) stop(key);
  return (int)v;
}

static model load_model(const tern_gguf *g, const reference_spec *spec) {
  model m = {.g = g};
  tern_gguf_string arch;
  char key[96];
  double eps;
  if (!tern_gguf_text(g, "general.architecture", &arch)) stop("architecture");
  snprintf(m.arch, sizeof m.arch, "%.*s", (int)arch.size, arch.data);
  m.layers = number(&m, "block_count");
  m.hidden = number(&m, "embedding_length");
  m.ffn = number(&m, "feed_forward_length");
  m.heads = number(&m, "attention.head_count");
  m.kv_heads = number(&m, "attention.head_count_kv");
  m.dim = m.hidden / m.heads;
  snprintf(key, sizeof key, "%s.rope.freq_base", m.arch);
  if (!tern_gguf_real(g, key, &m.theta)) stop(key);
  snprintf(key, sizeof key, "%s.attention.layer_norm_rms_epsilon", m.arch);
  if (!tern_gguf_real(g, key, &eps)) stop(key);
  m.eps = (float)eps;
  m.bare_eps = 1e-24f;
  m.relu2 = !strcmp(m.arch, "bitnet-b1.58") || !strcmp(m.arch, "bitnet-25");
  m.neox = m.relu2 || !strcmp(m.arch, "bitnet");
  m.bare = !strcmp(m.arch, "bitllama2c");
  m.sub_norms = strcmp(m.arch, "llama") != 0;
  m.layer = get((size_t)m.layers, sizeof *m.layer);
  for (int i = 0; i < m.layers; i++) {
    m.layer[i] = (layer){.q = load(g, i, "attn_q", spec->body),
                         .k = load(g, i, "attn_k", spec->body),
                         .v = load(g, i, "attn_v", spec->body),
                         .o = load(g, i, "attn_output", spec->body),
                         .gate = load(g, i, "ffn_gate", spec->body),
                         .up = load(g, i, "ffn_up", spec->body),
                         .down = load(g, i, "ffn_down", spec->body),
                         .attn_norm = load_gain(g, i, "attn_norm"),
                         .attn_sub_norm = load_gain(g, i, "attn_sub_norm"),
                         .ffn_norm = load_gain(g, i, "ffn_norm"),
                         .ffn_sub_norm = load_gain(g, i, "ffn_sub_norm")};
  }
  m.output_norm = load_gain(g, -1, "output_norm");
  m.embedding = load(g, -1, "token_embd", spec->head);
  m.head = load(g, -1, tensor(g, -1, "output") ? "output" : "token_embd", spec->head);
  m.vocab = m.head.rows;
  return m;
}

static void free_matrix(matrix *m) {
  free(m->w);
  free(m->q);
  free(m->scale);
}

static void free_model(model *m) {
  for (int i = 0; i < m->layers; i++) {
    layer *l = &m->layer[i];
    matrix *all[] = {&l->q, &l->k, &l->v, &l->o, &l->gate, &l->up, &l->down};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) free_matrix(all[k]);
    free(l->attn_norm);
    free(l->attn_sub_norm);
    free(l->ffn_norm);
    free(l->ffn_sub_norm);
  }
  free(m->layer);
  free(m->output_norm);
  free_matrix(&m->embedding);
  free_matrix(&m->head);
}

/* ---- attention ---- */

/* A cached vector as the cache type keeps it: values and, for int8, a scale. */
static float store(float *to, const float *x, int n, tern_kv_type type) {
  float max = absmax(x, n);
  for (int i = 0; i < n; i++) {
    to[i] = type == TERN_KV_F32   ? x[i]
            : type == TERN_KV_F16 ? round_to("f16", x[i])
                                  : (float)clamped(x[i] * (127 / max));
  }
  return max / 127;
}

static void rotate(const model *m, float *x, int position) {
  int half = m->dim / 2;
  for (int i = 0; i < half; i++) {
    double sine, cosine, rate = tern_exp(-tern_log(m->theta) * (2.0 * i / m->dim));
    tern_sincos(position * rate, &sine, &cosine);
    float s = (float)sine, c = (float)cosine, *a = m->neox ? &x[i] : &x[2 * i];
    float *b = m->neox ? &x[i + half] : &x[2 * i + 1], old = *a;
    *a = fmaf(old, c, -(*b * s));
    *b = fmaf(old, s, *b * c);
  }
}

/* Keys and values of one layer and KV head so far: [position][dim]. */
typedef struct cache {
  float *k, *v, *k_scale, *v_scale;
} cache;

static void attend(const model *m, const cache *c, const float *q, int positions, tern_kv_type type, float *out) {
  float *p = get((size_t)positions, sizeof *p), lane[16] = {0}, max = -INFINITY;
  for (int t = 0; t < positions; t++) {
    p[t] = dot(q, c->k + (size_t)t * (size_t)m->dim, m->dim);
    if (type == TERN_KV_INT8) p[t] = p[t] * c->k_scale[t];
    p[t] = p[t] * (1 / sqrtf((float)m->dim));
    max = p[t] > max ? p[t] : max;
  }
  for (int t = 0; t < positions; t++) {
    p[t] = tern_expf(p[t] - max);
    lane[t % 16] = lane[t % 16] + p[t];
  }
  float inverse = 1 / tree(lane);
  for (int d = 0; d < m->dim; d++) {
    float acc = 0;
    for (int t = 0; t < positions; t++) {
      float weight = type == TERN_KV_INT8 ? p[t] * c->v_scale[t] : p[t];
      acc = fmaf(weight, c->v[(size_t)t * (size_t)m->dim + (size_t)d], acc);
    }
    out[d] = acc * inverse;
  }
  free(p);
}

/* ---- the graph ---- */

static void place_norm(const model *m, float *y, const float *x, const float *gain, int n, bool sub) {
  if (sub && !m->sub_norms) {
    memmove(y, x, (size_t)n * sizeof *x);
  } else if (m->bare) {
    rmsnorm(y, x, NULL, n, m->bare_eps);
  } else {
    if (!gain) stop("gain missing");
    rmsnorm(y, x, gain, n, m->eps);
  }
}

static void attention(const model *m, const layer *l, cache *caches, float *x, int position, tern_kv_type type) {
  size_t dim = (size_t)m->dim, wide = (size_t)(m->heads * m->dim);
  float *h = get((size_t)m->hidden, 4), *q = get(wide, 4), *k = get(wide, 4), *v = get(wide, 4), *a = get(wide, 4);
  place_norm(m, h, x, l->attn_norm, m->hidden, false);
  multiply(q, &l->q, h);
  multiply(k, &l->k, h);
  multiply(v, &l->v, h);
  for (int i = 0; i < m->heads; i++) rotate(m, q + (size_t)i * dim, position);
  for (int i = 0; i < m->kv_heads; i++) {
    cache *c = &caches[i];
    rotate(m, k + (size_t)i * dim, position);
    c->k_scale[position] = store(c->k + (size_t)position * dim, k + (size_t)i * dim, m->dim, type);
    c->v_scale[position] = store(c->v + (size_t)position * dim, v + (size_t)i * dim, m->dim, type);
  }
  for (int i = 0; i < m->heads; i++) {
    attend(m, &caches[i / (m->heads / m->kv_heads)], q + (size_t)i * dim, position + 1, type, a + (size_t)i * dim);
  }
  place_norm(m, a, a, l->attn_sub_norm, (int)wide, true);
  multiply(h, &l->o, a);
  for (int i = 0; i < m->hidden; i++) x[i] = x[i] + h[i];
  free(h), free(q), free(k), free(v), free(a);
}

static void ffn(const model *m, const layer *l, float *x) {
  float *h = get((size_t)m->hidden, 4), *g = get((size_t)m->ffn, 4), *u = get((size_t)m->ffn, 4);
  place_norm(m, h, x, l->ffn_norm, m->hidden, false);
  multiply(g, &l->gate, h);
  multiply(u, &l->up, h);
  for (int i = 0; i < m->ffn; i++) {
    float r = g[i] > 0 ? g[i] : 0;
    g[i] = m->relu2 ? r * r * u[i] : g[i] / (1 + tern_expf(-g[i])) * u[i];
  }
  place_norm(m, g, g, l->ffn_sub_norm, m->ffn, true);
  multiply(h, &l->down, g);
  for (int i = 0; i < m->hidden; i++) x[i] = x[i] + h[i];
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
      size_t at = (size_t)ids[t] * (size_t)m.hidden + (size_t)i;
      x[i] = m.embedding.w ? m.embedding.w[at] : (float)m.embedding.q[at] * m.embedding.scale[ids[t]];
    }
    for (int i = 0; i < m.layers; i++) {
      attention(&m, &m.layer[i], c + i * m.kv_heads, x, t, spec->kv);
      ffn(&m, &m.layer[i], x);
    }
    rmsnorm(x, x, m.output_norm, m.hidden, m.eps);
    multiply(logits + (size_t)t * (size_t)m.vocab, &m.head, x);
  }
  for (int i = 0; i < caches; i++) free(c[i].k), free(c[i].v), free(c[i].k_scale), free(c[i].v_scale);
  free(c);
  free(x);
  free_model(&m);
}
