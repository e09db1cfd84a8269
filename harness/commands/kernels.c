/* ternmark kernels: what the registry holds, the bit-for-bit check, and speed. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/kernel_bench.h"
#include "harness/kernel_check.h"
#include "harness/kernel_tune.h"
#include "harness/machine.h"
#include "harness/placement.h"
#include "harness/tune_cache.h"

enum {
  KEY_ISA = 256,
  KEY_SEED,
  KEY_MODEL,
  KEY_SHAPE,
  KEY_BATCH,
  KEY_WHERE,
  KEY_SECONDS,
  KEY_COUNTERS,
  KEY_CSV,
  KEY_JSON,
  KEY_CACHE,
  KEY_NO_TUNE
};
enum { MOST_ROWS = 1 << 20, MOST_COLS = 65536, MOST_BATCH = 4096, MOST_THREADS = 1024 };

typedef struct options {
  const char *action;
  tern_bench bench; /* filter, cap, teams and seed are others' too */
  tern_words models;
  int cpus[MOST_THREADS];
  const char *cache; /* file; NULL: the usual one */
  bool no_tune;
} options;

static const struct argp_option option_table[] = {
    {"isa", KEY_ISA, "LEVEL", 0,
     "up to this level: scalar, avx2, avxvnni, avx512, avx512vlvnni, avx512vnni, avx512vbmi, neon, neondot, neoni8mm",
     0},
    {"seed", KEY_SEED, "N", 0, "of the data (default 1)", 0},
    {"seconds", KEY_SECONDS, "S", 0, "bench, tune: time for a figure (default 0.1)", 0},
    {"threads", 't', "LIST", 0, "bench, tune: team sizes, or all (bench: 1; tune: 1, 2, 4, ... all)", 0},
    {"model", KEY_MODEL, "LIST", 0, "bench: matrices of these published shapes (2B4T)", 0},
    {"shape", KEY_SHAPE, "ROWSxCOLS", 0, "bench: this matrix", 0},
    {"batch", KEY_BATCH, "LIST", 0, "bench: tokens (default 1,8,512)", 0},
    {"where", KEY_WHERE, "PLACE", 0, "bench: weights in \"cache\" or \"dram\" only", 0},
    {"counters", KEY_COUNTERS, NULL, 0, "bench: count events of a pass of every figure", 0},
    {"csv", KEY_CSV, NULL, 0, "bench: print CSV", 0},
    {"json", KEY_JSON, NULL, 0, "bench: print JSON", 0},
    {"cache", KEY_CACHE, "FILE", 0, "list, tune: the tuning cache (~/.cache/ternmark/tune.json)", 0},
    {"no-tune", KEY_NO_TUNE, NULL, 0, "list: leave the tuning cache alone (also TERNMARK_TUNE=off)", 0},
    {0},
};

static const char help[] = "List, check, time or tune the matrix kernels. FILTER is part of a kernel's name.\v"
                           "`test` compares every usable kernel with its layout's scalar definition bit for bit, in\n"
                           "buffers between inaccessible pages. `bench` times kernels (scalar ones only when FILTER\n"
                           "names them) beside read bandwidth and instruction peak of the same blocks. `tune` times\n"
                           "what whole models can use; run, bench and reproduce then take the winners. Answers are\n"
                           "the same bit for bit whatever is chosen.\n"
                           "\n"
                           "Examples:\n"
                           "  ternmark kernels list\n"
                           "  ternmark kernels test\n"
                           "  ternmark kernels test q8 --isa avx2 --seed 7\n"
                           "  ternmark kernels bench t2 --batch 1,2,4,8,16 --where dram\n"
                           "  ternmark kernels bench --model 2B4T,8B --threads 1,all --csv\n"
                           "  ternmark kernels bench t2_avx2 --shape 4096x14336 --counters --json\n"
                           "  ternmark kernels tune\n";

static void parse_shape(tern_bench *b, const char *text, struct argp_state *state) {
  char *end;
  errno = 0;
  const long rows = strtol(text, &end, 10);
  if (errno || end == text || *end != 'x' || rows < 1 || rows > MOST_ROWS)
    argp_error(state, "--shape: '%.40s' is not ROWSxCOLS with at most %d rows", text, MOST_ROWS);
  b->matrices[0].rows = (int)rows;
  b->matrices[0].cols = (int)tern_option_number(state, "shape", end + 1, 1, MOST_COLS);
  b->matrix_count = 1;
}

static void parse_batches(tern_bench *b, char *text, struct argp_state *state) {
  tern_words words;
  tern_option_words(state, "batch", text, &words);
  b->batch_count = words.count;
  for (int i = 0; i < words.count; i++)
    b->batches[i] = (int)tern_option_number(state, "batch", words.items[i], 1, MOST_BATCH);
}

/* 0 in the list: all cores. */
static void parse_teams(tern_bench *b, char *text, struct argp_state *state) {
  tern_words words;
  tern_option_words(state, "threads", text, &words);
  b->team_count = words.count;
  for (int i = 0; i < words.count; i++)
    b->teams[i] = strcmp(words.items[i], "all") == 0
                      ? 0
                      : (int)tern_option_number(state, "threads", words.items[i], 1, MOST_THREADS);
}

static void parse_where(tern_bench *b, const char *text, struct argp_state *state) {
  bool any = false;
  for (int p = 0; p < TERN_PLACES; p++) {
    b->places[p] = strcmp(text, tern_place_name((tern_place)p)) == 0;
    any = any || b->places[p];
  }
  if (!any) argp_error(state, "--where: cache or dram");
}

static error_t parse_bench(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  tern_bench *b = &o->bench;
  switch (key) {
  case KEY_MODEL:
    tern_option_words(state, "model", arg, &o->models);
    return 0;
  case KEY_SHAPE:
    parse_shape(b, arg, state);
    return 0;
  case KEY_BATCH:
    parse_batches(b, arg, state);
    return 0;
  case 't':
    parse_teams(b, arg, state);
    return 0;
  case KEY_WHERE:
    parse_where(b, arg, state);
    return 0;
  case KEY_COUNTERS:
    b->counters = true;
    return 0;
  case KEY_CSV:
    b->format = TERN_BENCH_CSV;
    return 0;
  case KEY_JSON:
    b->format = TERN_BENCH_JSON;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  int level;
  switch (key) {
  case KEY_ISA:
    level = tern_isa_parse(arg);
    if (level < 0) argp_error(state, "--isa: unknown level '%.40s'", arg);
    if (!tern_isa_usable((tern_isa)level))
      argp_failure(state, TERN_USAGE, 0, "--isa %s: not usable here: %s", arg, tern_isa_reason((tern_isa)level));
    o->bench.cap = (tern_isa)level;
    return 0;
  case KEY_SEED:
    o->bench.seed = (uint64_t)tern_option_number(state, "seed", arg, 0, LONG_MAX);
    return 0;
  case KEY_SECONDS:
    o->bench.seconds = tern_option_real(state, "seconds", arg, 1e-6, 60);
    return 0;
  case KEY_CACHE:
    o->cache = arg;
    return 0;
  case KEY_NO_TUNE:
    o->no_tune = true;
    return 0;
  case ARGP_KEY_ARG:
    if (state->arg_num == 0)
      o->action = arg;
    else if (state->arg_num == 1)
      o->bench.filter = arg;
    else
      argp_error(state, "'%.40s': one FILTER at most", arg);
    return 0;
  case ARGP_KEY_END:
    if (!o->action) argp_error(state, "list, test, bench or tune?");
    return 0;
  default:
    return parse_bench(key, arg, state);
  }
}

/* Both situations in which a kernel may be taken, as "cache" and "dram". */
static bool is_chosen(const tern_kernel *k, const tern_tuning *t, const options *o, int threads) {
  for (int place = 0; place < TERN_PLACES; place++) {
    const tern_situation s = {
        .cap = o->bench.cap, .threads = threads, .bytes = t && place == TERN_PLACE_DRAM ? t->cache + 1 : 0};
    const tern_choice c = tern_choose_kernels(t, k->layout, &s);
    for (int b = 0; b < TERN_BATCH_CLASSES; b++)
      if (c.kernels[b] == k) return true;
  }
  return false;
}

static int list(options *o, tern_error *e) {
  (void)e;
  tern_tuning *t = tern_tune_open(o->cache, o->no_tune);
  printf("%s%s\n", tern_cpu_name(), t ? ", tuned" : "");
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    printf("%-6s %s; %.3g bits a weight, blocks of %d rows, %d columns\n", (*l)->name, (*l)->what, (*l)->bits,
           (*l)->row_block, (*l)->col_block);
    for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
      if ((*k)->layout != *l || (o->bench.filter && !strstr((*k)->name, o->bench.filter))) continue;
      const char *reason = tern_isa_reason((*k)->isa);
      printf("  %-20s %-12s %s%s%s\n", (*k)->name, tern_isa_name((*k)->isa), reason ? "not usable: " : "usable",
             reason ? reason : "", is_chosen(*k, t, o, 1) ? ", chosen" : "");
    }
  }
  free(t);
  return TERN_OK;
}

static bool names_any(const char *filter) {
  bool any = !filter;
  for (const tern_kernel *const *k = tern_kernels(); *k && !any; k++) any = strstr((*k)->name, filter) != NULL;
  return any;
}

static int test(options *o, tern_error *e) {
  if (!names_any(o->bench.filter))
    return tern_fail(e, TERN_FAILED, "no kernel's name contains \"%.40s\": see ternmark kernels list", o->bench.filter);
  const int failed = tern_kernel_check(o->bench.filter, o->bench.seed, o->bench.cap, stdout);
  if (!failed) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "%d of the checks above failed; repeat with --seed %" PRIu64, failed, o->bench.seed);
}

/* Teams and their CPUs; tune without a list: 1, 2, 4, ... and all. */
static int place_teams(options *o, size_t *cache, tern_error *e) {
  tern_bench *b = &o->bench;
  tern_machine machine = {0};
  tern_placement *placement = NULL;
  int most = 1;
  if (tern_machine_probe(&machine, e)) return (int)e->status;
  const int cores = tern_machine_cores(&machine);
  *cache = machine.topology.l3 ? machine.topology.l3 : machine.topology.l2;
  tern_machine_free(&machine);
  if (b->team_count == 0) {
    b->teams[b->team_count++] = 1;
    const bool tune = strcmp(o->action, "tune") == 0;
    for (int n = 2; tune && n < cores && b->team_count < TERN_BENCH_LIST - 1; n *= 2) b->teams[b->team_count++] = n;
    if (tune && cores > 1) b->teams[b->team_count++] = cores;
  }
  for (int i = 0; i < b->team_count; i++) {
    if (b->teams[i] == 0) b->teams[i] = cores < MOST_THREADS ? cores : MOST_THREADS;
    if (b->teams[i] > most) most = b->teams[i];
  }
  if (tern_placement_open(&placement, e)) return (int)e->status;
  if (tern_placement_binds(placement) && !tern_placement_cpus(placement, "cores", most, o->cpus, e)) b->cpus = o->cpus;
  tern_placement_close(placement);
  return (int)e->status;
}

static int bench(options *o, tern_error *e) {
  tern_bench *b = &o->bench;
  size_t cache;
  if (b->matrix_count == 0 && o->models.count == 0) o->models = (tern_words){{"2B4T"}, 1};
  for (int i = 0; i < o->models.count; i++)
    if (tern_bench_add_model(b, o->models.items[i], e)) return (int)e->status;
  if (place_teams(o, &cache, e)) return (int)e->status;
  return tern_kernel_bench(b, stdout, e);
}

static int by_size(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

static int tune(options *o, tern_error *e) {
  tern_bench *b = &o->bench;
  tern_tune_ask ask = {.seconds = b->seconds, .seed = b->seed};
  char usual[PATH_MAX];
  const char *path = o->cache;
  if (b->filter) return tern_fail(e, TERN_USAGE, "tune times all kernels: no FILTER");
  if (!path) tern_tune_path(usual, sizeof usual);
  if (!path) path = usual;
  if (place_teams(o, &ask.cache, e)) return (int)e->status;
  qsort(b->teams, (size_t)b->team_count, sizeof *b->teams, by_size);
  ask.teams = b->teams;
  ask.team_count = b->team_count;
  ask.cpus = b->cpus;
  tern_tuning *t = calloc(1, sizeof *t);
  if (!t) return tern_fail(e, TERN_FAILED, "kernels tune: out of memory");
  if (!tern_kernel_tune(t, &ask, e) && !tern_tune_save(path, t, e)) {
    tern_tune_print(t, &ask, stdout);
    printf("%s: %d times\n", path, t->count);
  }
  free(t);
  return (int)e->status;
}

static const struct {
  const char *name;
  int (*run)(options *o, tern_error *e);
} actions[] = {{"list", list}, {"test", test}, {"bench", bench}, {"tune", tune}};

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {option_table, parse, "list|test|bench|tune [FILTER]", help, NULL, NULL, NULL};
  static char name[] = "ternmark kernels";
  options o = {.bench = {.cap = TERN_ISA_COUNT,
                         .batches = {1, 8, 512},
                         .batch_count = 3,
                         .places = {true, true},
                         .seconds = 0.1,
                         .seed = 1}};
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    if (strcmp(o.action, actions[i].name) != 0) continue;
    const int status = actions[i].run(&o, e);
    if (fflush(stdout) != 0 && !status) return tern_fail_errno(e, "standard output: cannot write");
    return status;
  }
  return tern_fail(e, TERN_USAGE, "'%.40s' is none of list, test, bench, tune", o.action);
}

const tern_command tern_command_kernels = {"kernels", "list, check, time and tune the matrix kernels", run};
