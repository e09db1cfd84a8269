/* ternmark train: a model from a configuration; and its parts tokenizer,
 * export and eval, which have files of their own. */
#include <argp.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/train/mini.h"
#include "engine/train/run.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/kernel_peak.h"
#include "harness/train_data.h"
#include "harness/train_parts.h"

typedef struct options {
  tern_run_params run;
  const char *export;
  char folder[TERN_TRAIN_PATH];
  bool keeps_best;
} options;

enum { RESUME = 0x100, STEPS, ISA, EXPORT };

static const struct argp_option table[] = {
    {"output", 'o', "FOLDER", 0, "checkpoint, log.csv and loss.svg go there (train-NAME of the configuration)", 0},
    {"resume", RESUME, 0, 0, "go on from the folder's checkpoint, exactly as if never interrupted", 0},
    {"steps", STEPS, "N", 0, "end after step N this time (the schedule stays the configuration's)", 0},
    {"export", EXPORT, "FILE.gguf", 0, "write the model there when the run is through (types: train export)", 0},
    {"threads", 't', "N", 0, "threads (all CPUs); the result does not depend on it", 0},
    {"isa", ISA, "NAME", 0, "highest instruction set to use; the result does not depend on it", 0},
    {0},
};

static const char doc[] =
    "Train a ternary model or its float twin on this CPU."
    "\vParts:\n"
    "  ternmark train CONFIG.json                       train\n"
    "  ternmark train tokenizer TEXT... -o FILE.gguf    make a byte-level BPE vocabulary\n"
    "  ternmark train export CHECKPOINT OUT.gguf        write a model that engines load\n"
    "  ternmark train eval CHECKPOINT DATA...           loss over other data\n"
    "  ternmark train data DIR                          write the mini set: data to train and test on\n"
    "  ternmark train baselines DIR                     what needs no model, on the tests of a mini set\n"
    "  ternmark train score MODEL.gguf [DIR]            answers to the tests of a mini set, beside these\n"
    "docs/training.md lists the keys of a configuration.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 'o':
    o->run.folder = text;
    break;
  case RESUME:
    o->run.resume = true;
    break;
  case STEPS:
    o->run.stop = (int)tern_option_number(state, "steps", text, 1, 100000000);
    break;
  case 't':
    o->run.threads = (int)tern_option_number(state, "threads", text, 1, 100000000);
    break;
  case EXPORT:
    o->export = text;
    break;
  case ISA: {
    const int isa = tern_isa_parse(text);
    if (isa < 0) argp_error(state, "instruction set \"%.40s\" is not known (ternmark kernels lists them)", text);
    o->run.cap = (tern_isa)isa;
    break;
  }
  case ARGP_KEY_ARG:
    if (state->arg_num > 0) argp_error(state, "one configuration at a time: \"%.80s\" is too much", text);
    o->run.config = text;
    break;
  case ARGP_KEY_END:
    if (!o->run.config) argp_error(state, "which configuration? Give a JSON file (docs/training.md)");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int tern_train_threads(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* The mini set that a configuration asks for, where it is not there yet. */
static int write_mini(const tern_train_config *c, tern_error *e) {
  char text[TERN_TRAIN_PATH + 32];
  snprintf(text, sizeof text, "%s/train.jsonl", c->mini);
  if (!*c->mini || access(text, F_OK) == 0) return TERN_OK;
  fprintf(stderr, "%s: writing the mini set\n", c->mini);
  return tern_mini_write(c->mini, &(tern_mini_options){.seed = (uint64_t)c->mini_seed, .items = c->mini_items}, e);
}

static int make_ready(options *o, tern_error *e) {
  tern_train_config c;
  if (tern_train_config_read(&c, o->run.config, e) != TERN_OK) return TERN_FAILED;
  snprintf(o->folder, sizeof o->folder, "train-%s", c.name);
  if (!o->run.folder) o->run.folder = o->folder;
  o->keeps_best = c.patience > 0;
  int status = write_mini(&c, e);
  tern_train_config_close(&c);
  return status;
}

static void tell(const options *o, const tern_run_result *r) {
  const char *instruction;
  const tern_isa isa = tern_grad_find(o->run.cap)->isa;
  const double gflops = r->flops / r->seconds * 1e-9, peak = tern_instruction_peak(isa, true, &instruction);
  if (r->steps == r->first) return;
  fprintf(stderr, "%zu documents, %zu cut to the context; %zu weights, %zu of them in linear layers", r->documents,
          r->cut, r->parameters, r->matrices);
  if (r->adapters) fprintf(stderr, "; only %zu of adapters are trained", r->adapters);
  fputc('\n', stderr);
  fprintf(stderr, "steps %d to %d: loss %.4f", r->first + 1, r->steps, r->loss);
  if (!isnan(r->held)) fprintf(stderr, ", evaluation %.4f", r->held);
  if (!isnan(r->watch.base)) fprintf(stderr, " (before training %.4f)", r->watch.base);
  fprintf(stderr, "; %.3g tokens in %.1f s: %.0f tokens/s, %.1f GFLOPS", r->tokens, r->seconds, r->tokens / r->seconds,
          gflops);
  if (!isnan(peak))
    fprintf(stderr, " (%.0f %% of %d x %s)", 100 * gflops / (peak * o->run.threads), o->run.threads, instruction);
  fputc('\n', stderr);
  if (isfinite(r->watch.best))
    fprintf(stderr, "%sbest evaluation %.4f at step %llu\n", r->stopped ? "stopped early: " : "", r->watch.best,
            (unsigned long long)r->watch.best_step);
}

static void draw(const options *o) {
  char log[TERN_TRAIN_PATH + 32], svg[TERN_TRAIN_PATH + 32], why[160] = "";
  snprintf(log, sizeof log, "%s/%s", o->run.folder, TERN_TRAIN_LOG);
  snprintf(svg, sizeof svg, "%s/loss.svg", o->run.folder);
  if (tern_train_curve(log, svg, o->run.config, why, sizeof why)) fprintf(stderr, "%s\n", why);
}

static int export_model(const options *o, tern_error *e) {
  char checkpoint[TERN_TRAIN_PATH + 32], part[] = "export", file[TERN_TRAIN_PATH];
  char *argv[] = {part, checkpoint, file, NULL};
  snprintf(checkpoint, sizeof checkpoint, "%s/%s", o->run.folder,
           o->keeps_best ? TERN_TRAIN_BEST : TERN_TRAIN_CHECKPOINT);
  snprintf(file, sizeof file, "%s", o->export);
  return tern_train_export_command(3, argv, e);
}

static const struct part {
  const char *name;
  int (*run)(int argc, char **argv, tern_error *e);
} parts[] = {{"tokenizer", tern_train_tokenizer_command}, {"export", tern_train_export_command},
             {"eval", tern_train_eval_command},           {"data", tern_train_data},
             {"baselines", tern_train_baselines},         {"score", tern_train_score_command}};

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "CONFIG.json", .doc = doc};
  static char name[] = "ternmark train";
  options o = {.run = {.threads = tern_train_threads(), .cap = TERN_ISA_COUNT, .notes = stderr}};
  tern_run_result r;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (argc > 1 && strcmp(argv[1], parts[i].name) == 0) return parts[i].run(argc - 1, argv + 1, e);
  }
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (make_ready(&o, e) != TERN_OK) return TERN_FAILED;
  int status = tern_train_run(&o.run, &r, e);
  if (r.steps > r.first) {
    tell(&o, &r);
    draw(&o);
  }
  if (status == TERN_OK && o.export && r.finished) status = export_model(&o, e);
  return status;
}

const tern_command tern_command_train = {"train", "train a ternary model or its float twin", run};
