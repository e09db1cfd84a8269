/* What Python's json.loads accepts of a text without white space around it: any
 * value, NaN and Infinity, lone surrogates; no byte below a space within strings,
 * and no whole number of more digits than int() converts. */
#include <string.h>

#include "harness/eval/ifeval_rules.h"

enum { DEEPEST = 990, MOST_DIGITS = 4300 }; /* Python's recursion limit, sys.int_max_str_digits */

static const char *value(const char *at, int depth);

static const char *blanks(const char *at) {
  return at + strspn(at, " \t\n\r");
}

/* From behind the opening quotation mark to behind the closing one; NULL: not a string. */
static const char *string(const char *at) {
  for (; *at != '"'; at++) {
    if ((unsigned char)*at < 0x20) return NULL;
    if (*at != '\\') continue;
    at++;
    if (*at == 'u') {
      if (strspn(at + 1, "0123456789abcdefABCDEF") < 4) return NULL;
      at += 4;
    } else if (*at == '\0' || strchr("\"\\/bfnrt", *at) == NULL) {
      return NULL;
    }
  }
  return at + 1;
}

static const char *number(const char *at) {
  const char *digits = at + (*at == '-');
  size_t count = *digits == '0' ? 1 : strspn(digits, "0123456789");
  if (count == 0) return NULL;
  const char *end = digits + count, *whole = end;
  if (*end == '.') {
    size_t more = strspn(end + 1, "0123456789");
    if (more > 0) end += 1 + more;
  }
  if (*end == 'e' || *end == 'E') {
    const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
    size_t more = strspn(exponent, "0123456789");
    if (more > 0) end = exponent + more;
  }
  return end == whole && count > MOST_DIGITS ? NULL : end;
}

/* A list, or an object's names and values, from behind the opening bracket. */
static const char *items(const char *at, char closing, int depth) {
  at = blanks(at);
  if (*at == closing) return at + 1;
  for (;;) {
    if (closing == '}') {
      if (*at != '"' || (at = string(at + 1)) == NULL) return NULL;
      at = blanks(at);
      if (*at != ':') return NULL;
      at = blanks(at + 1);
    }
    if ((at = value(at, depth)) == NULL) return NULL;
    at = blanks(at);
    if (*at == closing) return at + 1;
    if (*at != ',') return NULL;
    at = blanks(at + 1);
  }
}

static const char *value(const char *at, int depth) {
  static const char *const names[] = {"null", "true", "false", "NaN", "Infinity", "-Infinity"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strncmp(at, names[i], strlen(names[i])) == 0) return at + strlen(names[i]);
  }
  if (*at == '"') return string(at + 1);
  if ((*at == '{' || *at == '[') && depth < DEEPEST) return items(at + 1, *at == '{' ? '}' : ']', depth + 1);
  return number(at);
}

bool tern_ifeval_is_json(const char *text) {
  const char *end = value(blanks(text), 0);
  return end != NULL && *blanks(end) == '\0';
}
