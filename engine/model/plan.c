/* The plan: which tensor goes where, in which layout, and how many bytes that
 * takes. Every tensor of the file must have a place and every place a tensor
 * of its very shape, so that loading can only meet bad values. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/model/parts.h"

const tern_projection_place tern_projection_places[TERN_PROJECTIONS] = {
    {"attn_q", TERN_DIM_QUERY, TERN_DIM_HIDDEN, offsetof(tern_layer, q)},
    {"attn_k", TERN_DIM_KV, TERN_DIM_HIDDEN, offsetof(tern_layer, k)},
    {"attn_v", TERN_DIM_KV, TERN_DIM_HIDDEN, offsetof(tern_layer, v)},
    {"attn_output", TERN_DIM_HIDDEN, TERN_DIM_QUERY, offsetof(tern_layer, o)},
    {"ffn_gate", TERN_DIM_FFN, TERN_DIM_HIDDEN, offsetof(tern_layer, gate)},
    {"ffn_up", TERN_DIM_FFN, TERN_DIM_HIDDEN, offsetof(tern_layer, up)},
    {"ffn_down", TERN_DIM_HIDDEN, TERN_DIM_FFN, offsetof(tern_layer, down)},
};
const tern_norm_place tern_norm_places[TERN_NORMS] = {
    {"attn_norm", TERN_DIM_HIDDEN, offsetof(tern_layer, attn_norm), offsetof(tern_arch, attn_norm)},
    {"attn_sub_norm", TERN_DIM_QUERY, offsetof(tern_layer, attn_sub_norm), offsetof(tern_arch, attn_sub_norm)},
    {"ffn_norm", TERN_DIM_HIDDEN, offsetof(tern_layer, ffn_norm), offsetof(tern_arch, ffn_norm)},
    {"ffn_sub_norm", TERN_DIM_FFN, offsetof(tern_layer, ffn_sub_norm), offsetof(tern_arch, ffn_sub_norm)},
};

tern_norm tern_norm_kind(const tern_arch *a, int place) {
  tern_norm kind;
  memcpy(&kind, (const char *)a + tern_norm_places[place].kind, sizeof kind);
  return kind;
}

tern_matrix *tern_layer_matrix(tern_layer *l, int place) {
  return (tern_matrix *)(void *)((char *)l + tern_projection_places[place].offset);
}

float **tern_layer_norm(tern_layer *l, int place) {
  return (float **)(void *)((char *)l + tern_norm_places[place].offset);
}

int tern_dim_size(const tern_model_facts *f, tern_dim d) {
  const int sizes[] = {[TERN_DIM_HIDDEN] = f->hidden,
                       [TERN_DIM_QUERY] = f->heads * f->head_dim,
                       [TERN_DIM_KV] = f->kv_heads * f->head_dim,
                       [TERN_DIM_FFN] = f->ffn,
                       [TERN_DIM_VOCAB] = f->vocab};
  return sizes[d];
}

size_t tern_gain_size(int n) {
  return ((size_t)n + 15) / 16 * 16;
}

const tern_gguf_tensor *tern_plan_tensor(const tern_gguf *g, int layer, const char *name, const char *suffix) {
  char full[96];
  snprintf(full, sizeof full, "blk.%d.%s.%s", layer, name, suffix);
  return tern_gguf_tensor_find(g, full);
}

static int check_shape(const tern_gguf *g, const tern_gguf_tensor *t, int rows, int cols, tern_error *e) {
  int64_t found = t->dims >= 2 ? t->shape[1] : 1, more = 1;
  for (int i = 2; i < t->dims; i++) more *= t->shape[i];
  if (t->shape[0] == cols && found == rows && more == 1) return 0;
  return tern_fail(e, TERN_FAILED, "%s: tensor %s has %lld columns and %lld rows, want %d and %d", tern_gguf_name(g),
                   t->name, (long long)t->shape[0], (long long)(found * more), cols, rows);
}

/* A tensor that must be there with this shape; NULL and *e otherwise. */
static const tern_gguf_tensor *expect(const tern_gguf *g, int layer, const char *name, int rows, int cols,
                                      tern_error *e) {
  char full[96];
  if (layer < 0) {
    snprintf(full, sizeof full, "%s.weight", name);
  } else {
    snprintf(full, sizeof full, "blk.%d.%s.weight", layer, name);
  }
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, full);
  if (!t) {
    tern_fail(e, TERN_FAILED, "%s: tensor %s is missing", tern_gguf_name(g), full);
    return NULL;
  }
  return check_shape(g, t, rows, cols, e) ? NULL : t;
}

static int expect_gain(const tern_gguf *g, int layer, const char *name, int size, tern_error *e) {
  const tern_gguf_tensor *t = expect(g, layer, name, 1, size, e);
  if (!t) return TERN_FAILED;
  if (!t->type->ternary) return 0;
  return tern_fail(e, TERN_FAILED, "%s: tensor %s is %s, want floats", tern_gguf_name(g), t->name, t->type->name);
}

static int check_body(tern_plan *p, const tern_gguf *g, const tern_gguf_tensor *t, tern_error *e) {
  if (p->body->kind != TERN_KIND_TERNARY || t->type->ternary) return 0;
  return tern_fail(e, TERN_FAILED,
                   "%s: tensor %s is %s: float weights cannot be used in the ternary layout %s; make codes of them "
                   "first (ternmark convert)",
                   tern_gguf_name(g), t->name, t->type->name, p->body->name);
}

/* Bytes of a matrix with one scale a row. */
static size_t packed_bytes(const tern_layout *layout, int rows, int cols) {
  return layout->bytes(rows, cols) + (layout->kind == TERN_KIND_FLOAT ? 0 : (size_t)rows * sizeof(float));
}

static int plan_layer(tern_plan *p, const tern_gguf *g, int layer, tern_error *e) {
  tern_model_facts *f = &p->facts;
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    const tern_projection_place *place = &tern_projection_places[i];
    int rows = tern_dim_size(f, place->rows), cols = tern_dim_size(f, place->cols);
    const tern_gguf_tensor *t = expect(g, layer, place->name, rows, cols, e);
    if (!t || check_body(p, g, t, e)) return TERN_FAILED;
    const tern_gguf_tensor *scale = tern_plan_tensor(g, layer, place->name, "scale");
    if (scale && check_shape(g, scale, 1, 1, e)) return TERN_FAILED;
    f->body_bytes += packed_bytes(p->body, rows, cols);
    f->body_weights += (int64_t)rows * cols;
  }
  for (int i = 0; i < TERN_NORMS; i++) {
    if (tern_norm_kind(f->arch, i) != TERN_NORM_GAIN) continue;
    int size = tern_dim_size(f, tern_norm_places[i].size);
    if (expect_gain(g, layer, tern_norm_places[i].name, size, e)) return TERN_FAILED;
    f->norm_bytes += tern_gain_size(size) * sizeof(float);
  }
  return 0;
}

/* Whether <rest of a tensor's name after "blk.N."> has a place in a layer. */
static bool layer_has(const tern_arch *a, const char *rest) {
  char name[64];
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    snprintf(name, sizeof name, "%s.weight", tern_projection_places[i].name);
    if (strcmp(rest, name) == 0) return true;
    snprintf(name, sizeof name, "%s.scale", tern_projection_places[i].name);
    if (a->matrix_scales && strcmp(rest, name) == 0) return true;
  }
  for (int i = 0; i < TERN_NORMS; i++) {
    snprintf(name, sizeof name, "%s.weight", tern_norm_places[i].name);
    if (tern_norm_kind(a, i) == TERN_NORM_GAIN && strcmp(rest, name) == 0) return true;
  }
  return false;
}

/* A tensor without a place (a bias, RoPE factors) would change the model's
 * answers if it were passed over. */
static int refuse_strangers(const tern_plan *p, const tern_gguf *g, tern_error *e) {
  static const char *const outside[] = {"token_embd.weight", "output_norm.weight", "output.weight"};
  for (int i = 0; i < tern_gguf_tensor_count(g); i++) {
    const char *name = tern_gguf_tensor_at(g, i)->name;
    bool known = false;
    for (size_t k = 0; k < sizeof outside / sizeof *outside; k++) known = known || strcmp(name, outside[k]) == 0;
    if (strncmp(name, "blk.", 4) == 0) {
      char *rest;
      long layer = strtol(name + 4, &rest, 10);
      known = layer >= 0 && layer < p->facts.layers && *rest == '.' && layer_has(p->facts.arch, rest + 1);
    }
    if (!known) {
      return tern_fail(e, TERN_FAILED, "%s: tensor %s has no place in architecture %s (%d layers)", tern_gguf_name(g),
                       name, p->facts.arch->name, p->facts.layers);
    }
  }
  return 0;
}

static const tern_layout *native_layout(const tern_gguf_tensor *t) {
  static const struct {
    uint32_t type;
    const tern_layout *layout;
  } natives[] = {{TERN_DISK_F32, &tern_layout_f32}, {TERN_DISK_BF16, &tern_layout_bf16}};
  if (t->type->ternary) return &tern_layout_t2;
  for (size_t i = 0; i < sizeof natives / sizeof *natives; i++) {
    if (natives[i].type == t->type->id) return natives[i].layout;
  }
  return &tern_layout_f16; /* F16 itself; Q8_0 and Q6_K lose least in it for its size */
}

/* Kernels are chosen by where the weights will lie and, of ternary ones that
 * may be in any layout, the layout with them. */
static void choose_kernels(tern_plan *p, const tern_model_params *params, bool any_layout) {
  const tern_model_facts *f = &p->facts;
  double weights = 0;
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    const tern_projection_place *place = &tern_projection_places[i];
    weights += (double)tern_dim_size(f, place->rows) * tern_dim_size(f, place->cols);
  }
  const double bits = weights * f->layers * p->body->bits + (double)f->vocab * f->hidden * p->head->bits;
  p->tuning = params->tuning;
  p->situation = (tern_situation){
      .cap = params->isa_cap, .threads = params->threads > 0 ? params->threads : 1, .bytes = (size_t)(bits / 8)};
  if (any_layout && p->body->kind == TERN_KIND_TERNARY)
    p->body = tern_choose_layout(p->tuning, p->body, &p->situation).layout;
}

static int choose_layouts(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e) {
  const tern_gguf_tensor *first = tern_plan_tensor(g, 0, "attn_q", "weight");
  if (!first) return tern_fail(e, TERN_FAILED, "%s: tensor blk.0.attn_q.weight is missing", tern_gguf_name(g));
  p->body = params->layout ? tern_layout_find(params->layout) : native_layout(first);
  if (!p->body) return tern_fail(e, TERN_FAILED, "layout \"%s\": not known", params->layout);
  if (p->body->kind == TERN_KIND_BLOCKS) {
    return tern_fail(e, TERN_FAILED, "layout \"%s\": block scales are not for whole models", params->layout);
  }
  p->head = params->head_layout ? tern_layout_find(params->head_layout) : &tern_layout_f16;
  if (!p->head || p->head->kind == TERN_KIND_TERNARY || p->head->kind == TERN_KIND_BLOCKS) {
    return tern_fail(e, TERN_FAILED, "head layout \"%s\": want f16, f32, bf16 or q8", params->head_layout);
  }
  p->exact_head = params->exact_head;
  if (p->exact_head && p->head->kind != TERN_KIND_FLOAT) {
    return tern_fail(e, TERN_FAILED, "exact head: want a float head layout, not %s", p->head->name);
  }
  choose_kernels(p, params, params->any_layout || !params->layout);
  return 0;
}

static int choose_i2s(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e) {
  static const char *const names[] = {
      [TERN_I2S_AUTO] = "", [TERN_I2S_128] = "128", [TERN_I2S_64] = "64", [TERN_I2S_ROWS4] = "rows4"};
  tern_gguf_string s;
  p->i2s = params->i2s != TERN_I2S_AUTO ? params->i2s : TERN_I2S_128;
  if (params->i2s != TERN_I2S_AUTO || !tern_gguf_text(g, "ternmark.i2s_layout", &s)) return 0;
  for (int i = TERN_I2S_128; i <= TERN_I2S_ROWS4; i++) {
    if (strlen(names[i]) == s.size && memcmp(names[i], s.data, s.size) == 0) {
      p->i2s = (tern_i2s)i;
      return 0;
    }
  }
  return tern_fail(e, TERN_FAILED, "%s: key ternmark.i2s_layout is \"%.*s\", want 128, 64 or rows4", tern_gguf_name(g),
                   (int)(s.size < 32 ? s.size : 32), s.data);
}

static void name_kernels(tern_plan *p) {
  p->facts.body_layout = p->body->name;
  p->facts.head_layout = p->head->name;
  const tern_choice body = tern_choose_kernels(p->tuning, p->body, &p->situation);
  const tern_choice head = tern_choose_kernels(p->tuning, p->head, &p->situation);
  p->facts.body_kernel = body.kernels[0]->name;
  p->facts.body_batch_kernel = body.kernels[TERN_BATCH_CLASSES - 1]->name;
  p->facts.head_kernel = head.kernels[0]->name;
  p->facts.tuned = body.tuned || head.tuned;
  p->facts.vec = tern_vec_find(p->situation.cap)->name;
  p->facts.ternary = p->body->kind == TERN_KIND_TERNARY;
}

int tern_plan_make(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e) {
  *p = (tern_plan){0};
  tern_model_facts *f = &p->facts;
  if (tern_hparams_read(f, g, e) || choose_layouts(p, g, params, e) || choose_i2s(p, g, params, e)) return TERN_FAILED;
  if (refuse_strangers(p, g, e)) return TERN_FAILED;
  if (!expect(g, -1, "token_embd", f->vocab, f->hidden, e)) return TERN_FAILED;
  if (expect_gain(g, -1, "output_norm", f->hidden, e)) return TERN_FAILED;
  p->own_head = f->arch->head == TERN_HEAD_OWN && tern_gguf_tensor_find(g, "output.weight");
  if (p->own_head && !expect(g, -1, "output", f->vocab, f->hidden, e)) return TERN_FAILED;
  f->norm_bytes = tern_gain_size(f->hidden) * sizeof(float);
  for (int i = 0; i < f->layers; i++) {
    if (plan_layer(p, g, i, e)) return TERN_FAILED;
  }
  f->head_bytes = packed_bytes(p->head, f->vocab, f->hidden);
  if (p->own_head) f->embedding_bytes = f->head_bytes;
  if (p->exact_head) {
    f->scan_bytes = packed_bytes(&tern_layout_q8, f->vocab, f->hidden) + 2 * (size_t)f->vocab * sizeof(float);
  }
  name_kernels(p);
  return 0;
}

size_t tern_plan_bytes(const tern_plan *p) {
  const tern_model_facts *f = &p->facts;
  return f->body_bytes + f->head_bytes + f->scan_bytes + f->embedding_bytes + f->norm_bytes +
         (size_t)f->layers * sizeof(tern_layer);
}

size_t tern_plan_pool(const tern_plan *p) {
  const tern_model_facts *f = &p->facts;
  size_t layer = 0, table = tern_pool_part(p->head->bytes(f->vocab, f->hidden));
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    const tern_projection_place *place = &tern_projection_places[i];
    layer += tern_pool_part(p->body->bytes(tern_dim_size(f, place->rows), tern_dim_size(f, place->cols)));
  }
  size_t scan = p->exact_head ? tern_pool_part(tern_layout_q8.bytes(f->vocab, f->hidden)) : 0;
  return (size_t)f->layers * layer + table * (p->own_head ? 2 : 1) + scan;
}

int tern_model_plan(const tern_gguf *g, const tern_model_params *p, size_t *bytes, tern_error *e) {
  tern_plan plan;
  if (tern_plan_make(&plan, g, p, e)) return TERN_FAILED;
  *bytes = tern_plan_bytes(&plan);
  return 0;
}

int tern_model_preview(const tern_gguf *g, const tern_model_params *p, tern_model_facts *facts, tern_error *e) {
  tern_plan plan;
  if (tern_plan_make(&plan, g, p, e)) return TERN_FAILED;
  *facts = plan.facts;
  return 0;
}
