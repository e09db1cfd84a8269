/* ternmark perplexity: how well a model predicts a text, by llama.cpp's or
 * lm-eval's definition, each named where its number stands. */
#include <argp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "engine/base/file.h"
#include "engine/base/progress.h"
#include "harness/command.h"
#include "harness/job_lists.h"
#include "harness/opened.h"
#include "harness/perplexity.h"

enum { TEXT_LIMIT = 1 << 30, USUAL_CHUNK = 512, USUAL_WINDOW = 2048, SMALLEST = 4, USUAL_SEQUENCES = 4 };

typedef struct options {
  tern_open_options open;
  const char *file;
  int definition; /* of definitions[] */
  int windows, sequences, batch;
  bool json, special;
} options;

static const char *const definitions[] = {"llama.cpp", "lm-eval", "both", NULL};
enum { CHUNKS, ROLLING, BOTH };

enum { DEFINITION = 0x100, WINDOWS, SEQUENCES, BATCH, JSON, SPECIAL };

static const struct argp_option table[] = {
    {0, 0, 0, 0, "Text", 1},
    {"file", 'f', "PATH", 0, "the text", 0},
    {"definition", DEFINITION, "NAME", 0,
     "llama.cpp (default: chunks of --context, 512, second halves scored), lm-eval (rolling windows, 2048, per word "
     "and byte), or both",
     0},
    {"windows", WINDOWS, "N", 0, "only the first N chunks or windows (0: all)", 0},
    {"special", SPECIAL, 0, 0, "special tokens written in the text are tokens (default: plain text)", 0},
    {"json", JSON, 0, 0, "print one JSON object", 0},
    {0, 0, 0, 0, "Batching (no influence on the result)", 2},
    {"parallel", SEQUENCES, "N", 0, "windows computed at once (4)", 0},
    {"batch", BATCH, "N", 0, "tokens a step (512)", 0},
    {0},
};

static const char doc[] =
    "Perplexity of a text under a model. The definitions give different numbers: compare only like with like."
    "\vExamples:\n"
    "  ternmark perplexity model.gguf -f wiki.test.raw\n"
    "  ternmark perplexity model.gguf -f wiki.test.raw -c 2048 --windows 20 --kv int8\n"
    "  ternmark perplexity model.gguf -f text.txt --definition both --json\n\n"
    "Exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case ARGP_KEY_INIT:
    state->child_inputs[0] = &o->open;
    break;
  case 'f':
    o->file = text;
    break;
  case DEFINITION:
    o->definition = tern_option_choice(state, "definition", text, definitions);
    break;
  case WINDOWS:
    o->windows = (int)tern_option_number(state, "windows", text, 0, INT32_MAX);
    break;
  case SEQUENCES:
    o->sequences = (int)tern_option_number(state, "parallel", text, 1, TERN_MOST_WINDOWS);
    break;
  case BATCH:
    o->batch = (int)tern_option_number(state, "batch", text, 1, 65536);
    break;
  case JSON:
    o->json = true;
    break;
  case SPECIAL:
    o->special = true;
    break;
  case ARGP_KEY_END:
    if (o->file == NULL) argp_error(state, "which text? Give a file with -f");
    if (o->open.context > 0 && o->open.context < SMALLEST) argp_error(state, "--context is at least %d here", SMALLEST);
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

/* One definition's outcome. */
typedef struct outcome {
  int definition, window;
  tern_perplexity p;
  double seconds;
} outcome;

typedef struct job {
  tern_opened opened;
  char *text;
  size_t size;
  outcome outcomes[2];
  int count;
} job;

/* The text's ids as the definition wants them, and the token that begins. */
static int encode(const job *j, const options *o, int definition, int32_t **ids, int *n, int32_t *first,
                  tern_error *e) {
  const tern_tokenizer *t = j->opened.tokenizer;
  int32_t bos = tern_tokenizer_bos(t);
  if (definition == CHUNKS) {
    *first = tern_tokenizer_adds_bos(t) ? bos : -1;
    return tern_opened_encode(&j->opened, j->text, j->size, o->special, true, ids, n, e);
  }
  *first = bos >= 0 ? bos : tern_tokenizer_eos(t);
  return tern_opened_encode(&j->opened, j->text, j->size, o->special, false, ids, n, e);
}

static int score(job *j, const options *o, int definition, tern_error *e) {
  outcome *out = &j->outcomes[j->count];
  tern_perplexity_params p = {.most = o->windows, .progress = true};
  tern_schedule *s = NULL;
  int32_t *ids = NULL;
  int n;
  int status =
      tern_opened_context(&j->opened, o->open.context, definition == CHUNKS ? USUAL_CHUNK : USUAL_WINDOW, &p.window, e);
  if (status == TERN_OK) status = encode(j, o, definition, &ids, &n, &p.first, e);
  tern_schedule_params sizes = {
      .sequences = o->sequences, .batch = o->batch, .context = p.window, .kv = o->open.kv, .no_reuse = true};
  if (status == TERN_OK)
    status = tern_schedule_open(&s, j->opened.model, j->opened.team, j->opened.tokenizer, &sizes, e);
  double start = tern_now();
  if (status == TERN_OK)
    status = definition == CHUNKS ? tern_perplexity_chunks(s, ids, n, &p, &out->p, e)
                                  : tern_perplexity_rolling(s, ids, n, &p, &out->p, e);
  out->seconds = tern_now() - start;
  out->definition = definition;
  out->window = p.window;
  j->count += status == TERN_OK;
  tern_schedule_close(s);
  free(ids);
  return status;
}

/* Words and bytes are of the whole text: a part has none. */
static bool whole(const job *j, const outcome *o) {
  return j->count > 0 && o->p.scored == o->p.tokens;
}

static void print_text(const job *j) {
  for (const outcome *o = j->outcomes; o < j->outcomes + j->count; o++) {
    const tern_perplexity *p = &o->p;
    if (o->definition == CHUNKS) {
      printf(
          "perplexity %.4f +/- %.4f (llama.cpp's definition: %lld chunks of %d, second halves, %lld tokens scored)\n",
          tern_perplexity_value(p), tern_perplexity_error(p), (long long)p->windows, o->window, (long long)p->scored);
    } else {
      printf("perplexity %.4f a token (lm-eval's rolling windows of %d, %lld tokens scored)\n",
             tern_perplexity_value(p), o->window, (long long)p->scored);
      if (whole(j, o))
        printf("word_perplexity %.4f, byte_perplexity %.4f, bits_per_byte %.4f (lm-eval's definition)\n",
               exp(p->sum / (double)tern_count_words(j->text, j->size)), exp(p->sum / (double)j->size),
               p->sum / (double)j->size / log(2));
    }
    fprintf(stderr, "%-8s %lld tokens of text, %.1f s, %.1f tokens/s\n", "scored", (long long)p->tokens, o->seconds,
            (double)(p->windows * o->window) / o->seconds);
  }
}

static json_t *outcome_json(const job *j, const outcome *o) {
  const tern_perplexity *p = &o->p;
  json_t *root = json_pack("{s:s, s:i, s:I, s:I, s:I, s:f, s:f}", "definition", definitions[o->definition], "window",
                           o->window, "windows", (json_int_t)p->windows, "tokens", (json_int_t)p->tokens, "scored",
                           (json_int_t)p->scored, "perplexity", tern_perplexity_value(p), "log_likelihood", -p->sum);
  if (o->definition == CHUNKS) {
    json_object_set_new(root, "standard_error", json_real(tern_perplexity_error(p)));
  } else if (whole(j, o)) {
    double words = (double)tern_count_words(j->text, j->size), bytes = (double)j->size;
    json_object_set_new(root, "words", json_integer((json_int_t)words));
    json_object_set_new(root, "bytes", json_integer((json_int_t)bytes));
    json_object_set_new(root, "word_perplexity", json_real(exp(p->sum / words)));
    json_object_set_new(root, "byte_perplexity", json_real(exp(p->sum / bytes)));
    json_object_set_new(root, "bits_per_byte", json_real(p->sum / bytes / log(2)));
  }
  json_object_set_new(root, "seconds", json_real(o->seconds));
  return root;
}

static int print(const job *j, const options *o, tern_error *e) {
  if (o->json) {
    const tern_model_facts *f = &j->opened.facts;
    json_t *list = json_array();
    for (int i = 0; i < j->count; i++) json_array_append_new(list, outcome_json(j, &j->outcomes[i]));
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "model", o->open.model, "text", o->file, "body",
                             f->body_layout, "head", f->head_layout, "kernel", f->body_kernel, "kv",
                             tern_kv_names[o->open.kv], "results", list);
    if (root != NULL) json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(root);
  } else {
    print_text(j);
  }
  return fflush(stdout) == 0 && !ferror(stdout) ? TERN_OK : tern_fail_errno(e, "standard output: cannot write");
}

static int run(int argc, char **argv, tern_error *e) {
  static const struct argp_child children[] = {{&tern_open_argp, 0, NULL, 0}, {0}};
  static const struct argp argp = {
      .options = table, .parser = parse, .args_doc = "MODEL", .doc = doc, .children = children};
  options o = {.sequences = USUAL_SEQUENCES, .batch = 512};
  static char name[] = "ternmark perplexity"; /* how messages and usage call it */
  if (tern_open_options_start(&o.open, e) != TERN_OK) return (int)e->status;
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  if (o.sequences > o.batch) o.sequences = o.batch;
  job j = {0};
  int status = tern_opened_preview(&j.opened, &o.open, e);
  if (status == TERN_OK) {
    j.text = tern_file_read(o.file, TEXT_LIMIT, &j.size, e);
    if (j.text == NULL) status = TERN_FAILED;
  }
  if (status == TERN_OK) status = tern_opened_load(&j.opened, e);
  if (status == TERN_OK && o.definition != ROLLING) status = score(&j, &o, CHUNKS, e);
  if (status == TERN_OK && o.definition != CHUNKS) status = score(&j, &o, ROLLING, e);
  if (status == TERN_OK) status = print(&j, &o, e);
  free(j.text);
  tern_opened_close(&j.opened);
  return status;
}

const tern_command tern_command_perplexity = {"perplexity", "how well a model predicts a text", run};
