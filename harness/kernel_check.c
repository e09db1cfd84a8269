/* The kernel checker: seeded cases of odd sizes, row ranges and extreme values
 * in buffers between inaccessible pages (after dav1d's checkasm). */
#include "harness/kernel_check.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/kernel_guard.h"
#include "kernels/kernel.h"
#include "kernels/math_half.h"

/* How weights and activations of a case are drawn. */
typedef enum fill { RANDOM, LOWEST, HIGHEST } fill;

typedef struct test_case {
  int rows, cols, tokens, row0, row1;
  fill weights, activations;
  int scale_stride; /* tern_gemm.w_scale_stride */
  int y_gap;        /* y_stride - rows */
  tern_side side;   /* guard page that the buffers touch */
} test_case;

enum { RANDOM_CASES = 100, LONGEST_FLOAT = 3000, MESSAGES = 4, CANARY = 0x5aa5c33c };
enum { LAYOUTS_FROM = 128 }; /* places of layouts, after those of kernels */

typedef struct check {
  FILE *out;
  const char *filter;
  tern_isa cap;
  uint64_t seed, draws;
  const tern_layout *layout;
  int failed_cases[LAYOUTS_FROM + 32]; /* by place in the registry */
  test_case now;
  /* of the case, all guarded */
  void *weights, *x, *scratch;
  float *w_scale, *x_scale, *canonical_floats;
  int32_t *x_sum, *y, *expected, *expected_int;
  int8_t *canonical;
  uint16_t *scales;                  /* of block-scaled weights, a row's blocks together */
  size_t x_stride, y_stride, blocks; /* blocks: of a row; 1 without block scales */
} check;

static uint64_t draw(check *c) { /* splitmix64, Steele et al. 2014 */
  uint64_t z = c->seed + ++c->draws * UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Uniform integer in low..high. */
static int between(check *c, int low, int high) {
  return low + (int)(draw(c) % (uint64_t)(high - low + 1));
}

static int pick(check *c, fill how, int low, int high) {
  return how == LOWEST ? low : how == HIGHEST ? high : between(c, low, high);
}

/* A float with `bits` significant bits over many magnitudes, zeros included. */
static float pick_float(check *c, fill how, int bits) {
  const int limit = (1 << bits) - 1;
  return ldexpf((float)pick(c, how, -limit, limit), between(c, -bits - 6, 2 - bits));
}

static size_t padded(int n, int block) {
  return ((size_t)n + (size_t)block - 1) / (size_t)block * (size_t)block;
}

static bool is_float(const check *c) {
  return c->layout->kind == TERN_KIND_FLOAT;
}

static bool has_blocks(const check *c) {
  return c->layout->kind == TERN_KIND_BLOCKS;
}

/* Columns of the row's block b. */
static void block_range(const check *c, size_t b, size_t *from, size_t *to) {
  const size_t cols = (size_t)c->now.cols, block = has_blocks(c) ? (size_t)c->layout->scale_block : cols;
  *from = b * block;
  *to = *from + block < cols ? *from + block : cols;
}

/* Draws canonical weights: exact in every layout of the kind. */
static void draw_weights(check *c) {
  const int top = has_blocks(c) ? c->layout->highest : c->layout->kind == TERN_KIND_TERNARY ? 1 : 127;
  const int bottom = has_blocks(c) ? c->layout->lowest : -top;
  const int bits = strcmp(c->layout->name, "f32") == 0 ? 24 : 8;
  const size_t n = (size_t)c->now.rows * (size_t)c->now.cols;
  for (size_t i = 0; i < n; i++) {
    if (is_float(c))
      c->canonical_floats[i] = pick_float(c, c->now.weights, bits);
    else
      c->canonical[i] = (int8_t)pick(c, c->now.weights, bottom, top);
  }
  for (size_t i = 0; has_blocks(c) && i < (size_t)c->now.rows * c->blocks; i++)
    c->scales[i] = tern_f32_to_f16(pick_float(c, RANDOM, 11));
}

/* Draws activations: zero up to the padded columns, rubbish after them. */
static void draw_activations(check *c) {
  const size_t cols = (size_t)c->now.cols, zeros = padded(c->now.cols, c->layout->col_block);
  for (size_t t = 0; t < (size_t)c->now.tokens; t++) {
    const size_t end = t + 1 < (size_t)c->now.tokens ? c->x_stride : zeros;
    for (size_t b = 0; b < c->blocks; b++) c->x_scale[t * c->blocks + b] = ldexpf((float)between(c, 1, 65535), -20);
    for (size_t k = 0; k < end; k++) {
      if (is_float(c)) {
        float *x = (float *)c->x + t * c->x_stride;
        x[k] = k < cols ? pick_float(c, c->now.activations, 24) : k < zeros ? 0.0f : NAN;
      } else {
        int8_t *x = (int8_t *)c->x + t * c->x_stride;
        x[k] = k < cols ? (int8_t)pick(c, c->now.activations, -128, 127) : k < zeros ? 0 : 99;
      }
    }
    for (size_t b = 0, from, to; !is_float(c) && b < c->blocks; b++) {
      int32_t *sum = &c->x_sum[t * c->blocks + b];
      block_range(c, b, &from, &to);
      *sum = 0;
      for (size_t k = from; k < to; k++) *sum += ((int8_t *)c->x)[t * c->x_stride + k];
    }
  }
}

static bool build(check *c) {
  const test_case *n = &c->now;
  const size_t weights = (size_t)n->rows * (size_t)n->cols, tokens = (size_t)n->tokens, rows = (size_t)n->rows;
  const size_t element = is_float(c) ? sizeof(float) : 1;
  const size_t columns = padded(n->cols, c->layout->col_block);
  c->blocks = has_blocks(c) ? padded(n->cols, c->layout->scale_block) / (size_t)c->layout->scale_block : 1;
  c->x_stride = padded((int)columns, 64);
  c->y_stride = rows + (size_t)n->y_gap;
  const size_t outputs = (tokens - 1) * c->y_stride + rows;
  c->canonical = tern_guarded("canonical weights", weights * element, 4, n->side);
  c->canonical_floats = (float *)(void *)c->canonical;
  c->weights = tern_guarded("weights", c->layout->bytes(n->rows, n->cols), 64, n->side);
  c->x = tern_guarded("x", ((tokens - 1) * c->x_stride + columns) * element, 64, n->side);
  c->w_scale = tern_guarded("w_scale", (n->scale_stride ? rows : 1) * sizeof(float), 4, n->side);
  c->scales = tern_guarded("scales", rows * c->blocks * sizeof(uint16_t), 4, n->side);
  c->x_scale = tern_guarded("x_scale", tokens * c->blocks * sizeof(float), 4, n->side);
  c->x_sum = tern_guarded("x_sum", tokens * c->blocks * sizeof(int32_t), 4, n->side);
  c->y = tern_guarded("y", outputs * sizeof(int32_t), 4, n->side);
  c->expected = tern_guarded("expected", outputs * sizeof(int32_t), 4, n->side);
  c->expected_int = tern_guarded("expected_int", outputs * sizeof(int32_t), 4, n->side);
  if (!c->canonical || !c->weights || !c->x || !c->w_scale || !c->scales || !c->x_scale || !c->x_sum || !c->y ||
      !c->expected || !c->expected_int)
    return false;
  for (size_t i = 0; i < (n->scale_stride ? rows : 1); i++) c->w_scale[i] = ldexpf((float)between(c, 1, 65535), -18);
  draw_weights(c);
  draw_activations(c);
  return true;
}

/* Block-scaled output from canonical weights. */
static float expected_blocks(const check *c, size_t t, size_t r) {
  float y = 0;
  for (size_t b = 0, from, to; b < c->blocks; b++) {
    int32_t sum = 0;
    block_range(c, b, &from, &to);
    for (size_t k = from; k < to; k++)
      sum += c->canonical[r * (size_t)c->now.cols + k] * ((int8_t *)c->x)[t * c->x_stride + k];
    y = fmaf((float)sum, tern_f16_to_f32(c->scales[r * c->blocks + b]) * c->x_scale[t * c->blocks + b], y);
  }
  return y;
}

/* The answer from canonical weights: no layout, no kernel. */
static void expect(check *c) {
  const test_case *n = &c->now;
  const size_t cols = (size_t)n->cols;
  for (size_t i = 0; i < (size_t)(n->tokens - 1) * c->y_stride + (size_t)n->rows; i++)
    c->expected[i] = c->expected_int[i] = CANARY;
  for (size_t t = 0; t < (size_t)n->tokens; t++) {
    for (size_t r = (size_t)n->row0; r < (size_t)n->row1; r++) {
      const size_t at = t * c->y_stride + r;
      int64_t sum = 0;
      float chain = 0;
      for (size_t k = 0; k < cols; k++) {
        if (is_float(c))
          chain = fmaf(c->canonical_floats[r * cols + k], ((float *)c->x)[t * c->x_stride + k], chain);
        else
          sum += c->canonical[r * cols + k] * ((int8_t *)c->x)[t * c->x_stride + k];
      }
      const float scale = c->w_scale[n->scale_stride ? r : 0] * c->x_scale[t];
      const float y = is_float(c) ? chain : has_blocks(c) ? expected_blocks(c, t, r) : (float)sum * scale;
      memcpy(&c->expected[at], &y, sizeof y);
      c->expected_int[at] = (int32_t)sum;
    }
  }
}

static void complain(check *c, int place, const char *name, const char *what) {
  const test_case *n = &c->now;
  if (c->failed_cases[place]++ >= MESSAGES) return;
  fprintf(c->out, "  %s: %s (%d x %d, %d tokens, rows %d..%d, weights %d, activations %d)\n", name, what, n->rows,
          n->cols, n->tokens, n->row0, n->row1, (int)n->weights, (int)n->activations);
}

/* Packs in pieces between guard pages and reads every row back, padding too:
 * unpacking as a matrix of the padded size must give zeros there. */
static void check_layout(check *c, int place) {
  const test_case *n = &c->now;
  const tern_layout *l = c->layout;
  const size_t element = is_float(c) ? sizeof(float) : 1, row_bytes = (size_t)n->cols * element;
  const int rows = (int)padded(n->rows, l->row_block), cols = (int)padded(n->cols, l->col_block);
  char *row = tern_guarded("unpacked row", (size_t)cols * element, 4, n->side);
  char *wanted_row = tern_guarded("wanted row", (size_t)cols * element, 4, n->side);
  uint16_t *row_scales = tern_guarded("unpacked scales", ((size_t)cols + 1) * sizeof(uint16_t), 4, n->side);
  if (!row || !wanted_row || !row_scales) return;
  memset(c->weights, 0xa5, l->bytes(n->rows, n->cols));
  for (int r = 0, count; r < n->rows; r += count) {
    count = l->row_block * between(c, 1, 3);
    if (count > n->rows - r) count = n->rows - r;
    const tern_block_rows from = {c->canonical + (size_t)r * row_bytes, c->scales + (size_t)r * c->blocks};
    l->pack(c->weights, n->rows, n->cols, r, count,
            has_blocks(c) ? (const void *)&from : (char *)c->canonical + (size_t)r * row_bytes);
  }
  for (int r = 0; r < rows; r++) {
    tern_block_rows to = {(int8_t *)row, row_scales};
    l->unpack(c->weights, rows, cols, r, has_blocks(c) ? (void *)&to : row);
    if (r < n->rows)
      memcpy(wanted_row, (char *)c->canonical + (size_t)r * row_bytes, row_bytes);
    else
      memset(wanted_row, 0, row_bytes);
    const bool scaled = !has_blocks(c) || r >= n->rows ||
                        memcmp(row_scales, c->scales + (size_t)r * c->blocks, c->blocks * sizeof(uint16_t)) == 0;
    if (scaled && memcmp(row, wanted_row, (size_t)cols * element) == 0) continue;
    complain(c, place, l->name, r < n->rows ? "unpack does not give back what pack was given" : "padding is not zero");
    return;
  }
}

/* First output that differs from `expected`, described; NULL when none does. */
static const char *difference(const check *c, const int32_t *expected) {
  static char text[120];
  const test_case *n = &c->now;
  for (size_t i = 0; i < (size_t)(n->tokens - 1) * c->y_stride + (size_t)n->rows; i++) {
    if (c->y[i] == expected[i]) continue;
    const int token = (int)(i / c->y_stride), row = (int)(i % c->y_stride);
    snprintf(text, sizeof text, "%s at token %d, row %d: 0x%08" PRIx32 " instead of 0x%08" PRIx32,
             row >= n->row0 && row < n->row1 ? "differs" : "writes outside its rows", token, row, (uint32_t)c->y[i],
             (uint32_t)expected[i]);
    return text;
  }
  return NULL;
}

static void check_kernel(check *c, int place, const tern_kernel *k, bool raw) {
  const test_case *n = &c->now;
  const size_t outputs = (size_t)(n->tokens - 1) * c->y_stride + (size_t)n->rows;
  tern_gemm g = {
      .weights = c->weights,
      .rows = n->rows,
      .cols = n->cols,
      .w_scale = c->w_scale,
      .w_scale_stride = n->scale_stride,
      .x = c->x,
      .x_stride = c->x_stride,
      .x_scale = c->x_scale,
      .x_sum = c->x_sum,
      .x_block_stride = c->blocks,
      .tokens = n->tokens,
      .y = raw ? NULL : (float *)(void *)c->y,
      .y_stride = c->y_stride,
      .y_int = raw ? c->y : NULL,
      .scratch = c->scratch,
  };
  for (size_t i = 0; i < outputs; i++) c->y[i] = CANARY;
  const int signo = tern_trap_enter();
  if (signo) {
    complain(c, place, k->name, tern_trap_text(signo));
    return;
  }
  k->run(&g, n->row0, n->row1);
  const char *what = difference(c, raw ? c->expected_int : c->expected);
  if (what) complain(c, place, k->name, what);
}

static bool selected(const check *c, const tern_kernel *k) {
  return k->layout == c->layout && (!c->filter || strstr(k->name, c->filter)) && k->isa <= c->cap &&
         tern_isa_usable(k->isa);
}

/* Layout, then its kernels by rising ISA, on one case. */
static void run_case(check *c, int layout_place) {
  if (!build(c)) {
    complain(c, layout_place, c->layout->name, "out of memory");
  } else {
    const int signo = tern_trap_enter();
    if (signo)
      complain(c, layout_place, c->layout->name, tern_trap_text(signo));
    else
      check_layout(c, layout_place);
    expect(c);
    for (int i = 0; tern_kernels()[i]; i++) {
      const tern_kernel *k = tern_kernels()[i];
      if (!selected(c, k)) continue;
      c->scratch = k->scratch ? tern_guarded("scratch", k->scratch, 64, c->now.side) : NULL;
      check_kernel(c, i, k, false);
      if (!is_float(c) && !has_blocks(c)) check_kernel(c, i, k, true);
    }
  }
  tern_guarded_release();
}

static void draw_case(check *c) {
  test_case *n = &c->now;
  n->rows = between(c, 1, 50);
  n->cols = between(c, 0, 3) ? between(c, 1, 300) : between(c, 1, 40) * 16;
  n->tokens = between(c, 1, 33);
  const int blocks = (n->rows - 1) / c->layout->row_block;
  n->row0 = between(c, 0, blocks) * c->layout->row_block;
  n->row1 = n->row0 + between(c, 1, 4) * c->layout->row_block;
  if (n->row1 > n->rows) n->row1 = n->rows;
  n->weights = (fill)between(c, 0, 2);
  n->activations = (fill)between(c, 0, 2);
  n->scale_stride = between(c, 0, 1);
  n->y_gap = between(c, 0, 5);
  n->side = (tern_side)between(c, 0, 1);
}

/* Sums at their limits: long rows, all values at one end. */
static const test_case extremes[] = {
    {17, 65536, 1, 0, 17, LOWEST, LOWEST, 0, 0, TERN_GUARD_END},
    {17, 65536, 1, 0, 17, HIGHEST, LOWEST, 0, 0, TERN_GUARD_END},
    {16, 65536, 1, 0, 16, HIGHEST, HIGHEST, 0, 0, TERN_GUARD_START},
    {3, 65536, 9, 0, 3, HIGHEST, LOWEST, 1, 1, TERN_GUARD_END},
    {49, 8192, 6, 0, 49, HIGHEST, HIGHEST, 0, 0, TERN_GUARD_START},
    {16, 65535, 2, 0, 16, LOWEST, HIGHEST, 1, 0, TERN_GUARD_END},
    {16, 40001, 4, 0, 16, RANDOM, RANDOM, 0, 0, TERN_GUARD_END},
    {128, 2560, 17, 64, 128, RANDOM, RANDOM, 1, 0, TERN_GUARD_END},
};

static void check_one_layout(check *c, const tern_layout *l, int place) {
  c->layout = l;
  for (int i = 0; i < RANDOM_CASES; i++) {
    draw_case(c);
    run_case(c, place);
  }
  for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
    if (extremes[i].cols > LONGEST_FLOAT && (l->kind == TERN_KIND_FLOAT || l->kind == TERN_KIND_BLOCKS))
      continue; /* no sum to overflow */
    c->now = extremes[i];
    run_case(c, place);
  }
}

/* One line of the result; returns whether it failed. */
static bool report(const check *c, const char *name, int place) {
  const int failed = c->failed_cases[place];
  if (failed)
    fprintf(c->out, "%-16s FAILED in %d of its checks, seed %" PRIu64 "\n", name, failed, c->seed);
  else
    fprintf(c->out, "%-16s ok\n", name);
  return failed != 0;
}

static bool wanted(const check *c, const tern_layout *l) {
  if (!c->filter || strstr(l->name, c->filter)) return true;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    if ((*k)->layout == l && strstr((*k)->name, c->filter)) return true;
  return false;
}

int tern_kernel_check(const char *filter, uint64_t seed, tern_isa cap, FILE *out) {
  check c = {.out = out, .filter = filter, .cap = cap, .seed = seed};
  int failures = 0;
  fprintf(out, "CPU %s, seed %" PRIu64 "\n", tern_cpu_name(), seed);
  tern_trap_install();
  for (int i = 0; tern_layouts()[i]; i++) {
    const tern_layout *l = tern_layouts()[i];
    if (!wanted(&c, l)) continue;
    check_one_layout(&c, l, LAYOUTS_FROM + i);
    failures += report(&c, l->name, LAYOUTS_FROM + i);
    for (int j = 0; tern_kernels()[j]; j++) {
      const tern_kernel *k = tern_kernels()[j];
      if (selected(&c, k))
        failures += report(&c, k->name, j);
      else if (k->layout == l && (!filter || strstr(k->name, filter)))
        fprintf(out, "%-16s not checked: %s\n", k->name,
                tern_isa_reason(k->isa) ? tern_isa_reason(k->isa) : "above the level asked for");
    }
  }
  tern_trap_remove();
  return failures;
}
