/* Words as nltk.word_tokenize cuts them: sentences first, then substitutions in a
 * written order that set marks apart, clitics and joined words from their words,
 * then white space. The order is part of the result. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

static const struct step {
  const char *pattern, *replacement;
} steps[] = {
    /* opening quotation marks */
    {"([\\xab\\x{201c}\\x{2018}\\x{201e}]|`+)", " \\1 "},
    {"^\"", "``"},
    {"(``)", " \\1 "},
    {"([ (\\[{<])(?:\"|'')", "\\1 `` "},
    {"(?i)(?<!\\w)(')(?!(?:re|ve|ll|m|t|s|d|n)\\b)(?=\\w)", "\\1 "},
    /* marks; the period of the end, with what closes behind it, twice */
    {"([^.])(\\.)([\\])}>\"'\\xbb\\x{201d}\\x{2019} ]*+)\\s*$", "\\1 \\2 \\3 "},
    {"([:,])(\\D)", " \\1 \\2"},
    {"([:,])$", " \\1 "},
    {"(\\.{2,})", " \\1 "},
    {"([;@#$%&])", " \\1 "},
    {"([\\x{2012}-\\x{2015}])", " \\1 "},
    {"([^.])(\\.)([\\])}>\"']*)\\s*$", "\\1 \\2\\3 "},
    {"([?!])", " \\1 "},
    {"([^'])' ", "\\1 ' "},
    {"(\\*)", " \\1 "},
    {"([\\][(){}<>])", " \\1 "},
    {"--", " -- "},
    {"^|\\z", " "},
    /* closing quotation marks, clitics */
    {"([\\xbb\\x{201d}\\x{2019}])", " \\1 "},
    {"''", " '' "},
    {"\"", " '' "},
    {"\\s+", " "},
    {"([^' ])('[sS]|'[mM]|'[dD]|') ", "\\1 \\2 "},
    {"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "\\1 \\2 "},
    /* two words written as one */
    {"(?i)\\b(can)(not)\\b", " \\1 \\2 "},
    {"(?i)\\b(d)('ye)\\b", " \\1 \\2 "},
    {"(?i)\\b(gim)(me)\\b", " \\1 \\2 "},
    {"(?i)\\b(gon)(na)\\b", " \\1 \\2 "},
    {"(?i)\\b(got)(ta)\\b", " \\1 \\2 "},
    {"(?i)\\b(lem)(me)\\b", " \\1 \\2 "},
    {"(?i)\\b(more)('n)\\b", " \\1 \\2 "},
    {"(?i)\\b(wan)(na)(?=\\s)", " \\1 \\2 "},
    {"(?i) ('t)(is)\\b", " \\1 \\2 "},
    {"(?i) ('t)(was)\\b", " \\1 \\2 "},
};
enum { STEPS = sizeof steps / sizeof *steps };

static void split(char *text, void (*take)(void *arg, const char *token), void *arg) {
  char *from = NULL;
  for (char *at = text; *at != '\0';) {
    int32_t c;
    size_t bytes = tern_python_character(at, &c);
    bool space = tern_python_is_space(c);
    if (space) *at = '\0';
    if (space && from != NULL) take(arg, from);
    from = space ? NULL : from == NULL ? at : from;
    at += bytes;
  }
  if (from != NULL) take(arg, from);
}

static int sentence(tern_regex *const *r, const char *text, size_t size, void (*take)(void *arg, const char *token),
                    void *arg, tern_error *e) {
  char *now = strndup(text, size);
  for (int i = 0; i < STEPS && now != NULL; i++) {
    char *then = tern_regex_replace(r[i], now, steps[i].replacement, e);
    free(now);
    now = then;
  }
  if (now == NULL) return tern_fail(e, TERN_FAILED, "word_tokenize: a sentence of %zu bytes failed", size);
  split(now, take, arg);
  free(now);
  return 0;
}

int tern_ifeval_tokens(const tern_punkt *p, const char *text, void (*take)(void *arg, const char *token), void *arg,
                       tern_error *e) {
  tern_regex *r[STEPS] = {NULL};
  tern_punkt_span *list = NULL;
  size_t count = 0;
  int status = tern_punkt_sentences(p, text, &list, &count, e);
  for (int i = 0; i < STEPS && status == 0; i++) status = tern_regex_open(&r[i], steps[i].pattern, "word_tokenize", e);
  for (size_t i = 0; i < count && status == 0; i++)
    status = sentence(r, text + list[i].from, list[i].to - list[i].from, take, arg, e);
  for (int i = 0; i < STEPS; i++) tern_regex_close(r[i]);
  free(list);
  return status;
}
