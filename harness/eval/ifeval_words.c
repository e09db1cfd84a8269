/* IFEval's rules about keywords, counts of words and letters, commas. Keywords
 * are regular expressions there, without case. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"

/* How many of the list's texts the pattern finds; -1: failed. */
static long found(const tern_ifeval_call *c, const char *key, const char *before, const char *after, const char *text,
                  tern_error *e) {
  const json_t *list = json_object_get(c->args, key), *item;
  long count = 0;
  size_t i;
  if (json_array_size(list) == 0) {
    tern_fail(e, TERN_FAILED, "%s: %s: a list of texts was expected", c->id, key);
    return -1;
  }
  json_array_foreach(list, i, item) {
    if (!json_is_string(item)) {
      tern_fail(e, TERN_FAILED, "%s: %s: a list of texts was expected", c->id, key);
      return -1;
    }
    long n = tern_ifeval_matches(c, text, e, "(?i)%s%s%s", before, json_string_value(item), after);
    if (n < 0) return -1;
    count += n > 0;
  }
  return count;
}

int tern_ifeval_existence(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long count = found(c, "keywords", "", "", text, e);
  *out = count == (long)json_array_size(json_object_get(c->args, "keywords")) ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  return count < 0 ? (int)e->status : 0;
}

int tern_ifeval_forbidden_words(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long count = found(c, "forbidden_words", "\\b", "\\b", text, e);
  *out = count == 0 ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  return count < 0 ? (int)e->status : 0;
}

int tern_ifeval_frequency(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "keyword", e);
  char *keyword = given == NULL ? NULL : tern_ifeval_stripped(given, e);
  if (keyword == NULL) return (int)e->status;
  long count = tern_ifeval_matches(c, text, e, "(?i)%s", keyword);
  free(keyword);
  return count < 0 ? (int)e->status : tern_ifeval_related(c, "relation", "frequency", count, out, e);
}

/* A letter outside a-z is counted as it is; lm-eval draws another one at random. */
int tern_ifeval_letters(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *letter = tern_ifeval_text(c, "letter", e);
  if (letter == NULL) return (int)e->status;
  if (tern_python_length(letter) != 1) return tern_fail(e, TERN_FAILED, "%s: letter: one was expected", c->id);
  char *low = tern_python_lower(letter, e), *text_low = tern_python_lower(text, e);
  long count = 0;
  for (const char *at = text_low; low != NULL && at != NULL && (at = strstr(at, low)) != NULL; at++) count++;
  int status = low == NULL || text_low == NULL ? TERN_FAILED
                                               : tern_ifeval_related(c, "let_relation", "let_frequency", count, out, e);
  free(low);
  free(text_low);
  return status;
}

int tern_ifeval_words(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long count = tern_ifeval_matches(c, text, e, "\\w+");
  return count < 0 ? (int)e->status : tern_ifeval_related(c, "relation", "num_words", count, out, e);
}

int tern_ifeval_sentences(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  size_t count = 0;
  *out = TERN_FOLLOWED_UNKNOWN;
  if (c->tools->punkt == NULL) return 0;
  if (tern_punkt_sentences(c->tools->punkt, text, NULL, &count, e) != 0) return (int)e->status;
  return tern_ifeval_related(c, "relation", "num_sentences", (long)count, out, e);
}

static void count_upper(void *arg, const char *token) {
  *(long *)arg += tern_python_is_upper(token);
}

int tern_ifeval_capital_words(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long count = 0;
  *out = TERN_FOLLOWED_UNKNOWN;
  if (c->tools->punkt == NULL) return 0;
  if (tern_ifeval_tokens(c->tools->punkt, text, count_upper, &count, e) != 0) return (int)e->status;
  return tern_ifeval_related(c, "capital_relation", "capital_frequency", count, out, e);
}

int tern_ifeval_no_comma(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  (void)c;
  (void)e;
  *out = strchr(text, ',') == NULL ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  return 0;
}
