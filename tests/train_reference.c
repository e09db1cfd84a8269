/* Loops over everything; no sharing, no blocks. */
#include "tests/train_reference.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static double *doubles(size_t n) {
  double *x = calloc(n, sizeof *x);
  if (!x) abort();
  return x;
}

static double weight(const reference *r, size_t at) {
  return r->weights[at] + r->weight_shift[at];
}

static void norm(const reference *r, double *y, const double *x, size_t gain, int n) {
  double squares = 0;
  for (int i = 0; i < n; i++) squares += x[i] * x[i];
  const double scale = 1 / sqrt(squares / n + (double)r->net->norm_eps);
  for (int i = 0; i < n; i++) y[i] = x[i] * scale * weight(r, gain + (size_t)i);
}

/* Adds the offsets of a linear layer's input, or with `find` makes them. */
static void shift(const reference *r, int place, double *x, int tokens, int cols, bool find) {
  double *offset = r->input_shift[place];
  for (int t = 0; t < tokens; t++, x += cols, offset += cols) {
    double most = 1e-5;
    for (int c = 0; c < cols; c++) most = fabs(x[c]) > most ? fabs(x[c]) : most;
    for (int c = 0; c < cols; c++) {
      if (find && r->net->ternary) offset[c] = rint(x[c] * 127 / most) * most / 127 - x[c];
      x[c] += offset[c];
    }
  }
}

/* Adds to one part of a linear layer's output what its adapters make. */
static void adapt(const reference *r, const tern_param *q, double *y, size_t y_row, const double *x, int tokens) {
  const tern_net *n = r->net;
  const size_t rank = (size_t)n->rank, cols = (size_t)q->cols, rows = (size_t)q->rows;
  const size_t a = n->params[q->adapter].at, b = n->params[q->adapter + 1].at;
  for (size_t t = 0; t < (size_t)tokens; t++) {
    for (size_t k = 0; k < rank; k++) {
      double low = 0;
      for (size_t c = 0; c < cols; c++) low += weight(r, a + k * cols + c) * x[t * cols + c];
      for (size_t row = 0; row < rows; row++)
        y[t * y_row + row] += (double)n->lora_scale * weight(r, b + row * rank + k) * low;
    }
  }
}

static void multiply(const reference *r, const tern_train_linear *l, double *y, const double *x, int tokens) {
  const size_t first = r->net->params[l->first].at;
  for (int t = 0; t < tokens; t++) {
    for (int row = 0; row < l->rows; row++) {
      double sum = 0;
      for (int c = 0; c < l->cols; c++)
        sum +=
            weight(r, first + (size_t)row * (size_t)l->cols + (size_t)c) * x[(size_t)t * (size_t)l->cols + (size_t)c];
      y[(size_t)t * (size_t)l->rows + (size_t)row] = sum;
    }
  }
  for (int i = 0, row = 0; i < l->parts; row += r->net->params[l->first + i++].rows) {
    const tern_param *q = &r->net->params[l->first + i];
    if (q->adapter) adapt(r, q, y + row, (size_t)l->rows, x, tokens);
  }
}

static void rotate(const tern_net *n, double *x, int position, double theta) {
  const int half = n->head_dim / 2;
  for (int i = 0; i < half; i++) {
    const double angle = position * pow(theta, -2.0 * i / n->head_dim), a = x[i], b = x[i + half];
    x[i] = a * cos(angle) - b * sin(angle);
    x[i + half] = a * sin(angle) + b * cos(angle);
  }
}

static void attend(const tern_net *n, const double *qkv, double *out, int t, int first, int head) {
  const int group = n->heads / n->kv_heads, dim = n->head_dim;
  const size_t width = (size_t)n->qkv, kv = (size_t)(n->heads + head / group) * (size_t)dim;
  const double *q = qkv + (size_t)t * width + (size_t)head * (size_t)dim;
  double total = 0;
  for (int d = 0; d < dim; d++) out[d] = 0;
  for (int s = first; s <= t; s++) {
    const double *k = qkv + (size_t)s * width + kv, *v = k + (size_t)(n->kv_heads * dim);
    double dot = 0;
    for (int d = 0; d < dim; d++) dot += q[d] * k[d];
    const double share = exp(dot / sqrt(dim));
    total += share;
    for (int d = 0; d < dim; d++) out[d] += share * v[d];
  }
  for (int d = 0; d < dim; d++) out[d] /= total;
}

static void mix(const reference *r, double *qkv, double *out) {
  const tern_net *n = r->net;
  for (int i = 0; i < r->slice->documents; i++) {
    const int first = r->slice->starts[i];
    for (int t = first; t < r->slice->starts[i + 1]; t++) {
      for (int h = 0; h < n->heads + n->kv_heads; h++)
        rotate(n, qkv + (size_t)t * (size_t)n->qkv + (size_t)h * (size_t)n->head_dim, t - first, 10000);
      for (int h = 0; h < n->heads; h++)
        attend(n, qkv, out + (size_t)t * (size_t)n->hidden + (size_t)h * (size_t)n->head_dim, t, first, h);
    }
  }
}

static double activate(const tern_net *n, double gate, double up) {
  if (n->relu2) return gate > 0 ? gate * gate * up : 0;
  return gate / (1 + exp(-gate)) * up;
}

typedef struct room {
  double *normed, *wide, *branch;
} room;

static void layer(const reference *r, int i, double *x, const room *m, bool find) {
  const tern_net *n = r->net;
  const tern_train_layer *w = &n->layer[i];
  const int tokens = r->slice->tokens, place = i * TERN_TRAIN_LINEARS;
  const size_t hidden = (size_t)n->hidden, ffn = (size_t)n->ffn, T = (size_t)tokens;
  for (size_t t = 0; t < T; t++)
    norm(r, m->normed + t * hidden, x + t * hidden, w->gain[TERN_TRAIN_ATTN_NORM], n->hidden);
  shift(r, place + TERN_TRAIN_QKV, m->normed, tokens, n->hidden, find);
  multiply(r, &w->linear[TERN_TRAIN_QKV], m->wide, m->normed, tokens);
  mix(r, m->wide, m->branch);
  for (size_t t = 0; t < T; t++)
    norm(r, m->normed + t * hidden, m->branch + t * hidden, w->gain[TERN_TRAIN_ATTN_SUB], n->hidden);
  shift(r, place + TERN_TRAIN_O, m->normed, tokens, n->hidden, find);
  multiply(r, &w->linear[TERN_TRAIN_O], m->branch, m->normed, tokens);
  for (size_t k = 0; k < T * hidden; k++) x[k] += m->branch[k];
  for (size_t t = 0; t < T; t++)
    norm(r, m->normed + t * hidden, x + t * hidden, w->gain[TERN_TRAIN_FFN_NORM], n->hidden);
  shift(r, place + TERN_TRAIN_GATE_UP, m->normed, tokens, n->hidden, find);
  multiply(r, &w->linear[TERN_TRAIN_GATE_UP], m->wide, m->normed, tokens);
  for (size_t t = 0; t < T; t++) {
    double *row = m->wide + t * 2 * ffn;
    for (size_t k = 0; k < ffn; k++) row[k] = activate(n, row[k], row[ffn + k]);
    norm(r, m->normed + t * ffn, row, w->gain[TERN_TRAIN_FFN_SUB], n->ffn);
  }
  shift(r, place + TERN_TRAIN_DOWN, m->normed, tokens, n->ffn, find);
  multiply(r, &w->linear[TERN_TRAIN_DOWN], m->branch, m->normed, tokens);
  for (size_t k = 0; k < T * hidden; k++) x[k] += m->branch[k];
}

static double entropy(const reference *r, const double *x, int target) {
  const tern_net *n = r->net;
  double total = 0, own = 0;
  for (int v = 0; v < n->vocab; v++) {
    double logit = 0;
    for (int c = 0; c < n->hidden; c++)
      logit += weight(r, n->embedding + (size_t)v * (size_t)n->hidden + (size_t)c) * x[c];
    total += exp(logit);
    if (v == target) own = logit;
  }
  return log(total) - own;
}

static double run(const reference *r, bool find) {
  const tern_net *n = r->net;
  const size_t tokens = (size_t)r->slice->tokens, hidden = (size_t)n->hidden;
  const size_t widest = (size_t)(n->qkv > 2 * n->ffn ? n->qkv : 2 * n->ffn);
  const room m = {doubles(tokens * widest), doubles(tokens * widest), doubles(tokens * hidden)};
  double *x = doubles(tokens * hidden), loss = 0;
  for (size_t t = 0; t < tokens; t++) {
    for (size_t c = 0; c < hidden; c++)
      x[t * hidden + c] = weight(r, n->embedding + (size_t)r->slice->ids[t] * hidden + c);
  }
  for (int i = 0; i < n->layers; i++) layer(r, i, x, &m, find);
  for (size_t t = 0; t < tokens; t++) {
    if (r->slice->weights[t] == 0) continue;
    norm(r, m.normed, x + t * hidden, n->last_gain, n->hidden);
    loss += (double)r->slice->weights[t] * entropy(r, m.normed, r->slice->targets[t]);
  }
  free(m.normed), free(m.wide), free(m.branch), free(x);
  return loss;
}

void reference_open(reference *r, const tern_net *n, const tern_train_slice *slice) {
  *r = (reference){.net = n, .slice = slice, .weights = doubles(n->size), .weight_shift = doubles(n->size)};
  r->input_shift = calloc((size_t)n->layers * TERN_TRAIN_LINEARS, sizeof *r->input_shift);
  if (!r->input_shift) abort();
  for (size_t i = 0; i < n->size; i++) r->weights[i] = (double)n->w[i];
  for (int p = 0; p < n->param_count; p++) {
    const tern_param *q = &n->params[p];
    const float *used = q->at == n->embedding ? n->table : q->matrix && n->values ? n->values + q->at : n->w + q->at;
    for (size_t i = 0; i < (size_t)q->rows * (size_t)q->cols; i++)
      r->weight_shift[q->at + i] = (double)used[i] - (double)n->w[q->at + i];
  }
  for (int i = 0; i < n->layers * TERN_TRAIN_LINEARS; i++)
    r->input_shift[i] =
        doubles((size_t)slice->tokens * (size_t)n->layer[i / TERN_TRAIN_LINEARS].linear[i % TERN_TRAIN_LINEARS].cols);
  run(r, true);
}

double reference_loss(const reference *r) {
  return run(r, false);
}

void reference_close(reference *r) {
  for (int i = 0; i < r->net->layers * TERN_TRAIN_LINEARS; i++) free(r->input_shift[i]);
  free(r->input_shift);
  free(r->weights);
  free(r->weight_shift);
}
