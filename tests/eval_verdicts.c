/* What the text graders say, a JSON line in, a JSON line out, to be held beside
 * lm-eval's own functions:
 *   eval_verdicts ifeval [PUNKT]   {"row", "response", "languages": {text: code}} -> {"strict", "loose"}
 *   eval_verdicts sentences PUNKT  {"text"} -> {"sentences", "words"} */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval.h"
#include "harness/eval/ifeval_rules.h"

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

static int answer(const char *line, const char *what, const tern_punkt *p) {
  tern_error e = {0};
  json_t *in = json_loads(line, 0, NULL);
  json_t *out = strcmp(what, "ifeval") == 0 ? ifeval(in, p, &e) : sentences(in, p, &e);
  if (out == NULL) out = json_pack("{s:s}", "error", e.text);
  json_dumpf(out, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(in);
  json_decref(out);
  return 0;
}

int main(int argc, char **argv) {
  tern_error e = {0};
  tern_punkt *p = NULL;
  char *line = NULL;
  size_t room = 0;
  if (argc < 2 || (strcmp(argv[1], "ifeval") != 0 && (strcmp(argv[1], "sentences") != 0 || argc < 3))) {
    fprintf(stderr, "usage: eval_verdicts ifeval [PUNKT] | sentences PUNKT\n");
    return 2;
  }
  if (argc > 2 && tern_punkt_open(&p, argv[2], &e) != 0) {
    fprintf(stderr, "%s\n", e.text);
    return 1;
  }
  while (getline(&line, &room, stdin) >= 0) answer(line, argv[1], p);
  free(line);
  tern_punkt_close(p);
  return 0;
}
