/* Runs every t2, t5 and q8 kernel that this processor has once for each batch,
 * between the marks of marks.h, and names it before: with plugin.c the lines
 * read "kernel rows columns tokens instructions". Weights and activations are
 * zeros: no kernel branches on them. Arguments: rows columns tokens... */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/kernel.h"
#include "marks.h"

enum { MOST_TOKENS = 512, ALIGN = 64 };

static void *zeroed(size_t bytes) {
  const size_t whole = (bytes / ALIGN + 1) * ALIGN;
  void *p = aligned_alloc(ALIGN, whole);
  if (!p) {
    fprintf(stderr, "count_instructions: no memory\n");
    exit(1);
  }
  return memset(p, 0, whole);
}

static void count(const tern_kernel *k, const tern_gemm *shape, int tokens) {
  tern_gemm g = *shape;
  g.tokens = tokens;
  g.scratch = zeroed(k->scratch);
  printf("%s %d %d %d ", k->name, g.rows, g.cols, tokens);
  fflush(stdout);
  MARK(MARK_OPEN);
  k->run(&g, 0, g.rows);
  MARK(MARK_CLOSE);
  free(g.scratch);
}

static void count_layout(const tern_layout *layout, int rows, int cols, const int *tokens, int batches) {
  static const float w_scale = 1, x_scale[MOST_TOKENS];
  static const int32_t x_sum[MOST_TOKENS];
  const size_t stride = ((size_t)cols + 128) / ALIGN * ALIGN; /* padding of any layout fits */
  void *const canonical = zeroed((size_t)rows * (size_t)cols), *const weights = zeroed(layout->bytes(rows, cols));
  void *const x = zeroed(MOST_TOKENS * stride);
  float *const y = zeroed(MOST_TOKENS * (size_t)rows * sizeof *y);
  const tern_gemm g = {.weights = weights,
                       .rows = rows,
                       .cols = cols,
                       .w_scale = &w_scale,
                       .x = x,
                       .x_stride = stride,
                       .x_scale = x_scale,
                       .x_sum = x_sum,
                       .y = y,
                       .y_stride = (size_t)rows};
  layout->pack(weights, rows, cols, 0, rows, canonical);
  for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
    if ((*k)->layout != layout || (*k)->isa == TERN_ISA_SCALAR || !tern_isa_usable((*k)->isa)) continue;
    for (int i = 0; i < batches; i++) count(*k, &g, tokens[i]);
  }
  free(canonical), free(weights), free(x), free(y);
}

int main(int argc, char **argv) {
  enum { MOST_BATCHES = 8 };
  const tern_layout *const layouts[] = {&tern_layout_t2, &tern_layout_t5, &tern_layout_q8};
  int number[2 + MOST_BATCHES];
  bool good = argc >= 4 && argc <= 3 + MOST_BATCHES;
  for (int i = 1; good && i < argc; i++) {
    number[i - 1] = atoi(argv[i]);
    good = number[i - 1] >= 1 && number[i - 1] <= (i < 3 ? 65536 : MOST_TOKENS);
  }
  if (!good) {
    fprintf(stderr, "usage: count_instructions ROWS COLUMNS TOKENS...\n");
    return 2;
  }
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
    count_layout(layouts[i], number[0], number[1], number + 2, argc - 3);
  return 0;
}
