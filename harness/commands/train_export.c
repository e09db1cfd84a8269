/* ternmark train export: a checkpoint as a GGUF file. */
#include <argp.h>
#include <math.h>
#include <stdio.h>

#include "engine/train/adapter_file.h"
#include "engine/train/export.h"
#include "engine/train/merge.h"
#include "harness/train_parts.h"

typedef struct options {
  const char *checkpoint, *output, *beside;
  bool adapters;
  const tern_dtype *type, *head;
} options;

enum { TYPE = 0x100, HEAD, ADAPTERS, WITH };

static const struct argp_option table[] = {
    {"type", TYPE, "TYPE", 0,
     "of the linear layers: i2_s, tq1_0, tq2_0, q2_0, iq1_bn, iq2_bn, f16, bf16, f32, q8_0 "
     "(i2_s; f16 for a float model)",
     0},
    {"head", HEAD, "TYPE", 0, "of the embedding: f16, f32, bf16, q8_0, q6_k (f16)", 0},
    {"adapters", ADAPTERS, 0, 0, "write the checkpoint's adapters alone, to be kept beside their base", 0},
    {"with", WITH, "FILE.gguf", 0, "merge these adapters into the checkpoint", 0},
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
  case ADAPTERS:
    o->adapters = true;
    break;
  case WITH:
    o->beside = text;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 1) argp_error(state, "\"%.80s\" is too much", text);
    *(state->arg_num ? &o->output : &o->checkpoint) = text;
    break;
  case ARGP_KEY_END:
    if (!o->output) argp_error(state, "give a checkpoint and the file to write");
    if (o->adapters && (o->type || o->head || o->beside))
      argp_error(state, "--adapters stands without --type, --head and --with");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

/* Loss over the evaluation data; NAN without a reason where there are none. */
static double held_loss(tern_trainer *t) {
  tern_error why = {0};
  tern_train_score s;
  if (t->config.eval.count == 0) return NAN;
  if ((!t->held.documents && tern_dataset_read(&t->held, &t->config, &t->config.eval, t->tokenizer, &why) != TERN_OK) ||
      tern_trainer_score(t, &t->held, -1, &s, &why) != TERN_OK) {
    fprintf(stderr, "no evaluation: %s\n", why.text);
    return NAN;
  }
  return s.loss / s.weight;
}

/* Adapters into codes: says what that costs. */
static int merge(tern_trainer *t, tern_error *e) {
  tern_train_merged m;
  const double before = held_loss(t);
  if (tern_train_merge(t, &m, e) != TERN_OK) return TERN_FAILED;
  fprintf(stderr, "merged: %zu of %zu codes changed; rounding took %.3g times the update (RMS)", m.changed, m.codes,
          m.lost);
  if (!isnan(before)) fprintf(stderr, "; evaluation %.4f beside the base, %.4f merged", before, held_loss(t));
  fputc('\n', stderr);
  return TERN_OK;
}

static int write_model(tern_trainer *t, const options *o, tern_error *e) {
  if (o->adapters) return tern_adapters_write(t, o->output, e);
  if (t->net.rank > 0 && t->net.ternary && (!o->type || o->type->ternary) && merge(t, e) != TERN_OK) return TERN_FAILED;
  return tern_train_export(t, o->output, o->type, o->head, e);
}

int tern_train_export_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "CHECKPOINT OUT.gguf", .doc = doc};
  static char name[] = "ternmark train export";
  options o = {0};
  tern_trainer t;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if ((o.beside ? tern_trainer_load_adapted(&t, o.checkpoint, o.beside, 1, TERN_ISA_COUNT, e)
                : tern_trainer_load(&t, o.checkpoint, 1, TERN_ISA_COUNT, false, e)) != TERN_OK)
    return TERN_FAILED;
  int status = write_model(&t, &o, e);
  if (status == TERN_OK) fprintf(stderr, "%s: %s of step %d\n", o.output, t.config.name, t.step);
  tern_trainer_close(&t);
  return status;
}
