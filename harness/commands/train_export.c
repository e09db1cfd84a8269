/* ternmark train export: a checkpoint as a GGUF file. */
#include <argp.h>
#include <stdio.h>

#include "engine/train/export.h"
#include "harness/train_parts.h"

typedef struct options {
  const char *checkpoint, *output;
  const tern_dtype *type, *head;
} options;

enum { TYPE = 0x100, HEAD };

static const struct argp_option table[] = {
    {"type", TYPE, "TYPE", 0,
     "of the linear layers: i2_s, tq1_0, tq2_0, q2_0, iq1_bn, iq2_bn, f16, bf16, f32, q8_0 "
     "(i2_s; f16 for a float model)",
     0},
    {"head", HEAD, "TYPE", 0, "of the embedding: f16, f32, bf16, q8_0, q6_k (f16)", 0},
    {0},
};

static const char doc[] = "Write a trained model as a GGUF file."
                          "\vExample:\n"
                          "  ternmark train export run/checkpoint.tern model.gguf --type tq2_0";

static const tern_dtype *type_named(const char *text, struct argp_state *state) {
  const tern_dtype *t = tern_dtype_by_name(text);
  if (!t) argp_error(state, "type \"%.40s\" is not known", text);
  return t;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case TYPE:
    o->type = type_named(text, state);
    break;
  case HEAD:
    o->head = type_named(text, state);
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 1) argp_error(state, "\"%.80s\" is too much", text);
    *(state->arg_num ? &o->output : &o->checkpoint) = text;
    break;
  case ARGP_KEY_END:
    if (!o->output) argp_error(state, "give a checkpoint and the file to write");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

int tern_train_export_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "CHECKPOINT OUT.gguf", .doc = doc};
  static char name[] = "ternmark train export";
  options o = {0};
  tern_trainer t;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (tern_trainer_load(&t, o.checkpoint, 1, TERN_ISA_COUNT, false, e) != TERN_OK) return TERN_FAILED;
  int status = tern_train_export(&t, o.output, o.type, o.head, e);
  if (status == TERN_OK) fprintf(stderr, "%s: %s of step %d\n", o.output, t.config.name, t.step);
  tern_trainer_close(&t);
  return status;
}
