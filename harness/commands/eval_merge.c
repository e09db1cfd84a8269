/* ternmark eval merge: shards of one run into the run. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/eval/merge.h"
#include "harness/eval_job.h"
#include "harness/eval_parts.h"

enum { OUT = 0x100, JSON };

static const struct argp_option table[] = {
    {"out", OUT, "DIR", 0, "folder of the whole run; needed", 0},
    {"json", JSON, 0, 0, "print results.json instead of the table", 0},
    {0},
};

static const char doc[] = "Shards of one run (ternmark eval ... --shard I/N, each done) into one: journal, samples and "
                          "results.json, the last "
                          "two as the undivided run would have written them, to the byte."
                          "\vExample:\n"
                          "  for i in 1 2 3 4; do ternmark eval mmlu model.gguf --shard $i/4 --out runs/part$i; done\n"
                          "  ternmark eval merge --out runs/mmlu runs/part*\n";

typedef struct options {
  const char *out, **folders;
  size_t count;
  bool json;
} options;

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case OUT:
    o->out = text;
    break;
  case JSON:
    o->json = true;
    break;
  case ARGP_KEY_ARG:
    o->folders[o->count++] = text;
    break;
  case ARGP_KEY_END:
    if (o->out == NULL) argp_error(state, "--out DIR is needed");
    if (o->count == 0) argp_error(state, "which folders?");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int tern_eval_merge_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "FOLDER...", .doc = doc};
  static char name[] = "ternmark eval merge";
  options o = {.folders = calloc((size_t)argc + 1, sizeof *o.folders)};
  json_t *results = NULL;
  if (o.folders == NULL) return tern_fail(e, TERN_FAILED, "merge: out of memory");
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  int status = tern_merge(o.out, o.folders, o.count, &results, e);
  if (status == 0 && o.json) {
    json_dumpf(results, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
  } else if (status == 0) {
    tern_eval_print(results, stdout);
  }
  json_decref(results);
  free(o.folders);
  return status;
}
