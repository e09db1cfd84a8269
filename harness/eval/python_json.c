/* One walk with two dialects: JSON's and that of Python's literals. */
#include "harness/eval/python_json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

typedef struct writer {
  FILE *to;
  int indent;
  bool literal; /* Python's repr instead of JSON */
} writer;

/* repr takes the shortest digits, as an exponent below 1e-4 and from 1e16 on. */
void tern_python_real(double v, char out[TERN_REAL_ROOM]) {
  char digits[TERN_REAL_ROOM];
  if (isnan(v) || isinf(v)) {
    snprintf(out, TERN_REAL_ROOM, "%s", isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
    return;
  }
  int precision = 0;
  do snprintf(digits, sizeof digits, "%.*e", precision, v);
  while (precision++ < 17 && strtod(digits, NULL) != v);
  precision--; /* of the last try: digits behind the point */
  int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
  if (exponent < -4 || exponent >= 16) {
    snprintf(out, TERN_REAL_ROOM, "%s", digits);
  } else {
    int behind = precision - exponent;
    snprintf(out, TERN_REAL_ROOM, "%.*f", behind > 1 ? behind : 1, v);
  }
}

/* str.isprintable of a character: no controls, formats, private or unassigned
 * ones, no separators but the blank. */
static bool is_printable(utf8proc_int32_t c) {
  utf8proc_category_t k = utf8proc_category(c);
  return c == ' ' || !(k == UTF8PROC_CATEGORY_CC || k == UTF8PROC_CATEGORY_CF || k == UTF8PROC_CATEGORY_CS ||
                       k == UTF8PROC_CATEGORY_CO || k == UTF8PROC_CATEGORY_CN || k == UTF8PROC_CATEGORY_ZL ||
                       k == UTF8PROC_CATEGORY_ZP || k == UTF8PROC_CATEGORY_ZS);
}

static void write_escape(FILE *to, char letter, const char *hex, unsigned c) {
  if (letter != 0)
    fprintf(to, "\\%c", letter);
  else
    fprintf(to, hex, c);
}

/* json.dumps escapes quotes, backslashes and controls, with letters for five. */
static void write_text(FILE *to, const char *text, size_t size) {
  static const char letters[32] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  size_t plain = 0; /* begin of what needs no escape */
  fputc('"', to);
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 32 && c != '"' && c != '\\') continue;
    fwrite(text + plain, 1, i - plain, to);
    plain = i + 1;
    if (c < 32)
      write_escape(to, letters[c], "\\u%04x", c);
    else
      fprintf(to, "\\%c", c);
  }
  fwrite(text + plain, 1, size - plain, to);
  fputc('"', to);
}

/* repr: single quotes unless only those are within. */
static void write_literal(FILE *to, const char *text, size_t size) {
  static const char letters[32] = {['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
  char quote = memchr(text, '\'', size) != NULL && memchr(text, '"', size) == NULL ? '"' : '\'';
  fputc(quote, to);
  for (size_t i = 0; i < size;) {
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i, (utf8proc_ssize_t)(size - i), &c);
    if (n <= 0) n = 1, c = 0xfffd;
    if (c < 32)
      write_escape(to, letters[c], "\\x%02x", (unsigned)c);
    else if (c == quote || c == '\\')
      fprintf(to, "\\%c", (int)c);
    else if (is_printable(c))
      fwrite(text + i, 1, (size_t)n, to);
    else
      fprintf(to, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    i += (size_t)n;
  }
  fputc(quote, to);
}

static void write_value(const writer *w, const json_t *value, int depth);

static void new_line(const writer *w, int depth) {
  if (w->indent > 0) fprintf(w->to, "\n%*s", w->indent * depth, "");
}

static void between(const writer *w, bool first, int depth) {
  if (!first) fputs(w->indent > 0 ? "," : ", ", w->to);
  new_line(w, depth);
}

static void write_string(const writer *w, const char *text, size_t size) {
  if (w->literal)
    write_literal(w->to, text, size);
  else
    write_text(w->to, text, size);
}

static void write_list(const writer *w, const json_t *list, int depth) {
  const json_t *value;
  size_t i;
  fputc('[', w->to);
  json_array_foreach((json_t *)list, i, value) {
    between(w, i == 0, depth + 1);
    write_value(w, value, depth + 1);
  }
  if (json_array_size(list) > 0) new_line(w, depth);
  fputc(']', w->to);
}

static void write_object(const writer *w, const json_t *object, int depth) {
  bool first = true;
  fputc('{', w->to);
  for (void *at = json_object_iter((json_t *)object); at != NULL; at = json_object_iter_next((json_t *)object, at)) {
    const char *key = json_object_iter_key(at);
    between(w, first, depth + 1);
    first = false;
    write_string(w, key, strlen(key));
    fputs(": ", w->to);
    write_value(w, json_object_iter_value(at), depth + 1);
  }
  if (!first) new_line(w, depth);
  fputc('}', w->to);
}

static void write_value(const writer *w, const json_t *value, int depth) {
  static const char *const words[][2] = {
      [JSON_TRUE] = {"true", "True"}, [JSON_FALSE] = {"false", "False"}, [JSON_NULL] = {"null", "None"}};
  char real[TERN_REAL_ROOM];
  switch (json_typeof(value)) {
  case JSON_OBJECT:
    write_object(w, value, depth);
    break;
  case JSON_ARRAY:
    write_list(w, value, depth);
    break;
  case JSON_STRING:
    write_string(w, json_string_value(value), json_string_length(value));
    break;
  case JSON_INTEGER:
    fprintf(w->to, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    break;
  case JSON_REAL:
    tern_python_real(json_real_value(value), real);
    fputs(real, w->to);
    break;
  default:
    fputs(words[json_typeof(value)][w->literal], w->to);
  }
}

static char *written(const json_t *value, int indent, bool literal, tern_error *e) {
  char *text = NULL;
  size_t size;
  writer w = {.to = open_memstream(&text, &size), .indent = indent, .literal = literal};
  bool whole = w.to != NULL;
  if (whole) {
    write_value(&w, value, 0);
    whole = !ferror(w.to);
    whole = fclose(w.to) == 0 && whole;
  }
  if (whole) return text;
  free(text);
  tern_fail(e, TERN_FAILED, "JSON text: out of memory");
  return NULL;
}

char *tern_python_dumps(const json_t *value, int indent, tern_error *e) {
  return written(value, indent, false, e);
}

char *tern_python_str(const json_t *value, tern_error *e) {
  if (!json_is_string(value)) return written(value, 0, true, e);
  char *text = strdup(json_string_value(value));
  if (text == NULL) tern_fail(e, TERN_FAILED, "JSON text: out of memory");
  return text;
}
