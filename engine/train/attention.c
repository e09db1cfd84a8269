/* Causal grouped-query attention within documents. Forwards by the inference
 * engine's own operation; backwards the weights are computed again, a block of
 * queries at a time, and all sums are products of small matrices. */
#include <math.h>
#include <string.h>

#include "engine/train/desk.h"

void tern_attention_forward(const tern_train_pass *p, tern_desk *d, const tern_desk_layer *l) {
  const tern_net *n = p->n;
  const size_t width = (size_t)n->qkv, dim = (size_t)n->head_dim, hidden = (size_t)n->hidden;
  const size_t group = (size_t)(n->heads / n->kv_heads), heads = (size_t)n->heads;
  for (int i = 0; i < p->s->documents; i++) {
    const size_t start = (size_t)p->s->starts[i];
    for (size_t kv = 0; kv < (size_t)n->kv_heads; kv++) {
      const float *row = l->qkv + start * width;
      n->vec->attend(&(tern_attend){.q = row + kv * group * dim,
                                    .q_token = width,
                                    .q_head = dim,
                                    .out = l->attention + start * hidden + kv * group * dim,
                                    .out_token = hidden,
                                    .out_head = dim,
                                    .heads = (int)group,
                                    .tokens = p->s->starts[i + 1] - (int)start,
                                    .positions = 1,
                                    .head_dim = n->head_dim,
                                    .k = row + (heads + kv) * dim,
                                    .v = row + (heads + (size_t)n->kv_heads + kv) * dim,
                                    .kv_stride = width * sizeof(float),
                                    .type = TERN_KV_F32,
                                    .scale = 1 / sqrtf((float)n->head_dim),
                                    .scratch = d->scores});
    }
  }
}

/* A document of the slice as one KV head sees it. */
typedef struct view {
  const tern_net *n;
  tern_desk *d;
  int tokens;
  size_t padded;           /* tern_desk_row(tokens) */
  const float *k, *v, *q;  /* rows of qkv */
  float *dk, *dv, *dq;     /* rows of dqkv */
  const float *out, *dout; /* rows of [hidden] */
} view;

/* to[j][t] = rows[t][j], zeros past the end. */
static void turn(float *to, const float *rows, size_t stride, int tokens, size_t padded, int dim) {
  for (int j = 0; j < dim; j++) {
    float *line = to + (size_t)j * padded;
    for (int t = 0; t < tokens; t++) line[t] = rows[(size_t)t * stride + (size_t)j];
    memset(line + tokens, 0, (padded - (size_t)tokens) * sizeof *line);
  }
}

/* Queries q0.. of a head. */
static void block_back(const view *w, int q0, int rows) {
  const tern_net *n = w->n;
  tern_desk *d = w->d;
  const size_t width = (size_t)n->qkv, hidden = (size_t)n->hidden, padded = w->padded, at = (size_t)q0;
  const int seen = q0 + rows, whole = (seen + 15) / 16 * 16, dim = n->head_dim;
  const float factor = 1 / sqrtf((float)dim);
  tern_dense t = {.a = w->q + at * width,
                  .a_row = width,
                  .a_col = 1,
                  .b = d->keys,
                  .b_row = padded,
                  .c = d->scores,
                  .c_row = padded,
                  .m = rows,
                  .n = whole,
                  .k = dim,
                  .scratch = d->dense};
  n->grad->dense(&t);
  t.a = w->dout + at * hidden;
  t.a_row = hidden;
  t.b = d->values;
  t.c = d->dscores;
  n->grad->dense(&t);
  for (int r = 0; r < rows; r++) {
    float *score = d->scores + (size_t)r * padded, *dscore = d->dscores + (size_t)r * padded;
    const size_t row = (at + (size_t)r) * hidden;
    const int past = q0 + r + 1;
    const float sum = n->grad->softmax(score, past, whole, factor);
    n->grad->softmax_back(score, dscore, past, 1 / sum, n->vec->dot(w->dout + row, w->out + row, dim), factor);
    memset(dscore + past, 0, (size_t)(whole - past) * sizeof *dscore);
  }
  tern_dense back = {.a = d->dscores,
                     .a_row = padded,
                     .a_col = 1,
                     .b = w->k,
                     .b_row = width,
                     .c = w->dq + at * width,
                     .c_row = width,
                     .m = rows,
                     .n = dim,
                     .k = seen,
                     .scratch = d->dense};
  n->grad->dense(&back);
  back = (tern_dense){.a = d->dscores,
                      .a_row = 1,
                      .a_col = padded,
                      .b = w->q + at * width,
                      .b_row = width,
                      .c = w->dk,
                      .c_row = width,
                      .m = seen,
                      .n = dim,
                      .k = rows,
                      .add = 1,
                      .scratch = d->dense};
  n->grad->dense(&back);
  back.a = d->scores;
  back.b = w->dout + at * hidden;
  back.b_row = hidden;
  back.c = w->dv;
  n->grad->dense(&back);
}

void tern_attention_backward(const tern_train_pass *p, tern_desk *d, const tern_desk_layer *l) {
  const tern_net *n = p->n;
  const size_t width = (size_t)n->qkv, dim = (size_t)n->head_dim, hidden = (size_t)n->hidden;
  const int group = n->heads / n->kv_heads;
  memset(d->dqkv, 0, (size_t)p->s->tokens * width * sizeof(float));
  for (int i = 0; i < p->s->documents; i++) {
    const size_t start = (size_t)p->s->starts[i];
    view w = {.n = n, .d = d, .tokens = p->s->starts[i + 1] - (int)start};
    w.padded = tern_desk_row(w.tokens);
    for (int kv = 0; kv < n->kv_heads; kv++) {
      const size_t k = start * width + (size_t)(n->heads + kv) * dim, v = k + (size_t)n->kv_heads * dim;
      w.k = l->qkv + k;
      w.v = l->qkv + v;
      w.dk = d->dqkv + k;
      w.dv = d->dqkv + v;
      turn(d->keys, w.k, width, w.tokens, w.padded, n->head_dim);
      turn(d->values, w.v, width, w.tokens, w.padded, n->head_dim);
      for (int h = kv * group; h < (kv + 1) * group; h++) {
        w.q = l->qkv + start * width + (size_t)h * dim;
        w.dq = d->dqkv + start * width + (size_t)h * dim;
        w.out = l->attention + start * hidden + (size_t)h * dim;
        w.dout = d->change + start * hidden + (size_t)h * dim;
        for (int q0 = 0; q0 < w.tokens; q0 += TERN_DESK_QUERIES)
          block_back(&w, q0, w.tokens - q0 < TERN_DESK_QUERIES ? w.tokens - q0 : TERN_DESK_QUERIES);
      }
    }
  }
}
