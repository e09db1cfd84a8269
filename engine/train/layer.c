/* One layer, forward and backward. The forward pass is the inference engine's,
 * with its kernels and vector operations; gradients go straight through the
 * rounding of weights and activations (arXiv 2402.17764). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/random.h"
#include "engine/train/desk.h"

/* Row t of a linear layer's input: x through its norm. */
static void feed(const tern_train_pass *p, tern_desk *d, const tern_fed *in, int t, const float *x, const float *gain,
                 int cols) {
  const tern_vec *vec = p->n->vec;
  float *to = in->floats ? in->floats + (size_t)t * in->stride : d->row2;
  vec->rmsnorm(to, x, gain, cols, p->n->norm_eps);
  if (in->q) in->scale[t] = vec->quantise(in->q + (size_t)t * in->stride, to, cols, (int)in->stride, &in->sum[t]);
}

/* A layer's input as [tokens][cols] floats: int8 rows are what they stand for. */
static const float *input_floats(const tern_train_pass *p, tern_desk *d, const tern_fed *in, int cols) {
  if (!in->q) return in->floats;
  for (int t = 0; t < p->s->tokens; t++)
    p->n->grad->dequantise(d->wide + (size_t)t * (size_t)cols, in->q + (size_t)t * in->stride, in->scale[t], cols);
  return d->wide;
}

static void multiply_base(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const tern_fed *in,
                          float *y) {
  const tern_net *n = p->n;
  const int tokens = p->s->tokens;
  if (!n->ternary) {
    n->grad->dense(&(tern_dense){.a = in->floats,
                                 .a_row = in->stride,
                                 .a_col = 1,
                                 .b = l->turned,
                                 .b_row = (size_t)l->rows,
                                 .c = y,
                                 .c_row = (size_t)l->rows,
                                 .m = tokens,
                                 .n = l->rows,
                                 .k = l->cols,
                                 .scratch = d->dense});
    return;
  }
  n->kernel->run(&(tern_gemm){.weights = l->packed,
                              .rows = l->rows,
                              .cols = l->cols,
                              .w_scale = l->scale,
                              .w_scale_stride = 1,
                              .x = in->q,
                              .x_stride = in->stride,
                              .x_scale = in->scale,
                              .x_sum = in->sum,
                              .tokens = tokens,
                              .y = y,
                              .y_stride = (size_t)l->rows,
                              .scratch = d->kernel},
                 0, l->rows);
}

static void multiply(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const tern_fed *in, float *y) {
  multiply_base(p, d, l, in, y);
  if (p->n->rank > 0) tern_adapters_forward(p, d, l, input_floats(p, d, in, l->cols), y);
}

/* From the gradient dy of a linear layer's output: its weights' (or its
 * adapters') and, into desk->change, its input's. */
static void multiply_back(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const tern_fed *in,
                          const float *dy) {
  const tern_net *n = p->n;
  const int tokens = p->s->tokens;
  const size_t rows = (size_t)l->rows, cols = (size_t)l->cols;
  const float *x = input_floats(p, d, in, l->cols);
  if (n->rank == 0)
    n->grad->dense(&(tern_dense){.a = dy,
                                 .a_row = 1,
                                 .a_col = rows,
                                 .b = x,
                                 .b_row = cols,
                                 .c = p->grads + n->params[l->first].at,
                                 .c_row = cols,
                                 .m = l->rows,
                                 .n = l->cols,
                                 .k = tokens,
                                 .scratch = d->dense});
  n->grad->dense(&(tern_dense){.a = dy,
                               .a_row = rows,
                               .a_col = 1,
                               .b = l->values,
                               .b_row = cols,
                               .c = d->change,
                               .c_row = cols,
                               .m = tokens,
                               .n = l->cols,
                               .k = l->rows,
                               .scratch = d->dense});
  if (n->rank > 0) tern_adapters_backward(p, d, l, x, dy);
}

/* Each random number serves four values. */
void tern_dropout(const tern_train_pass *p, int branch, float *x) {
  if (p->dropout <= 0) return;
  const size_t size = (size_t)p->s->tokens * (size_t)p->n->hidden;
  const uint64_t below = (uint64_t)(p->dropout * 65536),
                 stream = UINT64_C(1) << 61 | p->stream << 16 | (uint64_t)branch;
  const float keep = (float)(1 / (1 - p->dropout));
  for (size_t i = 0; i < size; i += 4) {
    const uint64_t r = tern_random_at(p->seed, stream, i / 4);
    for (size_t j = 0; j < 4 && i + j < size; j++) x[i + j] = (r >> 16 * j & 0xffff) < below ? 0 : x[i + j] * keep;
  }
}

static void add_branch(const tern_train_pass *p, tern_desk *d, int branch) {
  const size_t hidden = (size_t)p->n->hidden;
  tern_dropout(p, branch, d->projection);
  for (int t = 0; t < p->s->tokens; t++)
    p->n->vec->add(d->x + (size_t)t * hidden, d->projection + (size_t)t * hidden, p->n->hidden);
}

void tern_trace(tern_train_pass *p, const float *x, size_t n, int layer, const char *what) {
  if (!p->trace || p->fault[0]) return;
  for (size_t i = 0; i < n; i++) {
    if (isfinite(x[i])) continue;
    if (layer < 0)
      snprintf(p->fault, sizeof p->fault, "%s", what);
    else
      snprintf(p->fault, sizeof p->fault, "blk.%d.%s", layer, what);
    return;
  }
}

static void rotate(const tern_train_pass *p, float *qkv, const float *sine) {
  const tern_net *n = p->n;
  const size_t half = (size_t)n->head_dim / 2;
  for (int i = 0; i < p->s->documents; i++) {
    for (int t = p->s->starts[i]; t < p->s->starts[i + 1]; t++) {
      const size_t angle = (size_t)(t - p->s->starts[i]) * half;
      float *row = qkv + (size_t)t * (size_t)n->qkv;
      for (int h = 0; h < n->heads + n->kv_heads; h++)
        n->vec->rope(row + (size_t)h * (size_t)n->head_dim, n->cosine + angle, sine + angle, n->head_dim, 1);
    }
  }
}

static void activate(const tern_net *n, float *y, const float *gate_up) {
  (n->relu2 ? n->vec->relu2_mul : n->vec->silu_mul)(y, gate_up, gate_up + n->ffn, n->ffn);
}

void tern_layer_forward(tern_train_pass *p, tern_desk *d, int layer) {
  const tern_net *n = p->n;
  const tern_train_layer *w = &n->layer[layer];
  tern_desk_layer *l = &d->layer[layer];
  const int tokens = p->s->tokens;
  const size_t hidden = (size_t)n->hidden, size = (size_t)tokens * hidden;
  memcpy(l->x_attn, d->x, size * sizeof(float));
  for (int t = 0; t < tokens; t++)
    feed(p, d, &l->in[TERN_TRAIN_QKV], t, d->x + (size_t)t * hidden, n->w + w->gain[TERN_TRAIN_ATTN_NORM], n->hidden);
  multiply(p, d, &w->linear[TERN_TRAIN_QKV], &l->in[TERN_TRAIN_QKV], l->qkv);
  tern_trace(p, l->qkv, (size_t)tokens * (size_t)n->qkv, layer, "attn_q, attn_k or attn_v");
  rotate(p, l->qkv, n->sine);
  tern_attention_forward(p, d, l);
  tern_trace(p, l->attention, size, layer, "attention");
  for (int t = 0; t < tokens; t++)
    feed(p, d, &l->in[TERN_TRAIN_O], t, l->attention + (size_t)t * hidden, n->w + w->gain[TERN_TRAIN_ATTN_SUB],
         n->hidden);
  multiply(p, d, &w->linear[TERN_TRAIN_O], &l->in[TERN_TRAIN_O], d->projection);
  tern_trace(p, d->projection, size, layer, "attn_output");
  add_branch(p, d, 2 * layer);
  memcpy(l->x_ffn, d->x, size * sizeof(float));
  for (int t = 0; t < tokens; t++)
    feed(p, d, &l->in[TERN_TRAIN_GATE_UP], t, d->x + (size_t)t * hidden, n->w + w->gain[TERN_TRAIN_FFN_NORM],
         n->hidden);
  multiply(p, d, &w->linear[TERN_TRAIN_GATE_UP], &l->in[TERN_TRAIN_GATE_UP], l->gate_up);
  tern_trace(p, l->gate_up, 2 * (size_t)tokens * (size_t)n->ffn, layer, "ffn_gate or ffn_up");
  for (int t = 0; t < tokens; t++) {
    activate(n, d->row, l->gate_up + 2 * (size_t)t * (size_t)n->ffn);
    feed(p, d, &l->in[TERN_TRAIN_DOWN], t, d->row, n->w + w->gain[TERN_TRAIN_FFN_SUB], n->ffn);
  }
  multiply(p, d, &w->linear[TERN_TRAIN_DOWN], &l->in[TERN_TRAIN_DOWN], d->projection);
  tern_trace(p, d->projection, size, layer, "ffn_down");
  add_branch(p, d, 2 * layer + 1);
}

/* The gradient of a branch's output: dx, or what dropout leaves of it. */
static const float *branch_back(const tern_train_pass *p, tern_desk *d, int branch) {
  if (p->dropout <= 0) return d->dx;
  memcpy(d->projection, d->dx, (size_t)p->s->tokens * (size_t)p->n->hidden * sizeof(float));
  tern_dropout(p, branch, d->projection);
  return d->projection;
}

static void ffn_back(const tern_train_pass *p, tern_desk *d, int layer) {
  const tern_net *n = p->n;
  const tern_train_layer *w = &n->layer[layer];
  tern_desk_layer *l = &d->layer[layer];
  const size_t hidden = (size_t)n->hidden, ffn = (size_t)n->ffn;
  const size_t sub = w->gain[TERN_TRAIN_FFN_SUB], gain = w->gain[TERN_TRAIN_FFN_NORM];
  multiply_back(p, d, &w->linear[TERN_TRAIN_DOWN], &l->in[TERN_TRAIN_DOWN], branch_back(p, d, 2 * layer + 1));
  for (int t = 0; t < p->s->tokens; t++) {
    float *gate_up = l->gate_up + 2 * (size_t)t * ffn;
    activate(n, d->row, gate_up);
    memset(d->row2, 0, ffn * sizeof(float));
    n->grad->rmsnorm_back(d->row2, p->grads + sub, d->row, n->w + sub, d->change + (size_t)t * ffn, n->ffn,
                          n->norm_eps);
    (n->relu2 ? n->grad->relu2_back : n->grad->silu_back)(gate_up, gate_up + ffn, gate_up, gate_up + ffn, d->row2,
                                                          n->ffn);
  }
  multiply_back(p, d, &w->linear[TERN_TRAIN_GATE_UP], &l->in[TERN_TRAIN_GATE_UP], l->gate_up);
  for (int t = 0; t < p->s->tokens; t++) {
    const size_t at = (size_t)t * hidden;
    n->grad->rmsnorm_back(d->dx + at, p->grads + gain, l->x_ffn + at, n->w + gain, d->change + at, n->hidden,
                          n->norm_eps);
  }
}

static void attention_back(const tern_train_pass *p, tern_desk *d, int layer) {
  const tern_net *n = p->n;
  const tern_train_layer *w = &n->layer[layer];
  tern_desk_layer *l = &d->layer[layer];
  const size_t hidden = (size_t)n->hidden, sub = w->gain[TERN_TRAIN_ATTN_SUB], gain = w->gain[TERN_TRAIN_ATTN_NORM];
  multiply_back(p, d, &w->linear[TERN_TRAIN_O], &l->in[TERN_TRAIN_O], branch_back(p, d, 2 * layer));
  for (int t = 0; t < p->s->tokens; t++) {
    const size_t at = (size_t)t * hidden;
    memset(d->row, 0, hidden * sizeof(float));
    n->grad->rmsnorm_back(d->row, p->grads + sub, l->attention + at, n->w + sub, d->change + at, n->hidden,
                          n->norm_eps);
    memcpy(d->change + at, d->row, hidden * sizeof(float));
  }
  tern_attention_backward(p, d, l);
  rotate(p, d->dqkv, n->minus_sine);
  multiply_back(p, d, &w->linear[TERN_TRAIN_QKV], &l->in[TERN_TRAIN_QKV], d->dqkv);
  for (int t = 0; t < p->s->tokens; t++) {
    const size_t at = (size_t)t * hidden;
    n->grad->rmsnorm_back(d->dx + at, p->grads + gain, l->x_attn + at, n->w + gain, d->change + at, n->hidden,
                          n->norm_eps);
  }
}

void tern_layer_backward(const tern_train_pass *p, tern_desk *d, int layer) {
  ffn_back(p, d, layer);
  attention_back(p, d, layer);
}
