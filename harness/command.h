/* Subcommands: one file and one row each. */
#ifndef TERN_HARNESS_COMMAND_H
#define TERN_HARNESS_COMMAND_H

#include "engine/base/error.h"

typedef struct tern_command {
  const char *name;
  const char *what;                                 /* one line of the overview */
  int (*run)(int argc, char **argv, tern_error *e); /* argv[0] is the name; returns an exit code */
} tern_command;

extern const tern_command tern_command_reproduce, tern_command_bench, tern_command_report, tern_command_synth,
    tern_command_convert, tern_command_run, tern_command_chat, tern_command_perplexity, tern_command_embed,
    tern_command_machine, tern_command_kernels, tern_command_inspect, tern_command_tokenize, tern_command_train,
    tern_command_eval, tern_command_fetch, tern_command_serve; /* serve is the room above: service/ */

#endif
