/* ternmark convert: from any readable model (GGUF, Hugging Face folder,
 * llama2.c checkpoint) to GGUF of any type that can be written. */
#include <argp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/format/convert.h"
#include "engine/format/hf_export.h"
#include "harness/command.h"
#include "harness/convert_tokens.h"

enum { KEY_TYPE = 256, KEY_HEAD, KEY_TOKENIZER, KEY_NAME, KEY_VERIFY, KEY_ABSMEAN, KEY_I2S };

typedef struct options {
  const char *in, *out, *tokenizer;
  bool verify, hf;
  tern_convert_params params;
} options;

static const struct argp_option option_table[] = {
    {"type", KEY_TYPE, "TYPE", 0,
     "of the projections: i2_s, tq1_0, tq2_0, q2_0, q2_0_128, iq1_bn, iq2_bn (ternary models); f32, f16, bf16, q8_0 "
     "(any); hf: OUT is a Hugging Face folder. Default: as the input has it, ternary checkpoints as i2_s",
     0},
    {"head", KEY_HEAD, "TYPE", 0, "of token embedding and output: f32, f16, bf16, q8_0 (default: as the input)", 0},
    {"tokenizer", KEY_TOKENIZER, "FILE", 0,
     "tokenizer for a model that has none: tokenizer.json, tokenizer.model or llama2.c's tokenizer.bin; none: leave "
     "the model's out",
     0},
    {"name", KEY_NAME, "TEXT", 0, "general.name (default: the input's)", 0},
    {"absmean", KEY_ABSMEAN, NULL, 0, "quantise float projections to ternary by their mean (BitNet's rule)", 0},
    {"i2s-layout", KEY_I2S, "ORDER", 0,
     "of the input's I2_S codes: 128, 64 or rows4 (default: as the file says, else 128)", 0},
    {"verify", KEY_VERIFY, NULL, 0, "read the output back and compare codes, scales and values with the input", 0},
    {0},
};

static const char help[] =
    "Convert a model to GGUF.\v"
    "IN is a GGUF file, a Hugging Face folder (config.json with model.safetensors or its shards) or a llama2.c "
    "checkpoint. Codes are kept exactly; tq1_0, tq2_0, q2_0 and iq1_bn round scales to f16. Floats become codes only "
    "when they are ternary already, or with --absmean.\n"
    "\n"
    "Examples:\n"
    "  ternmark convert bitnet-b1.58-2B-4T/ 2b4t.gguf --verify\n"
    "  ternmark convert 2b4t.gguf 2b4t-tq2.gguf --type tq2_0 --verify\n"
    "  ternmark convert 2b4t.gguf 2b4t-hf/ --type hf\n"
    "  ternmark convert stories260K.bin stories.gguf --tokenizer tok512.bin\n";

static error_t parse(int key, char *arg, struct argp_state *state) {
  static const char *const orders[] = {[TERN_I2S_128] = "128", [TERN_I2S_64] = "64", [TERN_I2S_ROWS4] = "rows4"};
  options *o = state->input;
  switch (key) {
  case KEY_TOKENIZER:
    o->tokenizer = arg;
    return 0;
  case KEY_NAME:
    o->params.name = arg;
    return 0;
  case KEY_VERIFY:
    o->verify = true;
    return 0;
  case KEY_ABSMEAN:
    o->params.absmean = true;
    return 0;
  case KEY_TYPE:
    o->hf = strcasecmp(arg, "hf") == 0;
    if (o->hf) return 0;
    o->params.type = tern_dtype_by_name(arg);
    if (strcasecmp(arg, "tl1") == 0 || strcasecmp(arg, "tl2") == 0)
      argp_error(state, "%s files are laid out for kernels generated for one shape and machine; take i2_s", arg);
    if (!o->params.type)
      argp_error(state,
                 "--type %s: want i2_s, tq1_0, tq2_0, q2_0, q2_0_128, iq1_bn, iq2_bn, f32, f16, bf16, q8_0 or hf", arg);
    return 0;
  case KEY_HEAD:
    o->params.head = tern_dtype_by_name(arg);
    if (!o->params.head || o->params.head->ternary) argp_error(state, "--head %s: want f32, f16, bf16 or q8_0", arg);
    return 0;
  case KEY_I2S:
    for (int i = TERN_I2S_128; i <= TERN_I2S_ROWS4; i++) {
      if (strcmp(arg, orders[i]) == 0) o->params.i2s = (tern_i2s)i;
    }
    if (o->params.i2s == TERN_I2S_AUTO) argp_error(state, "--i2s-layout %s: want 128, 64 or rows4", arg);
    return 0;
  case ARGP_KEY_ARG:
    if (state->arg_num > 1) argp_error(state, "'%s' is too many: one input, one output", arg);
    *(state->arg_num ? &o->out : &o->in) = arg;
    return 0;
  case ARGP_KEY_END:
    if (!o->out) argp_error(state, "want an input and an output file");
    if (o->hf && o->params.head) argp_error(state, "--head is for GGUF files");
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static void print_line(const tern_convert_line *l) {
  printf("%-20s %4d x %-7s -> %-7s %13.0f weights: ", l->kind, l->tensors, l->from, l->to, l->weights);
  if (l->ternary) {
    printf("%s", l->codes_changed > 0 ? "CODES CHANGED" : "codes unchanged");
    if (l->codes_changed > 0) printf(" (%.0f)", l->codes_changed);
    if (l->scales_changed > 0) {
      printf(", %.0f rows' scales rounded, by %.1e at most\n", l->scales_changed, l->worst);
    } else {
      printf(", scales unchanged\n");
    }
  } else if (l->codes_changed > 0) {
    printf("values rounded, by %.1e of the row's greatest at most\n", l->worst);
  } else {
    printf("values unchanged\n");
  }
}

/* Half a unit in the last place of f16 is the most that a scale may move. */
static int verify(const tern_gguf *in, const options *o, tern_error *e) {
  const double f16_rounding = 0x1p-11 * 1.01;
  tern_gguf *out;
  tern_convert_line *lines = NULL;
  int count = 0, rc = tern_gguf_open(&out, o->out, e);
  if (!rc) rc = tern_convert_verify(in, out, &o->params, &lines, &count, e);
  for (int i = 0; i < count; i++) {
    const tern_convert_line *l = &lines[i];
    print_line(l);
    if (rc || !l->ternary || (l->codes_changed == 0 && l->worst <= f16_rounding)) continue;
    rc = tern_fail(e, TERN_FAILED, "%s: %s: %s", o->out, l->kind,
                   l->codes_changed > 0 ? "codes changed"
                                        : "a scale is out of f16's range; take i2_s or iq2_bn, whose scales are f32");
  }
  free(lines);
  tern_gguf_close(out);
  return rc;
}

static int usable_cpus(void) {
  cpu_set_t set;
  int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return n < 64 ? n : 64;
}

static int export_folder(const tern_gguf *in, const options *o, const tern_convert_tokens *tokens, tern_team *team,
                         tern_error *e) {
  bool none = false;
  int rc = tern_hf_export(in, o->out, o->params.i2s, team, e);
  if (!rc) rc = tern_convert_export_tokens(tokens, o->out, &none, e);
  if (!rc) printf("%s: converted%s\n", o->out, none ? ", without a tokenizer (see --tokenizer)" : "");
  return rc;
}

static int convert_file(const tern_gguf *in, options *o, tern_convert_tokens *tokens, tern_team *team, tern_error *e) {
  tern_gguf_string unused;
  bool left_out = o->tokenizer && strcmp(o->tokenizer, "none") == 0;
  o->params.progress = true;
  if (!left_out && (tokens->file || tern_gguf_text(in, "ternmark.tokenizer", &unused))) {
    o->params.put_vocabulary = tern_convert_put_tokens;
    o->params.arg = tokens;
  }
  int rc = tern_convert(in, o->out, &o->params, team, e);
  bool kept = o->params.put_vocabulary || tern_gguf_has(in, "tokenizer.ggml.tokens");
  if (!rc) printf("%s: converted%s\n", o->out, kept ? "" : ", without a tokenizer (see --tokenizer)");
  return rc;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp parser = {.options = option_table, .parser = parse, .args_doc = "IN OUT", .doc = help};
  options o = {0};
  tern_gguf *in = NULL;
  tern_team *team = NULL;
  static char name[] = "ternmark convert"; /* how messages and usage call it */
  argv[0] = name;
  if (argp_parse(&parser, argc, argv, 0, NULL, &o)) return TERN_USAGE;
  int rc = tern_gguf_open(&in, o.in, e);
  if (!rc) rc = tern_team_open(&team, usable_cpus(), NULL, e);
  if (!rc) {
    tern_convert_tokens tokens = {.in = in, .file = o.tokenizer && strcmp(o.tokenizer, "none") ? o.tokenizer : NULL};
    rc = o.hf ? export_folder(in, &o, &tokens, team, e) : convert_file(in, &o, &tokens, team, e);
  }
  if (!rc && o.verify) rc = verify(in, &o, e);
  tern_team_close(team);
  tern_gguf_close(in);
  return rc;
}

const tern_command tern_command_convert = {"convert", "convert a model to GGUF of another type", run};
