/* ternmark synth: a GGUF of a published shape with seeded weights. */
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/progress.h"
#include "harness/command.h"
#include "harness/shapes.h"

enum { KEY_TYPE = 256, KEY_HEAD, KEY_LAYERS, KEY_SEED, KEY_LIST, KEY_TINY };

typedef struct options {
  const char *shape, *output;
  tern_synth_params params;
  int threads;
  bool list, tiny;
} options;

static const struct argp_option option_table[] = {
    {"output", 'o', "FILE", 0, "the GGUF to write", 0},
    {"type", KEY_TYPE, "TYPE", 0,
     "of the projections (i2_s; f16 where published so): i2_s, tq2_0, tq1_0, q2_0, q8_0, f16, bf16, f32", 0},
    {"head", KEY_HEAD, "TYPE", 0, "of embedding and output head: f16 (default), q8_0, q6_k, bf16, f32", 0},
    {"layers", KEY_LAYERS, "N", 0, "only the first N layers", 0},
    {"tiny", KEY_TINY, NULL, 0, "the shape's family in the size of tests: 256 wide, vocabulary of 512", 0},
    {"seed", KEY_SEED, "N", 0, "seed of the weights (default 0)", 0},
    {"threads", 't', "N", 0, "threads (default: all CPUs); the bytes do not depend on it", 0},
    {"list", KEY_LIST, NULL, 0, "list the shapes and stop", 0},
    {0},
};

static const char help[] =
    "Write a GGUF file of a published model shape with seeded weights and a generated vocabulary of full size.\v"
    "The weights are ternary codes, about a third each, times a scale a matrix; every --type holds the same values. "
    "The same shape, type, head and seed give the same bytes on every machine.\n"
    "\n"
    "Examples:\n"
    "  ternmark synth 2B4T -o 2b4t.gguf                 ternary, 1.2 GB\n"
    "  ternmark synth 2B4T --type f16 -o f16.gguf       its fp16 twin, 4.8 GB\n"
    "  ternmark synth 700M --head q8_0 --layers 4 -o cut.gguf\n"
    "  ternmark synth Gemma-3-1B --tiny --type f16 -o tiny.gguf\n"
    "  ternmark synth --list\n";

static bool read_number(const char *text, uint64_t most, uint64_t *out) {
  char *end;
  errno = 0;
  unsigned long long v = strtoull(text, &end, 0);
  if (errno || *end || end == text || strchr(text, '-') || v > most) return false;
  *out = v;
  return true;
}

static const tern_dtype *read_type(const char *text, struct argp_state *state) {
  const tern_dtype *type = tern_dtype_by_name(text);
  if (!type) argp_error(state, "unknown type '%s'", text);
  return type;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  uint64_t n = 0;
  switch (key) {
  case 'o':
    o->output = arg;
    return 0;
  case KEY_TYPE:
    o->params.type = read_type(arg, state);
    return 0;
  case KEY_HEAD:
    o->params.head = read_type(arg, state);
    return 0;
  case KEY_TINY:
    o->tiny = true;
    return 0;
  case KEY_LIST:
    o->list = true;
    return 0;
  case KEY_SEED:
    if (!read_number(arg, UINT64_MAX, &o->params.seed)) argp_error(state, "--seed wants a number from 0 to 2^64 - 1");
    return 0;
  case KEY_LAYERS:
    if (!read_number(arg, INT_MAX, &n) || n == 0) argp_error(state, "--layers wants a whole number from 1 up");
    o->params.layers = (int)n;
    return 0;
  case 't':
    if (!read_number(arg, 1024, &n) || n == 0) argp_error(state, "--threads wants a number from 1 to 1024");
    o->threads = (int)n;
    return 0;
  case ARGP_KEY_ARG:
    if (o->shape) argp_error(state, "one shape at a time; '%s' is too many", arg);
    o->shape = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->list && !o->shape) argp_error(state, "which shape? (ternmark synth --list)");
    if (!o->list && !o->output) argp_error(state, "where to? (-o FILE)");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int cpus_allowed(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static int write_model(const options *o, tern_error *e) {
  tern_synth_shape shape;
  tern_team *team = NULL;
  size_t bytes;
  int rc = tern_shapes_find(o->shape, &shape, e);
  if (!rc && o->tiny) shape = tern_synth_shrunk(&shape);
  if (!rc) rc = tern_synth_bytes(&shape, &o->params, &bytes, e);
  if (!rc) rc = tern_team_open(&team, o->threads, NULL, e);
  double start = tern_now();
  if (!rc) rc = tern_synth(o->output, &shape, &o->params, team, e);
  if (!rc) {
    printf("%s: %s (%s), %d layers, %s, head %s, seed %llu: %.3f GB of synthetic weights in %.1f s\n", o->output,
           shape.name, shape.arch, o->params.layers ? o->params.layers : shape.layers,
           tern_synth_type(&shape, &o->params)->name, o->params.head ? o->params.head->name : "F16",
           (unsigned long long)o->params.seed, (double)bytes * 1e-9, tern_now() - start);
  }
  tern_team_close(team);
  return rc;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {.options = option_table, .parser = parse, .args_doc = "SHAPE", .doc = help};
  options o = {.threads = cpus_allowed(), .params = {.progress = true}};
  static char name[] = "ternmark synth"; /* how messages and usage call it */
  argv[0] = name;
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  return o.list ? tern_shapes_list(stdout, e) : write_model(&o, e);
}

const tern_command tern_command_synth = {"synth", "write a GGUF of a published shape with seeded weights", run};
