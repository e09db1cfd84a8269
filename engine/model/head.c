/* The output head over the rows of a chunk that are wanted: one by the whole
 * team with the exact head if the model has it, many as products of several rows,
 * each of which one member then reads (greatest, log-probability). A row's
 * logits, and what is read from them, don't depend on the rows beside it. */
#include <math.h>
#include <string.h>

#include "engine/model/forward.h"

static bool all_finite(const float *x, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &x[i], sizeof bits);
    bad |= (bits & 0x7f800000) == 0x7f800000;
  }
  return !bad;
}

static float greatest(const float *x, int lo, int hi) {
  enum { LANES = 16 }; /* several maxima at once: the compiler makes vectors of them */
  float lane[LANES], best = -INFINITY;
  int i = lo;
  for (int k = 0; k < LANES; k++) lane[k] = -INFINITY;
  for (; i + LANES <= hi; i += LANES) {
    for (int k = 0; k < LANES; k++) lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
  }
  for (; i < hi; i++) lane[0] = x[i] > lane[0] ? x[i] : lane[0];
  for (int k = 0; k < LANES; k++) best = lane[k] > best ? lane[k] : best;
  return best;
}

void tern_lane_best(tern_lane *l, const float *logits, int row0, int row1) {
  float best = greatest(logits, row0, row1);
  int i = row0;
  if (!all_finite(logits + row0, (size_t)(row1 - row0))) l->bad = true;
  if (l->best_id >= 0 && !(best > l->best)) return;
  while (i < row1 && logits[i] != best) i++;
  if (i == row1) return;
  l->best = best;
  l->best_id = i;
}

/* log of softmax at the greatest logit: the sum runs in double over float exponentials. */
static double log_of_best(const tern_vec *vec, const float *logits, int n, float best) {
  enum { BLOCK = 256 };
  float e[BLOCK];
  double sum = 0;
  for (int at = 0, count; at < n; at += count) {
    count = n - at < BLOCK ? n - at : BLOCK;
    vec->exp_less(e, logits + at, best, count);
    for (int i = 0; i < count; i++) sum += (double)e[i];
  }
  return 0 - tern_log(sum); /* not -0 */
}

static void read_row(const tern_vec *vec, tern_row *r, const float *logits, int n) {
  float best = greatest(logits, 0, n);
  r->bad |= !all_finite(logits, (size_t)n);
  for (r->best = 0; r->best < n - 1 && logits[r->best] != best; r->best++) continue;
  if (r->target < 0 || r->bad) return;
  r->best_logprob = log_of_best(vec, logits, n, best);
  r->logprob = (double)logits[r->target] - (double)best + r->best_logprob;
}

/* The final residual of a token, in the lane. */
static const float *last_residual(const tern_forward *f, tern_lane *l, const float *x, int token, bool *bad) {
  const tern_model *m = f->s->model;
  size_t hidden = (size_t)m->facts.hidden;
  const tern_branch before = tern_ffn_branch(&m->layers[m->facts.layers - 1]);
  float *own = l->x; /* of several tokens any member may want this one: it stays as it is */
  if (f->tokens > 1) memcpy(own, x + (size_t)token * hidden, hidden * sizeof(float));
  tern_add_branch(f, l, own, token, &before);
  *bad |= !all_finite(own, hidden);
  return own;
}

/* Its norm becomes row `slot` of in. */
static bool feed(const tern_forward *f, tern_lane *l, const float *x, const tern_input *in, int slot, int token) {
  const tern_model *m = f->s->model;
  const tern_step steps[2] = {{TERN_NORM_GAIN, m->norms}};
  bool bad = false;
  const float *last = last_residual(f, l, x, token, &bad);
  tern_feed(f, l, in, slot, &m->head, last, steps);
  return !bad;
}

/* Norms of the wanted residuals, each by one member. */
static void states(const tern_forward *f, const float *x, int member, int size) {
  tern_workspace *s = f->s;
  const tern_model_facts *facts = &s->model->facts;
  tern_lane *l = &s->lanes[member];
  int lo, hi;
  tern_split(f->wanted, 1, member, size, &lo, &hi);
  for (int i = lo; i < hi; i++) {
    tern_row *r = &s->wanted[i];
    r->bad = false;
    const float *last = last_residual(f, l, x, r->token, &r->bad);
    s->model->vec->rmsnorm(r->state, last, s->model->norms, facts->hidden, (float)facts->eps);
  }
}

static tern_input rows_from(const tern_input *in, const tern_matrix *m, int row) {
  size_t element = m->layout->kind == TERN_KIND_FLOAT ? sizeof(float) : 1;
  uint8_t *data = in->data;
  size_t at = (size_t)row, blocks = tern_matrix_x_blocks(m);
  return (tern_input){.data = data + at * tern_matrix_x_stride(m) * element,
                      .scale = in->scale + at * blocks,
                      .sum = in->sum + at * blocks};
}

/* How many rows from `first` on go through the head together: as long as their
 * places follow one another, or the workspace has room. */
static int together(const tern_forward *f, int first) {
  const tern_row *r = f->s->wanted;
  size_t vocab = (size_t)f->s->model->facts.vocab;
  int n = 1;
  if (!r[first].to) {
    while (first + n < f->wanted && n < f->s->rows && !r[first + n].to) n++;
  } else {
    while (first + n < f->wanted && r[first + n].to == r[first].to + (size_t)n * vocab) n++;
  }
  return n;
}

static void many_rows(const tern_forward *f, const float *x, int member, int size) {
  tern_workspace *s = f->s;
  const tern_matrix *m = &s->model->head;
  tern_lane *l = &s->lanes[member];
  size_t vocab = (size_t)m->rows;
  int lo, hi;
  tern_split(f->wanted, 1, member, size, &lo, &hi);
  for (int i = lo; i < hi; i++) s->wanted[i].bad = !feed(f, l, x, &s->in, i, s->wanted[i].token);
  tern_meet(s, l);
  for (int first = 0, n; first < f->wanted; first += n) {
    float *y = s->wanted[first].to ? s->wanted[first].to : s->logits;
    tern_input in = rows_from(&s->in, m, first);
    n = together(f, first);
    tern_multiply(s, TERN_OP_HEAD, &(tern_product){m, y, vocab, NULL}, 1, &in, n, member, size);
    for (int i = member; i < n; i += size)
      read_row(s->model->vec, &s->wanted[first + i], y + (size_t)i * vocab, m->rows);
    tern_mark(l, TERN_OP_ARGMAX);
    if (first + n < f->wanted) tern_meet(s, l);
  }
}

/* A single row: every member feeds it for itself and reads its share of the vocabulary. */
static void one_row(const tern_forward *f, const float *x, int member, int size) {
  tern_workspace *s = f->s;
  const tern_matrix *m = &s->model->head;
  const tern_row *r = s->wanted;
  tern_lane *l = &s->lanes[member];
  float *y = r->to ? r->to : s->logits;
  int lo, hi;
  if (!feed(f, l, x, &l->in, 0, r->token)) l->bad = true;
  if (f->chosen) {
    tern_exact_head(f, member, size);
    return;
  }
  tern_multiply(s, TERN_OP_HEAD, &(tern_product){m, y, (size_t)m->rows, NULL}, 1, &l->in, 1, member, size);
  tern_split(m->rows, 16, member, size, &lo, &hi);
  tern_lane_best(l, y, lo, hi);
  l->rescored = hi - lo;
  tern_mark(l, TERN_OP_ARGMAX);
}

void tern_head_rows(const tern_forward *f, const float *x, int member, int size) {
  if (f->s->wanted->state)
    states(f, x, member, size);
  else if (f->wanted == 1 && f->s->wanted->target < 0)
    one_row(f, x, member, size);
  else
    many_rows(f, x, member, size);
}
