/* The ends of the model: embedding, final norm, tied head, cross entropy. Only
 * tokens whose weight is not zero meet the head. */
#include <string.h>

#include "engine/train/desk.h"

static tern_dense product(const tern_desk *d, const float *a, size_t a_row, size_t a_col, const float *b, size_t b_row,
                          float *c) {
  return (tern_dense){.a = a, .a_row = a_row, .a_col = a_col, .b = b, .b_row = b_row, .c = c, .scratch = d->dense};
}

/* Tokens scored[first..first+m-1]; their normed residuals are in desk->wide. */
static void score(tern_train_pass *p, tern_desk *d, int first, int m) {
  const tern_net *n = p->n;
  const size_t hidden = (size_t)n->hidden, vocab = (size_t)n->vocab, stride = d->logits_stride;
  float *x = d->wide + (size_t)first * hidden, *dx = d->change + (size_t)first * hidden;
  tern_dense t = product(d, x, hidden, 1, n->turned_table, vocab, d->logits);
  t.c_row = stride;
  t.m = m;
  t.n = n->vocab;
  t.k = n->hidden;
  n->grad->dense(&t);
  for (int i = 0; i < m; i++)
    tern_trace(p, d->logits + (size_t)i * stride, vocab, -1, "the logits (token_embd or output_norm)");
  for (int i = 0; i < m; i++) {
    const int token = d->scored[first + i];
    const float weight = p->s->weights[token];
    const double h = n->grad->entropy(d->logits + (size_t)i * stride, n->vocab, p->s->targets[token], weight);
    p->loss += (double)weight * h;
    if (p->entropies) p->entropies[token] = h;
  }
  if (!p->grads) return;
  if (n->rank == 0) {
    t = product(d, d->logits, 1, stride, x, hidden, p->grads + n->embedding);
    t.c_row = hidden;
    t.m = n->vocab;
    t.n = n->hidden;
    t.k = m;
    t.add = 1;
    n->grad->dense(&t);
  }
  t = product(d, d->logits, stride, 1, n->table, hidden, dx);
  t.c_row = hidden;
  t.m = m;
  t.n = n->hidden;
  t.k = n->vocab;
  n->grad->dense(&t);
}

void tern_head_pass(tern_train_pass *p, tern_desk *d) {
  const tern_net *n = p->n;
  const size_t hidden = (size_t)n->hidden;
  const float *gain = n->w + n->last_gain;
  int count = 0;
  for (int t = 0; t < p->s->tokens; t++) {
    if (p->s->weights[t] == 0) continue;
    n->vec->rmsnorm(d->wide + (size_t)count * hidden, d->x + (size_t)t * hidden, gain, n->hidden, n->norm_eps);
    d->scored[count++] = t;
  }
  for (int i = 0; i < count; i += TERN_DESK_HEAD)
    score(p, d, i, count - i < TERN_DESK_HEAD ? count - i : TERN_DESK_HEAD);
  if (!p->grads) return;
  memset(d->dx, 0, (size_t)p->s->tokens * hidden * sizeof(float));
  for (int i = 0; i < count; i++) {
    const size_t at = (size_t)d->scored[i] * hidden;
    n->grad->rmsnorm_back(d->dx + at, p->grads + n->last_gain, d->x + at, gain, d->change + (size_t)i * hidden,
                          n->hidden, n->norm_eps);
  }
}

/* Gains and the embedding are added to, so they start at zero (those of a frozen
 * base are not read); matrices and adapters are written. */
static void clear(const tern_train_pass *p) {
  for (int i = 0; i < p->n->param_count; i++) {
    const tern_param *q = &p->n->params[i];
    if (!q->matrix && !q->part) memset(p->grads + q->at, 0, (size_t)q->rows * (size_t)q->cols * sizeof(float));
  }
}

void tern_pass_run(tern_train_pass *p, tern_desk *d) {
  const tern_net *n = p->n;
  const size_t hidden = (size_t)n->hidden;
  p->loss = 0;
  if (p->s->tokens == 0) {
    if (p->grads) memset(p->grads, 0, n->size * sizeof(float));
    return;
  }
  if (p->grads) clear(p);
  for (int t = 0; t < p->s->tokens; t++)
    memcpy(d->x + (size_t)t * hidden, n->table + (size_t)p->s->ids[t] * hidden, hidden * sizeof(float));
  for (int i = 0; i < n->layers; i++) tern_layer_forward(p, d, i);
  tern_head_pass(p, d);
  if (!p->grads) return;
  for (int i = n->layers - 1; i >= 0; i--) tern_layer_backward(p, d, i);
  for (int t = 0; n->rank == 0 && t < p->s->tokens; t++)
    n->vec->add(p->grads + n->embedding + (size_t)p->s->ids[t] * hidden, d->dx + (size_t)t * hidden, n->hidden);
}
