/* The shared options: a row of the table each for argp, a row each for what
 * takes it. */
#include "harness/job_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/job_lists.h"
#include "harness/resume.h"
#include "harness/tune_cache.h"

enum {
  KEY_MODELS = 256,
  KEY_MODEL,
  KEY_ENGINES,
  KEY_PEER,
  KEY_PLACEMENT,
  KEY_CPUS,
  KEY_KV,
  KEY_LAYOUT,
  KEY_HEAD,
  KEY_ISA,
  KEY_I2S,
  KEY_TUNE_CACHE,
  KEY_NO_TUNE,
  KEY_BLOCKS,
  KEY_BUDGET,
  KEY_PRECISION,
  KEY_DRY,
  KEY_RESUME,
  KEY_PROFILE,
  KEY_METER,
  KEY_RULES,
  KEY_CO2,
  KEY_SYSFS,
  KEY_CACHE,
  KEY_SEED,
  KEY_HOST
};

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "What is measured:", 1},
    {"models", KEY_MODELS, "LIST", 0, "Shapes with synthetic weights, comma between (2B4T)", 0},
    {"model", KEY_MODEL, "FILE", 0, "A GGUF with real weights; may be repeated", 0},
    {"engines", KEY_ENGINES, "LIST", 0, "Engines (ternary,f16,int8) or none; ratios are to the first", 0},
    {"peer", KEY_PEER, "NAME=COMMAND", 0,
     "An outside engine; its command with {model} {threads} {prompt} {gen} {depth} {batch}; may be repeated", 0},
    {"threads", 't', "LIST", 0, "Team sizes, or 'all'", 0},
    {"placement", KEY_PLACEMENT, "LIST", 0, "cores, compact, spread, fast, node:N (cores)", 0},
    {"cpus", KEY_CPUS, "LIST", 0, "CPUs by number (0-3,8) instead of a placement", 0},
    {"kv", KEY_KV, "LIST", 0, "KV cache: f32, f16, int8 (f16)", 0},
    {"layout", KEY_LAYOUT, "LIST", 0, "Ternary weights: t2, t5, ..., auto (auto)", 0},
    {"head", KEY_HEAD, "LIST", 0, "Output head: full, exact (full)", 0},
    {"isa", KEY_ISA, "LIST", 0, "Highest instruction set to use", 0},
    {"i2s-layout", KEY_I2S, "NAME", 0, "Field order of an I2_S file: auto, 128, 64, rows4 (auto)", 0},
    {"tune-cache", KEY_TUNE_CACHE, "FILE", 0, "What ternmark kernels tune found (~/.cache/ternmark/tune.json)", 0},
    {"no-tune", KEY_NO_TUNE, 0, 0, "Usual layouts and kernels (also TERNMARK_TUNE=off)", 0},
    {0, 0, 0, 0, "How long:", 3},
    {"precision", KEY_PRECISION, "PERCENT", 0, "Stop when every ratio is within so much of its value", 0},
    {"blocks", KEY_BLOCKS, "N", 0, "Most repetitions; fewer than 5 give no interval and no verdict", 0},
    {"time-budget", KEY_BUDGET, "SECONDS", 0, "Stop after the block that would pass it; 0: none", 0},
    {"profile", KEY_PROFILE, 0, 0, "Then time and counters of every operator and thread, into profile.csv", 0},
    {"dry-run", KEY_DRY, 0, 0, "Print the plan, its memory, disk and time, and do nothing", 0},
    {"resume", KEY_RESUME, "DIR", 0, "Go on with an interrupted run as it was asked for", 0},
    {0, 0, 0, 0, "Energy:", 4},
    {"meter", KEY_METER, "SPEC", 0, "powercap, perf, csv:FILE, command:COMMAND, constant:WATTS, ...; may be repeated",
     0},
    {"rules", KEY_RULES, "NAME", 0, "mlperf: windows of 60 s at least", 0},
    {"grid-co2", KEY_CO2, "G_PER_KWH", 0, "CO2 beside the joules", 0},
    {"sysfs-root", KEY_SYSFS, "DIR", 0, "Where /sys is mounted (/sys)", 0},
    {0, 0, 0, 0, "Where:", 5},
    {"out", 'o', "DIR", 0, "Result folder (results/<UTC time>)", 0},
    {"cache", KEY_CACHE, "DIR", 0, "Folder of synthetic models (~/.cache/ternmark)", 0},
    {"seed", KEY_SEED, "N", 0, "Of weights, token ids and order (1)", 0},
    {"with-host", KEY_HOST, 0, 0, "Keep host name and absolute paths in the manifest", 0},
    {0},
};

static void add_model(struct argp_state *state, tern_job *job, const char *text, bool file) {
  if (job->model_count == TERN_MOST_MODELS) argp_error(state, "at most %d models", TERN_MOST_MODELS);
  job->models[job->model_count++] = (tern_model_ask){text, file};
}

static void take_models(struct argp_state *state, tern_job *job, char *arg) {
  tern_words words;
  tern_option_words(state, "models", arg, &words);
  for (int i = 0; i < words.count; i++) add_model(state, job, words.items[i], false);
}

static void take_model(struct argp_state *state, tern_job *job, char *arg) {
  add_model(state, job, arg, true);
}

static void take_engines(struct argp_state *state, tern_job *job, char *arg) {
  job->sides.only_peers = strcmp(arg, "none") == 0;
  if (job->sides.only_peers) return;
  tern_option_words(state, "engines", arg, &job->sides.engines);
  for (int i = 0; i < job->sides.engines.count; i++)
    if (!tern_engine_find(job->sides.engines.items[i]))
      argp_error(state, "--engines: '%s' is not known", job->sides.engines.items[i]);
}

static void take_peer(struct argp_state *state, tern_job *job, char *arg) {
  tern_error e = {0};
  tern_contender_ask *s = &job->sides;
  if (s->peer_count == TERN_MOST_PEERS) argp_error(state, "--peer: at most %d", TERN_MOST_PEERS);
  if (tern_peer_parse(&s->peers[s->peer_count], arg, &e)) argp_error(state, "%s", e.text);
  for (int i = 0; i < s->peer_count; i++)
    if (strcmp(s->peers[i].name, s->peers[s->peer_count].name) == 0)
      argp_error(state, "--peer: '%s' twice", s->peers[i].name);
  s->peer_count++;
}

static void take_threads(struct argp_state *state, tern_job *job, char *arg) {
  tern_words words;
  tern_option_words(state, "threads", arg, &words);
  job->threads.count = words.count;
  for (int i = 0; i < words.count; i++)
    job->threads.items[i] =
        strcmp(words.items[i], "all") == 0 ? 0 : (int)tern_option_number(state, "threads", words.items[i], 1, 1024);
}

static void take_placement(struct argp_state *state, tern_job *job, char *arg) {
  tern_option_words(state, "placement", arg, &job->placements);
}

static void take_cpus(struct argp_state *state, tern_job *job, char *arg) {
  if (snprintf(job->cpus, sizeof job->cpus, "cpus:%s", arg) >= (int)sizeof job->cpus)
    argp_error(state, "--cpus: the list is too long");
  job->placements = (tern_words){{job->cpus}, 1};
}

static void take_kv(struct argp_state *state, tern_job *job, char *arg) {
  static const char *const names[] = {"f32", "f16", "int8", NULL};
  tern_option_choices(state, "kv", arg, names, &job->sides.kvs);
}

static void take_layout(struct argp_state *state, tern_job *job, char *arg) {
  tern_option_words(state, "layout", arg, &job->sides.layouts);
  for (int i = 0; i < job->sides.layouts.count; i++) {
    const char *name = job->sides.layouts.items[i];
    const tern_layout *layout = tern_layout_find(name);
    if (strcmp(name, "auto") != 0 && (!layout || !tern_layout_is_ternary(layout)))
      argp_error(state, "--layout '%s': not a ternary one; ternmark kernels lists them", name);
  }
}

static void take_head(struct argp_state *state, tern_job *job, char *arg) {
  static const char *const names[] = {"full", "exact", NULL};
  tern_option_choices(state, "head", arg, names, &job->sides.heads);
}

static void take_isa(struct argp_state *state, tern_job *job, char *arg) {
  tern_option_words(state, "isa", arg, &job->sides.isas);
  for (int i = 0; i < job->sides.isas.count; i++) {
    const char *name = job->sides.isas.items[i];
    int isa = tern_isa_parse(name);
    if (isa < 0) argp_error(state, "--isa '%s': not known; ternmark kernels lists them", name);
    if (isa >= 0 && !tern_isa_usable((tern_isa)isa))
      argp_error(state, "--isa %s: not usable here: %s", name, tern_isa_reason((tern_isa)isa));
  }
}

static void take_i2s(struct argp_state *state, tern_job *job, char *arg) {
  static const char *const names[] = {"auto", "128", "64", "rows4", NULL};
  static const tern_i2s values[] = {TERN_I2S_AUTO, TERN_I2S_128, TERN_I2S_64, TERN_I2S_ROWS4};
  job->i2s = values[tern_option_choice(state, "i2s-layout", arg, names)];
}

static void take_tune_cache(struct argp_state *state, tern_job *job, char *arg) {
  (void)state;
  job->tune_cache = arg;
}
static void take_no_tune(struct argp_state *state, tern_job *job, char *arg) {
  (void)state, (void)arg;
  job->no_tune = true;
}
static void take_precision(struct argp_state *state, tern_job *job, char *arg) {
  job->rule.precision = 0.01 * tern_option_real(state, "precision", arg, 0, 100);
}
static void take_blocks(struct argp_state *state, tern_job *job, char *arg) {
  job->rule.blocks = (int)tern_option_number(state, "blocks", arg, 1, 10000);
}
static void take_budget(struct argp_state *state, tern_job *job, char *arg) {
  job->rule.budget_s = (double)tern_option_number(state, "time-budget", arg, 0, 1L << 30);
}
static void take_dry(struct argp_state *state, tern_job *job, char *arg) {
  (void)state, (void)arg;
  job->dry_run = true;
}
static void take_profile(struct argp_state *state, tern_job *job, char *arg) {
  (void)state, (void)arg;
  job->profile = true;
}
static void take_resume(struct argp_state *state, tern_job *job, char *arg) {
  (void)state;
  job->resume = arg;
}
static void take_meter(struct argp_state *state, tern_job *job, char *arg) {
  if (job->meter_count == TERN_JOB_METERS) argp_error(state, "--meter: at most %d", TERN_JOB_METERS);
  job->meters[job->meter_count++] = arg;
}
static void take_rules(struct argp_state *state, tern_job *job, char *arg) {
  static const char *const names[] = {"mlperf", NULL};
  tern_option_choice(state, "rules", arg, names);
  job->energy_rules = arg;
}
static void take_co2(struct argp_state *state, tern_job *job, char *arg) {
  job->grid_co2 = tern_option_real(state, "grid-co2", arg, 0, 10000);
}
static void take_sysfs(struct argp_state *state, tern_job *job, char *arg) {
  (void)state;
  job->sysfs_root = arg;
}
static void take_out(struct argp_state *state, tern_job *job, char *arg) {
  (void)state;
  job->out = arg;
}
static void take_cache(struct argp_state *state, tern_job *job, char *arg) {
  (void)state;
  job->cache = arg;
}
static void take_seed(struct argp_state *state, tern_job *job, char *arg) {
  job->seed = (uint64_t)tern_option_number(state, "seed", arg, 0, 1L << 52);
}
static void take_host(struct argp_state *state, tern_job *job, char *arg) {
  (void)state, (void)arg;
  job->with_host = true;
}
static void refuse(struct argp_state *state, tern_job *job, char *arg) {
  (void)job;
  argp_error(state, "'%s': no argument is expected; a model file is given with --model", arg);
}

static const struct {
  int key;
  void (*take)(struct argp_state *, tern_job *, char *);
} takers[] = {
    {KEY_MODELS, take_models},
    {KEY_MODEL, take_model},
    {KEY_ENGINES, take_engines},
    {KEY_PEER, take_peer},
    {'t', take_threads},
    {KEY_PLACEMENT, take_placement},
    {KEY_CPUS, take_cpus},
    {KEY_KV, take_kv},
    {KEY_LAYOUT, take_layout},
    {KEY_HEAD, take_head},
    {KEY_ISA, take_isa},
    {KEY_I2S, take_i2s},
    {KEY_TUNE_CACHE, take_tune_cache},
    {KEY_NO_TUNE, take_no_tune},
    {KEY_PRECISION, take_precision},
    {KEY_BLOCKS, take_blocks},
    {KEY_BUDGET, take_budget},
    {KEY_DRY, take_dry},
    {KEY_RESUME, take_resume},
    {KEY_PROFILE, take_profile},
    {KEY_METER, take_meter},
    {KEY_RULES, take_rules},
    {KEY_CO2, take_co2},
    {KEY_SYSFS, take_sysfs},
    {'o', take_out},
    {KEY_CACHE, take_cache},
    {KEY_SEED, take_seed},
    {KEY_HOST, take_host},
    {ARGP_KEY_ARG, refuse},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  for (size_t i = 0; i < sizeof takers / sizeof *takers; i++) {
    if (takers[i].key != key) continue;
    takers[i].take(state, state->input, arg);
    return 0;
  }
  return ARGP_ERR_UNKNOWN;
}

const struct argp tern_job_argp = {.options = option_table, .parser = parse};

int tern_job_complete(tern_job *job, tern_error *e) {
  static const tern_words usual = {{"ternary", "f16", "int8"}, 3};
  if (job->model_count == 0) job->models[job->model_count++] = (tern_model_ask){"2B4T", false};
  if (job->sides.engines.count == 0 && !job->sides.only_peers) job->sides.engines = usual;
  job->tuning = tern_tune_open(job->tune_cache, job->no_tune);
  return tern_contenders_make(&job->contenders, &job->sides, e);
}

static char **copy_words(int argc, char *const *argv) {
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  for (int i = 0; copy && i < argc; i++)
    if (!(copy[i] = strdup(argv[i]))) return NULL;
  return copy;
}

static void free_words(int argc, char **words) {
  for (int i = 0; words && i < argc; i++) free(words[i]);
  free(words);
}

void tern_job_free(tern_job *job) {
  free_words(job->argc, job->argv);
  free_words(job->argc, job->words);
  free(job->resume_path);
  free(job->tuning);
  job->tuning = NULL;
  job->argv = job->words = NULL;
  job->resume_path = NULL;
}

/* The words are copied before they are cut, because the manifest and a plan
 * keep them as they were typed. */
static int parse_words(tern_job *job, const struct argp *own, int argc, char **argv, tern_error *e) {
  char name[64], *typed = argv[0];
  job->argc = argc;
  job->argv = copy_words(argc, argv);
  if (!job->argv) return tern_fail(e, TERN_FAILED, "out of memory");
  snprintf(name, sizeof name, "ternmark %s", job->command);
  argv[0] = name;
  argp_parse(own, argc, argv, 0, NULL, job);
  argv[0] = typed;
  return 0;
}

int tern_job_parse(tern_job *job, const struct argp *own, int argc, char **argv, tern_error *e) {
  const tern_job defaults = *job;
  if (parse_words(job, own, argc, argv, e) || !job->resume) return (int)e->status;
  if (argc > 3) return tern_fail(e, TERN_USAGE, "--resume goes on with the run's own options; give no others");
  char *folder = NULL, **words = NULL;
  int count = 0;
  if (tern_resume_load(job->resume, job->command, &folder, &count, &words, e)) return (int)e->status;
  tern_job_free(job);
  *job = defaults;
  job->words = words;
  if (parse_words(job, own, count, words, e)) return (int)e->status;
  job->resume_path = folder;
  job->resume = job->out = folder;
  return 0;
}
