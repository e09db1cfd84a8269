/* MATH's own normalisation as lm-eval's hendrycks_math has it. Some steps fail on
 * what they don't expect; then both answers are compared as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "harness/eval/math_text.h"
#include "harness/eval/python_text.h"

enum { MOST_DIGITS = 4300 }; /* Python's int() takes no more */

/* A step: text in, text out (taken over); *fails is set where the original raises. */
typedef char *step(char *s, bool *fails);

static char *units(char *s, bool *fails) {
  char *at = s == NULL ? NULL : strstr(s, "\\text{ ");
  if (at == NULL) return s;
  *fails = strstr(at + 1, "\\text{ ") != NULL;
  *at = '\0';
  return s;
}

static char *percents(char *s, bool *fails) {
  (void)fails;
  return tern_math_replace(s, "\\%", "");
}

/* " ." is " 0.", and so on; "x = 5" is "5" where at most two characters stand before. */
static char *zeros(char *s, bool *fails) {
  (void)fails;
  char *made = NULL;
  s = tern_math_replace(tern_math_replace(s, " .", " 0."), "{.", "{0.");
  if (s == NULL || *s != '.') return s;
  if (asprintf(&made, "0%s", s) < 0) made = NULL;
  free(s);
  return made;
}

static char *sides(char *s, bool *fails) {
  (void)fails;
  char *equals = s == NULL ? NULL : strchr(s, '=');
  if (equals == NULL || strchr(equals + 1, '=') != NULL) return s;
  *equals = '\0';
  bool name = tern_python_length(s) <= 2;
  *equals = '=';
  if (name) memmove(s, equals + 1, strlen(equals));
  return s;
}

/* Copies the character at `at` within braces; returns what follows. */
static const char *brace(const char *at, char **to) {
  int32_t c;
  size_t bytes = *at == '\0' ? 0 : tern_python_character(at, &c);
  *to = stpcpy(*to, "{");
  *to = mempcpy(*to, at, bytes);
  *to = stpcpy(*to, "}");
  return at + bytes;
}

/* \sqrt3 is \sqrt{3}. */
static char *roots(char *s, bool *fails) {
  static const char root[] = "\\sqrt";
  char *out = s == NULL ? NULL : malloc(3 * strlen(s) + 1), *to = out;
  const char *at = s, *found;
  for (; out != NULL && (found = strstr(at, root)) != NULL; at = found) {
    found += sizeof root - 1;
    to = mempcpy(to, at, (size_t)(found - at));
    if (*found == '\0' || strncmp(found, root, sizeof root - 1) == 0) *fails = true;
    if (*found != '{' && !*fails) found = brace(found, &to);
  }
  if (out != NULL) strcpy(to, at);
  free(s);
  return out;
}

/* \frac12 is \frac{1}{2}; one with less than two characters behind leaves all as it was. */
static char *fractions(char *s, bool *fails) {
  static const char frac[] = "\\frac";
  char *out = s == NULL ? NULL : malloc(4 * strlen(s) + 1), *to = out;
  const char *at = s, *found;
  bool kept = false;
  for (; out != NULL && !kept && !*fails && (found = strstr(at, frac)) != NULL; at = found) {
    found += sizeof frac - 1;
    const char *next = strstr(found, frac), *end = next == NULL ? found + strlen(found) : next;
    int32_t c;
    to = mempcpy(to, at, (size_t)(found - at));
    *fails = found == end;
    if (found == end || *found == '{') continue;
    kept = found + tern_python_character(found, &c) == end;
    if (kept) continue;
    found = brace(found, &to);
    if (*found != '{') found = brace(found, &to);
  }
  if (out != NULL) strcpy(to, at);
  free(kept ? out : s);
  return kept ? s : out;
}

/* Whether int() takes the text; *plain: and it is written as str() writes the number. */
static bool is_int(const char *s, bool *plain) {
  const char *digits = s + (*s == '-');
  size_t count = strspn(digits, "0123456789");
  *plain = count > 0 && digits[count] == '\0' && (digits[0] != '0' || (count == 1 && digits == s));
  char *text = strdup(s), *at = text == NULL ? NULL : tern_python_strip(text);
  bool good = at != NULL, digit = false;
  size_t all = 0;
  if (good && (*at == '+' || *at == '-')) at++;
  for (; good && *at != '\0'; all += digit) {
    int32_t c;
    at += tern_python_character(at, &c);
    good = c == '_' ? digit : utf8proc_category(c) == UTF8PROC_CATEGORY_ND;
    digit = c != '_';
  }
  free(text);
  return good && digit && all <= MOST_DIGITS;
}

/* 3/4 is \frac{3}{4}. */
static char *slashes(char *s, bool *fails) {
  char *slash = s == NULL ? NULL : strchr(s, '/'), *made = NULL;
  bool plain_over, plain_under;
  if (slash == NULL || strchr(slash + 1, '/') != NULL) return s;
  *slash = '\0';
  bool over = is_int(s, &plain_over), under = is_int(slash + 1, &plain_under);
  if (over && under && plain_over && plain_under) {
    if (asprintf(&made, "\\frac{%s}{%s}", s, slash + 1) < 0) made = NULL;
    free(s);
    return made;
  }
  *slash = '/';
  *fails = !over || !under;
  return s;
}

static char *spaces(char *s, bool *fails) {
  (void)fails;
  return tern_math_replace(s, " ", "");
}

static char *half(char *s, bool *fails) {
  (void)fails;
  return s != NULL && strcmp(s, "0.5") == 0 ? tern_math_replace(s, "0.5", "\\frac{1}{2}") : s;
}

static char *normal(const char *answer, bool *fails) {
  static const char *const replaced[][2] = {{"\n", ""},        {"\\!", ""},    {"\\\\", "\\"},  {"tfrac", "frac"},
                                            {"dfrac", "frac"}, {"\\left", ""}, {"\\right", ""}, {"^{\\circ}", ""},
                                            {"^\\circ", ""},   {"\\$", ""}};
  static step *const steps[] = {units, percents, zeros, sides, roots, spaces, fractions, half, slashes};
  char *s = strdup(answer);
  *fails = false;
  for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
    s = tern_math_replace(s, replaced[i][0], replaced[i][1]);
  for (size_t i = 0; i < sizeof steps / sizeof *steps && s != NULL && !*fails; i++) s = steps[i](s, fails);
  return s;
}

int tern_hendrycks_same(const char *a, const char *b, bool *same, tern_error *e) {
  bool fails_a, fails_b;
  char *left = normal(a, &fails_a), *right = normal(b, &fails_b);
  int status = left == NULL || right == NULL ? tern_fail(e, TERN_FAILED, "hendrycks_math: out of memory") : 0;
  if (status == 0) *same = strcmp(fails_a || fails_b ? a : left, fails_a || fails_b ? b : right) == 0;
  free(left);
  free(right);
  return status;
}
