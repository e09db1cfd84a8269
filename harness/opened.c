/* Opening a model for a command, in the order in which a user wants to hear of
 * mistakes: options, file, tokenizer, sizes, and only then weights. */
#include "harness/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "baselines/engines.h"
#include "harness/job_lists.h"
#include "harness/machine.h"
#include "harness/tune_cache.h"

enum { TOKENIZER = 0x1000, KV, LAYOUT, HEAD, ISA, ENGINE, I2S, TUNE_CACHE, NO_TUNE };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Engine", 10},
    {"engine", ENGINE, "NAME", 0, "ternary, f16, bf16, f32, int8, int8-q8head (by the file's weights)", 0},
    {"layout", LAYOUT, "NAME", 0,
     "weights as t2 (2 bits), t5, t5l (1.6 bits) or auto (the faster here); with a scale for a block of columns: "
     "t2b64, t2b128 (Q2_0), q8b32 (Q8_0), q4b32 (Q4_0)",
     0},
    {"head", HEAD, "HOW", 0, "full, or exact: the same tokens from an int8 scan and a few full rows", 0},
    {"kv", KV, "TYPE", 0, "KV cache as f32 (default), f16 or int8", 0},
    {"context", 'c', "N", 0, "positions (what is needed, at most the model's)", 0},
    {"threads", 't', "N", 0, "threads (the usable cores)", 0},
    {"tokenizer", TOKENIZER, "FILE", 0, "tokenizer of its own file, when the model's has none", 0},
    {"isa", ISA, "LEVEL", 0, "use no instruction set above this one (also TERNMARK_ISA)", 0},
    {"tune-cache", TUNE_CACHE, "FILE", 0, "what ternmark kernels tune found (~/.cache/ternmark/tune.json)", 0},
    {"no-tune", NO_TUNE, 0, 0, "usual layouts and kernels (also TERNMARK_TUNE=off)", 0},
    {"i2s-layout", I2S, "ORDER", 0, "order of an I2_S file's codes: auto, 128, 64, rows4", 0},
    {0},
};

static tern_isa isa_level(struct argp_state *state, const char *text) {
  int isa = tern_isa_parse(text);
  if (isa < 0) argp_error(state, "--isa: \"%.40s\" is no level; see ternmark machine", text);
  const char *reason = isa < 0 ? NULL : tern_isa_reason((tern_isa)isa);
  if (reason != NULL) argp_error(state, "--isa: %s cannot be used here: %s", text, reason);
  return (tern_isa)isa;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  static const char *const orders[] = {
      [TERN_I2S_AUTO] = "auto", [TERN_I2S_128] = "128", [TERN_I2S_64] = "64", [TERN_I2S_ROWS4] = "rows4", NULL};
  static const char *const layouts[] = {"auto", "t2", "t5", "t5l", "t2b64", "t2b128", "q8b32", "q4b32", NULL};
  static const char *const heads[] = {"full", "exact", NULL};
  tern_open_options *o = state->input;
  switch (key) {
  case 't':
    o->threads = (int)tern_option_number(state, "threads", text, 1, INT32_MAX);
    break;
  case 'c':
    o->context = (int)tern_option_number(state, "context", text, 1, INT32_MAX);
    break;
  case KV:
    o->kv = (tern_kv_type)tern_option_choice(state, "kv", text, tern_kv_names);
    o->kv_given = true;
    break;
  case I2S:
    o->i2s = (tern_i2s)tern_option_choice(state, "i2s-layout", text, orders);
    break;
  case LAYOUT:
    o->layout = tern_option_choice(state, "layout", text, layouts) == 0 ? NULL : text;
    break;
  case HEAD:
    o->exact = tern_option_choice(state, "head", text, heads) == 1;
    break;
  case ISA:
    o->isa = isa_level(state, text);
    break;
  case TOKENIZER:
    o->tokenizer = text;
    break;
  case TUNE_CACHE:
    o->tune_cache = text;
    break;
  case NO_TUNE:
    o->no_tune = true;
    break;
  case ENGINE:
    o->engine = text;
    break;
  case ARGP_KEY_ARG:
    if (o->model != NULL) argp_error(state, "one model at a time: \"%.80s\" is too much", text);
    o->model = text;
    break;
  case ARGP_KEY_END:
    if (o->model == NULL) argp_error(state, "which model? Give a GGUF file or a Hugging Face folder");
    if (o->layout != NULL && o->engine != NULL && strcmp(o->engine, "ternary") != 0)
      argp_error(state, "--layout is about ternary weights, not the engine %.40s", o->engine);
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

const struct argp tern_open_argp = {.options = table, .parser = parse};

int tern_open_options_start(tern_open_options *o, tern_error *e) {
  const char *forced = getenv("TERNMARK_ISA");
  *o = (tern_open_options){.isa = TERN_ISA_COUNT};
  if (forced == NULL || *forced == 0) return TERN_OK;
  int isa = tern_isa_parse(forced);
  if (isa < 0) return tern_fail(e, TERN_USAGE, "TERNMARK_ISA: \"%.40s\" is no level; see ternmark machine", forced);
  o->isa = (tern_isa)isa;
  return TERN_OK;
}

/* The file's own, or the one beside a folder's weights. */
static int open_tokenizer(tern_opened *o, const tern_open_options *options, tern_error *e) {
  static const char *const names[] = {"tokenizer.json", "tokenizer.model"};
  struct stat st;
  char path[4096];
  if (options->tokenizer != NULL) return tern_tokenizer_open(&o->tokenizer, options->tokenizer, e);
  if (stat(options->model, &st) != 0 || !S_ISDIR(st.st_mode))
    return tern_tokenizer_from_gguf(&o->tokenizer, o->gguf, e);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", options->model, names[i]);
    if (access(path, R_OK) == 0) return tern_tokenizer_open(&o->tokenizer, path, e);
  }
  return tern_fail(e, TERN_FAILED, "%s: no tokenizer.json or tokenizer.model in it; name one with --tokenizer",
                   options->model);
}

/* All usable cores when nobody says. */
static int choose_threads(int *threads, tern_error *e) {
  tern_machine machine = {0};
  if (*threads != 0) return TERN_OK;
  int status = tern_machine_probe(&machine, e);
  *threads = status == TERN_OK ? tern_machine_cores(&machine) : 1;
  tern_machine_free(&machine);
  return status;
}

static int choose_params(tern_opened *o, const tern_open_options *options, tern_error *e) {
  tern_model_params *p = &o->params;
  *p = (tern_model_params){.layout = options->layout,
                           .any_layout = options->layout == NULL,
                           .exact_head = options->exact,
                           .isa_cap = options->isa,
                           .i2s = options->i2s};
  if (options->engine != NULL) {
    const tern_runner_spec spec = {.engine = options->engine,
                                   .ternary_layout = options->layout,
                                   .exact_head = options->exact,
                                   .isa_cap = options->isa,
                                   .i2s = options->i2s};
    if (tern_engine_params(p, &spec, e) != TERN_OK) return TERN_USAGE;
  }
  p->progress = !options->quiet;
  p->tuning = o->tuning;
  p->threads = options->threads;
  if (choose_threads(&p->threads, e) != TERN_OK) return TERN_FAILED;
  if (tern_model_preview(o->gguf, p, &o->facts, e) != TERN_OK) return TERN_FAILED;
  const tern_layout *body = tern_layout_find(o->facts.body_layout);
  if (options->engine == NULL && body->kind == TERN_KIND_FLOAT) p->head_layout = body->name;
  return TERN_OK;
}

int tern_opened_preview(tern_opened *o, const tern_open_options *options, tern_error *e) {
  *o = (tern_opened){0};
  int status = tern_gguf_open(&o->gguf, options->model, e);
  if (status == TERN_OK) status = open_tokenizer(o, options, e);
  if (status == TERN_OK) o->tuning = tern_tune_open(options->tune_cache, options->no_tune);
  if (status == TERN_OK) status = choose_params(o, options, e);
  if (status == TERN_OK && tern_tokenizer_size(o->tokenizer) > o->facts.vocab)
    status = tern_fail(e, TERN_FAILED, "%s: the tokenizer has %d tokens, the model's embedding %d rows",
                       options->tokenizer != NULL ? options->tokenizer : options->model,
                       tern_tokenizer_size(o->tokenizer), o->facts.vocab);
  return status;
}

int tern_opened_load(tern_opened *o, tern_error *e) {
  int status = tern_team_open(&o->team, o->params.threads, NULL, e);
  if (status == TERN_OK) status = tern_model_load(&o->model, o->gguf, &o->params, o->team, e);
  if (status == TERN_OK) o->facts = *tern_model_describe(o->model);
  return status;
}

void tern_opened_close(tern_opened *o) {
  tern_model_close(o->model);
  if (o->team != NULL) tern_team_close(o->team);
  tern_tokenizer_close(o->tokenizer);
  if (o->gguf != NULL) tern_gguf_close(o->gguf);
  free(o->tuning);
  *o = (tern_opened){0};
}

int tern_opened_context(const tern_opened *o, int asked, int64_t usual, int *context, tern_error *e) {
  const int most = o->facts.context;
  *context = asked > 0 ? asked : usual < most ? (int)usual : most;
  if (*context <= most) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "--context %d is more than the model's %d positions", *context, most);
}

int tern_opened_encode(const tern_opened *o, const char *text, size_t size, bool special, bool bos, int32_t **ids,
                       int *count, tern_error *e) {
  int32_t first = tern_tokenizer_bos(o->tokenizer), *body = NULL;
  size_t n = 0;
  *ids = NULL;
  if (tern_tokenizer_encode(o->tokenizer, text, size, special, &body, &n, e) != TERN_OK) return TERN_FAILED;
  bool add = bos && first >= 0 && (tern_tokenizer_adds_bos(o->tokenizer) || n == 0) && !(n > 0 && body[0] == first);
  int32_t *all = n < INT32_MAX - 1 ? malloc((n + 1) * sizeof *all) : NULL;
  if (all != NULL) {
    all[0] = first;
    if (n > 0) memcpy(all + add, body, n * sizeof *all);
    *ids = all;
    *count = (int)n + add;
  }
  free(body);
  return all != NULL ? TERN_OK : tern_fail(e, TERN_FAILED, "not enough memory for a text of %zu tokens", n);
}

void tern_opened_tell(const tern_opened *o, size_t kv_bytes) {
  const tern_model_facts *f = &o->facts;
  fprintf(stderr, "%-8s %s, %s, head %s%s, %d threads, %.1f MB of weights, %.1f MB of KV cache\n", "model",
          f->arch->name, f->body_kernel, f->head_layout, f->scan_bytes > 0 ? " exact" : "", tern_team_size(o->team),
          1e-6 * (double)(f->body_bytes + f->head_bytes + f->scan_bytes + f->embedding_bytes + f->norm_bytes),
          1e-6 * (double)kv_bytes);
}
