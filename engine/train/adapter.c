/* Adapters (LoRA, arXiv 2106.09685) beside frozen matrices: y += scale * B (A x),
 * forward, backward and merged. A matrix that has B = 0 computes as without. */
#include "engine/train/desk.h"

/* B is turned as it is, A times the scale: the product then has it once. */
void tern_adapter_prepare(const tern_net *n, int param) {
  const tern_param *p = &n->params[param];
  const float scale = p->part == 'a' ? n->lora_scale : 1, *from = n->w + p->at;
  float *to = n->turned_lora + (p->at - n->base_size);
  for (int r = 0; r < p->rows; r++) {
    for (int c = 0; c < p->cols; c++)
      to[(size_t)c * (size_t)p->rows + (size_t)r] = scale * from[(size_t)r * (size_t)p->cols + (size_t)c];
  }
}

static const float *turned(const tern_net *n, int param) {
  return n->turned_lora + (n->params[param].at - n->base_size);
}

/* desk->low = scale * A x. */
static void lower(const tern_train_pass *p, tern_desk *d, const tern_param *matrix, const float *x) {
  const tern_net *n = p->n;
  n->grad->dense(&(tern_dense){.a = x,
                               .a_row = (size_t)matrix->cols,
                               .a_col = 1,
                               .b = turned(n, matrix->adapter),
                               .b_row = (size_t)n->rank,
                               .c = d->low,
                               .c_row = (size_t)n->rank,
                               .m = p->s->tokens,
                               .n = n->rank,
                               .k = matrix->cols,
                               .scratch = d->dense});
}

void tern_adapters_forward(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const float *x,
                           float *y) {
  const tern_net *n = p->n;
  for (int i = 0; i < l->parts; i++) {
    const tern_param *matrix = &n->params[l->first + i];
    if (matrix->adapter) {
      lower(p, d, matrix, x);
      n->grad->dense(&(tern_dense){.a = d->low,
                                   .a_row = (size_t)n->rank,
                                   .a_col = 1,
                                   .b = turned(n, matrix->adapter + 1),
                                   .b_row = (size_t)matrix->rows,
                                   .c = y,
                                   .c_row = (size_t)l->rows,
                                   .m = p->s->tokens,
                                   .n = matrix->rows,
                                   .k = n->rank,
                                   .add = 1,
                                   .scratch = d->dense});
    }
    y += matrix->rows;
  }
}

/* Gradients of one matrix's A and B; dy: its first column of [tokens][dy_row]. */
static void learn(const tern_train_pass *p, tern_desk *d, const tern_param *matrix, const float *x, const float *dy,
                  size_t dy_row) {
  const tern_net *n = p->n;
  const tern_param *a = &n->params[matrix->adapter], *b = a + 1;
  const int tokens = p->s->tokens;
  const size_t rank = (size_t)n->rank, cols = (size_t)matrix->cols;
  lower(p, d, matrix, x);
  tern_dense step = {.a = dy, .a_row = 1, .a_col = dy_row, .b = d->low, .b_row = rank, .scratch = d->dense};
  step.c = p->grads + b->at; /* dB = dy' (scale A x) */
  step.c_row = rank;
  step.m = matrix->rows;
  step.n = n->rank;
  step.k = tokens;
  n->grad->dense(&step);
  step = (tern_dense){.a = dy, .a_row = dy_row, .a_col = 1, .b = n->w + b->at, .b_row = rank, .scratch = d->dense};
  step.c = d->dlow; /* scale * dy B */
  step.c_row = rank;
  step.m = tokens;
  step.n = n->rank;
  step.k = matrix->rows;
  n->grad->dense(&step);
  for (size_t i = 0; i < (size_t)tokens * rank; i++) d->dlow[i] *= n->lora_scale;
  step = (tern_dense){.a = d->dlow, .a_row = 1, .a_col = rank, .b = x, .b_row = cols, .scratch = d->dense};
  step.c = p->grads + a->at; /* dA = dlow' x */
  step.c_row = cols;
  step.m = n->rank;
  step.n = matrix->cols;
  step.k = tokens;
  n->grad->dense(&step);
}

void tern_adapters_backward(const tern_train_pass *p, tern_desk *d, const tern_train_linear *l, const float *x,
                            const float *dy) {
  const tern_net *n = p->n;
  for (int i = 0; i < l->parts; i++) {
    const tern_param *matrix = &n->params[l->first + i];
    if (matrix->adapter) {
      learn(p, d, matrix, x, dy, (size_t)l->rows);
      n->grad->dense(&(tern_dense){.a = d->dlow,
                                   .a_row = (size_t)n->rank,
                                   .a_col = 1,
                                   .b = n->w + n->params[matrix->adapter].at,
                                   .b_row = (size_t)l->cols,
                                   .c = d->change,
                                   .c_row = (size_t)l->cols,
                                   .m = p->s->tokens,
                                   .n = l->cols,
                                   .k = n->rank,
                                   .add = 1,
                                   .scratch = d->dense});
    }
    dy += matrix->rows;
  }
}

void tern_adapter_add(const tern_net *n, const tern_param *matrix, float *values) {
  if (!matrix->adapter) return;
  const size_t rank = (size_t)n->rank, cols = (size_t)matrix->cols;
  const float *a = n->w + n->params[matrix->adapter].at, *b = n->w + n->params[matrix->adapter + 1].at;
  for (size_t r = 0; r < (size_t)matrix->rows; r++) {
    for (size_t k = 0; k < rank; k++)
      n->grad->add_scaled(values + r * cols, a + k * cols, n->lora_scale * b[r * rank + k], matrix->cols);
  }
}
