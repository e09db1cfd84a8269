/* Parameters of the model and their place in one arena, in the order of the
 * file's tensors; buffers of what the forward pass makes of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/train/model.h"

enum { LAYER_PARAMS = 11, ALIGN = 16 };

static size_t aligned(size_t floats) {
  return (floats + ALIGN - 1) / ALIGN * ALIGN;
}

static size_t add(tern_net *n, const char *name, int rows, int cols, bool matrix) {
  tern_param *p = &n->params[n->param_count++];
  *p = (tern_param){.rows = rows, .cols = cols, .at = n->size, .matrix = matrix};
  snprintf(p->name, sizeof p->name, "%s", name);
  n->size += aligned((size_t)rows * (size_t)cols);
  return p->at;
}

static size_t add_layer(tern_net *n, int layer, const char *name, int rows, int cols, bool matrix) {
  char full[40];
  snprintf(full, sizeof full, "blk.%d.%s.weight", layer, name);
  return add(n, full, rows, cols, matrix);
}

static void put_linear(tern_net *n, tern_train_linear *l, int parts, int rows) {
  const int first = n->param_count - parts;
  *l = (tern_train_linear){.first = first, .parts = parts, .rows = rows, .cols = n->params[first].cols};
}

static void lay_out(tern_net *n) {
  const int hidden = n->hidden, kv = n->kv_heads * n->head_dim, query = n->heads * n->head_dim;
  n->embedding = add(n, "token_embd.weight", n->vocab, hidden, false);
  n->last_gain = add(n, "output_norm.weight", 1, hidden, false);
  for (int i = 0; i < n->layers; i++) {
    tern_train_layer *l = &n->layer[i];
    l->gain[TERN_TRAIN_ATTN_NORM] = add_layer(n, i, "attn_norm", 1, hidden, false);
    add_layer(n, i, "attn_q", query, hidden, true);
    add_layer(n, i, "attn_k", kv, hidden, true);
    add_layer(n, i, "attn_v", kv, hidden, true);
    put_linear(n, &l->linear[TERN_TRAIN_QKV], 3, n->qkv);
    l->gain[TERN_TRAIN_ATTN_SUB] = add_layer(n, i, "attn_sub_norm", 1, query, false);
    add_layer(n, i, "attn_output", hidden, query, true);
    put_linear(n, &l->linear[TERN_TRAIN_O], 1, hidden);
    l->gain[TERN_TRAIN_FFN_NORM] = add_layer(n, i, "ffn_norm", 1, hidden, false);
    add_layer(n, i, "ffn_gate", n->ffn, hidden, true);
    add_layer(n, i, "ffn_up", n->ffn, hidden, true);
    put_linear(n, &l->linear[TERN_TRAIN_GATE_UP], 2, 2 * n->ffn);
    l->gain[TERN_TRAIN_FFN_SUB] = add_layer(n, i, "ffn_sub_norm", 1, n->ffn, false);
    add_layer(n, i, "ffn_down", hidden, n->ffn, true);
    put_linear(n, &l->linear[TERN_TRAIN_DOWN], 1, hidden);
  }
  n->base_count = n->param_count;
  n->base_size = n->size;
}

static bool is_target(const tern_param *p, unsigned targets) {
  const char *name = p->matrix ? strchr(strchr(p->name, '.') + 1, '.') + 1 : "";
  for (int i = 0; i < TERN_TRAIN_TARGETS; i++) {
    const size_t length = strlen(tern_train_targets[i]);
    if ((targets >> i & 1) && strncmp(name, tern_train_targets[i], length) == 0 && name[length] == '.') return true;
  }
  return false;
}

/* A and B of every target after all of the base, so that the base lies as without them. */
static void lay_out_adapters(tern_net *n, unsigned targets) {
  for (int i = 0; n->rank > 0 && i < n->base_count; i++) {
    tern_param *p = &n->params[i];
    char name[40];
    if (!is_target(p, targets)) continue;
    p->adapter = n->param_count;
    snprintf(name, sizeof name, "%.32s.lora_a", p->name);
    add(n, name, n->rank, p->cols, false);
    snprintf(name, sizeof name, "%.32s.lora_b", p->name);
    add(n, name, p->rows, n->rank, false);
    n->params[p->adapter].part = 'a';
    n->params[p->adapter + 1].part = 'b';
    n->params[p->adapter].adapter = n->params[p->adapter + 1].adapter = i;
  }
}

/* Takes floats from the block; with base NULL it only counts. */
static void *take(char *base, size_t *used, size_t bytes) {
  void *at = base ? base + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

static void place_linear(tern_net *n, tern_train_linear *l, char *base, size_t *used) {
  const size_t floats = (size_t)l->rows * (size_t)l->cols;
  l->values = !base ? NULL : (n->values ? n->values : n->w) + n->params[l->first].at;
  if (!n->ternary) {
    l->turned = take(base, used, floats * sizeof(float));
    return;
  }
  l->codes = take(base, used, floats);
  l->packed = take(base, used, tern_layout_t2.bytes(l->rows, l->cols));
  l->scale = take(base, used, (size_t)l->rows * sizeof(float));
}

static size_t place(tern_net *n, char *base) {
  const size_t table = (size_t)n->vocab * (size_t)n->hidden, angles = (size_t)n->context * (size_t)n->head_dim / 2;
  size_t used = 0;
  n->w = take(base, &used, n->size * sizeof(float));
  n->table = take(base, &used, table * sizeof(float));
  n->turned_table = take(base, &used, table * sizeof(float));
  n->cosine = take(base, &used, angles * sizeof(float));
  n->sine = take(base, &used, angles * sizeof(float));
  n->minus_sine = take(base, &used, angles * sizeof(float));
  if (n->ternary || n->round_f16) n->values = take(base, &used, n->base_size * sizeof(float));
  n->turned_lora = take(base, &used, (n->size - n->base_size) * sizeof(float));
  for (int i = 0; i < n->layers; i++) {
    for (int j = 0; j < TERN_TRAIN_LINEARS; j++) place_linear(n, &n->layer[i].linear[j], base, &used);
  }
  return used;
}

/* As the inference engine computes them. */
static void fill_angles(tern_net *n, double theta) {
  const int half = n->head_dim / 2;
  const double log_theta = tern_log(theta);
  for (int i = 0; i < n->context * half; i++) {
    double sine, cosine, rate = tern_exp(-log_theta * (2.0 * (i % half) / n->head_dim));
    tern_sincos(i / half * rate, &sine, &cosine);
    n->sine[i] = (float)sine;
    n->minus_sine[i] = -(float)sine;
    n->cosine[i] = (float)cosine;
  }
}

int tern_net_open(tern_net *n, const tern_train_config *c, int vocab, tern_isa cap, tern_error *e) {
  const int head_dim = c->hidden / c->heads;
  *n = (tern_net){.layers = c->layers,
                  .hidden = c->hidden,
                  .ffn = c->ffn,
                  .heads = c->heads,
                  .kv_heads = c->kv_heads,
                  .head_dim = head_dim,
                  .qkv = (c->heads + 2 * c->kv_heads) * head_dim,
                  .vocab = vocab,
                  .context = c->context,
                  .relu2 = strcmp(c->arch, "bitnet") != 0,
                  .ternary = c->weights == TERN_TRAIN_TERNARY,
                  .round_f16 = c->weights == TERN_TRAIN_F16,
                  .norm_eps = TERN_TRAIN_EPS,
                  .rank = c->lora_rank,
                  .lora_scale = c->lora_rank > 0 ? (float)(c->lora_alpha / c->lora_rank) : 0,
                  .vec = tern_vec_find(cap),
                  .grad = tern_grad_find(cap),
                  .kernel = tern_kernel_find(&tern_layout_t2, cap)};
  n->params = calloc((size_t)c->layers * (LAYER_PARAMS + 2 * TERN_TRAIN_TARGETS) + 2, sizeof *n->params);
  n->layer = calloc((size_t)c->layers, sizeof *n->layer);
  if (!n->params || !n->layer) {
    tern_fail(e, TERN_FAILED, "model of %d layers: out of memory", c->layers);
    goto failed;
  }
  lay_out(n);
  lay_out_adapters(n, c->lora_targets);
  n->memory_bytes = place(n, NULL);
  n->memory = tern_alloc(n->memory_bytes, "model in training", e);
  if (!n->memory) goto failed;
  place(n, n->memory);
  fill_angles(n, c->rope_theta);
  return TERN_OK;
failed:
  tern_net_close(n);
  return TERN_FAILED;
}

void tern_net_close(tern_net *n) {
  tern_free(n->memory, n->memory_bytes);
  free(n->params);
  free(n->layer);
  *n = (tern_net){0};
}

bool tern_param_learns(const tern_net *n, int param) {
  return n->rank == 0 || param >= n->base_count;
}

/* Normal by Box and Muller, from counters: the same for every thread count. */
static float normal_at(uint64_t seed, uint64_t stream, uint64_t i) {
  const double u = tern_random_unit(tern_random_at(seed, stream, 2 * i));
  const double angle = 6.283185307179586 * tern_random_unit(tern_random_at(seed, stream, 2 * i + 1));
  double sine, cosine;
  tern_sincos(angle, &sine, &cosine);
  return (float)(sqrt(-2 * tern_log(1 - u)) * cosine);
}

void tern_net_start(tern_net *n, const tern_train_config *c) {
  for (int p = 0; p < n->param_count; p++) {
    const tern_param *param = &n->params[p];
    const size_t size = (size_t)param->rows * (size_t)param->cols;
    const float spread = (float)(c->init / sqrt((double)param->cols));
    for (size_t i = 0; i < size; i++)
      n->w[param->at + i] = param->part == 'b' ? 0 /* the adapted model is the base at first */
                            : param->part != 'a' && param->rows == 1
                                ? 1.0f
                                : spread * normal_at((uint64_t)c->seed, (uint64_t)p, i);
  }
}

double tern_net_flops(const tern_net *n, double tokens) {
  double weights = (double)n->vocab * n->hidden, learnt = 0;
  for (int p = 0; p < n->param_count; p++) {
    if (n->params[p].matrix || n->params[p].part) weights += (double)n->params[p].rows * n->params[p].cols;
    if (n->params[p].part) learnt += (double)n->params[p].rows * n->params[p].cols;
  }
  return (4 * weights + 2 * (n->rank ? learnt : weights)) * tokens;
}
