/* ternmark: the composition root. Picks the subcommand; each lives in its own
 * file under commands/ and parses its own options. */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/base/nearest.h"
#include "harness/command.h"
#include "harness/version.h"

static const tern_command *const commands[] = {
    &tern_command_reproduce, &tern_command_bench,   &tern_command_report,     &tern_command_machine,
    &tern_command_run,       &tern_command_chat,    &tern_command_perplexity, &tern_command_embed,
    &tern_command_synth,     &tern_command_convert, &tern_command_inspect,    &tern_command_tokenize,
    &tern_command_kernels,   &tern_command_train,   &tern_command_eval,       &tern_command_fetch,
    &tern_command_serve,
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char examples[] =
    "\n"
    "Examples:\n"
    "  ternmark reproduce --quick                     the main job, short: about five minutes\n"
    "  ternmark reproduce --model model.gguf          the same with real weights\n"
    "  ternmark bench --models 2B4T -p 512 -n 128     engines side by side until their ratios are known\n"
    "  ternmark report results/20260101T120000Z       remake a report from its folder\n"
    "  ternmark machine                               what this machine can and cannot show\n"
    "  ternmark run model.gguf -p \"Once\" -n 64        generate text\n"
    "\n"
    "ternmark COMMAND --help tells a command's options.\n";

static int overview(FILE *to) {
  fprintf(to, "ternmark %s: ternary (BitNet b1.58) language models on CPUs, measured.\n\n", tern_version());
  fprintf(to, "Usage: ternmark COMMAND [OPTION...]\n\n");
  for (int i = 0; i < COMMANDS; i++) fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->what);
  fputs(examples, to);
  return fflush(to) == 0 ? TERN_OK : TERN_FAILED;
}

static int version(void) {
  const char *revision = tern_revision();
  printf("ternmark %s (revision %s, %s)\n", tern_version(), revision ? revision : "unknown", tern_compiler());
  return fflush(stdout) == 0 ? TERN_OK : TERN_FAILED;
}

static int unknown(const char *name) {
  enum { NEAR = 3 };
  int best = NEAR + 1;
  const char *nearest = NULL;
  for (int i = 0; i < COMMANDS; i++) {
    int d = tern_name_distance(name, commands[i]->name);
    if (d < best) {
      best = d;
      nearest = commands[i]->name;
    }
  }
  if (nearest)
    fprintf(stderr, "ternmark: unknown command '%.40s'; did you mean '%s'?\n", name, nearest);
  else
    fprintf(stderr, "ternmark: unknown command '%.40s'; see ternmark --help\n", name);
  return TERN_USAGE;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    overview(stderr);
    return TERN_USAGE;
  }
  const char *name = argv[1];
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) return overview(stdout);
  if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) return version();
  argp_err_exit_status = TERN_USAGE;
  for (int i = 0; i < COMMANDS; i++) {
    if (strcmp(name, commands[i]->name) != 0) continue;
    tern_interrupt_install();
    tern_error e = {0};
    int code = commands[i]->run(argc - 1, argv + 1, &e);
    if (e.text[0]) fprintf(stderr, "ternmark %s: %s\n", name, e.text);
    return code;
  }
  return unknown(name);
}
