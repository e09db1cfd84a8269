/* ternmark eval: accuracy tasks as lm-evaluation-harness runs them. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/command.h"
#include "harness/eval/gate.h"
#include "harness/eval/items.h"
#include "harness/eval_job.h"
#include "harness/eval_parts.h"
#include "harness/job_lists.h"

enum {
  LIMIT = 0x100,
  SHOTS,
  SEED,
  CHAT,
  NO_CHAT,
  TEMPLATE,
  AS_TURNS,
  BOS,
  WINDOW,
  MOST_TOKENS,
  DATA,
  OUT,
  JSON,
  SHARD,
  FROM,
  GATE,
  MARGIN,
  BASELINE,
  SKIP,
  SEQUENCES,
  BATCH,
  POSITIONS,
  QUIET
};
enum { USUAL_SEQUENCES = 32, USUAL_BATCH = 512, MOST_SHARDS = 100000 };
static const double USUAL_MARGIN = 0.01;
/* What the set "mini" asks where no model is named. */
static const char mini[] = "mini", mini_model[] = TERN_SOURCE_DIR "/datasets/models/mini-ternary.gguf";

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Questions", 1},
    {"limit", LIMIT, "N", 0, "only the first N of each task", 0},
    {"shots", SHOTS, "N", 0, "few-shot examples, instead of each task's own number", 0},
    {"seed", SEED, "N", 0, "of the choice of examples (1234) and of answers with a temperature", 0},
    {"chat", CHAT, 0, 0, "questions in the model's chat template (sets say it for their tasks)", 0},
    {"no-chat", NO_CHAT, 0, 0, "none, whatever a set says", 0},
    {"template", TEMPLATE, "NAME", 0, "that template, not the one that the file names", 0},
    {"shots-as-turns", AS_TURNS, 0, 0, "in a chat, examples are turns of their own (default: one user's turn)", 0},
    {"most-tokens", MOST_TOKENS, "N", 0, "of a generated answer, instead of each task's own number", 0},
    {"data", DATA, "DIR", 0, "datasets (default: $TERN_DATA, else what ternmark fetch got, else ../shared/data)", 0},
    {"skip-missing", SKIP, 0, 0, "leave out, and say so, tasks whose data or sandbox is not here", 0},
    {0, 0, 0, 0, "As lm-eval does it", 2},
    {"lm-eval-bos", BOS, "VERSION", 0, "current: BOS as the tokenizer says (default); v0.4.8: none, but for Gemma", 0},
    {"window", WINDOW, "MODEL", 0,
     "what over-long questions keep, as with lm-eval's model hf (the last context + 1 tokens, default) or completions "
     "(local-completions: context - 1)",
     0},
    {0, 0, 0, 0, "Results", 3},
    {"out", OUT, "DIR", 0,
     "folder of journal, samples and results (results/eval-TIME); an interrupted one is gone on with", 0},
    {"json", JSON, 0, 0, "print results.json instead of the table", 0},
    {"shard", SHARD, "I/N", 0, "every Nth question from the Ith on, I from 1; see ternmark eval merge", 0},
    {"from", FROM, "JOURNAL", 0, "score a journal again: no model, options are the journal's", 0},
    {"gate", GATE, "FILE", 0, "compare with a baseline: exit code 0 pass, 3 undecided, 4 regression", 0},
    {"margin", MARGIN, "X", 0,
     "with --gate, where other bits are expected: the loss that is to be excluded, of accuracy or in nats a word "
     "(0.01)",
     0},
    {"save-baseline", BASELINE, "FILE", 0, "write this run as a baseline", 0},
    {"quiet", QUIET, 0, 0, "no lines about what runs", 0},
    {0, 0, 0, 0, "Batching (no influence on the result)", 4},
    {"parallel", SEQUENCES, "N", 0, "questions at once (32)", 0},
    {"batch", BATCH, "N", 0, "tokens a step (512)", 0},
    {"positions", POSITIONS, "N", 0, "KV positions of all together (what a quarter of the memory holds)", 0},
    {0},
};

static const char doc[] =
    "Accuracy of a model on tasks as lm-evaluation-harness asks and scores them. TASKS: names with commas between, of "
    "datasets/tasks or paths of task files, and sets (mini, paper-2b4t).\n"
    "Parts: ternmark eval merge, ternmark eval compare (each with --help)."
    "\vExamples:\n"
    "  ternmark eval arc_easy,gsm8k,wikitext model.gguf --limit 20\n"
    "  ternmark eval mmlu model.gguf --shots 5 --out runs/mmlu      interrupted: the same line goes on\n"
    "  ternmark eval paper-2b4t model.gguf --skip-missing --out runs/paper\n"
    "  ternmark eval mini --gate baseline.json                      the shipped model, every kind of request\n"
    "  ternmark eval hellaswag model.gguf --shard 2/8 --out runs/part2\n"
    "  ternmark eval --from runs/mmlu/journal.jsonl                 scores again, without the model\n"
    "  ternmark eval my-task.json model.gguf --data folder\n\n"
    "Exit code: 0 done (gate passed), 1 failed, 2 wrong usage, 3 gate undecided, 4 regression, 130 interrupted.";

static void parse_shard(struct argp_state *state, const char *text, tern_eval_options *o) {
  char behind;
  if (sscanf(text, "%d/%d%c", &o->shard, &o->shards, &behind) != 2 || o->shard < 1 || o->shards > MOST_SHARDS ||
      o->shard > o->shards)
    argp_error(state, "--shard: \"%.40s\" is not I/N with 1 <= I <= N", text);
}

static double parse_margin(struct argp_state *state, const char *text) {
  char *end;
  double margin = strtod(text, &end);
  if (end == text || *end != '\0' || !(margin >= 0 && margin <= 1))
    argp_error(state, "--margin: \"%.40s\" is no number from 0 to 1", text);
  return margin;
}

/* What goes with what, when all is known. */
static void check(const tern_eval_options *o, struct argp_state *state) {
  if (o->from != NULL && *o->open.model != '\0') argp_error(state, "--from scores a journal: no model is asked");
  if (o->from == NULL && o->names == NULL) argp_error(state, "which tasks, and which model?");
  if (o->chat == 0 && (o->template_name != NULL || o->shots_as_turns))
    argp_error(state, "--no-chat leaves --template and --shots-as-turns nothing to do");
  if (o->open.context > 0 && o->open.context < TERN_LEAST_CONTEXT)
    argp_error(state, "--context is at least %d here", TERN_LEAST_CONTEXT);
  if (o->gate != NULL && o->shards > 1) argp_error(state, "--gate wants all questions, not a shard");
  if (o->baseline != NULL && o->shards > 1) argp_error(state, "--save-baseline wants all questions, not a shard");
}

static error_t parse(int key, char *text, struct argp_state *state) {
  tern_eval_options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    break;
  case LIMIT:
    o->limit = (size_t)tern_option_number(state, "limit", text, 1, INT32_MAX);
    break;
  case SHOTS:
    o->shots = (int)tern_option_number(state, "shots", text, 0, 10000);
    break;
  case SEED:
    o->seed = tern_option_number(state, "seed", text, INT32_MIN, INT32_MAX);
    o->seed_given = true;
    break;
  case CHAT:
  case NO_CHAT:
    o->chat = key == CHAT;
    break;
  case TEMPLATE:
    o->template_name = text;
    break;
  case AS_TURNS:
    o->shots_as_turns = true;
    break;
  case BOS:
    o->bos = tern_option_choice(state, "lm-eval-bos", text, tern_eval_bos_names);
    break;
  case WINDOW:
    o->window = tern_option_choice(state, "window", text, tern_eval_window_names);
    break;
  case MOST_TOKENS:
    o->most_tokens = (int)tern_option_number(state, "most-tokens", text, 1, INT32_MAX / 2);
    break;
  case DATA:
    o->data = text;
    break;
  case SKIP:
    o->skip_missing = true;
    break;
  case OUT:
    o->out = text;
    break;
  case JSON:
    o->json = true;
    break;
  case SHARD:
    parse_shard(state, text, o);
    break;
  case FROM:
    o->from = text;
    if (o->open.model == NULL) o->open.model = "";
    break;
  case GATE:
    o->gate = text;
    break;
  case MARGIN:
    o->margin = parse_margin(state, text);
    break;
  case BASELINE:
    o->baseline = text;
    break;
  case QUIET:
    o->open.quiet = true;
    break;
  case SEQUENCES:
    o->sequences = (int)tern_option_number(state, "parallel", text, 1, 4096);
    break;
  case BATCH:
    o->batch = (int)tern_option_number(state, "batch", text, 1, 65536);
    break;
  case POSITIONS:
    o->positions = (int)tern_option_number(state, "positions", text, 1, INT32_MAX);
    break;
  case ARGP_KEY_ARG:
    if (o->names != NULL) {
      if (o->open.model == mini_model) o->open.model = NULL;
      return ARGP_ERR_UNKNOWN; /* the model: the engine's option group takes it */
    }
    o->names = text;
    if (strcmp(text, mini) == 0 && o->open.model == NULL) o->open.model = mini_model;
    break;
  case ARGP_KEY_END:
    check(o, state);
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

static int print(const tern_eval_options *o, const json_t *results, tern_error *e) {
  if (o->json) {
    json_dumpf(results, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
  } else {
    tern_eval_print(results, stdout);
  }
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : tern_fail_errno(e, "standard output: cannot write");
}

/* Returns the gate's exit code. */
static int judge(const tern_eval_options *o, const char *dir, tern_error *e) {
  tern_gate_verdict verdict = TERN_GATE_PASS;
  int status = 0;
  if (o->gate != NULL) status = tern_gate_run(o->gate, dir, o->margin, o->json ? stderr : stdout, &verdict, e);
  if (status == 0 && o->baseline != NULL) status = tern_baseline_write(o->baseline, dir, e);
  return status != 0 ? status : (int)verdict;
}

static const struct {
  const char *name;
  int (*run)(int argc, char **argv, tern_error *e);
} parts[] = {{"merge", tern_eval_merge_command}, {"compare", tern_eval_compare_command}};

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "TASKS MODEL\nmini", .doc = doc, .children = children};
  tern_eval_options o = {.shots = -1, .chat = -1, .shard = 1, .shards = 1, .margin = USUAL_MARGIN};
  static char name[] = "ternmark eval"; /* how messages and usage call it */
  char dir[TERN_EVAL_PATH];
  json_t *results;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (argc > 1 && strcmp(argv[1], parts[i].name) == 0) return parts[i].run(argc - 1, argv + 1, e);
  }
  if (tern_open_options_start(&o.open, e) != 0) return (int)e->status;
  o.sequences = USUAL_SEQUENCES;
  o.batch = USUAL_BATCH;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (o.sequences > o.batch) o.sequences = o.batch;
  /* better now than after the run */
  if (o.gate != NULL && access(o.gate, R_OK) != 0) return tern_fail_errno(e, "%s: cannot read the baseline", o.gate);
  int status = tern_eval_job_run(&o, dir, &results, e);
  if (status == 0) status = print(&o, results, e);
  if (status == 0 && !o.open.quiet) fprintf(stderr, "%-8s %s\n", "results", dir);
  if (status == 0) status = judge(&o, dir, e);
  json_decref(results);
  return status;
}

const tern_command tern_command_eval = {"eval", "accuracy on tasks, as lm-evaluation-harness scores it", run};
