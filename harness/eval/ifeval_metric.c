/* The metric of IFEval. Texts whose language is needed are gathered in a first
 * pass, asked of langdetect in the sandbox at once, and known in the second. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/data_root.h"
#include "harness/eval/document.h"
#include "harness/eval/grader_lines.h"
#include "harness/eval/ifeval.h"
#include "harness/eval/metrics.h"

#define PUNKT "nltk/punkt_tab/english"

static const tern_grader langdetect = {.name = "language", .item_s = 5, .batch = 256};

static const char *gather(void *arg, const char *text) {
  json_object_set_new((json_t *)arg, text, json_null());
  return NULL;
}

static const char *look_up(void *arg, const char *text) {
  return json_string_value(json_object_get((const json_t *)arg, text));
}

/* Where NLTK's model lies: under the data root, else where NLTK itself has it. */
static int find_punkt(const tern_score_call *c, tern_punkt **p, tern_error *e) {
  char path[PATH_MAX];
  tern_error none = {0};
  const char *own = getenv("NLTK_DATA");
  *p = NULL;
  if (tern_data_find(path, sizeof path, c->data, PUNKT "/ortho_context.tab", &none) == 0) {
    *strrchr(path, '/') = '\0';
    return tern_punkt_open(p, path, e);
  }
  if (own != NULL && snprintf(path, sizeof path, "%s/tokenizers/punkt_tab/english", own) < (int)sizeof path &&
      tern_punkt_open(p, path, &none) == 0)
    return 0;
  json_object_set_new(c->facts, "punkt",
                      json_string("not there: number_sentences and capital_word_frequency are left out "
                                  "(data: " PUNKT ", `ternmark fetch punkt`)"));
  return 0;
}

typedef struct verdicts {
  tern_followed *strict, *loose;
  int count;
} verdicts;

static int check(const tern_scored *item, const tern_ifeval_tools *t, verdicts *v, tern_error *e) {
  tern_error why = {0};
  v->count = tern_ifeval_count(item->row, &why);
  size_t room = (size_t)(v->count < 0 ? 0 : v->count) + 1;
  v->strict = calloc(room, sizeof *v->strict);
  v->loose = calloc(room, sizeof *v->loose);
  if (v->strict == NULL || v->loose == NULL) return tern_fail(e, TERN_FAILED, "ifeval: out of memory");
  if (v->count < 0 || tern_ifeval_check(item->row, item->filtered, t, v->strict, v->loose, &why) != 0)
    return tern_fail(e, why.status, "item %zu: %s", item->document->id, why.text);
  return 0;
}

static void forget(verdicts *v) {
  free(v->strict);
  free(v->loose);
  *v = (verdicts){NULL, NULL, 0};
}

/* A figure of the instructions that are known, and one of the prompt unless an unknown one decides it. */
static int set_level(tern_scored *item, const char *prompt, const char *instruction, const tern_followed *list,
                     int count, tern_error *e) {
  json_t *known = json_array();
  bool all = true, open = false;
  for (int i = 0; i < count; i++) {
    if (list[i] == TERN_FOLLOWED_UNKNOWN) open = true;
    if (list[i] == TERN_NOT_FOLLOWED) all = false;
    if (list[i] != TERN_FOLLOWED_UNKNOWN) json_array_append_new(known, json_boolean(list[i] == TERN_FOLLOWED));
  }
  if (tern_scored_set(item, instruction, known, e) != 0) return (int)e->status;
  return open && all ? 0 : tern_scored_set(item, prompt, json_boolean(all), e);
}

static int set_figures(tern_scored *item, const verdicts *v, tern_error *e) {
  json_int_t unknown = 0;
  for (int i = 0; i < v->count; i++)
    unknown += v->strict[i] == TERN_FOLLOWED_UNKNOWN || v->loose[i] == TERN_FOLLOWED_UNKNOWN;
  if (unknown > 0) json_object_set_new(item->facts, "instructions_unknown", json_integer(unknown));
  int status = set_level(item, "prompt_level_strict_acc", "inst_level_strict_acc", v->strict, v->count, e);
  if (status != 0) return status;
  return set_level(item, "prompt_level_loose_acc", "inst_level_loose_acc", v->loose, v->count, e);
}

/* texts: {text: null}, becomes {text: code}; stays null what can't be told. */
static int ask_languages(const tern_score_call *c, json_t *texts, tern_error *e) {
  json_t *asks = json_array(), *answers = NULL, *about = NULL, *value, *answer;
  const char *text;
  size_t i;
  json_object_foreach(texts, text, value) json_array_append_new(asks, json_pack("{s:s}", "text", text));
  int status = tern_grader_ask(c->sandbox, &langdetect, asks, &answers, &about, e);
  const char *problem = json_string_value(json_object_get(about, "error"));
  json_t *version = json_object_get(json_object_get(about, "about"), "langdetect");
  if (problem != NULL)
    json_object_set_new(c->facts, "langdetect",
                        json_sprintf("not there: instructions about languages are left out (%s)", problem));
  else if (version != NULL)
    json_object_set(c->facts, "langdetect", version);
  json_array_foreach(answers, i, answer) {
    json_t *code = json_object_get(answer, "is");
    if (code != NULL) json_object_set(texts, json_string_value(json_object_get(json_array_get(asks, i), "text")), code);
  }
  json_decref(asks);
  json_decref(answers);
  json_decref(about);
  return status;
}

static int score(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  json_t *texts = json_object();
  tern_ifeval_tools tools = {NULL, gather, texts};
  verdicts v = {NULL, NULL, 0};
  tern_punkt *punkt = NULL;
  int status = 0;
  for (size_t i = 0; i < count && status == 0; i++) { /* languages alone: without sentences it is soon done */
    status = check(&items[i], &tools, &v, e);
    forget(&v);
  }
  if (status == 0) status = ask_languages(c, texts, e);
  if (status == 0) status = find_punkt(c, &punkt, e);
  tools = (tern_ifeval_tools){punkt, look_up, texts};
  for (size_t i = 0; i < count && status == 0; i++) {
    status = check(&items[i], &tools, &v, e);
    if (status == 0) status = set_figures(&items[i], &v, e);
    forget(&v);
  }
  tern_punkt_close(punkt);
  json_decref(texts);
  return status;
}

const tern_metric tern_metric_ifeval = {.name = "ifeval",
                                        .kinds = 1u << TERN_ASK_TEXT,
                                        .grader = "Python's langdetect",
                                        .figures = {{"prompt_level_strict_acc", true, tern_sum_mean},
                                                    {"inst_level_strict_acc", true, tern_sum_flat},
                                                    {"prompt_level_loose_acc", true, tern_sum_mean},
                                                    {"inst_level_loose_acc", true, tern_sum_flat}},
                                        .score = score};
