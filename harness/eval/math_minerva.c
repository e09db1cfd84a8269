/* Minerva's normalisation as lm-eval 0.4.13 has it. The order of all steps is part
 * of the result, also where it looks odd ("an " goes before spaces do). */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/math_text.h"
#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

static const char *const replaced[][2] = {
    {"an ", ""}, {"a ", ""},       {".$", "$"},           {"\\$", ""},          {"\\ ", ""},
    {" ", ""},   {"mbox", "text"}, {",\\text{and}", ","}, {"\\text{and}", ","}, {"\\text{m}", "\\text{}"},
};

/* Units and the like, in the order in which they go. Those of letters alone don't
 * touch commands: "ft" stays within \left. */
static const char *const removed[] = {
    "square",       "ways",
    "integers",     "dollars",
    "mph",          "inches",
    "ft",           "hours",
    "km",           "units",
    "\\ldots",      "sue",
    "points",       "feet",
    "minutes",      "digits",
    "cents",        "degrees",
    "cm",           "gm",
    "pounds",       "meters",
    "meals",        "edges",
    "students",     "childrentickets",
    "multiples",    "\\text{s}",
    "\\text{.}",    "\\text{\ns}",
    "\\text{}^2",   "\\text{}^3",
    "\\text{\n}",   "\\text{}",
    "\\mathrm{th}", "^\\circ",
    "^{\\circ}",    "\\;",
    ",\\!",         "{,}",
    "\"",           "\\dots",
};

enum { UNITS, ANSWER, THOUSANDS, PATTERNS };
static const char *const patterns[PATTERNS] = {
    [UNITS] =
        ("(?<!\\\\)\\b(?:square|ways|integers|dollars|mph|inches|ft|hours|km|units|sue|points|feet|minutes|digits|"
         "cents|degrees|cm|gm|pounds|meters|meals|edges|students|childrentickets|multiples)\\b"),
    [ANSWER] = "Final Answer: The final answer is(.*?). I hope it is correct.",
    [THOUSANDS] = "\\A-?\\d{1,3}(?:,\\d{3})+\\z",
};

/* What is in dollars, in a box, bold, overlined; then \frac12 and \sqrt2 with braces. */
static const char *const rewritten[][2] = {
    {".*?\\$(.*?)\\$.*", "$\\1$"},
    {"\\\\text\\{(.*?)\\}", "\\1"},
    {"\\\\textbf\\{(.*?)\\}", "\\1"},
    {"\\\\overline\\{(.*?)\\}", "\\1"},
    {"\\\\boxed\\{(.*)\\}", "\\1"},
    {"frac([^{])(.)", "frac{\\1}{\\2}"},
    {"sqrt(\\[[^\\]]*\\])(\\w)", "sqrt\\1{\\2}"},
    {"sqrt(?!\\[)([^{])", "sqrt{\\1}"},
};
enum { REWRITTEN = sizeof rewritten / sizeof *rewritten };

struct tern_minerva {
  tern_regex *patterns[PATTERNS], *rewritten[REWRITTEN];
};

int tern_minerva_open(tern_minerva **out, tern_error *e) {
  *out = NULL;
  tern_minerva *m = calloc(1, sizeof *m);
  if (m == NULL) return tern_fail(e, TERN_FAILED, "minerva_math: out of memory");
  int status = 0;
  for (int i = 0; i < PATTERNS && status == 0; i++)
    status = tern_regex_open(&m->patterns[i], patterns[i], "minerva_math", e);
  for (int i = 0; i < REWRITTEN && status == 0; i++)
    status = tern_regex_open(&m->rewritten[i], rewritten[i][0], "minerva_math", e);
  if (status != 0) {
    tern_minerva_close(m);
    return status;
  }
  *out = m;
  return 0;
}

void tern_minerva_close(tern_minerva *m) {
  if (m == NULL) return;
  for (int i = 0; i < PATTERNS; i++) tern_regex_close(m->patterns[i]);
  for (int i = 0; i < REWRITTEN; i++) tern_regex_close(m->rewritten[i]);
  free(m);
}

char *tern_minerva_answer(const tern_minerva *m, const char *response, tern_error *e) {
  static const char end[] = "I hope it is correct.";
  char *text = malloc(strlen(response) + sizeof end), *found = NULL;
  tern_regex_found why;
  if (text == NULL) {
    tern_fail(e, TERN_FAILED, "minerva_math: out of memory");
    return NULL;
  }
  stpcpy(stpcpy(text, response), end);
  int status = tern_regex_find(m->patterns[ANSWER], text, 0, &found, &why, e);
  free(text);
  if (status != 0) return NULL;
  if (found != NULL) return tern_python_strip(found);
  if ((found = strdup("[invalidanswer]")) == NULL) tern_fail(e, TERN_FAILED, "minerva_math: out of memory");
  return found;
}

static bool letters(const char *s) {
  return strspn(s, "abcdefghijklmnopqrstuvwxyz") == strlen(s);
}

/* Takes the word out wherever it stands outside of \commands, in place. */
static void remove_word(char *s, const char *word) {
  size_t size = strlen(word);
  char *to = s;
  for (const char *at = s; *at != '\0';) {
    size_t command = 0;
    if (*at == '\\')
      while ((at[command + 1] | 32) >= 'a' && (at[command + 1] | 32) <= 'z') command++;
    if (command > 0) {
      memmove(to, at, command + 1);
      to += command + 1;
      at += command + 1;
    } else if (strncmp(at, word, size) == 0) {
      at += size;
    } else {
      *to++ = *at++;
    }
  }
  *to = '\0';
}

/* Takes s over. */
static char *rewrite(const tern_regex *r, char *s, const char *by, tern_error *e) {
  char *then = s == NULL ? NULL : tern_regex_replace(r, s, by, e);
  free(s);
  return then;
}

char *tern_minerva_normal(const tern_minerva *m, const char *answer, tern_error *e) {
  const char *side = strrchr(answer, '=');
  char *s = strdup(side == NULL ? answer : side + 1), *found = NULL;
  tern_regex_found why;
  s = rewrite(m->patterns[UNITS], s, "", e);
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
    s = tern_math_replace(s, replaced[i][0], replaced[i][1]);
  for (size_t i = 0; i < sizeof removed / sizeof *removed && s != NULL; i++) {
    if (letters(removed[i]))
      remove_word(s, removed[i]);
    else
      s = tern_math_replace(s, removed[i], "");
  }
  for (int i = 0; i < REWRITTEN; i++) s = rewrite(m->rewritten[i], s, rewritten[i][1], e);
  s = tern_math_replace(s, "$", "");
  if (s == NULL || tern_regex_find(m->patterns[THOUSANDS], s, 0, &found, &why, e) != 0) goto failed;
  if (found != NULL) tern_python_delete(s, ",");
  free(found);
  return s;
failed:
  free(s);
  tern_fail(e, TERN_FAILED, "minerva_math: an answer of %zu bytes could not be normalised", strlen(answer));
  return NULL;
}
