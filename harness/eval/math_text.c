/* Boxes, dollar signs, and replacing. */
#include "harness/eval/math_text.h"

#include <stdlib.h>
#include <string.h>

static char *last_of(const char *text, const char *wanted) {
  const char *found = NULL;
  for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) found = at;
  return (char *)found;
}

/* The closing brace that answers the first opened one; NULL: none. */
static const char *closing(const char *at) {
  for (long open = 0; *at != '\0'; at++) {
    if (*at == '{') open++;
    if (*at == '}' && --open == 0) return at;
  }
  return NULL;
}

char *tern_math_boxed(const char *solution, tern_error *e) {
  static const char spaced[] = "\\boxed ", braced[] = "\\boxed{";
  const char *at = last_of(solution, spaced), *end = NULL;
  if (at != NULL) {
    at += sizeof spaced - 1;
    end = at + strcspn(at, "$");
  } else if ((at = last_of(solution, "\\boxed")) != NULL && strncmp(at, braced, sizeof braced - 1) == 0) {
    end = closing(at);
    at += sizeof braced - 1;
  }
  char *out = end == NULL ? NULL : strndup(at, (size_t)(end - at));
  if (out == NULL) tern_fail(e, TERN_FAILED, "solution: no \\boxed{...} is in it");
  return out;
}

char *tern_hendrycks_answer(const char *response, tern_error *e) {
  const char *first = strchr(response, '$'), *last = strrchr(response, '$');
  char *out = first == last ? strdup(response) : strndup(first + 1, (size_t)(last - first - 1));
  if (out == NULL) tern_fail(e, TERN_FAILED, "hendrycks_math: out of memory");
  return out;
}

char *tern_math_replace(char *s, const char *from, const char *to) {
  if (s == NULL) return NULL;
  size_t count = 0, size = strlen(from);
  for (const char *at = s; (at = strstr(at, from)) != NULL; at += size) count++;
  if (count == 0) return s;
  char *out = malloc(strlen(s) + count * strlen(to) + 1), *end = out;
  const char *at = s;
  for (const char *found; out != NULL && (found = strstr(at, from)) != NULL; at = found + size) {
    end = mempcpy(end, at, (size_t)(found - at));
    end = stpcpy(end, to);
  }
  if (out != NULL) strcpy(end, at);
  free(s);
  return out;
}
