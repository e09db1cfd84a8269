/* The stand: packed copies of a matrix, split over a team by rows. Members of a
 * pass do not wait for each other between products, as the readers don't. */
#include "harness/kernel_stand.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/base/random.h"
#include "kernels/read.h"

enum { POOL, CANONICAL, X, Y, W_SCALE, X_SCALE, X_SUM, SCRATCH };
enum {
  MOST_READERS = 16,
  READ_UNIT = 1024,
  LEAST_PASS_WORK = 1 << 25,
  LEAST_PASS_WEIGHTS = 1 << 27,
  LONG_BATCH = 32,
};

static const size_t LEAST_POOL = (size_t)192 << 20, MOST_POOL = (size_t)2 << 30;

static size_t pool_bytes(void) {
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const size_t bytes = cache > 0 ? 4 * (size_t)cache : 0;
  return bytes < LEAST_POOL ? LEAST_POOL : bytes > MOST_POOL ? MOST_POOL : bytes;
}

static size_t padded_to(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static void fill_weights(tern_stand *s, uint64_t seed) {
  const bool floats = s->layout->kind == TERN_KIND_FLOAT, blocks = s->layout->kind == TERN_KIND_BLOCKS;
  const int top = blocks ? s->layout->highest : s->layout->kind == TERN_KIND_TERNARY ? 1 : 127;
  const int bottom = blocks ? s->layout->lowest : -top;
  const size_t weights = (size_t)s->rows * (size_t)s->cols;
  for (size_t i = 0; i < weights; i++) {
    const uint64_t r = tern_random_at(seed, 0, i);
    if (floats)
      ((float *)s->part[CANONICAL])[i] = (float)(tern_random_unit(r) - 0.5);
    else
      ((int8_t *)s->part[CANONICAL])[i] = (int8_t)((int)(r % (uint64_t)(top - bottom + 1)) + bottom);
  }
  *(float *)s->part[W_SCALE] = 1;
}

static void fill_batch(tern_stand *s, uint64_t seed) {
  const bool floats = s->layout->kind == TERN_KIND_FLOAT, blocks = s->layout->kind == TERN_KIND_BLOCKS;
  int32_t *sums = s->part[X_SUM];
  for (size_t t = 0; t < (size_t)s->tokens; t++) {
    for (size_t b = 0; b < s->blocks; b++) ((float *)s->part[X_SCALE])[t * s->blocks + b] = 0.01f;
    for (size_t k = 0; k < (size_t)s->cols; k++) {
      const uint64_t r = tern_random_at(seed, 1 + t, k);
      const size_t at = t * s->gemm.x_stride + k;
      if (floats) {
        ((float *)s->part[X])[at] = (float)(tern_random_unit(r) - 0.5);
        continue;
      }
      const int8_t x = (int8_t)((int)(r % 255) - 127);
      ((int8_t *)s->part[X])[at] = x;
      sums[t * s->blocks + (blocks ? k / (size_t)s->layout->scale_block : 0)] += x;
    }
  }
}

void tern_stand_close(tern_stand *s) {
  for (size_t i = 0; i < TERN_STAND_PARTS; i++) tern_free(s->part[i], s->part_bytes[i]);
  memset(s->part, 0, sizeof s->part);
}

static int reserve(tern_stand *s, int threads, tern_error *e) {
  const tern_layout *l = s->layout;
  const size_t rows = (size_t)s->rows, cols = (size_t)s->cols, tokens = (size_t)s->tokens;
  const size_t padded = tern_layout_x_stride(l, s->cols);
  const size_t element = l->kind == TERN_KIND_FLOAT ? sizeof(float) : 1;
  s->blocks = l->kind == TERN_KIND_BLOCKS ? padded_to(cols, (size_t)l->scale_block) / (size_t)l->scale_block : 1;
  s->matrix_bytes = l->bytes(s->rows, s->cols);
  s->matrix_stride = padded_to(s->matrix_bytes, READ_UNIT);
  s->copies = pool_bytes() / s->matrix_stride + 2;
  s->scratch = 64;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    if ((*k)->layout == l && (*k)->scratch > s->scratch) s->scratch = padded_to((*k)->scratch, 64);
  const size_t bytes[TERN_STAND_PARTS] = {
      [POOL] = tern_mul(s->copies, s->matrix_stride),
      [CANONICAL] = tern_mul(tern_mul(rows, cols), element),
      [X] = tern_mul(tern_mul(tokens, padded), element),
      [Y] = tern_mul(tern_mul(tokens, rows), sizeof(float)),
      [W_SCALE] = tern_mul(tern_mul(rows, s->blocks), sizeof(float)),
      [X_SCALE] = tern_mul(tern_mul(tokens, s->blocks), sizeof(float)),
      [X_SUM] = tern_mul(tern_mul(tokens, s->blocks), sizeof(int32_t)),
      [SCRATCH] = tern_mul((size_t)threads, s->scratch),
  };
  for (size_t i = 0; i < TERN_STAND_PARTS; i++) {
    s->part[i] = tern_alloc(bytes[i], "kernel benchmark", e);
    s->part_bytes[i] = bytes[i];
    if (!s->part[i]) {
      tern_stand_close(s);
      return (int)e->status;
    }
  }
  s->gemm = (tern_gemm){.rows = s->rows,
                        .cols = s->cols,
                        .w_scale = s->part[W_SCALE],
                        .x = s->part[X],
                        .x_stride = padded,
                        .x_scale = s->part[X_SCALE],
                        .x_sum = s->part[X_SUM],
                        .x_block_stride = s->blocks,
                        .y = s->part[Y],
                        .y_stride = rows};
  return 0;
}

int tern_stand_open(tern_stand *s, const tern_layout *layout, int rows, int cols, int tokens, int threads,
                    uint64_t seed, tern_error *e) {
  *s = (tern_stand){.layout = layout, .rows = rows, .cols = cols, .tokens = tokens};
  if (reserve(s, threads, e)) return (int)e->status;
  fill_weights(s, seed);
  fill_batch(s, seed);
  /* Block scales: what W_SCALE holds is valid as f16 too. */
  const tern_block_rows block_rows = {s->part[CANONICAL], s->part[W_SCALE]};
  const void *canonical = layout->kind == TERN_KIND_BLOCKS ? (const void *)&block_rows : s->part[CANONICAL];
  layout->pack(s->part[POOL], rows, cols, 0, rows, canonical);
  for (size_t i = 1; i < s->copies; i++)
    memcpy((char *)s->part[POOL] + i * s->matrix_stride, s->part[POOL], s->matrix_bytes);
  return 0;
}

typedef struct pass {
  const tern_stand *stand;
  const tern_kernel *kernel;
  int tokens;
  size_t first, products, copies; /* products: those of the copies from `first` on, again and again */
} pass;

static void pass_member(void *arg, int member, int size) {
  const pass *p = arg;
  const tern_stand *s = p->stand;
  tern_gemm g = s->gemm;
  int lo, hi;
  tern_split(s->rows, s->layout->row_block, member, size, &lo, &hi);
  g.tokens = p->tokens;
  g.scratch = (char *)s->part[SCRATCH] + (size_t)member * s->scratch;
  for (size_t i = 0; i < p->products && lo < hi; i++) {
    g.weights = (const char *)s->part[POOL] + (p->first + i) % p->copies * s->matrix_stride;
    p->kernel->run(&g, lo, hi);
  }
}

/* A pass is long enough to time; products that compute for long go through the
 * pool over several passes. */
static pass pass_of(tern_stand *s, const tern_kernel *k, int tokens, tern_place place) {
  const size_t work = (size_t)s->rows * (size_t)s->cols * (size_t)tokens;
  pass p = {.stand = s, .kernel = k, .tokens = tokens, .copies = 1, .products = LEAST_PASS_WORK / work + 1};
  if (place == TERN_PLACE_CACHE) return p;
  p.copies = s->copies;
  /* As many matrices for one token as for a few: long passes meet more disturbances. */
  if (tokens <= LONG_BATCH) p.products = LEAST_PASS_WEIGHTS / ((size_t)s->rows * (size_t)s->cols) + 1;
  if (p.products > s->copies) p.products = s->copies;
  p.first = s->next;
  s->next = (s->next + p.products) % s->copies;
  return p;
}

typedef struct reading {
  const tern_stand *stand;
  const tern_reader *reader;
  size_t first, products, copies; /* as of a pass */
  _Atomic uint64_t sum;           /* keeps the reads */
} reading;

static void read_member(void *arg, int member, int size) {
  reading *r = arg;
  const tern_stand *s = r->stand;
  int lo, hi;
  tern_split((int)(s->matrix_stride / READ_UNIT), 1, member, size, &lo, &hi);
  for (size_t i = 0; i < r->products && hi > lo; i++) {
    const char *copy = (const char *)s->part[POOL] + (r->first + i) % r->copies * s->matrix_stride;
    r->sum ^= r->reader->run(copy + (size_t)lo * READ_UNIT, (size_t)(hi - lo) * READ_UNIT);
  }
}

/* Passes as long as a kernel's with one token, as many as a kernel gets. */
double tern_stand_read(tern_stand *s, tern_team *team, tern_place place, double seconds) {
  const tern_reader *readers[MOST_READERS];
  const int count = tern_readers(readers, MOST_READERS);
  double best = 0;
  int turn = 0;
  for (double begin = tern_now(), now = begin; now - begin < seconds || turn < 2 * count; turn++) {
    const pass p = pass_of(s, NULL, 1, place);
    reading r = {
        .stand = s, .reader = readers[turn % count], .first = p.first, .products = p.products, .copies = p.copies};
    const double start = tern_now();
    tern_team_run(team, read_member, &r);
    now = tern_now();
    const double rate = (double)p.products * (double)s->matrix_stride / (now - start) * 1e-9;
    if (rate > best) best = rate;
  }
  return best;
}

size_t tern_stand_pass(tern_stand *s, tern_team *team, const tern_kernel *k, int tokens, tern_place place) {
  pass p = pass_of(s, k, tokens, place);
  tern_team_run(team, pass_member, &p);
  return p.products;
}

double tern_stand_time(tern_stand *s, tern_team *team, const tern_kernel *k, int tokens, tern_place place,
                       double seconds) {
  double best = INFINITY;
  if (place == TERN_PLACE_CACHE) tern_stand_pass(s, team, k, tokens, place); /* others were there before */
  for (double begin = tern_now(), now = begin; now - begin < seconds || !isfinite(best);) {
    const double start = tern_now();
    const size_t products = tern_stand_pass(s, team, k, tokens, place);
    now = tern_now();
    if ((now - start) / (double)products < best) best = (now - start) / (double)products;
  }
  return best;
}
