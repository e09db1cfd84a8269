/* What the forward pass makes of the weights, once a step: ternary codes and
 * scales (absmean, arXiv 2402.17764) in the inference kernels' layout, or
 * rounded and turned floats; the embedding rounded to f16 as a file holds it. */
#include "engine/train/model.h"

/* Scales are f16 numbers and so the same in every ternary file type. One weight
 * that is not a number makes the scale none, and so the loss. */
static float absmean(const tern_net *n, const tern_param *p) {
  double sum = 0;
  for (int r = 0; r < p->rows; r++)
    sum += (double)n->grad->sum_abs(n->w + p->at + (size_t)r * (size_t)p->cols, p->cols);
  const double mean = sum / ((double)p->rows * p->cols);
  return tern_f32_from_f16(tern_f16_from_f32(mean < 1e-5 ? 1e-5f : (float)mean));
}

static void prepare_ternary(const tern_net *n, const tern_train_linear *l) {
  int row = 0;
  for (int i = 0; i < l->parts; i++) {
    const tern_param *p = &n->params[l->first + i];
    const float scale = absmean(n, p);
    for (int r = 0; r < p->rows; r++, row++) {
      const size_t from = p->at + (size_t)r * (size_t)p->cols;
      n->grad->ternary(l->codes + (size_t)row * (size_t)l->cols, n->values + from, n->w + from, 1 / scale, scale,
                       p->cols);
      l->scale[row] = scale;
    }
  }
  tern_layout_t2.pack(l->packed, l->rows, l->cols, 0, l->rows, l->codes);
}

static void round_row(const tern_net *n, float *to, const float *from, int count) {
  uint16_t half[256];
  for (int i = 0; i < count; i += 256) {
    const size_t part = count - i < 256 ? (size_t)(count - i) : 256;
    n->vec->f32_to_f16(half, from + i, part);
    n->vec->f16_to_f32(to + i, half, part);
  }
}

/* to[c][r] = from[r][c], by squares that stay in cache. */
static void turn(float *to, const float *from, int rows, int cols) {
  enum { SQUARE = 16 };
  for (int r0 = 0; r0 < rows; r0 += SQUARE) {
    const int r1 = rows - r0 < SQUARE ? rows : r0 + SQUARE;
    for (int c = 0; c < cols; c++) {
      for (int r = r0; r < r1; r++)
        to[(size_t)c * (size_t)rows + (size_t)r] = from[(size_t)r * (size_t)cols + (size_t)c];
    }
  }
}

static void prepare_floats(const tern_net *n, const tern_train_linear *l) {
  const size_t at = n->params[l->first].at;
  for (int r = 0; n->round_f16 && r < l->rows; r++) {
    const size_t from = at + (size_t)r * (size_t)l->cols;
    round_row(n, n->values + from, n->w + from, l->cols);
  }
  turn(l->turned, l->values, l->rows, l->cols);
}

static void prepare_table(const tern_net *n) {
  const size_t hidden = (size_t)n->hidden;
  for (size_t r = 0; r < (size_t)n->vocab; r++)
    round_row(n, n->table + r * hidden, n->w + n->embedding + r * hidden, n->hidden);
  turn(n->turned_table, n->table, n->vocab, n->hidden);
}

/* Largest first, so that members end together. */
void tern_net_prepare(tern_net *n, atomic_int *next) {
  static const tern_train_linear_place order[] = {TERN_TRAIN_GATE_UP, TERN_TRAIN_DOWN, TERN_TRAIN_QKV, TERN_TRAIN_O};
  const int linears = 1 + n->layers * TERN_TRAIN_LINEARS, count = linears + n->param_count - n->base_count;
  for (int i = atomic_fetch_add(next, 1); i < count; i = atomic_fetch_add(next, 1)) {
    if (i == 0) {
      prepare_table(n);
      continue;
    }
    if (i >= linears) {
      tern_adapter_prepare(n, n->base_count + i - linears);
      continue;
    }
    const tern_train_linear *l = &n->layer[(i - 1) % n->layers].linear[order[(i - 1) / n->layers]];
    if (n->ternary)
      prepare_ternary(n, l);
    else
      prepare_floats(n, l);
  }
}
