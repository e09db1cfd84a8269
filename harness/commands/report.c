/* ternmark report DIR: remakes summary and report from a result folder. */
#include <argp.h>
#include <stdbool.h>

#include "harness/command.h"
#include "harness/reproduce.h"

typedef struct options {
  const char *dir;
  bool json, csv;
} options;

enum { KEY_JSON = 256, KEY_CSV };

static const struct argp_option option_table[] = {
    {"json", KEY_JSON, NULL, 0, "Print summary and claims as JSON", 0},
    {"csv", KEY_CSV, NULL, 0, "Print the summary as CSV", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_JSON:
    o->json = true;
    return 0;
  case KEY_CSV:
    o->csv = true;
    return 0;
  case ARGP_KEY_ARG:
    if (o->dir) argp_error(state, "one folder, please; '%s' is the second", arg);
    o->dir = arg;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_error(state, "which folder? (reproduce prints it)");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {
      .options = option_table,
      .parser = parse,
      .args_doc = "DIR",
      .doc = "Remakes summary.csv, claims.csv, report.md and report.html from DIR's manifest.json and samples.csv. "
             "Works on any machine."};
  options o = {0};
  argv[0] = "ternmark report";
  argp_parse(&parser, argc, argv, 0, NULL, &o);
  return tern_report_folder(o.dir, o.json, o.csv, e);
}

const tern_command tern_command_report = {"report", "remake the report of a result folder", run};
