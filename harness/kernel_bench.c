/* Kernel benchmark. The kernels of a kind of weights take turns: a block reads,
 * runs the peak's instruction, and then gives each kernel its time, so that a
 * share compares what happened at nearly the same moment. */
#include "harness/kernel_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/team.h"
#include "harness/kernel_peak.h"
#include "harness/kernel_stand.h"
#include "harness/shapes.h"

enum { BLOCKS = 9, MOST_LAYOUTS = 8, MOST_KERNELS = 48, MOST_THREADS = 1024 };

static int add_matrix(tern_bench *b, const char *shape, const char *name, int rows, int cols, tern_error *e) {
  for (int i = 0; i < b->matrix_count; i++)
    if (b->matrices[i].rows == rows && b->matrices[i].cols == cols) return 0;
  if (b->matrix_count == TERN_BENCH_MATRICES)
    return tern_fail(e, TERN_USAGE, "more than %d matrices; name fewer models", TERN_BENCH_MATRICES);
  tern_bench_matrix *m = &b->matrices[b->matrix_count++];
  snprintf(m->name, sizeof m->name, "%.40s %s", shape, name);
  m->rows = rows;
  m->cols = cols;
  return 0;
}

int tern_bench_add_model(tern_bench *b, const char *shape, tern_error *e) {
  tern_synth_shape s;
  if (tern_shapes_find(shape, &s, e)) return (int)e->status;
  const int query = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
  const struct {
    const char *name;
    int rows, cols;
  } matrices[] = {{"q", query, s.hidden},
                  {"k+v", kv, s.hidden},
                  {"o", s.hidden, query},
                  {"gate+up", s.ffn, s.hidden},
                  {"down", s.hidden, s.ffn}};
  for (size_t i = 0; i < sizeof matrices / sizeof *matrices; i++)
    if (add_matrix(b, s.name, matrices[i].name, matrices[i].rows, matrices[i].cols, e)) return (int)e->status;
  return 0;
}

/* One kernel while its blocks are taken. */
typedef struct entry {
  const tern_kernel *kernel;
  tern_stand *stand;
  double seconds[BLOCKS], gbs[BLOCKS], read_gbs[BLOCKS], gops[BLOCKS], peak_gops[BLOCKS];
  const char *instruction;
} entry;

typedef struct bench {
  const tern_bench *ask;
  tern_bench_print *print;
  tern_counters *counters;
  tern_team *team;
  const tern_bench_matrix *matrix;
  tern_stand stands[MOST_LAYOUTS];
  int stand_count;
  entry entries[MOST_KERNELS];
  int count;
} bench;

static bool selected(const tern_bench *b, const tern_kernel *k) {
  if (k->isa > b->cap || !tern_isa_usable(k->isa)) return false;
  return b->filter ? strstr(k->name, b->filter) != NULL : k->isa != TERN_ISA_SCALAR;
}

typedef struct peak_job {
  tern_isa isa;
  bool floats;
  double gops[MOST_THREADS];
  const char *instruction;
} peak_job;

static void peak_member(void *arg, int member, int size) {
  (void)size;
  peak_job *p = arg;
  const char *instruction;
  p->gops[member] = tern_instruction_peak(p->isa, p->floats, &instruction);
  if (member == 0) p->instruction = instruction;
}

/* The whole team's. */
static double team_peak(tern_team *team, const tern_kernel *k, const char **instruction) {
  peak_job p = {.isa = k->isa, .floats = k->layout->kind == TERN_KIND_FLOAT, .instruction = ""};
  double sum = 0;
  tern_team_run(team, peak_member, &p);
  for (int i = 0; i < tern_team_size(team); i++) sum += p.gops[i];
  *instruction = p.instruction;
  return sum;
}

static void take_block(bench *b, int batch, tern_place place, int block) {
  double read = 0;
  for (int i = 0; i < b->count; i++) {
    entry *x = &b->entries[i];
    const bool first = i == 0 || x->stand != x[-1].stand;
    /* Pools are alike in size; in cache each layout's matrix is of its own. */
    if (i == 0 || (first && place == TERN_PLACE_CACHE))
      read = tern_stand_read(x->stand, b->team, place, b->ask->seconds / BLOCKS);
    x->read_gbs[block] = read;
    x->peak_gops[block] = team_peak(b->team, x->kernel, &x->instruction);
    const double s = tern_stand_time(x->stand, b->team, x->kernel, batch, place, b->ask->seconds / BLOCKS);
    x->seconds[block] = s;
    x->gbs[block] = (double)x->stand->matrix_bytes / s * 1e-9;
    x->gops[block] = 2.0 * x->stand->rows * x->stand->cols * batch / s * 1e-9;
  }
}

static tern_estimate share_of(const double *part, const double *whole) {
  double shares[BLOCKS];
  int n = 0;
  for (int i = 0; i < BLOCKS; i++)
    if (isfinite(whole[i]) && whole[i] > 0) shares[n++] = part[i] / whole[i];
  return tern_estimate_median(shares, n);
}

static double median_of(const double *values) {
  double sorted[BLOCKS];
  memcpy(sorted, values, sizeof sorted);
  return isfinite(sorted[0]) ? tern_estimate_median(sorted, BLOCKS).median : (double)NAN;
}

static void count_pass(bench *b, entry *x, tern_figure *f) {
  for (int c = 0; c < TERN_COUNTERS; c++) f->counters[c] = -1;
  for (int pass = 0; b->counters && pass < tern_counters_passes(b->counters); pass++) {
    int64_t values[TERN_COUNTERS];
    tern_counters_pass(b->counters, pass);
    tern_counters_start(b->counters);
    f->products = tern_stand_pass(x->stand, b->team, x->kernel, f->batch, f->place);
    tern_counters_stop(b->counters, values);
    for (int c = 0; c < TERN_COUNTERS; c++)
      if (values[c] >= 0) f->counters[c] = values[c];
  }
}

static void tell(bench *b, entry *x, int batch, tern_place place) {
  tern_figure f = {.kernel = x->kernel,
                   .matrix = b->matrix,
                   .place = place,
                   .batch = batch,
                   .threads = tern_team_size(b->team),
                   .blocks = BLOCKS,
                   .seconds = INFINITY,
                   .gbs = median_of(x->gbs),
                   .read_gbs = median_of(x->read_gbs),
                   .gops = median_of(x->gops),
                   .peak_gops = median_of(x->peak_gops),
                   .of_read = share_of(x->gbs, x->read_gbs),
                   .of_peak = share_of(x->gops, x->peak_gops),
                   .instruction = x->instruction};
  for (int i = 0; i < BLOCKS; i++) f.seconds = x->seconds[i] < f.seconds ? x->seconds[i] : f.seconds;
  count_pass(b, x, &f);
  tern_bench_print_figure(b->print, &f);
}

static int bench_team(bench *b, int threads, tern_error *e) {
  const tern_bench *ask = b->ask;
  if (tern_team_open(&b->team, threads, ask->cpus, e)) return (int)e->status;
  if (b->counters) tern_counters_bind(b->counters, b->team);
  for (int t = 0; t < ask->batch_count; t++)
    for (int place = 0; place < TERN_PLACES; place++) {
      if (!ask->places[place]) continue;
      for (int block = 0; block < BLOCKS && !tern_interrupt_check(e); block++)
        take_block(b, ask->batches[t], (tern_place)place, block);
      for (int i = 0; i < b->count && !e->status; i++) tell(b, &b->entries[i], ask->batches[t], (tern_place)place);
    }
  if (b->counters) tern_counters_unbind(b->counters);
  tern_team_close(b->team);
  return (int)e->status;
}

static int greatest(const int *list, int count) {
  int most = 1;
  for (int i = 0; i < count; i++) most = list[i] > most ? list[i] : most;
  return most;
}

/* Stands of all layouts of the kind that have a kernel to time. */
static int open_stands(bench *b, tern_weight_kind kind, tern_error *e) {
  const tern_bench *ask = b->ask;
  const int tokens = greatest(ask->batches, ask->batch_count), threads = greatest(ask->teams, ask->team_count);
  b->count = b->stand_count = 0;
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    const int before = b->count;
    tern_stand *s = &b->stands[b->stand_count];
    for (const tern_kernel *const *k = tern_kernels(); (*l)->kind == kind && *k; k++)
      if ((*k)->layout == *l && selected(ask, *k) && b->count < MOST_KERNELS && b->stand_count < MOST_LAYOUTS)
        b->entries[b->count++] = (entry){.kernel = *k, .stand = s};
    if (b->count == before) continue;
    if (tern_stand_open(s, *l, b->matrix->rows, b->matrix->cols, tokens, threads, ask->seed, e)) return (int)e->status;
    b->stand_count++;
  }
  return 0;
}

static int bench_matrix(bench *b, tern_error *e) {
  static const tern_weight_kind kinds[] = {TERN_KIND_TERNARY, TERN_KIND_INT8, TERN_KIND_FLOAT, TERN_KIND_BLOCKS};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds && !e->status; k++) {
    if (!open_stands(b, kinds[k], e))
      for (int i = 0; i < b->ask->team_count && b->count > 0 && !e->status; i++) bench_team(b, b->ask->teams[i], e);
    for (int i = 0; i < b->stand_count; i++) tern_stand_close(&b->stands[i]);
  }
  return (int)e->status;
}

static void tell_counters(const tern_counters *c) {
  const tern_counter_fact *f = tern_counters_fact(c, TERN_INSTRUCTIONS);
  if (!f->counts) fprintf(stderr, "hardware counters are unavailable: %s\n", f->why);
}

int tern_kernel_bench(const tern_bench *ask, FILE *out, tern_error *e) {
  bool any = false;
  for (const tern_kernel *const *k = tern_kernels(); *k; k++) any = any || selected(ask, *k);
  if (!any)
    return tern_fail(e, TERN_FAILED, "no usable kernel's name contains \"%.40s\": see ternmark kernels list",
                     ask->filter);
  if (greatest(ask->teams, ask->team_count) > MOST_THREADS)
    return tern_fail(e, TERN_USAGE, "more than %d threads", MOST_THREADS);
  bench *b = calloc(1, sizeof *b);
  if (!b || !(b->print = tern_bench_print_begin(ask, out))) {
    free(b);
    return tern_fail(e, TERN_FAILED, "kernel benchmark: out of memory");
  }
  b->ask = ask;
  if (ask->counters && (b->counters = tern_counters_open())) tell_counters(b->counters);
  for (int i = 0; i < ask->matrix_count && !e->status; i++) {
    b->matrix = &ask->matrices[i];
    bench_matrix(b, e);
  }
  tern_bench_print_end(b->print);
  tern_counters_close(b->counters);
  free(b);
  return (int)e->status;
}
