/* ternmark train score: a model on the tests of the mini set, beside the best
 * score that needs no model. */
#include <argp.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "engine/train/mini/splits.h"
#include "harness/job_lists.h"
#include "harness/mini_score.h"
#include "harness/train_data.h"
#include "harness/train_parts.h"

enum { LIMIT = 0x100, SPLIT, WRONG, BASELINES = 1 << 20 };

typedef struct options {
  const char *model, *dir, *split;
  int limit, wrong, threads;
} options;

static const struct argp_option table[] = {
    {"threads", 't', "N", 0, "threads (1); the result does not depend on it", 0},
    {"split", SPLIT, "NAME", 0, "only splits whose name begins so, as word-tuples", 0},
    {"limit", LIMIT, "N", 0, "only the first N records of each split", 0},
    {"wrong", WRONG, "N", 0, "show the first N wrong answers of each split", 0},
    {0},
};

static const char doc[] =
    "Score a model on the tests of the mini set: CSV on stdout, a row a split and kind."
    "\vaccuracy: percent right; choices by log-likelihood, others by their final answer in greedy text. normed: "
    "choices\n"
    "by log-likelihood a character. guess: the best of what DIR/baselines.csv has. Stories: perplexity a token and\n"
    "bits a byte.\n\n"
    "Examples:\n"
    "  ternmark train score model.gguf\n"
    "  ternmark train score model.gguf --split word --wrong 5";

static error_t parse(int key, char *text, struct argp_state *state) {
  options *o = state->input;
  switch (key) {
  case 't':
    o->threads = (int)tern_option_number(state, "threads", text, 1, 100000);
    break;
  case LIMIT:
    o->limit = (int)tern_option_number(state, "limit", text, 1, 100000);
    break;
  case WRONG:
    o->wrong = (int)tern_option_number(state, "wrong", text, 1, 100000);
    break;
  case SPLIT:
    o->split = text;
    break;
  case ARGP_KEY_ARG:
    if (state->arg_num > 1) argp_error(state, "a model and a folder: \"%.80s\" is too much", text);
    *(state->arg_num == 0 ? &o->model : &o->dir) = text;
    break;
  case ARGP_KEY_END:
    if (!o->model) argp_error(state, "which model?");
    break;
  default:
    return ARGP_ERR_UNKNOWN;
  }
  return 0;
}

typedef struct sums {
  int n;
  double right, normed, nats, tokens, bytes;
} sums;

static void add(sums *s, const tern_mini_verdict *v) {
  s->n++;
  s->right += v->right;
  s->normed += v->normed;
  s->nats += v->nats;
  s->tokens += v->tokens;
  s->bytes += v->bytes;
}

/* The largest number of the baselines' row; NAN: there is none. */
static double guess(const char *baselines, const char *split, const char *kind) {
  char start[160];
  double best = NAN;
  size_t n = (size_t)snprintf(start, sizeof start, "\n%s,%s,", split, kind);
  const char *row = baselines ? strstr(baselines, start) : NULL;
  if (!row) return NAN;
  row += n + strcspn(row + n, ",\n"); /* past the records */
  while (*row == ',') {
    char *end;
    double value = strtod(++row, &end);
    if (end > row && !(value <= best)) best = value;
    row += strcspn(row, ",\n");
  }
  return best;
}

static void cell(double value) {
  if (isnan(value))
    printf(",");
  else
    printf(",%.1f", value);
}

static void print_row(const char *split, const char *kind, const sums *s, const char *baselines) {
  bool text = s->bytes > 0;
  printf("%s,%s,%d", split, kind, s->n);
  cell(text ? NAN : 100 * s->right / s->n);
  cell(text ? NAN : 100 * s->normed / s->n);
  cell(guess(baselines, split, kind));
  if (text)
    printf(",%.4f,%.4f\n", exp(s->nats / s->tokens), s->nats / log(2) / s->bytes);
  else
    printf(",,\n");
}

static void report(const char *split, const mini_corpus *c, const tern_mini_verdict *v, size_t n,
                   const char *baselines) {
  sums all = {0};
  for (size_t i = 0; i < n; i++) add(&all, &v[i]);
  print_row(split, "all", &all, baselines);
  for (size_t i = 0; i < n; i++) {
    sums one = {0};
    bool told = false;
    for (size_t j = 0; j < i; j++) told |= strcmp(c->item[j].kind, c->item[i].kind) == 0;
    for (size_t j = 0; j < n && !told; j++)
      if (strcmp(c->item[j].kind, c->item[i].kind) == 0) add(&one, &v[j]);
    if (!told && (size_t)one.n < n) print_row(split, c->item[i].kind, &one, baselines);
  }
}

static int score_split(tern_mini_scorer *s, const options *o, const char *split, const char *baselines, tern_error *e) {
  char path[PATH_MAX];
  mini_corpus c;
  int wrong = 0, too_long = 0;
  if ((size_t)snprintf(path, sizeof path, "%s/test/%s.jsonl", o->dir, split) >= sizeof path)
    return tern_fail(e, TERN_FAILED, "%.200s: the path is too long", o->dir);
  int rc = mini_corpus_open(&c, path, e);
  if (rc) return rc;
  size_t n = o->limit && (size_t)o->limit < c.count ? (size_t)o->limit : c.count;
  tern_mini_verdict *v = calloc(n + 1, sizeof *v);
  if (!v) rc = tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  for (size_t i = 0; i < n && rc == 0; i++) {
    if ((rc = tern_interrupt_check(e)) || (rc = tern_mini_judge(s, &c.item[i], &v[i], e))) break;
    too_long += s->too_long;
    if (v[i].bytes > 0 || v[i].right > 0 || wrong++ >= o->wrong) continue;
    fprintf(stderr, "%s\n  wanted:%s\n  said:%s\n\n", c.item[i].prompt, c.item[i].completion, v[i].said);
  }
  if (rc == 0) report(split, &c, v, n, baselines);
  if (rc == 0 && too_long)
    fprintf(stderr, "%s: %d of %zu records are longer than the context of %d tokens and count as wrong\n", split,
            too_long, n, tern_session_context(s->session));
  free(v);
  mini_corpus_close(&c);
  return rc;
}

static int score_one(tern_mini_scorer *s, const options *o, const mini_split *t, const char *baselines, tern_error *e) {
  char split[64];
  snprintf(split, sizeof split, "%s-%s", t->task, t->name);
  if (o->split && strncmp(split, o->split, strlen(o->split)) != 0) return 0;
  int rc = score_split(s, o, split, baselines, e);
  fflush(stdout);
  return rc;
}

static int score_all(tern_mini_scorer *s, const options *o, tern_error *e) {
  char path[PATH_MAX];
  int rc = 0;
  tern_error none = {0};
  snprintf(path, sizeof path, "%s/baselines.csv", o->dir);
  size_t size;
  char *baselines = tern_file_read(path, BASELINES, &size, &none);
  printf("split,kind,records,accuracy,normed,guess,perplexity,bits a byte\n");
  for (const mini_split *t = mini_test_splits; t->task && rc == 0; t++) rc = score_one(s, o, t, baselines, e);
  for (const mini_split *t = mini_tune_splits; t->task && rc == 0; t++) {
    if (strcmp(t->name, "test") == 0) rc = score_one(s, o, t, baselines, e);
  }
  free(baselines);
  if (rc == 0 && ferror(stdout)) rc = tern_fail_errno(e, "cannot write to stdout");
  return rc;
}

int tern_train_score_command(int argc, char **argv, tern_error *e) {
  static const struct argp argp = {.options = table, .parser = parse, .args_doc = "MODEL.gguf [DIR]", .doc = doc};
  static char name[] = "ternmark train score";
  options o = {.dir = TERN_SOURCE_DIR "/datasets/mini", .threads = 1};
  tern_gguf *g = NULL;
  tern_tokenizer *tokenizer = NULL;
  tern_team *team = NULL;
  tern_model *model = NULL;
  tern_mini_scorer s = {0};
  argv[0] = name;
  argp_parse(&argp, argc, argv, 0, NULL, &o);
  tern_model_params params = {.isa_cap = TERN_ISA_COUNT};
  int rc = tern_gguf_open(&g, o.model, e);
  if (rc == 0) rc = tern_tokenizer_from_gguf(&tokenizer, g, e);
  if (rc == 0) rc = tern_team_open(&team, o.threads, NULL, e);
  if (rc == 0) rc = tern_model_load(&model, g, &params, team, e);
  if (rc == 0) rc = tern_session_open(&s.session, model, team, &(tern_session_params){0}, e);
  if (rc == 0) {
    s.tokenizer = tokenizer;
    s.ids = calloc((size_t)tern_session_context(s.session), sizeof *s.ids);
    rc = s.ids ? score_all(&s, &o, e) : tern_fail(e, TERN_FAILED, "out of memory");
  }
  free(s.ids);
  tern_session_close(s.session);
  tern_model_close(model);
  tern_team_close(team);
  tern_tokenizer_close(tokenizer);
  tern_gguf_close(g);
  return rc;
}
