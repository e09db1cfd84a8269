/* The plan: which tensor goes where, in which layout, and how many bytes that
 * takes. Every tensor of the file must have a place and every place a tensor
 * of its very shape, so that loading can only meet bad values. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/model/parts.h"

int tern_dim_size(const tern_model_facts *f, tern_dim d) {
  const int sizes[TERN_DIMS] = {[TERN_DIM_ONE] = 1,
                                [TERN_DIM_HIDDEN] = f->hidden,
                                [TERN_DIM_QUERY] = f->heads * f->head_dim,
                                [TERN_DIM_KV] = f->kv_heads * f->head_dim,
                                [TERN_DIM_FFN] = f->ffn,
                                [TERN_DIM_VOCAB] = f->vocab,
                                [TERN_DIM_HEAD] = f->head_dim,
                                [TERN_DIM_ANGLES] = f->rotated / 2};
  return sizes[d];
}

size_t tern_gain_size(int n) {
  return ((size_t)n + 15) / 16 * 16;
}

enum { NAME_SIZE = 96 };

static void name_part(char *to, const tern_arch *a, int layer, const char *usual, const char *suffix) {
  snprintf(to, NAME_SIZE, "blk.%d.%s.%s", layer, tern_arch_name(a, usual), suffix);
}

const tern_gguf_tensor *tern_plan_tensor(const tern_plan *p, const tern_gguf *g, int layer, const char *usual,
                                         const char *suffix) {
  char full[NAME_SIZE];
  name_part(full, p->facts.arch, layer, usual, suffix);
  return tern_gguf_tensor_find(g, full);
}

const tern_gguf_tensor *tern_plan_norm(const tern_plan *p, const tern_gguf *g, int layer, int place) {
  tern_norm kind = p->facts.arch->norms[place];
  bool has = kind == TERN_NORM_GAIN || kind == TERN_NORM_WHERE_HAD;
  return has ? tern_plan_tensor(p, g, layer, tern_norm_forms[place].name, "weight") : NULL;
}

const tern_gguf_tensor *tern_plan_bias(const tern_plan *p, const tern_gguf *g, int layer, int projection) {
  if (p->facts.arch->biases[projection] == TERN_BIAS_NONE) return NULL;
  return tern_plan_tensor(p, g, layer, tern_projection_forms[projection].name, "bias");
}

static int check_shape(const tern_gguf *g, const tern_gguf_tensor *t, int rows, int cols, tern_error *e) {
  int64_t found = t->dims >= 2 ? t->shape[1] : 1, more = 1;
  for (int i = 2; i < t->dims; i++) more *= t->shape[i];
  if (t->shape[0] == cols && found == rows && more == 1) return 0;
  return tern_fail(e, TERN_FAILED, "%s: tensor %s has %lld columns and %lld rows, want %d and %d", tern_gguf_name(g),
                   t->name, (long long)t->shape[0], (long long)(found * more), cols, rows);
}

/* A tensor that must be there with this shape; NULL and *e otherwise. */
static const tern_gguf_tensor *expect(const tern_gguf *g, const char *full, int rows, int cols, tern_error *e) {
  const tern_gguf_tensor *t = tern_gguf_tensor_find(g, full);
  if (!t) {
    tern_fail(e, TERN_FAILED, "%s: tensor %s is missing", tern_gguf_name(g), full);
    return NULL;
  }
  return check_shape(g, t, rows, cols, e) ? NULL : t;
}

static int expect_floats(const tern_gguf *g, const char *full, int size, tern_error *e) {
  const tern_gguf_tensor *t = expect(g, full, 1, size, e);
  if (!t) return TERN_FAILED;
  if (!t->type->ternary) return 0;
  return tern_fail(e, TERN_FAILED, "%s: tensor %s is %s, want floats", tern_gguf_name(g), t->name, t->type->name);
}

static int check_body(tern_plan *p, const tern_gguf *g, const tern_gguf_tensor *t, tern_error *e) {
  if (!tern_layout_is_ternary(p->body) || t->type->ternary) return 0;
  return tern_fail(e, TERN_FAILED,
                   "%s: tensor %s is %s: float weights cannot be used in the ternary layout %s; make codes of them "
                   "first (ternmark convert)",
                   tern_gguf_name(g), t->name, t->type->name, p->body->name);
}

/* Bytes of a matrix, with a scale a row where its layout needs them beside the weights. */
static size_t packed_bytes(const tern_layout *layout, int rows, int cols) {
  bool scales = layout->kind == TERN_KIND_TERNARY || layout->kind == TERN_KIND_INT8;
  return layout->bytes(rows, cols) + (scales ? (size_t)rows * sizeof(float) : 0);
}

bool tern_layout_is_ternary(const tern_layout *layout) {
  return layout->kind == TERN_KIND_TERNARY || (layout->kind == TERN_KIND_BLOCKS && layout->highest == 1);
}

static int plan_projection(tern_plan *p, const tern_gguf *g, int layer, int i, tern_error *e) {
  tern_model_facts *f = &p->facts;
  const tern_projection_form *form = &tern_projection_forms[i];
  int rows = tern_dim_size(f, form->rows), cols = tern_dim_size(f, form->cols);
  char full[NAME_SIZE];
  name_part(full, f->arch, layer, form->name, "weight");
  const tern_gguf_tensor *t = expect(g, full, rows, cols, e);
  if (!t || check_body(p, g, t, e)) return TERN_FAILED;
  const tern_gguf_tensor *scale = tern_plan_tensor(p, g, layer, form->name, "scale");
  if (scale && check_shape(g, scale, 1, 1, e)) return TERN_FAILED;
  f->body_bytes += packed_bytes(p->body, rows, cols);
  f->body_weights += (int64_t)rows * cols;
  name_part(full, f->arch, layer, form->name, "bias");
  if (!tern_plan_bias(p, g, layer, i) && f->arch->biases[i] != TERN_BIAS_ALWAYS) return 0;
  f->norm_bytes += tern_gain_size(rows) * sizeof(float);
  return expect_floats(g, full, rows, e);
}

static int plan_layer(tern_plan *p, const tern_gguf *g, int layer, tern_error *e) {
  tern_model_facts *f = &p->facts;
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    if (plan_projection(p, g, layer, i, e)) return TERN_FAILED;
  }
  for (int i = 0; i < TERN_NORMS; i++) {
    char full[NAME_SIZE];
    int size = tern_dim_size(f, tern_norm_forms[i].size);
    if (!tern_plan_norm(p, g, layer, i) && f->arch->norms[i] != TERN_NORM_GAIN) continue;
    name_part(full, f->arch, layer, tern_norm_forms[i].name, "weight");
    if (expect_floats(g, full, size, e)) return TERN_FAILED;
    f->norm_bytes += tern_gain_size(size) * sizeof(float);
  }
  return 0;
}

static bool is_part(const tern_arch *a, const char *rest, const char *usual, const char *suffix) {
  const char *name = tern_arch_name(a, usual);
  size_t n = strlen(name);
  return strncmp(rest, name, n) == 0 && rest[n] == '.' && strcmp(rest + n + 1, suffix) == 0;
}

/* Whether <rest of a tensor's name after "blk.N."> has a place in a layer. */
static bool layer_has(const tern_arch *a, const char *rest) {
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    const char *name = tern_projection_forms[i].name;
    if (is_part(a, rest, name, "weight") || (a->matrix_scales && is_part(a, rest, name, "scale"))) return true;
    if (a->biases[i] != TERN_BIAS_NONE && is_part(a, rest, name, "bias")) return true;
  }
  for (int i = 0; i < TERN_NORMS; i++) {
    bool has = a->norms[i] == TERN_NORM_GAIN || a->norms[i] == TERN_NORM_WHERE_HAD;
    if (has && is_part(a, rest, tern_norm_forms[i].name, "weight")) return true;
  }
  return false;
}

/* A tensor without a place (a bias, another norm) would change the model's
 * answers if it were passed over. */
static int refuse_strangers(const tern_plan *p, const tern_gguf *g, tern_error *e) {
  static const char *const outside[] = {"token_embd.weight", "output_norm.weight", "output.weight",
                                        "rope_freqs.weight"};
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
  } natives[] = {{TERN_DISK_F32, &tern_layout_f32},
                 {TERN_DISK_BF16, &tern_layout_bf16},
                 {TERN_DISK_Q2_0, &tern_layout_t2b64},
                 {TERN_DISK_Q2_0_128, &tern_layout_t2b128}};
  for (size_t i = 0; i < sizeof natives / sizeof *natives; i++) {
    if (natives[i].type == t->type->id) return natives[i].layout;
  }
  if (t->type->ternary) return &tern_layout_t2;
  return &tern_layout_f16; /* F16 itself; Q8_0 and Q6_K lose least in it for its size */
}

/* Whether the first row has blocks of different scales. */
static bool is_uneven(const tern_gguf_tensor *t) {
  enum { MOST_COLS = 65536 };
  float scale;
  if (!t || !t->type->ternary || !t->type->row_blocks || t->dims < 2 || t->shape[0] > MOST_COLS) return false;
  int8_t *codes = malloc((size_t)t->shape[0]);
  bool uneven = codes && t->type->row_codes(t->data, 1, (int)t->shape[0], 0, TERN_I2S_128, codes, &scale);
  free(codes);
  return uneven;
}

/* The layout that a file's own weights ask for. Models that were trained in
 * shards (TriLM) have a scale a shard: of o and down they lie along the columns. */
static const tern_layout *usual_layout(const tern_plan *p, const tern_gguf *g, const tern_gguf_tensor *first) {
  const tern_layout *native = native_layout(first);
  if (native != &tern_layout_t2) return native;
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    if (is_uneven(tern_plan_tensor(p, g, 0, tern_projection_forms[i].name, "weight"))) return &tern_layout_t2b128;
  }
  return native;
}

/* Kernels are chosen by where the weights will lie and, of ternary ones that
 * may be in any layout, the layout with them. */
static void choose_kernels(tern_plan *p, const tern_model_params *params, bool any_layout) {
  const tern_model_facts *f = &p->facts;
  double weights = 0;
  for (int i = 0; i < TERN_PROJECTIONS; i++) {
    const tern_projection_form *place = &tern_projection_forms[i];
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
  const tern_gguf_tensor *first = tern_plan_tensor(p, g, 0, tern_projection_forms[TERN_Q].name, "weight");
  if (!first) return tern_fail(e, TERN_FAILED, "%s: tensor blk.0.attn_q.weight is missing", tern_gguf_name(g));
  p->body = params->layout ? tern_layout_find(params->layout) : usual_layout(p, g, first);
  if (!p->body) return tern_fail(e, TERN_FAILED, "layout \"%s\": not known", params->layout);
  if (params->any_layout && first->type->ternary && p->body->kind == TERN_KIND_TERNARY)
    p->body = usual_layout(p, g, first);
  p->head = params->head_layout ? tern_layout_find(params->head_layout) : &tern_layout_f16;
  if (!p->head || p->head->kind == TERN_KIND_TERNARY) {
    return tern_fail(e, TERN_FAILED, "head layout \"%s\": want f16, f32, bf16, q8 or one with block scales (q8b32)",
                     params->head_layout);
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
  p->facts.ternary = tern_layout_is_ternary(p->body);
}

/* Tables and vectors outside the layers. */
static int plan_ends(tern_plan *p, const tern_gguf *g, tern_error *e) {
  tern_model_facts *f = &p->facts;
  int angles = tern_dim_size(f, TERN_DIM_ANGLES);
  const tern_gguf_tensor *embedding = expect(g, "token_embd.weight", f->vocab, f->hidden, e), *head = embedding;
  if (!embedding || expect_floats(g, "output_norm.weight", f->hidden, e)) return TERN_FAILED;
  if (tern_gguf_tensor_find(g, "rope_freqs.weight") && expect_floats(g, "rope_freqs.weight", angles, e))
    return TERN_FAILED;
  p->own_head = f->arch->head == TERN_HEAD_OWN && tern_gguf_tensor_find(g, "output.weight");
  if (p->own_head && !(head = expect(g, "output.weight", f->vocab, f->hidden, e))) return TERN_FAILED;
  if (tern_layout_is_ternary(p->head) && !(embedding->type->ternary && head->type->ternary)) {
    return tern_fail(e, TERN_FAILED, "%s: head layout %s: the head is %s, not ternary", tern_gguf_name(g),
                     p->head->name, head->type->name);
  }
  f->norm_bytes = tern_gain_size(f->hidden) * sizeof(float);
  f->head_bytes = packed_bytes(p->head, f->vocab, f->hidden);
  if (p->own_head) f->embedding_bytes = f->head_bytes;
  if (p->exact_head) {
    f->scan_bytes = packed_bytes(&tern_layout_q8, f->vocab, f->hidden) + 2 * (size_t)f->vocab * sizeof(float);
  }
  return 0;
}

int tern_plan_make(tern_plan *p, const tern_gguf *g, const tern_model_params *params, tern_error *e) {
  *p = (tern_plan){0};
  tern_model_facts *f = &p->facts;
  if (tern_hparams_read(f, g, e) || choose_layouts(p, g, params, e) || choose_i2s(p, g, params, e)) return TERN_FAILED;
  if (refuse_strangers(p, g, e) || plan_ends(p, g, e)) return TERN_FAILED;
  for (int i = 0; i < f->layers; i++) {
    if (plan_layer(p, g, i, e)) return TERN_FAILED;
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
    const tern_projection_form *place = &tern_projection_forms[i];
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
