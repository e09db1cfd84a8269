/* The proof of a conversion: both files opened, every tensor compared row by
 * row in canonical form. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/format/convert.h"
#include "engine/format/convert_rows.h"

typedef struct comparison {
  const tern_gguf *in, *out;
  const tern_convert_params *p;
  tern_i2s order_in, order_out;
  tern_team *team;
  tern_convert_line *lines;
  int count;
} comparison;

static tern_convert_line *line_of(comparison *k, const tern_gguf_tensor *a, const tern_gguf_tensor *b, bool ternary) {
  char kind[sizeof k->lines->kind];
  tern_tensor_kind(a, kind, sizeof kind);
  for (int i = 0; i < k->count; i++) {
    if (strcmp(k->lines[i].kind, kind) == 0) return &k->lines[i];
  }
  tern_convert_line *l = &k->lines[k->count++]; /* room for one a tensor */
  *l = (tern_convert_line){.from = a->type->name, .to = b->type->name, .ternary = ternary};
  memcpy(l->kind, kind, sizeof kind);
  return l;
}

/* The same bytes, where both lie as GGUF has them: nothing to decode. */
static bool same_bytes(comparison *k, const tern_gguf_tensor *a, const tern_gguf_tensor *b) {
  bool stored = tern_dtype_by_id(a->type->id) == a->type && k->order_in == k->order_out;
  if (!stored || a->type != b->type || a->bytes != b->bytes || memcmp(a->data, b->data, a->bytes) != 0) return false;
  tern_convert_line *l = line_of(k, a, b, a->type->ternary);
  l->tensors++;
  l->weights += (double)tern_tensor_rows(a) * (double)a->shape[0];
  return true;
}

static int compare_codes(comparison *k, const tern_gguf_tensor *a, const tern_gguf_tensor *b, tern_error *e) {
  tern_coded x = {0}, y = {0};
  int rc = tern_coded_read(&x, k->in, a, k->order_in, k->p->absmean, k->team, e);
  if (!rc) rc = tern_coded_read(&y, k->out, b, k->order_out, false, k->team, e);
  if (!rc) {
    tern_convert_line *l = line_of(k, a, b, true);
    size_t n = (size_t)x.rows * (size_t)x.cols;
    l->tensors++;
    l->weights += (double)n;
    for (size_t i = 0; i < n; i++) l->codes_changed += x.codes[i] != y.codes[i];
    for (int i = 0; i < x.rows; i++) {
      if (x.scales[i] == y.scales[i]) continue;
      l->scales_changed++;
      l->worst = fmax(l->worst, fabs((double)y.scales[i] / (double)x.scales[i] - 1));
    }
  }
  tern_coded_free(&x);
  tern_coded_free(&y);
  return rc;
}

static int compare_values(comparison *k, const tern_gguf_tensor *a, const tern_gguf_tensor *b, tern_error *e) {
  int rows = tern_tensor_rows(a), cols = (int)a->shape[0], rc = 0;
  size_t size = (size_t)cols * sizeof(float);
  float *x = tern_alloc(size, "a row", e), *y = x ? tern_alloc(size, "a row", e) : NULL;
  tern_convert_line *l = line_of(k, a, b, false);
  l->tensors++;
  l->weights += (double)rows * cols;
  for (int r = 0; r < rows && y && !rc; r++) {
    float most = 0, change = 0;
    a->type->row_floats(a->data, rows, cols, r, k->order_in, x);
    b->type->row_floats(b->data, rows, cols, r, k->order_out, y);
    for (int i = 0; i < cols; i++) {
      l->codes_changed += memcmp(&x[i], &y[i], sizeof *x) != 0 && !(x[i] == 0 && y[i] == 0);
      most = fmaxf(most, fabsf(x[i]));
      change = fmaxf(change, fabsf(y[i] - x[i]));
    }
    if (change > 0) l->worst = fmax(l->worst, (double)change / (double)most);
    if (r % 64 == 0) rc = tern_interrupt_check(e);
  }
  if (!y) rc = TERN_FAILED;
  tern_free(x, size);
  tern_free(y, size);
  return rc;
}

int tern_convert_verify(const tern_gguf *in, const tern_gguf *out, const tern_convert_params *p,
                        tern_convert_line **lines, int *count, tern_error *e) {
  int n = tern_gguf_tensor_count(in), rc = 0;
  comparison k = {.in = in,
                  .out = out,
                  .p = p,
                  .order_in = p->i2s ? p->i2s : tern_gguf_i2s_order(in),
                  .order_out = tern_gguf_i2s_order(out)};
  *lines = NULL;
  if (tern_gguf_tensor_count(out) != n) {
    return tern_fail(e, TERN_FAILED, "%s: %d tensors of %d came through", tern_gguf_name(out),
                     tern_gguf_tensor_count(out), n);
  }
  k.lines = calloc((size_t)n + 1, sizeof *k.lines);
  if (!k.lines) return tern_fail(e, TERN_FAILED, "%s: out of memory", tern_gguf_name(out));
  rc = tern_team_open(&k.team, 1, NULL, e);
  for (int i = 0; i < n && !rc; i++) {
    const tern_gguf_tensor *a = tern_gguf_tensor_at(in, i), *b = tern_gguf_tensor_find(out, a->name);
    if (!b || memcmp(a->shape, b->shape, sizeof a->shape) != 0) {
      rc = tern_fail(e, TERN_FAILED, "%s: tensor %s is missing or has another shape", tern_gguf_name(out), a->name);
    } else {
      if (!same_bytes(&k, a, b)) rc = b->type->ternary ? compare_codes(&k, a, b, e) : compare_values(&k, a, b, e);
      tern_gguf_tensor_done(in, a);
      tern_gguf_tensor_done(out, b);
    }
  }
  tern_team_close(k.team);
  if (rc) {
    free(k.lines);
    return rc;
  }
  *lines = k.lines;
  *count = k.count;
  return 0;
}
