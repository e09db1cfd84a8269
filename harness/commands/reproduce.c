/* ternmark reproduce: options of the main job. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/command.h"
#include "harness/reproduce.h"

enum {
  KEY_MODELS = 256,
  KEY_ENGINES,
  KEY_MODEL,
  KEY_QUICK,
  KEY_FULL,
  KEY_SEED,
  KEY_KV,
  KEY_LAYOUT,
  KEY_HEAD,
  KEY_ISA,
  KEY_I2S,
  KEY_DRY,
  KEY_CACHE,
  KEY_BLOCKS,
  KEY_BUDGET,
  KEY_JSON,
  KEY_CSV,
  KEY_SYSFS,
  KEY_HOST
};

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "What is measured:", 1},
    {"models", KEY_MODELS, "LIST", 0, "Shapes with synthetic weights, comma between (2B4T)", 0},
    {"model", KEY_MODEL, "FILE", 0, "A GGUF with real weights instead", 0},
    {"engines", KEY_ENGINES, "LIST", 0, "Engines (ternary,f16,int8)", 0},
    {"threads", 't', "LIST", 0, "Team sizes, or 'all' (1,all)", 0},
    {"kv", KEY_KV, "TYPE", 0, "KV cache: f32, f16, int8 (f16)", 0},
    {"layout", KEY_LAYOUT, "NAME", 0, "Ternary weights: t2, t5, auto (auto)", 0},
    {"head", KEY_HEAD, "KIND", 0, "Output head: full, exact (full)", 0},
    {"isa", KEY_ISA, "NAME", 0, "Highest instruction set to use", 0},
    {"i2s-layout", KEY_I2S, "NAME", 0, "Field order of an I2_S file: auto, 128, 64, rows4 (auto)", 0},
    {0, 0, 0, 0, "How long:", 2},
    {"quick", KEY_QUICK, 0, 0, "Short prompts and generations, within 6 minutes on 2 cores", 0},
    {"full", KEY_FULL, 0, 0, "More blocks and a long context, hours", 0},
    {"blocks", KEY_BLOCKS, "N", 0, "Repetitions; fewer than 5 give no interval and no verdict", 0},
    {"time-budget", KEY_BUDGET, "SECONDS", 0, "Stop after the block that would pass it; 0: none", 0},
    {"dry-run", KEY_DRY, 0, 0, "Print the plan, its memory, disk and time, and do nothing", 0},
    {0, 0, 0, 0, "Where:", 3},
    {"out", 'o', "DIR", 0, "Result folder (results/<UTC time>)", 0},
    {"cache", KEY_CACHE, "DIR", 0, "Folder of synthetic models (~/.cache/ternmark)", 0},
    {"seed", KEY_SEED, "N", 0, "Of weights, token ids and order (1)", 0},
    {"json", KEY_JSON, 0, 0, "Print summary and claims as JSON", 0},
    {"csv", KEY_CSV, 0, 0, "Print the summary as CSV", 0},
    {"with-host", KEY_HOST, 0, 0, "Keep host name and absolute paths in the manifest", 0},
    {"sysfs-root", KEY_SYSFS, "DIR", 0, "Where /sys is mounted (/sys)", 0},
    {0},
};

/* Index of `arg` in a NULL-terminated list; says what is allowed otherwise. */
static int choice(struct argp_state *state, const char *option, const char *arg, const char *const *names,
                  const char *allowed) {
  for (int i = 0; names[i]; i++)
    if (strcmp(names[i], arg) == 0) return i;
  argp_error(state, "--%s '%s': one of %s", option, arg, allowed);
  return 0;
}

static long number(struct argp_state *state, const char *option, const char *arg, long least, long most) {
  char *end;
  errno = 0;
  long v = strtol(arg, &end, 10);
  if (errno || end == arg || *end || v < least || v > most)
    argp_error(state, "--%s '%s': a number from %ld to %ld", option, arg, least, most);
  return v;
}

/* Cuts a list at its commas, in place. */
static int split(struct argp_state *state, const char *option, char *arg, char **out, int room) {
  int n = 0;
  char *rest = arg;
  for (char *word; (word = strsep(&rest, ","));) {
    if (!*word) argp_error(state, "--%s: an empty name in the list", option);
    if (n == room) argp_error(state, "--%s: at most %d names", option, room);
    out[n++] = word;
  }
  return n;
}

static void parse_threads(struct argp_state *state, tern_job *job, char *arg) {
  char *words[TERN_MOST_TEAMS];
  job->team_count = split(state, "threads", arg, words, TERN_MOST_TEAMS);
  for (int i = 0; i < job->team_count; i++)
    job->teams[i] = strcmp(words[i], "all") == 0 ? 0 : (int)number(state, "threads", words[i], 1, 1024);
}

static void parse_engines(struct argp_state *state, tern_job *job, char *arg) {
  job->engine_count = split(state, "engines", arg, job->engines, TERN_MOST_ENGINES);
  for (int i = 0; i < job->engine_count; i++) {
    if (!tern_engine_find(job->engines[i])) argp_error(state, "--engines: '%s' is not known", job->engines[i]);
    for (int j = 0; j < i; j++)
      if (strcmp(job->engines[i], job->engines[j]) == 0) argp_error(state, "--engines: '%s' twice", job->engines[i]);
  }
}

static void parse_isa(struct argp_state *state, tern_job *job, const char *arg) {
  int isa = tern_isa_parse(arg);
  if (isa < 0) argp_error(state, "--isa '%s': not known; ternmark kernels lists them", arg);
  if (isa >= 0 && !tern_isa_usable((tern_isa)isa))
    argp_error(state, "--isa %s: not usable here: %s", arg, tern_isa_reason((tern_isa)isa));
  job->isa_cap = (tern_isa)isa;
}

static error_t parse_more(int key, char *arg, struct argp_state *state, tern_job *job) {
  switch (key) {
  case KEY_QUICK:
    job->preset = tern_preset_find("quick");
    return 0;
  case KEY_FULL:
    job->preset = tern_preset_find("full");
    return 0;
  case KEY_SEED:
    job->seed = (uint64_t)number(state, "seed", arg, 0, 1L << 52);
    return 0;
  case KEY_BLOCKS:
    job->blocks = (int)number(state, "blocks", arg, 1, 10000);
    return 0;
  case KEY_BUDGET:
    job->budget_s = (double)number(state, "time-budget", arg, 0, 1L << 30);
    return 0;
  case KEY_DRY:
    job->dry_run = true;
    return 0;
  case KEY_JSON:
    job->json = true;
    return 0;
  case KEY_CSV:
    job->csv = true;
    return 0;
  case KEY_HOST:
    job->with_host = true;
    return 0;
  case 'o':
    job->out = arg;
    return 0;
  case KEY_CACHE:
    job->cache = arg;
    return 0;
  case KEY_SYSFS:
    job->sysfs_root = arg;
    return 0;
  case ARGP_KEY_ARG:
    argp_error(state, "'%s': no argument is expected; a model file is given with --model", arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  static const char *const kv[] = {"f32", "f16", "int8", NULL}, *const layouts[] = {"t2", "t5", "auto", NULL},
                           *const heads[] = {"full", "exact", NULL},
                           *const i2s[] = {"auto", "128", "64", "rows4", NULL};
  static const tern_i2s i2s_values[] = {TERN_I2S_AUTO, TERN_I2S_128, TERN_I2S_64, TERN_I2S_ROWS4};
  tern_job *job = state->input;
  switch (key) {
  case KEY_MODELS:
    job->model_count = split(state, "models", arg, job->models, TERN_MOST_MODELS);
    return 0;
  case KEY_MODEL:
    job->model_file = arg;
    return 0;
  case KEY_ENGINES:
    parse_engines(state, job, arg);
    return 0;
  case 't':
    parse_threads(state, job, arg);
    return 0;
  case KEY_KV:
    job->kv = (tern_kv_type)choice(state, "kv", arg, kv, "f32, f16, int8");
    return 0;
  case KEY_LAYOUT:
    job->layout = choice(state, "layout", arg, layouts, "t2, t5, auto") < 2 ? arg : NULL;
    return 0;
  case KEY_HEAD:
    job->exact_head = choice(state, "head", arg, heads, "full, exact") == 1;
    return 0;
  case KEY_ISA:
    parse_isa(state, job, arg);
    return 0;
  case KEY_I2S:
    job->i2s = i2s_values[choice(state, "i2s-layout", arg, i2s, "auto, 128, 64, rows4")];
    return 0;
  default:
    return parse_more(key, arg, state, job);
  }
}

/* Copies of argv, because lists are cut in place and the manifest keeps the
 * words as they were typed. */
static char **typed(int argc, char **argv) {
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  for (int i = 0; copy && i < argc; i++) copy[i] = strdup(argv[i]);
  return copy;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .doc = "Measures the ternary engine beside its f16 and int8 twins and reports published figures beside "
             "measured ones.\v"
             "Examples:\n"
             "  ternmark reproduce --quick\n"
             "  ternmark reproduce --models 700M,2B4T --threads 1,4 --out results/two\n"
             "  ternmark reproduce --model ggml-model-i2_s.gguf --head exact"};
  char shape[] = "2B4T", ternary[] = "ternary", f16[] = "f16", int8[] = "int8";
  tern_job job = {.models = {shape},
                  .model_count = 1,
                  .engines = {ternary, f16, int8},
                  .engine_count = 3,
                  .preset = tern_preset_find("default"),
                  .budget_s = -1,
                  .seed = 1,
                  .kv = TERN_KV_F16,
                  .isa_cap = TERN_ISA_COUNT,
                  .argc = argc};
  job.argv = typed(argc, argv);
  if (!job.argv) return tern_fail(e, TERN_FAILED, "out of memory");
  argv[0] = "ternmark reproduce";
  argp_parse(&parser, argc, argv, 0, NULL, &job);
  int code = tern_reproduce(&job, e);
  for (int i = 0; i < argc; i++) free(job.argv[i]);
  free(job.argv);
  return code;
}

const tern_command tern_command_reproduce = {"reproduce", "measure, compare with the published figures, report", run};
