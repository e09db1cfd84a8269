/* Dense products (grad.h: dense) over lanes. The right side goes through a copy
 * of 64 columns by TERN_DENSE_DEPTH rows, padded by zeros, which all strips of
 * the left side meet; tiles of outputs stay in registers over that depth. */
#include <string.h>

#include "kernels/grad.h"
#include "kernels/lanes_unroll.h"

enum {
  DENSE_GROUPS = TERN_DENSE_PANEL / 16, /* lanes across a panel */
  DENSE_SUMS = 24,                      /* lanes of the largest tile */
  DENSE_MOST = 12                       /* rows of the tallest */
};

typedef struct dense_strip {
  const float *a;
  size_t a_stride; /* of the one that is not 1 */
  const float *b;  /* [depth][TERN_DENSE_PANEL] */
  float *c;
  size_t c_row;
  int depth, fresh; /* fresh: the chains start here, from 0 */
} dense_strip;

/* wide: lanes, rows: count, across: a is a transpose; compile-time constants. */
LANES_INLINE void dense_tile(const dense_strip *s, int wide, int rows, int across) {
  lanes acc[DENSE_SUMS];
  const float *a = s->a, *b = s->b;
  const size_t a_stride = s->a_stride;
  const int depth = s->depth;
  LANES_UNROLL
  for (int i = 0; i < rows; i++) {
    LANES_UNROLL
    for (int j = 0; j < wide; j++)
      acc[i * wide + j] = s->fresh ? lanes_all(0.0f) : lanes_load(s->c + (size_t)i * s->c_row + 16 * j);
  }
  for (int k = 0; k < depth; k++, b += TERN_DENSE_PANEL) {
    lanes w[DENSE_GROUPS];
    LANES_UNROLL
    for (int j = 0; j < wide; j++) w[j] = lanes_load(b + 16 * j);
    LANES_UNROLL
    for (int i = 0; i < rows; i++) {
      const lanes x = lanes_all(across ? a[(size_t)k * a_stride + (size_t)i] : a[(size_t)i * a_stride + (size_t)k]);
      LANES_UNROLL
      for (int j = 0; j < wide; j++) acc[i * wide + j] = lanes_fma(x, w[j], acc[i * wide + j]);
    }
  }
  LANES_UNROLL
  for (int i = 0; i < rows; i++) {
    LANES_UNROLL
    for (int j = 0; j < wide; j++) lanes_store(s->c + (size_t)i * s->c_row + 16 * j, acc[i * wide + j]);
  }
}

#define DENSE_TILE(wide, rows)                                                                                         \
  static void along_##wide##_##rows(const dense_strip *s) {                                                            \
    dense_tile(s, wide, rows, 0);                                                                                      \
  }                                                                                                                    \
  static void across_##wide##_##rows(const dense_strip *s) {                                                           \
    dense_tile(s, wide, rows, 1);                                                                                      \
  }
#define DENSE_ROW(wide, n)                                                                                             \
  { along_##wide##_##n, across_##wide##_##n }
#define DENSE_TILES_6(wide)                                                                                            \
  DENSE_TILE(wide, 1)                                                                                                  \
  DENSE_TILE(wide, 2) DENSE_TILE(wide, 3) DENSE_TILE(wide, 4) DENSE_TILE(wide, 5) DENSE_TILE(wide, 6)
#define DENSE_ROWS_6(wide)                                                                                             \
  DENSE_ROW(wide, 1), DENSE_ROW(wide, 2), DENSE_ROW(wide, 3), DENSE_ROW(wide, 4), DENSE_ROW(wide, 5), DENSE_ROW(wide, 6)
#define DENSE_TILES_12(wide)                                                                                           \
  DENSE_TILES_6(wide)                                                                                                  \
  DENSE_TILE(wide, 7)                                                                                                  \
  DENSE_TILE(wide, 8) DENSE_TILE(wide, 9) DENSE_TILE(wide, 10) DENSE_TILE(wide, 11) DENSE_TILE(wide, 12)
#define DENSE_ROWS_12(wide)                                                                                            \
  DENSE_ROWS_6(wide), DENSE_ROW(wide, 7), DENSE_ROW(wide, 8), DENSE_ROW(wide, 9), DENSE_ROW(wide, 10),                 \
      DENSE_ROW(wide, 11), DENSE_ROW(wide, 12)

typedef void dense_run(const dense_strip *s);

struct dense_shape {
  int wide, rows;               /* of the tallest tile */
  dense_run *const (*tiles)[2]; /* by rows - 1 and side of a */
};

#if LANES_GEMM_ROWS == 4
DENSE_TILES_6(4)
DENSE_TILES_12(2)
DENSE_TILES_12(1)
static dense_run *const tiles_4[][2] = {DENSE_ROWS_6(4)};
static dense_run *const tiles_2[][2] = {DENSE_ROWS_12(2)};
static dense_run *const tiles_1[][2] = {DENSE_ROWS_12(1)};
static const struct dense_shape dense_shapes[] = {{4, 6, tiles_4}, {2, 12, tiles_2}, {1, 12, tiles_1}};
#else
DENSE_TILES_6(1)
static dense_run *const tiles_1[][2] = {DENSE_ROWS_6(1)};
static const struct dense_shape dense_shapes[] = {{1, 6, tiles_1}};
#endif

/* The widest tile that `groups` lanes fill. */
static const struct dense_shape *dense_shape_of(int groups) {
  const struct dense_shape *shape = dense_shapes;
  while (shape->wide > groups) shape++;
  return shape;
}

/* All rows of `wide` lanes of a panel, in strips of nearly equal height. */
static void dense_columns(const tern_dense *d, dense_strip s, const struct dense_shape *shape, int k0) {
  const int across = d->a_row == 1 && d->a_col != 1, strips = (d->m + shape->rows - 1) / shape->rows;
  float *c = s.c;
  s.a_stride = across ? d->a_col : d->a_row;
  for (int i = 0, row = 0, rows; i < strips; i++, row += rows) {
    rows = (int)((int64_t)d->m * (i + 1) / strips) - row;
    s.a = d->a + (size_t)row * d->a_row + (size_t)k0 * d->a_col;
    s.c = c + (size_t)row * s.c_row;
    shape->tiles[rows - 1][across](&s);
  }
}

/* The last lanes of a panel that are not whole: through a copy of them, a strip at a time. */
static void dense_edge(const tern_dense *d, dense_strip s, int part, int k0) {
  const struct dense_shape *shape = dense_shape_of(1);
  float copy[DENSE_MOST * 16], *c = s.c;
  for (int row = 0; row < d->m; row += shape->rows) {
    const int rows = d->m - row < shape->rows ? d->m - row : shape->rows;
    tern_dense strip = *d;
    dense_strip t = s;
    float *from = c + (size_t)row * d->c_row;
    memset(copy, 0, sizeof copy);
    for (int i = 0; i < rows && !s.fresh; i++)
      memcpy(copy + 16 * i, from + (size_t)i * d->c_row, (size_t)part * sizeof *copy);
    strip.a += (size_t)row * d->a_row;
    strip.m = rows;
    t.c = copy;
    t.c_row = 16;
    dense_columns(&strip, t, shape, k0);
    for (int i = 0; i < rows; i++) memcpy(from + (size_t)i * d->c_row, copy + 16 * i, (size_t)part * sizeof *copy);
  }
}

/* Columns j0.. of b, at most a panel of them, rows k0.., as lanes. */
static void dense_copy(const tern_dense *d, int k0, int depth, int j0, int columns) {
  float *to = d->scratch;
  for (int k = 0; k < depth; k++, to += TERN_DENSE_PANEL) {
    const float *from = d->b + (size_t)(k0 + k) * d->b_row + j0;
    int j = 0;
    for (; j + 16 <= columns; j += 16) lanes_store(to + j, lanes_load(from + j));
    if (j < columns) lanes_store(to + j, lanes_load_part(from + j, columns - j));
  }
}

static void dense(const tern_dense *d) {
  for (int j0 = 0; j0 < d->n; j0 += TERN_DENSE_PANEL) {
    const int columns = d->n - j0 < TERN_DENSE_PANEL ? d->n - j0 : TERN_DENSE_PANEL, whole = columns / 16;
    for (int k0 = 0; k0 < d->k; k0 += TERN_DENSE_DEPTH) {
      dense_strip s = {.b = d->scratch,
                       .c = d->c + j0,
                       .c_row = d->c_row,
                       .depth = d->k - k0 < TERN_DENSE_DEPTH ? d->k - k0 : TERN_DENSE_DEPTH,
                       .fresh = k0 == 0 && !d->add};
      dense_copy(d, k0, s.depth, j0, columns);
      for (int done = 0; done < whole;) {
        const struct dense_shape *shape = dense_shape_of(whole - done);
        dense_columns(d, s, shape, k0);
        done += shape->wide;
        s.b += 16 * shape->wide;
        s.c += 16 * shape->wide;
      }
      if (columns % 16) dense_edge(d, s, columns % 16, k0);
    }
  }
}
