/* ternmark kernels: what the registry holds, the bit-for-bit check, and speed. */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/kernel_bench.h"
#include "harness/kernel_check.h"
#include "kernels/kernel.h"

enum { KEY_ISA = 256, KEY_SEED, KEY_SHAPE, KEY_BATCH, KEY_WHERE, KEY_SECONDS, KEY_CSV, KEY_JSON };
enum { MOST_ROWS = 1 << 20, MOST_COLS = 65536, MOST_BATCH = 4096 };

typedef struct options {
  const char *action;
  tern_bench bench; /* filter, cap and seed are the check's too */
} options;

static const struct argp_option option_table[] = {
    {"isa", KEY_ISA, "LEVEL", 0, "up to this level: the end of a kernel's name in \"list\" (avx2, neondot, ...)", 0},
    {"seed", KEY_SEED, "N", 0, "of the data (default 1)", 0},
    {"shape", KEY_SHAPE, "ROWSxCOLS", 0, "bench: this matrix instead of those of BitNet b1.58 2B4T", 0},
    {"batch", KEY_BATCH, "N", 0, "bench: this many tokens instead of 1, 8 and 512", 0},
    {"where", KEY_WHERE, "PLACE", 0, "bench: weights in \"cache\" or \"dram\" only", 0},
    {"seconds", KEY_SECONDS, "S", 0, "bench: time for a figure (default 0.1)", 0},
    {"csv", KEY_CSV, NULL, 0, "bench: print CSV", 0},
    {"json", KEY_JSON, NULL, 0, "bench: print JSON", 0},
    {0},
};

static const char help[] = "List, check or time the matrix kernels. FILTER is part of a kernel's name.\v"
                           "`test` compares every usable kernel with its layout's scalar definition bit for bit, in\n"
                           "buffers between inaccessible pages. `bench` times one thread (scalar kernels only when\n"
                           "FILTER names them), beside read bandwidth and instruction peak of the same rounds.\n"
                           "\n"
                           "Examples:\n"
                           "  ternmark kernels list\n"
                           "  ternmark kernels test\n"
                           "  ternmark kernels test q8 --isa avx2 --seed 7\n"
                           "  ternmark kernels bench t2 --batch 1 --where dram\n"
                           "  ternmark kernels bench t2_avx2 --shape 4096x14336 --csv\n";

static long number(struct argp_state *state, const char *text, long least, long most, const char *what) {
  char *end;
  errno = 0;
  const long n = strtol(text, &end, 10);
  if (errno || end == text || *end || n < least || n > most)
    argp_error(state, "%s: '%.40s' is not a number from %ld to %ld", what, text, least, most);
  return n;
}

static void parse_shape(tern_bench *b, const char *text, struct argp_state *state) {
  char *end;
  errno = 0;
  const long rows = strtol(text, &end, 10);
  if (errno || end == text || *end != 'x' || rows < 1 || rows > MOST_ROWS)
    argp_error(state, "--shape: '%.40s' is not ROWSxCOLS with at most %d rows", text, MOST_ROWS);
  b->rows = (int)rows;
  b->cols = (int)number(state, end + 1, 1, MOST_COLS, "--shape's columns");
}

static error_t parse_bench(int key, char *arg, struct argp_state *state) {
  tern_bench *b = &((options *)state->input)->bench;
  char *end;
  switch (key) {
  case KEY_SHAPE:
    parse_shape(b, arg, state);
    return 0;
  case KEY_BATCH:
    b->batch = (int)number(state, arg, 1, MOST_BATCH, "--batch");
    return 0;
  case KEY_WHERE:
    if (strcmp(arg, "cache") != 0 && strcmp(arg, "dram") != 0) argp_error(state, "--where: cache or dram");
    b->where = arg;
    return 0;
  case KEY_SECONDS:
    b->seconds = strtod(arg, &end);
    if (end == arg || *end || !(b->seconds > 0 && b->seconds <= 60))
      argp_error(state, "--seconds: '%.40s' is not a number up to 60", arg);
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
  char *end;
  int level;
  switch (key) {
  case KEY_ISA:
    level = tern_isa_parse(arg);
    if (level < 0) argp_error(state, "--isa: unknown level '%.40s'", arg);
    o->bench.cap = (tern_isa)level;
    return 0;
  case KEY_SEED:
    errno = 0;
    o->bench.seed = strtoull(arg, &end, 10);
    if (errno || end == arg || *end) argp_error(state, "--seed: '%.40s' is not a number", arg);
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
    if (!o->action) argp_error(state, "list, test or bench?");
    return 0;
  default:
    return parse_bench(key, arg, state);
  }
}

static int list(const options *o, tern_error *e) {
  (void)e;
  printf("%s\n", tern_cpu_name());
  for (const tern_layout *const *l = tern_layouts(); *l; l++) {
    printf("%-5s %s; %.3g bits a weight, blocks of %d rows, %d columns\n", (*l)->name, (*l)->what, (*l)->bits,
           (*l)->row_block, (*l)->col_block);
    for (const tern_kernel *const *k = tern_kernels(); *k; k++) {
      if ((*k)->layout != *l || (o->bench.filter && !strstr((*k)->name, o->bench.filter))) continue;
      const char *reason = tern_isa_reason((*k)->isa);
      const bool chosen = tern_kernel_find(*l, o->bench.cap) == *k;
      printf("  %-16s %s%s%s\n", (*k)->name, reason ? "not usable: " : "usable", reason ? reason : "",
             chosen ? ", chosen" : "");
    }
  }
  return TERN_OK;
}

static int test(const options *o, tern_error *e) {
  const int failed = tern_kernel_check(o->bench.filter, o->bench.seed, o->bench.cap, stdout);
  if (!failed) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "%d of the checks above failed; repeat with --seed %" PRIu64, failed, o->bench.seed);
}

static int bench(const options *o, tern_error *e) {
  return tern_kernel_bench(&o->bench, stdout, e);
}

static const struct {
  const char *name;
  int (*run)(const options *o, tern_error *e);
} actions[] = {{"list", list}, {"test", test}, {"bench", bench}};

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {option_table, parse, "list|test|bench [FILTER]", help, NULL, NULL, NULL};
  static char name[] = "ternmark kernels";
  options o = {.bench = {.cap = TERN_ISA_COUNT, .seed = 1, .seconds = 0.1}};
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    if (strcmp(o.action, actions[i].name) != 0) continue;
    const int status = actions[i].run(&o, e);
    if (fflush(stdout) != 0 && !status) return tern_fail_errno(e, "standard output: cannot write");
    return status;
  }
  return tern_fail(e, TERN_USAGE, "'%.40s' is none of list, test, bench", o.action);
}

const tern_command tern_command_kernels = {"kernels", "list, check and time the matrix kernels", run};
