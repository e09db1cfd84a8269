/* Compute peak by a matrix that fits the second-level cache, times a batch. */
#include "harness/peak.h"

#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"

enum { ROWS = 192, COLS = 768, TOKENS = 64 };
static const double PROBE_S = 0.03;

static size_t padded(int n, int unit) {
  return (size_t)((n + unit - 1) / unit * unit);
}

int tern_peak_measure(const char *layout_name, tern_isa cap, const tern_kernel **kernel, double *gops, tern_error *e) {
  const tern_layout *layout = tern_layout_find(layout_name);
  const tern_kernel *k = layout ? tern_kernel_find(layout, cap) : NULL;
  if (!k) return tern_fail(e, TERN_FAILED, "layout %s: no kernel", layout_name);
  /* Strides whole cache lines for bytes and floats alike. */
  size_t stride = padded(COLS, layout->col_block > 64 ? layout->col_block : 64);
  size_t element = layout->kind == TERN_KIND_FLOAT ? sizeof(float) : sizeof(int8_t);
  size_t sizes[] = {
      layout->bytes(ROWS, COLS), TOKENS * stride * element, TOKENS * ROWS * sizeof(float), k->scratch,
      ROWS * sizeof(float),      TOKENS * sizeof(float),    TOKENS * sizeof(int32_t),      ROWS * COLS * element};
  enum { WEIGHTS, X, Y, SCRATCH, W_SCALE, X_SCALE, X_SUM, CANONICAL, PARTS };
  void *part[PARTS] = {NULL};
  for (int i = 0; i < PARTS; i++)
    if (!(part[i] = tern_alloc(sizes[i] + 64, "compute probe", e))) goto out;
  layout->pack(part[WEIGHTS], ROWS, COLS, 0, ROWS, part[CANONICAL]);
  tern_gemm g = {.weights = part[WEIGHTS],
                 .rows = ROWS,
                 .cols = COLS,
                 .w_scale = part[W_SCALE],
                 .w_scale_stride = 1,
                 .x = part[X],
                 .x_stride = stride,
                 .x_scale = part[X_SCALE],
                 .x_sum = part[X_SUM],
                 .tokens = TOKENS,
                 .y = part[Y],
                 .y_stride = ROWS,
                 .scratch = part[SCRATCH]};
  double best = 0;
  for (double begin = tern_now(), now = begin; now - begin < PROBE_S;) {
    double start = tern_now();
    k->run(&g, 0, ROWS);
    now = tern_now();
    double rate = 2.0 * ROWS * COLS * TOKENS / (now - start) * 1e-9;
    if (rate > best) best = rate;
  }
  *kernel = k;
  *gops = best;
out:
  for (int i = 0; i < PARTS; i++) tern_free(part[i], sizes[i] + 64);
  return (int)e->status;
}
