/* ternmark run: text in, text out. Only the generated text goes to stdout;
 * what was loaded, how fast it ran and why it stopped go to stderr. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "baselines/engines.h"
#include "engine/base/file.h"
#include "engine/generate/generate.h"
#include "harness/command.h"
#include "harness/machine.h"
#include "harness/tune_cache.h"

enum { PROMPT_LIMIT = 64 << 20, DEFAULT_TOKENS = 128 };

typedef struct options {
  const char *model, *prompt, *file, *engine, *layout;
  int tokens, threads, context;
  tern_sampler_params sampling;
  tern_kv_type kv;
  tern_i2s i2s;
  tern_isa isa;
  const char *tune_cache;
  bool exact, no_bos, no_special, echo, no_tune;
} options;

enum {
  TEMP = 0x100,
  TOP_K,
  TOP_P,
  MIN_P,
  SEED,
  KV,
  LAYOUT,
  HEAD,
  ISA,
  ENGINE,
  I2S,
  TUNE_CACHE,
  NO_TUNE,
  NO_BOS,
  NO_SPECIAL,
  SHOW_PROMPT
};

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Text", 1},
    {"prompt", 'p', "TEXT", 0, "text to go on from (none: the model starts one)", 0},
    {"file", 'f', "PATH", 0, "the same, from a file", 0},
    {"tokens", 'n', "N", 0, "generate at most N tokens (128)", 0},
    {"echo", SHOW_PROMPT, 0, 0, "print the prompt before the text", 0},
    {"no-bos", NO_BOS, 0, 0, "don't put the beginning-of-text token first", 0},
    {"no-special", NO_SPECIAL, 0, 0, "take special tokens written in the prompt as plain text", 0},
    {0, 0, 0, 0, "Choice of tokens", 2},
    {"temp", TEMP, "T", 0, "temperature; 0 (default): always the likeliest token", 0},
    {"top-k", TOP_K, "K", 0, "sample from the K likeliest (0: all)", 0},
    {"top-p", TOP_P, "P", 0, "sample from the likeliest that together reach P (1: all)", 0},
    {"min-p", MIN_P, "P", 0, "leave out what is less than P times as likely as the likeliest (0)", 0},
    {"seed", SEED, "N", 0, "seed of the draws (0): same seed, same text, on every machine", 0},
    {0, 0, 0, 0, "Engine", 3},
    {"engine", ENGINE, "NAME", 0, "ternary, f16, bf16, f32, int8, int8-q8head (by the file's weights)", 0},
    {"layout", LAYOUT, "NAME", 0, "ternary weights as t2 (2 bits), t5, t5l (1.6 bits) or auto (the faster here)", 0},
    {"head", HEAD, "HOW", 0, "full, or exact: the same greedy token from an int8 scan and a few full rows", 0},
    {"kv", KV, "TYPE", 0, "KV cache as f32 (default), f16 or int8", 0},
    {"context", 'c', "N", 0, "positions (what prompt and tokens need, at most the model's)", 0},
    {"threads", 't', "N", 0, "threads (the usable cores)", 0},
    {"isa", ISA, "LEVEL", 0, "use no instruction set above this one (also TERNMARK_ISA)", 0},
    {"tune-cache", TUNE_CACHE, "FILE", 0, "what ternmark kernels tune found (~/.cache/ternmark/tune.json)", 0},
    {"no-tune", NO_TUNE, 0, 0, "usual layouts and kernels (also TERNMARK_TUNE=off)", 0},
    {"i2s-layout", I2S, "ORDER", 0, "order of an I2_S file's codes: auto, 128, 64, rows4", 0},
    {0},
};

static const char doc[] = "Generate text with a GGUF model. The text goes to stdout, statistics to stderr."
                          "\vExamples:\n"
                          "  ternmark run model.gguf -p \"Once upon a time\" -n 64\n"
                          "  ternmark run model.gguf -f prompt.txt --temp 0.8 --top-p 0.95 --seed 7\n"
                          "  ternmark run model.gguf -p \"User: Hi<|eot_id|>Assistant:\" --kv f16 --head exact\n\n"
                          "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

static int whole(struct argp_state *state, const char *option, const char *text, long least) {
  char *end;
  long value = strtol(text, &end, 10);
  if (end == text || *end != 0 || value < least || value > INT32_MAX)
    argp_error(state, "--%s wants a whole number from %ld, not \"%.40s\"", option, least, text);
  return (int)value;
}

static float real(struct argp_state *state, const char *option, const char *text, double least, double most) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end != 0 || !(value >= least && value <= most))
    argp_error(state, "--%s wants a number from %g to %g, not \"%.40s\"", option, least, most, text);
  return (float)value;
}

static uint64_t seed(struct argp_state *state, const char *text) {
  char *end;
  unsigned long long value = strtoull(text, &end, 10);
  if (end == text || *end != 0 || strchr(text, '-') != NULL)
    argp_error(state, "--seed wants a whole number, not \"%.40s\"", text);
  return value;
}

/* Index of text in a NULL-terminated list. */
static int choice(struct argp_state *state, const char *option, const char *text, const char *const *list) {
  char all[128] = "";
  for (int i = 0; list[i] != NULL; i++) {
    if (strcmp(list[i], text) == 0) return i;
    size_t used = strlen(all);
    snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", list[i]);
  }
  argp_error(state, "--%s is one of %s, not \"%.40s\"", option, all, text);
  return 0;
}

static tern_isa isa_level(struct argp_state *state, const char *text) {
  int isa = tern_isa_parse(text);
  if (isa < 0) argp_error(state, "--isa: \"%.40s\" is no level; see ternmark machine", text);
  const char *reason = isa < 0 ? NULL : tern_isa_reason((tern_isa)isa);
  if (reason != NULL) argp_error(state, "--isa: %s cannot be used here: %s", text, reason);
  return (tern_isa)isa;
}

static error_t parse(int key, char *text, struct argp_state *state) {
  static const char *const kvs[] = {[TERN_KV_F32] = "f32", [TERN_KV_F16] = "f16", [TERN_KV_INT8] = "int8", NULL};
  static const char *const orders[] = {
      [TERN_I2S_AUTO] = "auto", [TERN_I2S_128] = "128", [TERN_I2S_64] = "64", [TERN_I2S_ROWS4] = "rows4", NULL};
  static const char *const layouts[] = {"auto", "t2", "t5", "t5l", NULL};
  static const char *const heads[] = {"full", "exact", NULL};
  options *o = state->input;
  switch (key) {
  case 'p':
    o->prompt = text;
    break;
  case 'f':
    o->file = text;
    break;
  case 'n':
    o->tokens = whole(state, "tokens", text, 0);
    break;
  case 't':
    o->threads = whole(state, "threads", text, 1);
    break;
  case 'c':
    o->context = whole(state, "context", text, 1);
    break;
  case TEMP:
    o->sampling.temperature = real(state, "temp", text, 0, 1e6);
    break;
  case TOP_K:
    o->sampling.top_k = whole(state, "top-k", text, 0);
    break;
  case TOP_P:
    o->sampling.top_p = real(state, "top-p", text, 1e-6, 1);
    break;
  case MIN_P:
    o->sampling.min_p = real(state, "min-p", text, 0, 1);
    break;
  case SEED:
    o->sampling.seed = seed(state, text);
    break;
  case KV:
    o->kv = (tern_kv_type)choice(state, "kv", text, kvs);
    break;
  case I2S:
    o->i2s = (tern_i2s)choice(state, "i2s-layout", text, orders);
    break;
  case LAYOUT:
    o->layout = choice(state, "layout", text, layouts) == 0 ? NULL : text;
    break;
  case HEAD:
    o->exact = choice(state, "head", text, heads) == 1;
    break;
  case ISA:
    o->isa = isa_level(state, text);
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
  case NO_BOS:
    o->no_bos = true;
    break;
  case NO_SPECIAL:
    o->no_special = true;
    break;
  case SHOW_PROMPT:
    o->echo = true;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 0) argp_error(state, "one model at a time: \"%.80s\" is too much", text);
    o->model = text;
    break;
  case ARGP_KEY_END:
    if (o->model == NULL) argp_error(state, "which model? Give a GGUF file");
    if (o->layout != NULL && o->engine != NULL && strcmp(o->engine, "ternary") != 0)
      argp_error(state, "--layout is about ternary weights, not the engine %.40s", o->engine);
    if (o->prompt != NULL && o->file != NULL) argp_error(state, "--prompt and --file exclude each other");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

typedef struct job { /* what a run opens, in this order */
  tern_gguf *gguf;
  tern_tokenizer *tokenizer;
  char *text; /* of --file */
  int32_t *ids;
  int count;
  tern_model_facts facts;
  tern_tuning *tuning; /* NULL: none */
  int threads;
  tern_team *team;
  tern_model *model;
  tern_session *session;
  char last; /* character put out last */
} job;

static void job_close(job *j) {
  tern_session_close(j->session);
  tern_model_close(j->model);
  tern_team_close(j->team);
  free(j->ids);
  free(j->text);
  tern_tokenizer_close(j->tokenizer);
  if (j->gguf != NULL) tern_gguf_close(j->gguf);
  free(j->tuning);
}

static int put(void *arg, const char *text, size_t size, tern_error *e) {
  if (size == 0) return TERN_OK;
  ((job *)arg)->last = text[size - 1];
  if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
    return tern_fail_errno(e, "standard output: cannot write");
  return TERN_OK;
}

/* Prompt to ids, the beginning-of-text token first where the model expects it. */
static int read_prompt(job *j, const options *o, tern_error *e) {
  const char *text = o->prompt != NULL ? o->prompt : "";
  size_t size = strlen(text), count;
  if (o->file != NULL) {
    j->text = tern_file_read(o->file, PROMPT_LIMIT, &size, e);
    if (j->text == NULL) return TERN_FAILED;
    text = j->text;
  }
  int32_t *ids;
  if (tern_tokenizer_encode(j->tokenizer, text, size, !o->no_special, &ids, &count, e) != TERN_OK) return TERN_FAILED;
  int32_t bos = tern_tokenizer_bos(j->tokenizer);
  bool add = !o->no_bos && bos >= 0 && (tern_tokenizer_adds_bos(j->tokenizer) || count == 0);
  if (count > 0 && ids[0] == bos) add = false;
  j->ids = malloc((count + 1) * sizeof *j->ids);
  if (j->ids == NULL) {
    free(ids);
    return tern_fail(e, TERN_FAILED, "not enough memory for a prompt of %zu tokens", count);
  }
  if (add) j->ids[j->count++] = bos;
  memcpy(j->ids + j->count, ids, count * sizeof *ids);
  j->count += (int)count;
  free(ids);
  if (j->count == 0)
    return tern_fail(e, TERN_USAGE, "nothing to start from: give a prompt%s",
                     o->no_bos ? " or leave out --no-bos" : "");
  return o->echo ? put(j, text, size, e) : TERN_OK;
}

static int choose_params(job *j, const options *o, tern_model_params *p, tern_error *e) {
  bool exact = o->exact && o->sampling.temperature <= 0; /* sampling needs every logit in full */
  *p = (tern_model_params){.layout = o->layout, .exact_head = exact, .isa_cap = o->isa, .i2s = o->i2s};
  if (o->engine != NULL) {
    const tern_runner_spec spec = {
        .engine = o->engine, .ternary_layout = o->layout, .exact_head = exact, .isa_cap = o->isa, .i2s = o->i2s};
    if (tern_engine_params(p, &spec, e) != TERN_OK) return TERN_USAGE;
  }
  p->progress = true;
  p->tuning = j->tuning;
  p->threads = j->threads;
  if (tern_model_preview(j->gguf, p, &j->facts, e) != TERN_OK) return TERN_FAILED;
  const tern_layout *body = tern_layout_find(j->facts.body_layout);
  if (o->engine == NULL && body->kind == TERN_KIND_FLOAT) p->head_layout = body->name;
  return TERN_OK;
}

/* Positions to reserve; tells before any work what will not fit. */
static int choose_context(const job *j, const options *o, int *context, tern_error *e) {
  int64_t needed = (int64_t)j->count + (o->tokens > 0 ? o->tokens - 1 : 0); /* the last token is not fed */
  int most = j->facts.context;
  *context = o->context > 0 ? o->context : needed < most ? (int)needed : most;
  if (*context > most)
    return tern_fail(e, TERN_FAILED, "--context %d is more than the model's %d positions", *context, most);
  if (j->count > *context)
    return tern_fail(e, TERN_FAILED, "the prompt has %d tokens, the context %d positions: shorten it%s", j->count,
                     *context, *context < most ? " or raise --context" : "");
  if (needed > *context)
    fprintf(stderr, "ternmark run: the context of %d positions ends after %d of the %d tokens asked for%s\n", *context,
            *context - j->count + 1, o->tokens, *context < most ? "; raise --context" : "");
  return TERN_OK;
}

/* All usable cores when nobody says. */
static int choose_threads(job *j, const options *o, tern_error *e) {
  tern_machine machine = {0};
  j->threads = o->threads;
  if (j->threads != 0) return TERN_OK;
  int status = tern_machine_probe(&machine, e);
  j->threads = status == TERN_OK ? tern_machine_cores(&machine) : 1;
  tern_machine_free(&machine);
  return status;
}

static int load(job *j, const options *o, tern_error *e) {
  tern_model_params params;
  tern_session_params sizes = {.kv = o->kv};
  if (tern_gguf_open(&j->gguf, o->model, e) != TERN_OK ||
      tern_tokenizer_from_gguf(&j->tokenizer, j->gguf, e) != TERN_OK)
    return TERN_FAILED;
  j->tuning = tern_tune_open(o->tune_cache, o->no_tune);
  int status = choose_threads(j, o, e);
  if (status == TERN_OK) status = choose_params(j, o, &params, e);
  if (status == TERN_OK) status = read_prompt(j, o, e);
  if (status == TERN_OK) status = choose_context(j, o, &sizes.context, e);
  if (status == TERN_OK) status = tern_team_open(&j->team, j->threads, NULL, e);
  if (status == TERN_OK) status = tern_model_load(&j->model, j->gguf, &params, j->team, e);
  if (status == TERN_OK) status = tern_session_open(&j->session, j->model, j->team, &sizes, e);
  return status;
}

static void tell_phase(const char *phase, int tokens, double seconds) {
  if (tokens <= 0 || seconds <= 0) return;
  fprintf(stderr, "%-8s %6d tokens %9.3f s %9.2f tokens/s %9.3f ms/token\n", phase, tokens, seconds, tokens / seconds,
          1e3 * seconds / tokens);
}

static void tell(const job *j, const tern_generation *g, const options *o) {
  const tern_model_facts *f = tern_model_describe(j->model);
  fprintf(stderr, "%-8s %s, %s, head %s%s, %d threads, %.1f MB of weights, %.1f MB of KV cache\n", "model",
          f->arch->name, f->body_kernel, f->head_layout, f->scan_bytes > 0 ? " exact" : "", tern_team_size(j->team),
          1e-6 * (double)(f->body_bytes + f->head_bytes + f->scan_bytes + f->embedding_bytes + f->norm_bytes),
          1e-6 * (double)tern_session_kv_bytes(j->session));
  tell_phase("prefill", g->prompt_tokens, g->prefill_s);
  tell_phase("decode", g->decoded, g->decode_s);
  fprintf(stderr, "%-8s %d tokens: %s", "text", g->generated, tern_stop_reason(g->stop));
  if (o->sampling.temperature > 0) fprintf(stderr, " (seed %llu)", (unsigned long long)o->sampling.seed);
  fputc('\n', stderr);
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "MODEL.gguf", .doc = doc};
  options o = {.tokens = DEFAULT_TOKENS, .sampling = {.top_p = 1}, .isa = TERN_ISA_COUNT};
  const char *forced = getenv("TERNMARK_ISA");
  if (forced != NULL && *forced != 0) {
    int isa = tern_isa_parse(forced);
    if (isa < 0) return tern_fail(e, TERN_USAGE, "TERNMARK_ISA: \"%.40s\" is no level; see ternmark machine", forced);
    o.isa = (tern_isa)isa;
  }
  static char name[] = "ternmark run"; /* how messages and usage call it */
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  job j = {0};
  int status = load(&j, &o, e);
  if (status == TERN_OK) {
    tern_generation g;
    const tern_answer_params answer = {.sampling = o.sampling, .count = o.tokens, .put = put, .arg = &j};
    status = tern_generate(j.session, j.tokenizer, &answer, j.ids, j.count, &g, e);
    tern_error ignored = {0};
    if (j.last != 0 && j.last != '\n') put(&j, "\n", 1, &ignored);
    if (status == TERN_OK || status == TERN_INTERRUPTED) tell(&j, &g, &o);
  }
  job_close(&j);
  return status;
}

const tern_command tern_command_run = {"run", "generate text with a model", run};
