/* Float kernels, written once over lanes; <layout>_<isa>.c includes its
 * lanes_<isa>.h, defines FLOAT_ELEMENT, FLOAT_LOAD (16 weights to lanes) and
 * FLOAT_WIDEN (0 where weights are floats already), includes this and ends with
 * TERN_FLOAT_KERNEL. Every output is one fma chain over ascending columns from
 * zero (kernel.h): tiles keep it in a register, between blocks of columns it
 * waits in y, which changes no bit. */
#include <string.h>

#include "kernels/float.h"
#include "kernels/kernel.h"
#include "kernels/lanes_unroll.h"

/* Keeps the compiler's scheduler from gathering a column's loads before their use. */
#define FLOAT_ORDER __asm__ volatile("" ::: "memory")

enum {
  FLOAT_MOST_TOKENS = 6,          /* tile functions; LANES_GEMM_TOKENS says how many registers allow */
  FLOAT_NARROW_STRIPS = 16,       /* more strips of tokens are worth widening the weights first */
  FLOAT_AHEAD = 4096,             /* bytes of weights fetched ahead of a GEMV */
  FLOAT_GROUPS = FLOAT_PANEL / 16 /* lanes across a panel */
};

/* Columns c0..c0+depth-1 of one tile of outputs. */
typedef struct float_tile {
  const void *w; /* column c0 of the tile's first row */
  const float *x;
  size_t x_stride;
  float *y;
  size_t y_stride;
  int depth, first; /* first: the chains start here */
} float_tile;

LANES_INLINE lanes weights_load(const void *w, size_t i, int wide) {
  return wide ? lanes_load((const float *)w + i) : FLOAT_LOAD((const FLOAT_ELEMENT *)w + i);
}

/* rows: lanes, tokens: count, wide: weights are floats; compile-time constants. */
LANES_INLINE void tile_run(const float_tile *s, int rows, int tokens, int wide) {
  lanes acc[FLOAT_GROUPS * FLOAT_MOST_TOKENS];
  const float *x = s->x;
  const size_t x_stride = s->x_stride;
  const int depth = s->depth;
  LANES_UNROLL
  for (int t = 0; t < tokens; t++) {
    LANES_UNROLL
    for (int r = 0; r < rows; r++)
      acc[t * rows + r] = s->first ? lanes_all(0.0f) : lanes_load(s->y + (size_t)t * s->y_stride + 16 * r);
  }
  for (int c = 0; c < depth; c++) {
    lanes w[FLOAT_GROUPS];
    const size_t at = (size_t)c * FLOAT_PANEL;
    LANES_UNROLL
    for (int r = 0; r < rows; r++) w[r] = weights_load(s->w, at + 16 * (size_t)r, wide);
    LANES_UNROLL
    for (int t = 0; t < tokens; t++) {
      lanes b = lanes_all(x[(size_t)t * x_stride + (size_t)c]);
      LANES_UNROLL
      for (int r = 0; r < rows; r++) acc[t * rows + r] = lanes_fma(w[r], b, acc[t * rows + r]);
    }
  }
  LANES_UNROLL
  for (int t = 0; t < tokens; t++) {
    LANES_UNROLL
    for (int r = 0; r < rows; r++) lanes_store(s->y + (size_t)t * s->y_stride + 16 * r, acc[t * rows + r]);
  }
}

#define FLOAT_TILE(n)                                                                                                  \
  static void tile_packed_##n(const float_tile *s) {                                                                   \
    tile_run(s, LANES_GEMM_ROWS, n, !FLOAT_WIDEN);                                                                     \
  }                                                                                                                    \
  static void tile_wide_##n(const float_tile *s) {                                                                     \
    tile_run(s, LANES_GEMM_ROWS, n, 1);                                                                                \
  }
FLOAT_TILE(1)
FLOAT_TILE(2)
FLOAT_TILE(3)
FLOAT_TILE(4)
FLOAT_TILE(5)
FLOAT_TILE(6)

static void (*const tiles[2][FLOAT_MOST_TOKENS])(const float_tile *) = {
    {tile_packed_1, tile_packed_2, tile_packed_3, tile_packed_4, tile_packed_5, tile_packed_6},
    {tile_wide_1, tile_wide_2, tile_wide_3, tile_wide_4, tile_wide_5, tile_wide_6}};

/* A panel's depth of columns for up to LANES_GEMM_TOKENS tokens. */
static void strip_run(float_tile s, int tokens, int wide) {
  const size_t width = wide ? sizeof(float) : sizeof(FLOAT_ELEMENT);
  for (int r = 0; r < FLOAT_GROUPS; r += LANES_GEMM_ROWS) {
    tiles[wide][tokens - 1](&s);
    s.w = (const char *)s.w + 16 * LANES_GEMM_ROWS * width;
    s.y += 16 * LANES_GEMM_ROWS;
  }
}

/* The same where the panel has fewer rows than 64: through a full-sized copy. */
static void edge_run(float_tile s, int tokens, int wide, int rows) {
  float copy[LANES_GEMM_TOKENS * FLOAT_PANEL];
  const float_tile full = s;
  memset(copy, 0, sizeof copy);
  for (int t = 0; t < tokens && !s.first; t++)
    memcpy(copy + t * FLOAT_PANEL, full.y + (size_t)t * full.y_stride, (size_t)rows * sizeof(float));
  s.y = copy;
  s.y_stride = FLOAT_PANEL;
  strip_run(s, tokens, wide);
  for (int t = 0; t < tokens; t++)
    memcpy(full.y + (size_t)t * full.y_stride, copy + t * FLOAT_PANEL, (size_t)rows * sizeof(float));
}

/* One panel for one token. Weights go straight from memory into the chains:
 * with 16 registers there is no room to gather a column first. */
static void gemv_panel(const FLOAT_ELEMENT *w, const float *x, int cols, float *y, int rows) {
  lanes acc[FLOAT_GROUPS];
  float out[FLOAT_PANEL];
  LANES_UNROLL
  for (int r = 0; r < FLOAT_GROUPS; r++) acc[r] = lanes_all(0.0f);
  for (int c = 0; c < cols; c++, w += FLOAT_PANEL) {
    const lanes b = lanes_all(x[c]);
    LANES_UNROLL
    for (size_t line = 0; line < FLOAT_PANEL * sizeof *w; line += 64)
      __builtin_prefetch((const char *)w + FLOAT_AHEAD + line);
    LANES_UNROLL
    for (int r = 0; r < FLOAT_GROUPS; r++) {
      acc[r] = lanes_fma(FLOAT_LOAD(w + 16 * r), b, acc[r]);
      FLOAT_ORDER;
    }
  }
  LANES_UNROLL
  for (int r = 0; r < FLOAT_GROUPS; r++) lanes_store(out + 16 * r, acc[r]);
  memcpy(y, out, (size_t)rows * sizeof *y);
}

/* One panel for all tokens, `depth` columns at a time. Few strips widen the
 * weights as they meet them; many read them from the caller's scratch, widened
 * once. */
static void gemm_panel(const tern_gemm *g, const FLOAT_ELEMENT *panel, float *y, int rows) {
  const int strips = (g->tokens + LANES_GEMM_TOKENS - 1) / LANES_GEMM_TOKENS;
  const int wide = !FLOAT_WIDEN || strips > FLOAT_NARROW_STRIPS;
  for (int c0 = 0; c0 < g->cols; c0 += FLOAT_DEPTH) {
    const int depth = g->cols - c0 < FLOAT_DEPTH ? g->cols - c0 : FLOAT_DEPTH;
    const FLOAT_ELEMENT *block = panel + (size_t)c0 * FLOAT_PANEL;
    float_tile s = {.w = block, .x_stride = g->x_stride, .y_stride = g->y_stride, .depth = depth, .first = c0 == 0};
    if (FLOAT_WIDEN && wide) {
      float *scratch = g->scratch;
      for (int i = 0; i < depth * FLOAT_PANEL; i += 16) lanes_store(scratch + i, FLOAT_LOAD(block + i));
      s.w = scratch;
    }
    for (int i = 0, t = 0, tokens; i < strips; i++, t += tokens) { /* of nearly equal size: no short last one */
      tokens = (int)((int64_t)g->tokens * (i + 1) / strips) - t;
      s.x = (const float *)g->x + (size_t)t * g->x_stride + c0;
      s.y = y + (size_t)t * g->y_stride;
      if (rows == FLOAT_PANEL)
        strip_run(s, tokens, wide);
      else
        edge_run(s, tokens, wide, rows);
    }
  }
}

static void run(const tern_gemm *g, int row0, int row1) {
  for (int row = row0; row < row1; row += FLOAT_PANEL) {
    const int rows = row1 - row < FLOAT_PANEL ? row1 - row : FLOAT_PANEL;
    const FLOAT_ELEMENT *panel = (const FLOAT_ELEMENT *)g->weights + (size_t)row * (size_t)g->cols;
    if (g->tokens == 1)
      gemv_panel(panel, g->x, g->cols, g->y + row, rows);
    else
      gemm_panel(g, panel, g->y + row, rows);
  }
}

#define TERN_FLOAT_KERNEL(id, suffix, level)                                                                           \
  const tern_kernel tern_kernel_##id##_##suffix = {.name = #id "_" #suffix,                                            \
                                                   .layout = &tern_layout_##id,                                        \
                                                   .isa = TERN_ISA_##level,                                            \
                                                   .scratch = FLOAT_WIDEN * FLOAT_DEPTH * FLOAT_PANEL * sizeof(float), \
                                                   .run = run}
