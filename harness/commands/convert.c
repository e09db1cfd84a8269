/* ternmark convert: llama2.c checkpoints to GGUF. */
#include <argp.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "engine/format/llama2c.h"
#include "engine/text/tokenizer.h"
#include "harness/command.h"

enum { KEY_TYPE = 256, KEY_TOKENIZER, KEY_NAME };

typedef struct options {
  const char *in, *out, *tokenizer, *name;
  const tern_dtype *type;
} options;

static const struct argp_option option_table[] = {
    {"tokenizer", KEY_TOKENIZER, "FILE", 0, "llama2.c tokenizer (tokenizer.bin, tok512.bin) to put into the file", 0},
    {"type", KEY_TYPE, "TYPE", 0,
     "of the projections: f32 (default of dense files), f16, bf16, q8_0; i2_s (default of ternary files), tq2_0, tq1_0",
     0},
    {"name", KEY_NAME, "TEXT", 0, "general.name (default: the input's file name)", 0},
    {0},
};

static const char help[] =
    "Convert a llama2.c checkpoint (legacy fp32, or bitllama2c's ternary one) to GGUF.\v"
    "Embeddings and norms stay f32. Ternary codes are kept exactly; tq1_0 and tq2_0 round the scale to f16.\n"
    "\n"
    "Examples:\n"
    "  ternmark convert stories260K.bin stories.gguf --tokenizer tok512.bin\n"
    "  ternmark convert bitllama2c_3M.bin bit3m.gguf --tokenizer tok512.bin\n";

static error_t parse(int key, char *arg, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case KEY_TOKENIZER:
    o->tokenizer = arg;
    return 0;
  case KEY_NAME:
    o->name = arg;
    return 0;
  case KEY_TYPE:
    o->type = tern_dtype_by_name(arg);
    if (!o->type) argp_error(state, "unknown type '%s'", arg);
    return 0;
  case ARGP_KEY_ARG:
    if (state->arg_num > 1) argp_error(state, "'%s' is too many: one input, one output", arg);
    *(state->arg_num ? &o->out : &o->in) = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->out) argp_error(state, "want an input and an output file");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int put_vocabulary(void *arg, tern_gguf_writer *w, int vocab, tern_error *e) {
  tern_tokenizer *t;
  int rc = tern_tokenizer_from_llama2c(&t, arg, vocab, e);
  if (rc) return rc;
  rc = tern_tokenizer_write(t, w, e);
  tern_tokenizer_close(t);
  return rc;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {.options = option_table, .parser = parse, .args_doc = "IN OUT", .doc = help};
  options o = {0};
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s", o.in);
  tern_llama2c_params params = {.type = o.type,
                                .put_vocabulary = o.tokenizer ? put_vocabulary : NULL,
                                .arg = (void *)(uintptr_t)o.tokenizer,
                                .name = o.name ? o.name : basename(path)};
  int rc = tern_llama2c_convert(o.in, o.out, &params, e);
  if (!rc) printf("%s: converted%s\n", o.out, o.tokenizer ? "" : ", without a tokenizer (see --tokenizer)");
  return rc;
}

const tern_command tern_command_convert = {"convert", "convert a llama2.c checkpoint to GGUF", run};
