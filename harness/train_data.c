/* ternmark train data and train baselines: the mini set and what must be beaten
 * on it. */
#include <argp.h>
#include <stdlib.h>

#include "engine/train/mini.h"
#include "harness/job_lists.h"
#include "harness/train_data.h"

typedef struct options {
  const char *dir;
  tern_mini_options mini;
} options;

enum { WORLD = 0x100, SEED, ITEMS, SHOTS };

static const struct argp_option data_table[] = {
    {"items", ITEMS, "N", 0, "records of train.jsonl (300000); 0: only the tests", 0},
    {"seed", SEED, "N", 0, "seed of the training text (1); tests are the same for every seed", 0},
    {"shot-tokens", SHOTS, "N", 0, "length of the longest few-shot documents in tokens, about (1600)", 0},
    {"world", WORLD, "DIR", 0, "folder of the tables (datasets/mini/world)", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ITEMS:
    o->mini.items = (int)tern_option_number(state, "items", text, 0, 10000000);
    break;
  case SEED:
    o->mini.seed = (uint64_t)tern_option_number(state, "seed", text, 0, INT64_MAX);
    break;
  case SHOTS:
    o->mini.shot_tokens = (int)tern_option_number(state, "shot-tokens", text, 200, 4000);
    break;
  case WORLD:
    o->mini.world = text;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 0) argp_error(state, "one folder at a time: \"%.80s\" is too much", text);
    o->dir = text;
    break;
  case ARGP_KEY_END:
    if (!o->dir) argp_error(state, "which folder?");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int tern_train_data(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .options = data_table,
      .parser = parse,
      .args_doc = "DIR",
      .doc = "Write the mini set: DIR/train.jsonl, DIR/valid.jsonl, DIR/test/*.jsonl and the fine-tuning task."
             "\vExamples:\n"
             "  ternmark train data mini\n"
             "  ternmark train data mini --items 600000 --seed 2\n"
             "  ternmark train data datasets/mini --items 0     remake the tests of the repository"};
  options o = {.mini = {.items = TERN_MINI_ITEMS, .seed = 1}};
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  return tern_mini_write(o.dir, &o.mini, e);
}

int tern_train_baselines(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .parser = parse,
      .args_doc = "DIR",
      .doc = "Score what needs no model on the tests of a mini set: the most frequent answer, the nearest neighbour in "
             "the training text, the longest and the shortest choice, the one named last and first. Prints CSV, "
             "percent right."
             "\vExample:\n"
             "  ternmark train data mini && ternmark train baselines mini"};
  options o = {0};
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  int rc = tern_mini_baselines(o.dir, stdout, e);
  if (rc == 0 && fflush(stdout) != 0) rc = tern_fail_errno(e, "cannot write to stdout");
  return rc;
}
