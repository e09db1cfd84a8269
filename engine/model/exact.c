/* Exact choice of a float head at the traffic of an int8 one. An int8
 * copy w' of the head is multiplied with x' = the input as the sum of two int8
 * rows; the real product is bounded by
 *   |w.x - w'.x'| <= |w - w'| |x| + |w'| |x - x'|        (Cauchy-Schwarz)
 * and the float chain of the full head differs from w.x by at most
 * n u / (1 - n u) |w| |x|, u = 2^-24. Rows whose upper bound reaches a threshold
 * are computed by the head's own kernel:
 *   the greatest (and all its ties)   threshold: the greatest lower bound
 *   the k greatest                    the k-th greatest lower bound: k rows are
 *                                     at least that, so the k-th greatest is
 *   within `floor` of the greatest    the greatest lower bound - floor */
#include "engine/model/forward.h"

#include <math.h>

typedef struct bounds {
  double x_norm;
  float per_error; /* factor of |w - w'| */
  float per_norm;  /* factor of max(|w|, |w'|) */
  float scale0, scale1;
} bounds;

/* Splits x into two int8 rows; what is left over is measured, not assumed. */
static bounds split_input(const tern_workspace *s, tern_lane *l) {
  const tern_matrix *m = &s->model->scan.matrix;
  const float *x = l->in.data;
  int n = m->cols, stride = (int)tern_matrix_x_stride(m);
  int8_t *q0 = l->scan_in.data, *q1 = q0 + stride;
  float *scale = l->scan_in.scale;
  double norm = 0, left = 0;
  scale[0] = s->model->vec->quantise(q0, x, n, stride, &l->scan_in.sum[0]);
  for (int i = 0; i < n; i++) {
    norm += (double)x[i] * x[i];
    l->row[i] = (float)(x[i] - (double)q0[i] * scale[0]);
  }
  scale[1] = s->model->vec->quantise(q1, l->row, n, stride, &l->scan_in.sum[1]);
  for (int i = 0; i < n; i++) {
    double d = x[i] - (double)q0[i] * scale[0] - (double)q1[i] * scale[1];
    left += d * d;
  }
  const double up = 1 + 1e-6, chain = 1.01 * n * 0x1p-24;
  double x_norm = sqrt(norm) * up;
  return (bounds){.x_norm = x_norm,
                  .per_error = (float)(x_norm * up),
                  .per_norm = (float)((sqrt(left) * up + chain * x_norm) * up),
                  .scale0 = scale[0],
                  .scale1 = scale[1]};
}

/* The k greatest values seen, the least of them in heap[0]. */
static void keep(float *heap, int *count, int k, float value) {
  int i = 0;
  if (*count < k) {
    for (i = (*count)++; i > 0 && heap[(i - 1) / 2] > value; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
  } else {
    if (!(value > heap[0])) return;
    for (int down; (down = 2 * i + 1) < k; i = down) {
      if (down + 1 < k && heap[down + 1] < heap[down]) down++;
      if (!(heap[down] < value)) break;
      heap[i] = heap[down];
    }
  }
  heap[i] = value;
}

/* Upper bounds of rows [row0, row1) into scan_value; the greatest lower bound
 * and, for k > 1, the k greatest into the lane. The arithmetic here is float:
 * `slack` covers its rounding. */
static void bound_rows(const tern_workspace *s, tern_lane *l, const bounds *b, int k, int row0, int row1) {
  enum { LANES = 16 };
  const tern_scan *scan = &s->model->scan;
  const float *error = scan->error, *norm = scan->norm, *scale = scan->matrix.scale;
  const int stride = scan->matrix.scale_stride;
  const int32_t *sum0 = s->scan_sums, *sum1 = s->scan_sums + scan->matrix.rows;
  float lowest[LANES], own[LANES], best = -INFINITY;
  for (int i = 0; i < LANES; i++) lowest[i] = -INFINITY;
  l->kept_count = 0;
  for (int first = row0; first < row1; first += LANES) {
    int count = row1 - first < LANES ? row1 - first : LANES;
    for (int i = 0; i < count; i++) {
      int r = first + i;
      float coarse = (float)sum0[r] * b->scale0, fine = (float)sum1[r] * b->scale1, w = scale[r * stride];
      float slack = (fabsf(coarse) + fabsf(fine)) * w * 0x1p-19f + 1e-35f;
      float value = (coarse + fine) * w;
      float bound = (error[r] * b->per_error + norm[r] * b->per_norm) * (1 + 0x1p-18f) + slack;
      float lower = value - bound;
      s->scan_value[r] = value + bound;
      own[i] = lower;
      lowest[i] = lower > lowest[i] ? lower : lowest[i];
    }
    for (int i = 0; k > 1 && i < count; i++) keep(l->kept, &l->kept_count, k, own[i]);
  }
  for (int i = 0; i < LANES; i++) best = lowest[i] > best ? lowest[i] : best;
  l->bound = best;
}

/* What a row's upper bound must reach; every member finds the same. */
static float threshold_of(const tern_workspace *s, tern_lane *l, const tern_top *top, int k, int size) {
  float best = -INFINITY;
  for (int i = 0; i < size; i++) best = fmaxf(best, s->lanes[i].bound);
  if (!top) return best;
  float threshold = isfinite(top->floor) ? nextafterf(best - top->floor, -INFINITY) : -INFINITY;
  if (k == 1) return fmaxf(threshold, best);
  if (k == 0) return threshold;
  float *heap = l->kept + TERN_TOP_MOST; /* others read the first half */
  int count = 0;
  for (int i = 0; i < size; i++)
    for (int j = 0; j < s->lanes[i].kept_count; j++) keep(heap, &count, k, s->lanes[i].kept[j]);
  return count == k ? fmaxf(threshold, heap[0]) : threshold;
}

static int count_from(const float *upper, float threshold, int row0, int row1) {
  int count = 0;
  for (int r = row0; r < row1; r++) count += upper[r] >= threshold;
  return count;
}

/* The head's own kernel over whole panels: blocks of rows that its layout
 * reads together anyway. */
static void rescore(const tern_forward *f, tern_lane *l, float threshold, int row0, int row1) {
  const tern_workspace *s = f->s;
  const tern_matrix *head = &s->model->head;
  int block = head->layout->row_block;
  for (int r = row0; r < row1; r += block) {
    int end = r + block < row1 ? r + block : row1;
    if (!count_from(s->scan_value, threshold, r, end)) continue;
    tern_run_rows(&(tern_product){head, f->chosen, (size_t)head->rows, NULL}, &l->in, 1, l->scratch, r, end);
    tern_lane_best(l, f->chosen, r, end);
    l->rescored += end - r;
  }
}

void tern_exact_head(const tern_forward *f, int member, int size) {
  enum { FULL_FROM = 8 }; /* more than 1/8 of the rows left: the full head is no dearer */
  tern_workspace *s = f->s;
  const tern_scan *scan = &s->model->scan;
  tern_lane *l = &s->lanes[member];
  const tern_product sums = {&scan->matrix, NULL, (size_t)scan->matrix.rows, s->scan_sums};
  bounds b = split_input(s, l);
  int lo, hi;
  tern_mark(l, TERN_OP_QUANTISE);
  tern_multiply(s, TERN_OP_HEAD, &sums, 1, &l->scan_in, 2, member, size);
  tern_split(scan->matrix.rows, s->model->head.layout->row_block, member, size, &lo, &hi);
  int k = !f->top ? 1 : f->top->k <= TERN_TOP_MOST ? f->top->k : 0;
  bound_rows(s, l, &b, k, lo, hi);
  for (int r = lo; f->top && r < hi; r++) f->chosen[r] = -INFINITY;
  tern_mark(l, TERN_OP_ARGMAX);
  tern_meet(s, l);
  float threshold = threshold_of(s, l, f->top, k, size);
  l->candidates = count_from(s->scan_value, threshold, lo, hi);
  tern_mark(l, TERN_OP_ARGMAX);
  tern_meet(s, l);
  int64_t left = 0;
  for (int i = 0; i < size; i++) left += s->lanes[i].candidates;
  bool overflows = !(scan->norm_max * b.x_norm < 1e37); /* the bounds themselves would not be finite */
  rescore(f, l, overflows || left * FULL_FROM > scan->matrix.rows ? -INFINITY : threshold, lo, hi);
  tern_mark(l, TERN_OP_HEAD);
}
