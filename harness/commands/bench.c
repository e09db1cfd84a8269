/* ternmark bench: any models, contenders, teams and workloads under the same
 * runner, and their figures in the form that is asked for. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "harness/bench_output.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/job_options.h"
#include "harness/run.h"
#include "harness/summary.h"

enum { KEY_PROMPTS = 1000, KEY_NULL, KEY_INJECT, KEY_FORMAT };

enum { USUAL_BLOCKS = 40, USUAL_PROMPT = 512, USUAL_GEN = 128, MOST_TOKENS = 262144 };
static const double USUAL_PRECISION = 0.01;

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "Workloads:", 2},
    {"prompt", 'p', "LIST", 0, "Tokens of a prefill (512); 0: none", 0},
    {"gen", 'n', "LIST", 0, "Tokens of a decode (128); 0: none", 0},
    {"depth", 'd', "LIST", 0, "Tokens in the context before (0)", 0},
    {"batch", 'b', "LIST", 0, "Tokens of a prefill that are fed at once (the engine's choice)", 0},
    {"prompts", KEY_PROMPTS, "FILE", 0, "A prompt a line: prefill and generation of each instead of -p", 0},
    {0, 0, 0, 0, "Checks of the harness itself:", 3},
    {"null", KEY_NULL, 0, 0, "The first engine against itself: the ratio must be 1", 0},
    {"inject", KEY_INJECT, "PERCENT", 0, "The first engine against itself slowed by so much", 0},
    {0, 0, 0, 0, "What is printed:", 6},
    {"format", KEY_FORMAT, "NAME", 0, "table, md, csv, json, jsonl, sql, llama-bench-json, -csv, -sql (table)", 0},
    {0},
};

typedef struct options {
  tern_job job; /* first: the shared parser's input */
  const char *format;
} options;

static void take_numbers(struct argp_state *state, const char *option, char *arg, long least, tern_numbers *out) {
  tern_option_numbers(state, option, arg, least, MOST_TOKENS, out);
  if (out->count == 1 && out->items[0] == 0) out->items[0] = -1; /* asked for: none */
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  tern_job *job = &o->job;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = job;
    return 0;
  case 'p':
    take_numbers(state, "prompt", arg, 0, &job->ask.prompt);
    return 0;
  case 'n':
    take_numbers(state, "gen", arg, 0, &job->ask.gen);
    return 0;
  case 'd':
    tern_option_numbers(state, "depth", arg, 0, MOST_TOKENS, &job->ask.depth);
    return 0;
  case 'b':
    tern_option_numbers(state, "batch", arg, 1, MOST_TOKENS, &job->ask.batch);
    return 0;
  case KEY_PROMPTS:
    job->prompts_file = arg;
    return 0;
  case KEY_NULL:
    job->sides.null = true;
    return 0;
  case KEY_INJECT:
    job->sides.inject = 0.01 * tern_option_real(state, "inject", arg, 0.01, 1000);
    return 0;
  case KEY_FORMAT:
    if (!tern_bench_format_known(arg)) argp_error(state, "--format '%s': one of %s", arg, tern_bench_formats());
    o->format = arg;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* An empty list is the usual one, a list of -1 none. */
static int choose(tern_numbers *n, int usual, const char *option, tern_error *e) {
  if (n->count == 0) *n = (tern_numbers){{usual}, 1};
  if (n->count == 1 && n->items[0] <= 0) n->count = 0;
  for (int i = 0; i < n->count; i++)
    if (n->items[i] <= 0) return tern_fail(e, TERN_USAGE, "--%s: 0 stands alone", option);
  return 0;
}

static int choose_workloads(tern_job *job, tern_error *e) {
  tern_workload_ask *ask = &job->ask;
  if (choose(&ask->prompt, job->prompts_file ? 0 : USUAL_PROMPT, "prompt", e) || choose(&ask->gen, USUAL_GEN, "gen", e))
    return (int)e->status;
  if (job->prompts_file) {
    if (ask->depth.count || ask->batch.count || ask->prompt.count)
      return tern_fail(e, TERN_USAGE, "--prompts comes with its own lengths: give no -p, -d or -b");
    return 0;
  }
  if (tern_workloads_make(&job->workloads, ask, e)) return (int)e->status;
  return job->workloads.count > 0 ? 0 : tern_fail(e, TERN_USAGE, "nothing to measure: -p 0 and -n 0");
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_job_argp, 0, NULL, 0}, {0}};
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .doc = "Measures engines side by side until their ratios are known well enough.\v"
             "Examples:\n"
             "  ternmark bench --models 2B4T -p 128,512 -n 64 -d 0,1024 -t 1,all\n"
             "  ternmark bench --model m.gguf --engines ternary --layout t2,t5 --format md\n"
             "  ternmark bench --models tiny --inject 2",
      .children = children};
  char dir[TERN_RUN_PATH];
  options o = {.job = {.command = "bench", .preset = "bench", .seed = 1, .rule = {.precision = -1}}, .format = "table"};
  tern_job *job = &o.job;
  if (tern_job_parse(job, &parser, argc, argv, e)) goto out;
  if (job->rule.precision < 0) job->rule.precision = USUAL_PRECISION;
  if (job->rule.blocks == 0) job->rule.blocks = USUAL_BLOCKS;
  if (choose_workloads(job, e) || tern_job_complete(job, e) || tern_run(job, dir, e) || !dir[0]) goto out;
  if (tern_summary_write(dir, e) || tern_bench_print(dir, o.format, stdout, e)) goto out;
  fprintf(stderr, "results: %s\n", dir);
out:
  tern_job_free(job);
  return (int)e->status;
}

const tern_command tern_command_bench = {"bench", "engines side by side: any lengths, teams, layouts, peers", run};
