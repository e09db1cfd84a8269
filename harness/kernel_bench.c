/* Kernel benchmark. In "cache" one packed matrix is used again and again; in
 * "dram" copies that fill a pool beyond the caches are cycled through. A figure
 * is the best of rounds in which bandwidth, peak and kernel take turns. */
#include "harness/kernel_bench.h"

#include <jansson.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/base/random.h"
#include "harness/kernel_peak.h"
#include "kernels/kernel.h"
#include "kernels/read.h"

enum { ROUNDS = 5, MOST_READERS = 8, READ_UNIT = 1024 };

static const size_t LEAST_POOL = (size_t)288 << 20, MOST_POOL = (size_t)2 << 30;
static const double PASS_S = 0.002; /* a timed pass of the bandwidth reader is at least this long */

/* Matrices of BitNet b1.58 2B4T: q and o, k and v, gate and up, down. */
static const int shapes[][2] = {{2560, 2560}, {640, 2560}, {6912, 2560}, {2560, 6912}};
static const int batches[] = {1, 8, 512};
static const char *const places[] = {"cache", "dram"};

typedef struct figure {
  const tern_kernel *kernel;
  const char *where, *instruction;
  int rows, cols, batch;
  double seconds, gbs, read_gbs, gops, peak_gops; /* peak NAN: none for this level */
} figure;

enum { POOL, CANONICAL, X, Y, W_SCALE, X_SCALE, X_SUM, SCRATCH, PARTS };

/* One layout's matrix and the largest batch. */
typedef struct stand {
  const tern_layout *layout;
  int rows, cols, batch;
  size_t matrix_bytes, matrix_stride, copies, blocks, part_bytes[PARTS]; /* blocks: scales of a row */
  void *part[PARTS];
  tern_gemm gemm;
} stand;

static size_t pool_bytes(void) {
  const long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  const size_t bytes = cache > 0 ? 4 * (size_t)cache : 0;
  return bytes < LEAST_POOL ? LEAST_POOL : bytes > MOST_POOL ? MOST_POOL : bytes;
}

static void fill(stand *s, uint64_t seed) {
  const size_t weights = (size_t)s->rows * (size_t)s->cols;
  const bool floats = s->layout->kind == TERN_KIND_FLOAT;
  const bool blocks = s->layout->kind == TERN_KIND_BLOCKS;
  const int top = blocks ? s->layout->highest : s->layout->kind == TERN_KIND_TERNARY ? 1 : 127;
  const int bottom = blocks ? s->layout->lowest : -top;
  for (size_t i = 0; i < weights; i++) {
    const uint64_t r = tern_random_at(seed, 0, i);
    if (floats)
      ((float *)s->part[CANONICAL])[i] = (float)(tern_random_unit(r) - 0.5);
    else
      ((int8_t *)s->part[CANONICAL])[i] = (int8_t)((int)(r % (uint64_t)(top - bottom + 1)) + bottom);
  }
  for (int t = 0; t < s->batch; t++) {
    for (size_t b = 0; b < s->blocks; b++) ((float *)s->part[X_SCALE])[(size_t)t * s->blocks + b] = 0.01f;
    for (int k = 0; k < s->cols; k++) {
      const uint64_t r = tern_random_at(seed, 1 + (uint64_t)t, (uint64_t)k);
      const size_t at = (size_t)t * s->gemm.x_stride + (size_t)k;
      if (floats) {
        ((float *)s->part[X])[at] = (float)(tern_random_unit(r) - 0.5);
      } else {
        ((int8_t *)s->part[X])[at] = (int8_t)((int)(r % 255) - 127);
        const size_t block = blocks ? (size_t)k / (size_t)s->layout->scale_block : 0;
        ((int32_t *)s->part[X_SUM])[(size_t)t * s->blocks + block] += ((int8_t *)s->part[X])[at];
      }
    }
  }
  *(float *)s->part[W_SCALE] = 1;
}

static void stand_close(stand *s) {
  for (size_t i = 0; i < sizeof s->part / sizeof *s->part; i++) tern_free(s->part[i], s->part_bytes[i]);
}

static size_t padded_to(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

static int stand_open(stand *s, const tern_layout *layout, int rows, int cols, int batch, uint64_t seed,
                      tern_error *e) {
  const size_t columns = padded_to((size_t)cols, (size_t)layout->col_block), padded = padded_to(columns, 64);
  const size_t element = layout->kind == TERN_KIND_FLOAT ? sizeof(float) : 1;
  *s = (stand){.layout = layout, .rows = rows, .cols = cols, .batch = batch};
  s->blocks = 1;
  if (layout->kind == TERN_KIND_BLOCKS)
    s->blocks = padded_to((size_t)cols, (size_t)layout->scale_block) / (size_t)layout->scale_block;
  s->matrix_bytes = layout->bytes(rows, cols);
  s->matrix_stride = padded_to(s->matrix_bytes, READ_UNIT);
  s->copies = pool_bytes() / s->matrix_stride + 2;
  size_t scratch = 64;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    if ((*k)->layout == layout && (*k)->scratch > scratch) scratch = (*k)->scratch;
  const size_t bytes[] = {tern_mul(s->copies, s->matrix_stride),
                          tern_mul(tern_mul((size_t)rows, (size_t)cols), element),
                          tern_mul(tern_mul((size_t)batch, padded), element),
                          tern_mul(tern_mul((size_t)batch, (size_t)rows), sizeof(float)),
                          tern_mul(tern_mul((size_t)rows, s->blocks), sizeof(float)),
                          tern_mul(tern_mul((size_t)batch, s->blocks), sizeof(float)),
                          tern_mul(tern_mul((size_t)batch, s->blocks), sizeof(int32_t)),
                          scratch};
  for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
    s->part[i] = tern_alloc(bytes[i], "kernel benchmark", e);
    s->part_bytes[i] = bytes[i];
    if (!s->part[i]) {
      stand_close(s);
      return (int)e->status;
    }
  }
  s->gemm = (tern_gemm){.weights = s->part[POOL],
                        .rows = rows,
                        .cols = cols,
                        .w_scale = s->part[W_SCALE],
                        .x = s->part[X],
                        .x_stride = padded,
                        .x_scale = s->part[X_SCALE],
                        .x_sum = s->part[X_SUM],
                        .x_block_stride = s->blocks,
                        .tokens = batch,
                        .y = s->part[Y],
                        .y_stride = (size_t)rows,
                        .scratch = s->part[SCRATCH]};
  fill(s, seed);
  /* Block scales: part W_SCALE, all zero but valid as f16. */
  const tern_block_rows block_rows = {s->part[CANONICAL], s->part[W_SCALE]};
  const bool blocked = layout->kind == TERN_KIND_BLOCKS;
  layout->pack(s->part[POOL], rows, cols, 0, rows, blocked ? &block_rows : s->part[CANONICAL]);
  for (size_t i = 1; i < s->copies; i++)
    memcpy((char *)s->part[POOL] + i * s->matrix_stride, s->part[POOL], s->matrix_bytes);
  return 0;
}

/* Best rate of reading `bytes` of the pool with any reader, GB/s. */
static double read_rate(const stand *s, size_t bytes) {
  const tern_reader *readers[MOST_READERS];
  const int count = tern_readers(readers, MOST_READERS);
  volatile uint64_t keep = 0; /* so that no reading is left out */
  double best = 0;
  for (int i = 0; i < count; i++) {
    size_t passes = 0;
    const double start = tern_now();
    double seconds = 0;
    for (; seconds < PASS_S; passes++, seconds = tern_now() - start) keep ^= readers[i]->run(s->part[POOL], bytes);
    const double rate = (double)passes * (double)bytes / seconds * 1e-9;
    if (rate > best) best = rate;
  }
  (void)keep;
  return best;
}

/* Best time of one product within `seconds`; in the pool a pass over all copies
 * is timed as one. */
static double kernel_seconds(stand *s, const tern_kernel *k, size_t copies, double seconds) {
  double best = INFINITY;
  for (double begin = tern_now(), now = begin; now - begin < seconds || !isfinite(best);) {
    const double start = tern_now();
    for (size_t i = 0; i < copies; i++) {
      s->gemm.weights = (const char *)s->part[POOL] + i * s->matrix_stride;
      k->run(&s->gemm, 0, s->rows);
    }
    now = tern_now();
    if ((now - start) / (double)copies < best) best = (now - start) / (double)copies;
  }
  return best;
}

static void measure(const tern_bench *b, stand *s, figure *f) {
  const bool dram = strcmp(f->where, "dram") == 0;
  const double work = 2.0 * f->rows * f->cols * f->batch;
  /* Compute-bound passes over the whole pool would take seconds. */
  size_t copies = dram ? s->copies : 1;
  if (f->batch > 8 && copies > 4) copies = 4;
  s->gemm.tokens = f->batch;
  f->seconds = INFINITY;
  f->read_gbs = 0;
  f->peak_gops = NAN;
  if (!dram) f->kernel->run(&s->gemm, 0, s->rows); /* into the cache */
  for (int round = 0; round < ROUNDS; round++) {
    const double read = read_rate(s, dram ? s->copies * s->matrix_stride : s->matrix_stride);
    const double peak = tern_instruction_peak(f->kernel->isa, s->layout->kind == TERN_KIND_FLOAT, &f->instruction);
    const double seconds = kernel_seconds(s, f->kernel, copies, b->seconds / ROUNDS);
    if (read > f->read_gbs) f->read_gbs = read;
    if (!(peak <= f->peak_gops)) f->peak_gops = peak;
    if (seconds < f->seconds) f->seconds = seconds;
  }
  f->gbs = (double)s->matrix_bytes / f->seconds * 1e-9;
  f->gops = work / f->seconds * 1e-9;
}

static void print_figure(const tern_bench *b, const figure *f, json_t *list, FILE *out) {
  const double of_read = f->gbs / f->read_gbs, of_peak = f->gops / f->peak_gops;
  if (b->format == TERN_BENCH_JSON) {
    json_t *row = json_pack("{s:s, s:i, s:i, s:i, s:s, s:f, s:f, s:f, s:f}", "kernel", f->kernel->name, "rows", f->rows,
                            "cols", f->cols, "batch", f->batch, "where", f->where, "seconds", f->seconds, "gbs", f->gbs,
                            "read_gbs", f->read_gbs, "gops", f->gops);
    json_object_set_new(row, "peak_gops", isnan(f->peak_gops) ? json_null() : json_real(f->peak_gops));
    json_object_set_new(row, "peak_instruction", isnan(f->peak_gops) ? json_null() : json_string(f->instruction));
    json_array_append_new(list, row);
  } else if (b->format == TERN_BENCH_CSV) {
    fprintf(out, "%s,%d,%d,%d,%s,%.9f,%.3f,%.3f,%.3f,", f->kernel->name, f->rows, f->cols, f->batch, f->where,
            f->seconds, f->gbs, f->read_gbs, f->gops);
    if (!isnan(f->peak_gops)) fprintf(out, "%.3f", f->peak_gops);
    fprintf(out, ",%s\n", f->instruction);
  } else {
    fprintf(out, "%-16s %5d x %-5d %5d  %-5s %9.1f us %8.2f GB/s (%3.0f %%) %8.1f GOPS", f->kernel->name, f->rows,
            f->cols, f->batch, f->where, f->seconds * 1e6, f->gbs, 100 * of_read, f->gops);
    if (!isnan(f->peak_gops)) fprintf(out, " (%3.0f %% of %.0f)", 100 * of_peak, f->peak_gops);
    fputc('\n', out);
  }
  fflush(out);
}

static bool selected(const tern_bench *b, const tern_kernel *k) {
  if (k->isa > b->cap || !tern_isa_usable(k->isa)) return false;
  return b->filter ? strstr(k->name, b->filter) != NULL : k->isa != TERN_ISA_SCALAR;
}

/* All kernels, batches and places on one matrix. */
static int bench_stand(const tern_bench *b, stand *s, json_t *list, FILE *out, tern_error *e) {
  for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
    if ((*k)->layout != s->layout || !selected(b, *k)) continue;
    for (size_t t = 0; t < sizeof batches / sizeof *batches; t++) {
      if (b->batch && t > 0) break;
      for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        if (b->where && strcmp(b->where, places[p]) != 0) continue;
        if (tern_interrupt_check(e)) return (int)e->status;
        figure f = {.kernel = *k, .where = places[p], .rows = s->rows, .cols = s->cols};
        f.batch = b->batch ? b->batch : batches[t];
        measure(b, s, &f);
        print_figure(b, &f, list, out);
      }
    }
  }
  return 0;
}

static bool any_selected(const tern_bench *b, const tern_layout *l) {
  for (const tern_kernel *const *k = tern_kernels(); *k; k++)
    if ((*k)->layout == l && selected(b, *k)) return true;
  return false;
}

int tern_kernel_bench(const tern_bench *b, FILE *out, tern_error *e) {
  const int most = b->batch ? b->batch : batches[sizeof batches / sizeof *batches - 1];
  bool any = false;
  for (const tern_layout *const *l = tern_layouts(); *l; l++) any = any || any_selected(b, *l);
  if (!any)
    return tern_fail(e, TERN_FAILED, "no usable kernel's name contains \"%.40s\": see ternmark kernels list",
                     b->filter);
  json_t *list = json_array();
  if (b->format == TERN_BENCH_CSV)
    fprintf(out, "kernel,rows,cols,batch,where,seconds,gbs,read_gbs,gops,peak_gops,peak_instruction\n");
  if (b->format == TERN_BENCH_TEXT)
    fprintf(out, "%s, 1 thread; %% of the bandwidth and of the instruction peak measured beside\n", tern_cpu_name());
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    if (!any_selected(b, *l)) continue;
    for (size_t i = 0; i < (b->rows ? 1 : sizeof shapes / sizeof *shapes); i++) {
      stand s;
      int bad =
          stand_open(&s, *l, b->rows ? b->rows : shapes[i][0], b->rows ? b->cols : shapes[i][1], most, b->seed, e);
      if (!bad) {
        bad = bench_stand(b, &s, list, out, e);
        stand_close(&s);
      }
      if (bad) goto out;
    }
  }
  if (b->format == TERN_BENCH_JSON) {
    json_t *root = json_pack("{s:s, s:i, s:O}", "cpu", tern_cpu_name(), "threads", 1, "figures", list);
    json_dumpf(root, out, JSON_INDENT(1));
    fputc('\n', out);
    json_decref(root);
  }
out:
  json_decref(list);
  return (int)e->status;
}
