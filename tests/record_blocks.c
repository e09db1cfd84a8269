/* Records blocks of identical work for check_blocks: two sides, A and B, run the
 * same matrix times vector over the same memory, in random order within a block.
 * Whatever ratio they show is the machine's noise. One CSV row a block.
 * usage: record_blocks OUT.csv LAYOUT MEBIBYTES THREADS BLOCKS MILLISECONDS */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/base/team.h"
#include "kernels/kernel.h"

enum { COLS = 2560, SEED = 4 };

typedef struct work {
  const tern_kernel *kernel;
  tern_gemm gemm;
  void *x;
  int passes;
} work;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static long involuntary_switches(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_nivcsw;
}

static void job(void *arg, int member, int size) {
  const work *w = arg;
  int lo, hi;
  tern_split(w->gemm.rows, w->kernel->layout->row_block, member, size, &lo, &hi);
  w->kernel->run(&w->gemm, lo, hi);
}

static double timed(tern_team *team, work *w) {
  double start = now();
  for (int i = 0; i < w->passes; i++) tern_team_run(team, job, w);
  return now() - start;
}

/* Weights are whatever bits the pool holds: time does not depend on them in the
 * integer kernels, and float ones are given small numbers. */
static int fill(work *w, size_t bytes, tern_error *e) {
  const tern_layout *layout = w->kernel->layout;
  size_t row = layout->bytes(layout->row_block, COLS) / (size_t)layout->row_block;
  int rows = (int)(bytes / row) / layout->row_block * layout->row_block;
  size_t size = layout->bytes(rows, COLS);
  unsigned char *weights = tern_alloc(size, "weights", e);
  float *y = tern_alloc((size_t)rows * sizeof(float), "outputs", e);
  w->x = tern_alloc(COLS * sizeof(float), "input", e);
  if (!weights || !y || !w->x) return 1;
  memset(weights, 0x11, size);
  if (layout->kind != TERN_KIND_FLOAT) memset(w->x, 1, COLS);
  static const float one = 1;
  static const int32_t sum = COLS;
  w->gemm = (tern_gemm){.weights = weights,
                        .rows = rows,
                        .cols = COLS,
                        .w_scale = &one,
                        .x = w->x,
                        .x_stride = COLS,
                        .x_scale = &one,
                        .x_sum = &sum,
                        .tokens = 1,
                        .y = y,
                        .y_stride = (size_t)rows};
  return 0;
}

static void calibrate(tern_team *team, work *w, double want_s) {
  double best = 1e9;
  w->passes = 1;
  for (int i = 0; i < 20; i++) {
    double t = timed(team, w);
    if (t < best) best = t;
  }
  w->passes = (int)(want_s / best + 0.5);
  if (w->passes < 1) w->passes = 1;
}

int main(int argc, char **argv) {
  tern_error e = {0};
  const tern_layout *layout = argc == 7 ? tern_layout_find(argv[2]) : NULL;
  if (!layout) {
    fprintf(stderr, "usage: record_blocks OUT.csv LAYOUT MEBIBYTES THREADS BLOCKS MILLISECONDS\n");
    return 2;
  }
  tern_team *team = NULL;
  work w = {.kernel = tern_kernel_find(layout, TERN_ISA_COUNT)};
  if (fill(&w, (size_t)atoi(argv[3]) << 20, &e) || tern_team_open(&team, atoi(argv[4]), NULL, &e)) {
    fprintf(stderr, "%s\n", e.text);
    return 1;
  }
  FILE *out = fopen(argv[1], "w");
  if (!out) {
    perror(argv[1]);
    return 1;
  }
  calibrate(team, &w, 1e-3 * atof(argv[6]));
  fputs("block,start_s,first,a_s,b_s,a_switches,b_switches\n", out);
  double began = now();
  for (int block = 0; block < atoi(argv[5]); block++) {
    int first = (int)(tern_random_at(SEED, 0, (uint64_t)block) & 1);
    double start = now() - began, seconds[2];
    long switches[2];
    for (int turn = 0; turn < 2; turn++) {
      int side = first ^ turn;
      long before = involuntary_switches();
      seconds[side] = timed(team, &w);
      switches[side] = involuntary_switches() - before;
    }
    fprintf(out, "%d,%.3f,%c,%.6f,%.6f,%ld,%ld\n", block, start, "ab"[first], seconds[0], seconds[1], switches[0],
            switches[1]);
  }
  tern_team_close(team);
  return fclose(out) != 0;
}
