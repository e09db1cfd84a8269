/* JSON of datasets, which Python wrote: its integers have no end. jansson's are
 * of 64 bits; wider ones are read as floats, so such a row shows them rounded.
 * Who needs them exactly reads the file's line (code_problems.c does). */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/rows_parts.h"

enum { SAFE_DIGITS = 18 };

/* The end of the string literal that begins at `at`. */
static const char *skip_string(const char *at, const char *end) {
  for (at++; at < end && *at != '"'; at++) at += *at == '\\';
  return at < end ? at + 1 : end;
}

/* A copy with ".0" behind every integer that may be too wide (free()). */
static char *widen(const char *text, size_t size, size_t *widened) {
  char *copy = malloc(2 * size + 1), *to = copy;
  const char *end = text + size, *next;
  for (const char *at = text; copy != NULL && at < end; at = next) {
    next = at + 1;
    if (*at == '"') next = skip_string(at, end);
    size_t digits = 0;
    while (at + digits < end && isdigit((unsigned char)at[digits])) digits++;
    if (digits > 0) next = at + digits;
    memcpy(to, at, (size_t)(next - at));
    to += next - at;
    /* A fraction's digits are preceded by a point, an exponent's by its letter. */
    bool whole =
        digits > SAFE_DIGITS && (at == text || !strchr(".eE+", at[-1])) && (next == end || !strchr(".eE", *next));
    if (whole && at - text >= 2 && at[-1] == '-' && strchr("eE", at[-2])) whole = false;
    if (whole) to = (char *)memcpy(to, ".0", 2) + 2;
  }
  if (copy != NULL) *widened = (size_t)(to - copy);
  return copy;
}

json_t *tern_rows_json(const char *text, size_t size, json_error_t *wrong) {
  json_t *root = json_loadb(text, size, JSON_ALLOW_NUL, wrong);
  if (root != NULL || json_error_code(wrong) != json_error_numeric_overflow) return root;
  size_t widened;
  char *copy = widen(text, size, &widened);
  if (copy != NULL) root = json_loadb(copy, widened, JSON_ALLOW_NUL, wrong);
  free(copy);
  return root;
}
