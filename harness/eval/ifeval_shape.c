/* IFEval's rules about the text as a whole: paragraphs, two answers, beginning,
 * end, quotation marks, case and language. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

static tern_followed verdict(bool followed) {
  return followed ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
}

/* Pieces between dividers: a blank one only at either end. */
int tern_ifeval_paragraphs(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  tern_regex *r = NULL;
  long wanted, count = 1;
  size_t from = 0;
  int more;
  bool hole = false;
  if (tern_ifeval_number(c, "num_paragraphs", &wanted, e) != 0 ||
      tern_regex_open(&r, "[" TERN_IFEVAL_SPACE "]?\\*\\*\\*[" TERN_IFEVAL_SPACE "]?", c->id, e) != 0)
    return (int)e->status;
  tern_regex_walk w = tern_regex_start(r, text);
  while ((more = tern_regex_next(&w, e)) > 0) {
    bool blank = tern_ifeval_blank(text + from, w.from - from);
    if (blank && from > 0) hole = true;
    if (!blank || from > 0) count++;
    from = w.to;
  }
  if (tern_ifeval_blank(text + from, w.size - from)) count--;
  tern_regex_close(r);
  *out = verdict(!hole && count == wanted);
  return more < 0 ? (int)e->status : 0;
}

/* The first word of a paragraph, up to punctuation, character by character in lower case. */
static char *first_word(const char *paragraph, size_t size, tern_error *e) {
  char *text = strndup(paragraph, size), *word = NULL, *to;
  if (text == NULL || (word = malloc(3 * size + 1)) == NULL) {
    tern_fail(e, TERN_FAILED, "ifeval: out of memory");
    goto out;
  }
  const char *at = tern_python_strip(text);
  at += strspn(at, "'");
  at += strspn(at, "\"");
  for (to = word; *at != '\0' && strchr(".,?!'\"", *at) == NULL;) {
    int32_t c;
    char one[8] = "";
    size_t bytes = tern_python_character(at, &c);
    if (tern_python_is_space(c)) break;
    memcpy(one, at, bytes);
    char *low = tern_python_lower(one, e);
    if (low == NULL) {
      free(word);
      word = NULL;
      goto out;
    }
    to = stpcpy(to, low);
    free(low);
    at += bytes;
  }
  *to = '\0';
out:
  free(text);
  return word;
}

int tern_ifeval_first_word(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "first_word", e), *from = text, *chosen = NULL;
  long wanted, nth, count = 0, place = 0;
  size_t chosen_size = 0;
  if (given == NULL || tern_ifeval_number(c, "num_paragraphs", &wanted, e) != 0 ||
      tern_ifeval_number(c, "nth_paragraph", &nth, e) != 0)
    return (int)e->status;
  if (nth > wanted) return tern_fail(e, TERN_FAILED, "%s: nth_paragraph is above num_paragraphs", c->id);
  for (const char *end = from; end != NULL; from = end == NULL ? from : end + 2) {
    end = strstr(from, "\n\n");
    size_t size = end == NULL ? strlen(from) : (size_t)(end - from);
    bool blank = tern_ifeval_blank(from, size);
    count += !blank;
    if (++place == nth && !blank) chosen = from, chosen_size = size;
  }
  *out = TERN_NOT_FOLLOWED;
  if (nth > count || chosen == NULL || count != wanted) return 0;
  char *word = first_word(chosen, chosen_size, e), *want = word == NULL ? NULL : tern_python_lower(given, e);
  *out = verdict(want != NULL && strcmp(word, want) == 0);
  free(word);
  int status = want == NULL ? TERN_FAILED : 0;
  free(want);
  return status;
}

int tern_ifeval_two_responses(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  char *texts[2] = {NULL, NULL};
  int count = 0, status = 0;
  bool hole = false;
  (void)c;
  for (const char *from = text, *end; from != NULL && status == 0; from = end == NULL ? NULL : end + 6) {
    end = strstr(from, "******");
    size_t size = end == NULL ? strlen(from) : (size_t)(end - from);
    if (tern_ifeval_blank(from, size)) {
      hole = hole || (from != text && end != NULL);
    } else if (count++ < 2) {
      if ((texts[count - 1] = strndup(from, size)) == NULL)
        status = tern_fail(e, TERN_FAILED, "%s: out of memory", c->id);
      else
        tern_python_strip(texts[count - 1]);
    }
  }
  *out = verdict(status == 0 && !hole && count == 2 && strcmp(texts[0], texts[1]) != 0);
  free(texts[0]);
  free(texts[1]);
  return status;
}

/* text.strip().lower(), quotation marks around it left out first where asked (free()). */
static char *folded(const char *text, bool unquoted, tern_error *e) {
  char *whole = tern_ifeval_stripped(text, e), *at = whole;
  if (whole == NULL) return NULL;
  if (unquoted) {
    at += strspn(at, "\"");
    for (size_t size = strlen(at); size > 0 && at[size - 1] == '"'; size--) at[size - 1] = '\0';
  }
  char *low = tern_python_lower(at, e);
  free(whole);
  return low;
}

int tern_ifeval_repeat_prompt(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "prompt_to_repeat", e);
  char *prompt = given == NULL ? NULL : folded(given, false, e);
  char *low = prompt == NULL ? NULL : folded(text, false, e);
  int status = low == NULL ? (int)e->status : 0;
  if (status == 0) *out = verdict(strncmp(low, prompt, strlen(prompt)) == 0);
  free(prompt);
  free(low);
  return status;
}

int tern_ifeval_end(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "end_phrase", e);
  char *phrase = given == NULL ? NULL : folded(given, false, e);
  char *low = phrase == NULL ? NULL : folded(text, true, e);
  int status = low == NULL ? (int)e->status : 0;
  if (status == 0) {
    size_t size = strlen(low), tail = strlen(phrase);
    *out = verdict(size >= tail && strcmp(low + size - tail, phrase) == 0);
  }
  free(phrase);
  free(low);
  return status;
}

int tern_ifeval_quotation(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  (void)c;
  char *at = tern_ifeval_stripped(text, e);
  if (at == NULL) return (int)e->status;
  size_t size = strlen(at);
  *out = verdict(size > 1 && at[0] == '"' && at[size - 1] == '"');
  free(at);
  return 0;
}

/* A text without a language to see follows, as in lm-eval. */
static tern_followed in_language(const tern_ifeval_call *c, const char *text, const char *wanted) {
  const char *code = c->tools->language(c->tools->arg, text);
  if (code == NULL) return TERN_FOLLOWED_UNKNOWN;
  return verdict(*code == '\0' || strcmp(code, wanted) == 0);
}

int tern_ifeval_language(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *wanted = tern_ifeval_text(c, "language", e);
  if (wanted == NULL) return (int)e->status;
  *out = in_language(c, text, wanted);
  return 0;
}

int tern_ifeval_english_capital(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  (void)e;
  *out = tern_python_is_upper(text) ? in_language(c, text, "en") : TERN_NOT_FOLLOWED;
  return 0;
}

int tern_ifeval_english_lowercase(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  (void)e;
  *out = tern_python_is_lower(text) ? in_language(c, text, "en") : TERN_NOT_FOLLOWED;
  return 0;
}
