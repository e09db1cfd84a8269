/* The functions of templates, a row each, and how JSON values print. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "harness/eval/pages.h"
#include "harness/eval/python_text.h"
#include "harness/eval/template_parts.h"

static char *no_memory(const char *where, tern_error *e) {
  tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  return NULL;
}

static char *copy(const char *text, size_t size, const char *where, tern_error *e) {
  char *out = strndup(text, size);
  return out ? out : no_memory(where, e);
}

static char *strip(const tern_template_step *s, const char *text, tern_error *e) {
  char *out = copy(text, strlen(text), s->where, e);
  return out ? tern_python_strip(out) : NULL;
}

static char *lower(const tern_template_step *s, const char *text, tern_error *e) {
  (void)s;
  return tern_python_lower(text, e);
}

/* The first character in title case, all others in lower case. */
static char *capitalize(const tern_template_step *s, const char *text, tern_error *e) {
  utf8proc_int32_t c;
  utf8proc_uint8_t head[4];
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text, -1, &c);
  char *low = tern_python_lower(text, e);
  if (low == NULL || n <= 0) return low;
  size_t size = (size_t)utf8proc_encode_char(utf8proc_totitle(c), head), first = (size_t)n;
  char *first_low = strndup(text, first), *own = first_low ? tern_python_lower(first_low, e) : NULL;
  size_t skip = own ? strlen(own) : 0;
  char *out = own ? malloc(size + strlen(low) - skip + 1) : NULL;
  if (out != NULL) {
    memcpy(out, head, size);
    strcpy(out + size, low + skip);
  } else {
    no_memory(s->where, e);
  }
  free(own);
  free(first_low);
  free(low);
  return out;
}

static char *replace_all(const char *text, const char *old, const char *new, const char *where, tern_error *e) {
  size_t from = strlen(old), to = strlen(new), count = 0, size = strlen(text);
  for (const char *at = text; (at = strstr(at, old)) != NULL; at += from) count++;
  if (to > 0 && count > (SIZE_MAX / 2 - size) / to) return no_memory(where, e);
  char *out = malloc(size + count * to + 1), *put = out;
  if (out == NULL) return no_memory(where, e);
  for (const char *found; (found = strstr(text, old)) != NULL; text = found + from) {
    put = mempcpy(put, text, (size_t)(found - text));
    put = mempcpy(put, new, to);
  }
  strcpy(put, text);
  return out;
}

static char *replace(const tern_template_step *s, const char *text, tern_error *e) {
  return replace_all(text, s->arguments[0], s->arguments[1], s->where, e);
}

static char *spaced(const tern_template_step *s, const char *text, tern_error *e) {
  return replace_all(text, "_", " ", s->where, e);
}

static char *delete_matches(const tern_template_step *s, const char *text, tern_error *e) {
  return tern_regex_delete(s->regex, text, e);
}

static const char *find(const tern_template_step *s, const char *text, tern_error *e) {
  const char *at = strstr(text, s->arguments[0]);
  if (at == NULL) tern_fail(e, TERN_FAILED, "%s: no \"%.40s\" in \"%.60s\"", s->function->name, s->arguments[0], text);
  return at;
}

static char *before(const tern_template_step *s, const char *text, tern_error *e) {
  const char *at = find(s, text, e);
  return at ? copy(text, (size_t)(at - text), s->where, e) : NULL;
}

static char *after(const tern_template_step *s, const char *text, tern_error *e) {
  const char *at = find(s, text, e);
  if (at == NULL) return NULL;
  at += strlen(s->arguments[0]);
  return copy(at, strlen(at), s->where, e);
}

static char *wikitext(const tern_template_step *s, const char *text, tern_error *e) {
  (void)s;
  return tern_wikitext_detokenize(text, e);
}

/* Entries' texts, each behind `lead` with its letter or between `between`. */
static char *put_together(const tern_template_step *s, const json_t *list, const char *between, bool letters,
                          tern_error *e) {
  size_t count = json_array_size(list), size = 0;
  char *out = NULL;
  FILE *to = open_memstream(&out, &size);
  if (to == NULL) return no_memory(s->where, e);
  bool whole = true;
  for (size_t i = 0; whole && i < count; i++) {
    char *text = tern_template_text(json_array_get(list, i), s->where, e);
    whole = text != NULL;
    if (whole && letters) fprintf(to, "%s%c. %s", i ? "\n" : "", (char)('A' + i), text);
    if (whole && !letters) fprintf(to, "%s%s", i ? between : "", text);
    free(text);
  }
  bool written = fclose(to) == 0;
  if (whole && written) return out;
  free(out);
  return whole ? no_memory(s->where, e) : NULL;
}

static char *letters(const tern_template_step *s, const json_t *list, tern_error *e) {
  if (json_array_size(list) <= 26) return put_together(s, list, "", true, e);
  tern_fail(e, TERN_FAILED, "%s: letters: %zu entries, but 26 letters", s->where, json_array_size(list));
  return NULL;
}

static char *join(const tern_template_step *s, const json_t *list, tern_error *e) {
  return put_together(s, list, s->arguments[0], false, e);
}

static const tern_template_function functions[] = {
    {"strip", 0, false, strip, NULL},
    {"lower", 0, false, lower, NULL},
    {"capitalize", 0, false, capitalize, NULL},
    {"replace", 2, false, replace, NULL},
    {"delete", 1, true, delete_matches, NULL},
    {"before", 1, false, before, NULL},
    {"after", 1, false, after, NULL},
    {"spaced", 0, false, spaced, NULL},
    {"wikitext", 0, false, wikitext, NULL},
    {"letters", 0, false, NULL, letters},
    {"join", 1, false, NULL, join},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

const tern_template_function *tern_template_function_find(const char *name) {
  for (int i = 0; i < FUNCTIONS; i++) {
    if (strcmp(functions[i].name, name) == 0) return &functions[i];
  }
  return NULL;
}

void tern_template_functions_list(char *out, size_t size) {
  size_t used = 0;
  for (int i = 0; i < FUNCTIONS && used < size; i++)
    used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", functions[i].name);
}

/* repr(float): the shortest digits that read back the same. */
static void print_real(double v, char *out, size_t size) {
  for (int digits = 1; digits <= 17; digits++) {
    snprintf(out, size, "%.*g", digits, v);
    if (strtod(out, NULL) == v) break;
  }
  if (strpbrk(out, ".e") == NULL) strncat(out, ".0", size - strlen(out) - 1);
}

char *tern_template_text(const json_t *value, const char *where, tern_error *e) {
  static const char *const words[] = {[JSON_TRUE] = "True", [JSON_FALSE] = "False", [JSON_NULL] = "None"};
  char number[64];
  switch (json_typeof(value)) {
  case JSON_STRING:
    if (strlen(json_string_value(value)) == json_string_length(value))
      return copy(json_string_value(value), json_string_length(value), where, e);
    tern_fail(e, TERN_FAILED, "\"%s\" holds a NUL character", where);
    return NULL;
  case JSON_INTEGER:
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return copy(number, strlen(number), where, e);
  case JSON_REAL:
    print_real(json_real_value(value), number, sizeof number);
    return copy(number, strlen(number), where, e);
  case JSON_TRUE:
  case JSON_FALSE:
  case JSON_NULL:
    return copy(words[json_typeof(value)], strlen(words[json_typeof(value)]), where, e);
  default:
    tern_fail(e, TERN_FAILED, "\"%s\" is %s, not text; name one of its entries, or use letters or join on a list",
              where, json_is_array(value) ? "a list" : "an object");
    return NULL;
  }
}
