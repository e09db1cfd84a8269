/* What the text graders say, a JSON line in, a JSON line out, to be held beside
 * lm-eval's own functions:
 *   eval_verdicts ifeval [PUNKT]   {"row", "response", "languages": {text: code}} -> {"strict", "loose"}
 *   eval_verdicts sentences PUNKT  {"text"} -> {"sentences", "words"}
 *   eval_verdicts math             {"gold": a solution, "response"} -> {"minerva": [gold, answer] normalised,
 *                                  "hendrycks": whether they are equal} */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval.h"
#include "harness/eval/ifeval_rules.h"
#include "harness/eval/math_text.h"

enum { MOST = 64 };

static const char *known(void *arg, const char *text) {
  return json_string_value(json_object_get((const json_t *)arg, text));
}

static json_t *verdicts(const tern_followed *list, int count) {
  json_t *out = json_array();
  for (int i = 0; i < count; i++)
    json_array_append_new(out, list[i] == TERN_FOLLOWED_UNKNOWN ? json_null() : json_boolean(list[i] == TERN_FOLLOWED));
  return out;
}

static json_t *ifeval(const json_t *in, const tern_punkt *p, tern_error *e) {
  tern_followed strict[MOST], loose[MOST];
  const tern_ifeval_tools tools = {p, known, json_object_get(in, "languages")};
  const json_t *row = json_object_get(in, "row");
  int count = tern_ifeval_count(row, e);
  const char *response = json_string_value(json_object_get(in, "response"));
  if (count < 0 || count > MOST || response == NULL) return NULL;
  if (tern_ifeval_check(row, response, &tools, strict, loose, e) != 0) return NULL;
  return json_pack("{s:o,s:o}", "strict", verdicts(strict, count), "loose", verdicts(loose, count));
}

static void append(void *arg, const char *token) {
  json_array_append_new(arg, json_string(token));
}

static json_t *sentences(const json_t *in, const tern_punkt *p, tern_error *e) {
  const char *text = json_string_value(json_object_get(in, "text"));
  tern_punkt_span *list = NULL;
  size_t count = 0;
  if (text == NULL || tern_punkt_sentences(p, text, &list, &count, e) != 0) return NULL;
  json_t *found = json_array(), *words = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(found, json_stringn(text + list[i].from, list[i].to - list[i].from));
  free(list);
  if (tern_ifeval_tokens(p, text, append, words, e) != 0) {
    json_decref(found);
    json_decref(words);
    return NULL;
  }
  return json_pack("{s:o,s:o}", "sentences", found, "words", words);
}

/* An allocated text as JSON; takes it over. */
static json_t *own(char *text) {
  json_t *out = text == NULL ? NULL : json_string(text);
  free(text);
  return out;
}

static json_t *math(const json_t *in, const tern_punkt *p, tern_error *e) {
  tern_minerva *m = NULL;
  bool same = false;
  const char *response = json_string_value(json_object_get(in, "response"));
  (void)p;
  if (response == NULL || tern_minerva_open(&m, e) != 0) return NULL;
  char *gold = tern_math_boxed(json_string_value(json_object_get(in, "gold")), e);
  char *said = tern_minerva_answer(m, response, e), *between = tern_hendrycks_answer(response, e);
  json_t *out = NULL;
  if (gold != NULL && said != NULL && between != NULL && tern_hendrycks_same(between, gold, &same, e) == 0)
    out = json_pack("{s:[o,o],s:b}", "minerva", own(tern_minerva_normal(m, gold, e)),
                    own(tern_minerva_normal(m, said, e)), "hendrycks", same);
  free(gold);
  free(said);
  free(between);
  tern_minerva_close(m);
  return out;
}

static const struct grader {
  const char *name;
  json_t *(*grade)(const json_t *in, const tern_punkt *p, tern_error *e);
} graders[] = {{"ifeval", ifeval}, {"sentences", sentences}, {"math", math}};

static void answer(const char *line, const struct grader *g, const tern_punkt *p) {
  tern_error e = {0};
  json_t *in = json_loads(line, 0, NULL);
  json_t *out = g->grade(in, p, &e);
  if (out == NULL) out = json_pack("{s:s}", "error", e.text);
  json_dumpf(out, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(in);
  json_decref(out);
}

int main(int argc, char **argv) {
  tern_error e = {0};
  tern_punkt *p = NULL;
  const struct grader *g = NULL;
  char *line = NULL;
  size_t room = 0;
  for (size_t i = 0; argc > 1 && i < sizeof graders / sizeof *graders; i++) {
    if (strcmp(graders[i].name, argv[1]) == 0) g = &graders[i];
  }
  if (g == NULL || (g->grade == sentences && argc < 3)) {
    fprintf(stderr, "usage: eval_verdicts ifeval [PUNKT] | sentences PUNKT | math\n");
    return 2;
  }
  if (argc > 2 && tern_punkt_open(&p, argv[2], &e) != 0) {
    fprintf(stderr, "%s\n", e.text);
    return 1;
  }
  while (getline(&line, &room, stdin) >= 0) answer(line, g, p);
  free(line);
  tern_punkt_close(p);
  return 0;
}
