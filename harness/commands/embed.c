/* ternmark embed: texts as vectors of length 1, one line each, and how alike
 * they are. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/opened.h"

enum { USUAL_CONTEXT = 4096 };

typedef struct options {
  tern_open_options open;
  const char *file, **texts;
  int text_count, pooling, format;
  bool similarity, no_special;
} options;

static const char *const poolings[] = {[TERN_POOLING_NONE] = "file",
                                       [TERN_POOLING_MEAN] = "mean",
                                       [TERN_POOLING_CLS] = "cls",
                                       [TERN_POOLING_LAST] = "last",
                                       NULL};
static const char *const formats[] = {"json", "csv", NULL};
enum { AS_JSON, AS_CSV };

enum { POOLING = 0x100, FORMAT, SIMILARITY, NO_SPECIAL };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Texts", 1},
    {"prompt", 'p', "TEXT", 0, "a text; may be given several times (without -p or -f: lines of standard input)", 0},
    {"file", 'f', "PATH", 0, "texts, a line each", 0},
    {"no-special", NO_SPECIAL, 0, 0, "take special tokens written in the texts as plain text", 0},
    {0, 0, 0, 0, "Vectors", 2},
    {"pooling", POOLING, "HOW", 0, "mean, cls (first token) or last; default: as the model's file says", 0},
    {"format", FORMAT, "NAME", 0, "json (default) or csv: index, then the numbers", 0},
    {"similarity", SIMILARITY, 0, 0, "instead of the vectors, the cosine of every pair of texts", 0},
    {0},
};

static const char doc[] = "Turn texts into vectors with an embedding model."
                          "\vExamples:\n"
                          "  ternmark embed model.gguf -p \"a small boat\" -p \"a little ship\" --similarity\n"
                          "  ternmark embed model.gguf -f sentences.txt --format csv > vectors.csv\n"
                          "  ternmark embed model.gguf --pooling mean < sentences.txt\n\n"
                          "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    break;
  case 'p':
    o->texts[o->text_count++] = text; /* as many as arguments at most */
    break;
  case 'f':
    o->file = text;
    break;
  case POOLING:
    o->pooling = tern_option_choice(state, "pooling", text, poolings);
    break;
  case FORMAT:
    o->format = tern_option_choice(state, "format", text, formats);
    break;
  case SIMILARITY:
    o->similarity = true;
    break;
  case NO_SPECIAL:
    o->no_special = true;
    break;
  case ARGP_KEY_END:
    if (o->text_count > 0 && o->file != NULL) argp_error(state, "--prompt and --file exclude each other");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

typedef struct job {
  tern_opened opened;
  tern_session *session;
  tern_pooling pooling;
  float *vectors; /* [count][hidden] */
  int *tokens;    /* [count] */
  int count, room;
} job;

static int make_room(job *j, tern_error *e) {
  if (j->count < j->room) return TERN_OK;
  int room = j->room > 0 ? 2 * j->room : 16;
  size_t width = tern_mul((size_t)j->opened.facts.hidden, sizeof *j->vectors);
  float *vectors = realloc(j->vectors, tern_mul((size_t)room, width));
  if (vectors != NULL) j->vectors = vectors;
  int *tokens = realloc(j->tokens, (size_t)room * sizeof *tokens);
  if (tokens != NULL) j->tokens = tokens;
  if (vectors == NULL || tokens == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for %d vectors", room);
  j->room = room;
  return TERN_OK;
}

/* BOS before and EOS behind the text where the tokenizer's file asks for them. */
static int embed(job *j, const options *o, const char *text, size_t size, tern_error *e) {
  const tern_tokenizer *t = j->opened.tokenizer;
  int32_t *ids = NULL;
  int n = 0;
  if (make_room(j, e) != TERN_OK) return TERN_FAILED;
  int status = tern_opened_encode(&j->opened, text, size, !o->no_special, true, &ids, &n, e);
  if (status == TERN_OK && tern_tokenizer_adds_eos(t)) {
    int32_t *more = realloc(ids, ((size_t)n + 1) * sizeof *more), eos = tern_tokenizer_eos(t);
    if (more == NULL) status = tern_fail(e, TERN_FAILED, "not enough memory for a text of %d tokens", n);
    if (more != NULL) ids = more;
    if (more != NULL && eos >= 0 && (n == 0 || ids[n - 1] != eos)) ids[n++] = eos;
  }
  if (status == TERN_OK && n > tern_session_context(j->session))
    status = tern_fail(e, TERN_FAILED, "text %d has %d tokens, the context %d positions: shorten it or raise --context",
                       j->count + 1, n, tern_session_context(j->session));
  if (status == TERN_OK && n == 0) status = tern_fail(e, TERN_FAILED, "text %d is empty", j->count + 1);
  if (status == TERN_OK) {
    tern_session_rewind(j->session, 0);
    status = tern_session_embed(j->session, ids, n, j->pooling,
                                j->vectors + (size_t)j->count * (size_t)j->opened.facts.hidden, e);
  }
  if (status == TERN_OK) j->tokens[j->count++] = n;
  free(ids);
  return status;
}

static int embed_lines(job *j, const options *o, FILE *f, const char *name, tern_error *e) {
  char *line = NULL;
  size_t room = 0;
  int status = TERN_OK;
  for (ssize_t n; status == TERN_OK && (n = getline(&line, &room, f)) >= 0;) {
    while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r')) n--;
    status = embed(j, o, line, (size_t)n, e);
  }
  if (status == TERN_OK && ferror(f)) status = tern_fail_errno(e, "%s: cannot read", name);
  free(line);
  return status;
}

static int embed_all(job *j, const options *o, tern_error *e) {
  int status = TERN_OK;
  for (int i = 0; i < o->text_count && status == TERN_OK; i++)
    status = embed(j, o, o->texts[i], strlen(o->texts[i]), e);
  if (o->text_count > 0) return status;
  if (o->file == NULL) return embed_lines(j, o, stdin, "standard input", e);
  FILE *f = fopen(o->file, "r");
  if (f == NULL) return tern_fail_errno(e, "%s: cannot open", o->file);
  status = embed_lines(j, o, f, o->file, e);
  fclose(f);
  return status;
}

/* Of vectors of length 1. */
static double cosine(const job *j, int a, int b) {
  size_t n = (size_t)j->opened.facts.hidden;
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)j->vectors[(size_t)a * n + i] * (double)j->vectors[(size_t)b * n + i];
  return sum;
}

static int width_of(const job *j, const options *o) {
  return o->similarity ? j->count : j->opened.facts.hidden;
}

static double cell(const job *j, const options *o, int row, int column) {
  if (o->similarity) return cosine(j, row, column);
  return (double)j->vectors[(size_t)row * (size_t)j->opened.facts.hidden + (size_t)column];
}

static void print_csv(const job *j, const options *o) {
  for (int i = 0; i < j->count; i++) {
    printf("%d", i + 1);
    for (int k = 0; k < width_of(j, o); k++) printf(",%.9g", cell(j, o, i, k));
    putchar('\n');
  }
}

static void print_json(const job *j, const options *o) {
  json_t *rows = json_array(), *tokens = json_array();
  for (int i = 0; i < j->count; i++) {
    json_t *row = json_array();
    for (int k = 0; k < width_of(j, o); k++) json_array_append_new(row, json_real(cell(j, o, i, k)));
    json_array_append_new(rows, row);
    json_array_append_new(tokens, json_integer(j->tokens[i]));
  }
  json_t *root =
      json_pack("{s:s, s:s, s:i, s:o, s:o}", "model", o->open.model, "pooling", poolings[j->pooling], "dimensions",
                j->opened.facts.hidden, "tokens", tokens, o->similarity ? "similarity" : "embeddings", rows);
  json_dumpf(root, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
  putchar('\n');
  json_decref(root);
}

static int open_all(job *j, options *o, tern_error *e) {
  int status = tern_opened_preview(&j->opened, &o->open, e);
  tern_session_params sizes = {.kv = o->open.kv};
  if (status != TERN_OK) return status;
  j->pooling = o->pooling != TERN_POOLING_NONE ? (tern_pooling)o->pooling : j->opened.facts.pooling;
  if (j->pooling == TERN_POOLING_NONE)
    return tern_fail(e, TERN_USAGE, "%s: the file names no pooling; choose --pooling mean, cls or last", o->open.model);
  if (tern_opened_context(&j->opened, o->open.context, USUAL_CONTEXT, &sizes.context, e) != TERN_OK) return TERN_FAILED;
  status = tern_opened_load(&j->opened, e);
  if (status == TERN_OK) status = tern_session_open(&j->session, j->opened.model, j->opened.team, &sizes, e);
  return status;
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children};
  options o = {.texts = calloc((size_t)argc, sizeof(char *))};
  static char name[] = "ternmark embed"; /* how messages and usage call it */
  if (o.texts == NULL) return tern_fail(e, TERN_FAILED, "out of memory");
  const char **texts = o.texts;
  int status = tern_open_options_start(&o.open, e);
  job j = {0};
  argv[0] = name;
  if (status == TERN_OK) argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (status == TERN_OK) status = open_all(&j, &o, e);
  if (status == TERN_OK) status = embed_all(&j, &o, e);
  if (status == TERN_OK && j.count == 0) status = tern_fail(e, TERN_USAGE, "no texts given");
  if (status == TERN_OK) {
    (o.format == AS_CSV ? print_csv : print_json)(&j, &o);
    if (fflush(stdout) != 0 || ferror(stdout)) status = tern_fail_errno(e, "standard output: cannot write");
  }
  free(j.vectors);
  free(j.tokens);
  free(texts);
  tern_session_close(j.session);
  tern_opened_close(&j.opened);
  return status;
}

const tern_command tern_command_embed = {"embed", "texts to vectors, and how alike they are", run};
