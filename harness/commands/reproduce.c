/* ternmark reproduce: the main job with its presets and its report. */
#include <argp.h>
#include <string.h>

#include "harness/command.h"
#include "harness/job_options.h"
#include "harness/reproduce.h"
#include "harness/run.h"
#include "reports/evals.h"

enum { KEY_QUICK = 1000, KEY_FULL, KEY_JSON, KEY_CSV, KEY_EVALS };

/* Blocks when a precision is wanted and no number of them is given. */
enum { BLOCKS_FOR_PRECISION = 40 };

static const struct argp_option option_table[] = {
    {0, 0, 0, 0, "How much:", 2},
    {"quick", KEY_QUICK, 0, 0, "Short prompts and generations, within 6 minutes a model on 2 cores", 0},
    {"full", KEY_FULL, 0, 0, "More blocks and a long context, hours", 0},
    {"evals", KEY_EVALS, "DIR", 0, "Accuracy from results of ternmark eval: DIR/results.json, DIR/NAME/results.json",
     1},
    {0, 0, 0, 0, "What is printed:", 6},
    {"json", KEY_JSON, 0, 0, "Print summary and claims as JSON", 0},
    {"csv", KEY_CSV, 0, 0, "Print the summary as CSV", 0},
    {0},
};

typedef struct options {
  tern_job job;      /* first: the shared parser's input */
  const char *evals; /* NULL: none */
  bool json, csv;
} options;

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->job;
    return 0;
  case KEY_QUICK:
    o->job.preset = "quick";
    return 0;
  case KEY_FULL:
    o->job.preset = "full";
    return 0;
  case KEY_EVALS:
    o->evals = arg;
    return 0;
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_CSV:
    o->csv = true;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_job_argp, 0, NULL, 0}, {0}};
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .doc = "Measures the ternary engine beside its f16 and int8 twins and reports published figures beside "
             "measured ones.\v"
             "Examples:\n"
             "  ternmark reproduce --quick\n"
             "  ternmark reproduce --models 700M,2B4T --threads 1,4 --out results/two\n"
             "  ternmark reproduce --model ggml-model-i2_s.gguf --head exact --evals evals/2b4t\n"
             "  ternmark reproduce --peer 'llama.cpp:f16=llama-bench -m f16.gguf -t {threads} -p {prompt} -n {gen} -o "
             "json'",
      .children = children};
  char dir[TERN_RUN_PATH];
  options o = {.job = {.command = "reproduce", .preset = "default", .seed = 1, .rule = {.budget_s = -1}}};
  tern_job *job = &o.job;
  if (tern_job_parse(job, &parser, argc, argv, e)) goto out;
  const tern_preset *preset = tern_preset_find(job->preset);
  tern_workloads_from_preset(&job->workloads, preset);
  bool usual_budget = job->rule.budget_s < 0;
  if (usual_budget) job->rule.budget_s = preset->budget_s;
  if (job->rule.blocks == 0) job->rule.blocks = job->rule.precision > 0 ? BLOCKS_FOR_PRECISION : preset->blocks;
  if (o.evals && tern_evals_gather(o.evals, NULL, e)) goto out; /* before hours of measuring */
  if (tern_job_complete(job, e)) goto out;
  if (usual_budget) job->rule.budget_s *= job->model_count; /* shared by models: each has its usual time */
  if (tern_run(job, dir, e) || !dir[0]) goto out;
  if (o.evals && tern_evals_gather(o.evals, dir, e)) goto out;
  tern_report_folder(dir, o.json, o.csv, e);
out:
  tern_job_free(job);
  return (int)e->status;
}

const tern_command tern_command_reproduce = {"reproduce", "measure, compare with the published figures, report", run};
