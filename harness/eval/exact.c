/* The written order of exact_match's steps; read from a task's metric. */
#include "harness/eval/exact.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

struct tern_exact {
  tern_regex **ignored;
  size_t count;
  int any_case, no_punctuation, no_numbers;
};

static int open_ignored(tern_exact *x, const json_t *list, const char *where, tern_error *e) {
  size_t count = json_array_size(list);
  if (list != NULL && !json_is_array(list))
    return tern_fail(e, TERN_FAILED, "%s: regexes_to_ignore: a list was expected", where);
  if ((x->ignored = calloc(count + 1, sizeof *x->ignored)) == NULL)
    return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  for (; x->count < count; x->count++) {
    const char *pattern = json_string_value(json_array_get(list, x->count));
    if (pattern == NULL) return tern_fail(e, TERN_FAILED, "%s: regexes_to_ignore: text was expected", where);
    if (tern_regex_open(&x->ignored[x->count], pattern, where, e) != 0) return (int)e->status;
  }
  return 0;
}

int tern_exact_open(tern_exact **out, const json_t *params, const char *where, tern_error *e) {
  json_t *ignored = NULL;
  json_error_t wrong;
  *out = NULL;
  tern_exact *x = calloc(1, sizeof *x);
  if (x == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  int status = 0;
  if (params != NULL && json_unpack_ex((json_t *)params, &wrong, JSON_STRICT, "{s?b, s?b, s?b, s?o}", "ignore_case",
                                       &x->any_case, "ignore_punctuation", &x->no_punctuation, "ignore_numbers",
                                       &x->no_numbers, "regexes_to_ignore", &ignored) != 0)
    status = tern_fail(e, TERN_FAILED, "%s: exact_match: %s", where, wrong.text);
  if (status == 0) status = open_ignored(x, ignored, where, e);
  if (status != 0) {
    tern_exact_close(x);
    return status;
  }
  *out = x;
  return 0;
}

void tern_exact_close(tern_exact *x) {
  if (x == NULL) return;
  for (size_t i = 0; i < x->count; i++) tern_regex_close(x->ignored[i]);
  free(x->ignored);
  free(x);
}

/* Texts of one side; *width: code points of the longest, as numpy's array has it. */
static int delete_ignored(const tern_exact *x, const char *const *texts, size_t count, char **out, size_t *width,
                          tern_error *e) {
  *width = 1;
  for (size_t i = 0; i < count; i++) {
    out[i] = strdup(texts[i]);
    if (out[i] == NULL) return tern_fail(e, TERN_FAILED, "exact_match: out of memory");
    for (size_t j = 0; j < x->count; j++) {
      char *then = tern_regex_delete(x->ignored[j], out[i], e);
      if (then == NULL) return (int)e->status;
      free(out[i]);
      out[i] = then;
    }
    size_t length = tern_python_length(out[i]);
    if (length > *width) *width = length;
  }
  return 0;
}

static int fold(const tern_exact *x, char **text, size_t width, tern_error *e) {
  if (x->any_case) {
    char *low = tern_python_lower(*text, e);
    if (low == NULL) return (int)e->status;
    free(*text);
    *text = tern_python_cut(low, width);
  }
  if (x->no_punctuation) tern_python_delete(*text, tern_python_punctuation);
  if (x->no_numbers) tern_python_delete(*text, tern_python_digits);
  return 0;
}

int tern_exact_match(const tern_exact *x, const char *answer, const char *const *references, size_t count, bool *same,
                     tern_error *e) {
  size_t width;
  *same = false;
  char **texts = calloc(count + 1, sizeof *texts), **have = texts, **want = texts + 1;
  if (texts == NULL) return tern_fail(e, TERN_FAILED, "exact_match: out of memory");
  int status = delete_ignored(x, &answer, 1, have, &width, e);
  if (status == 0) status = fold(x, have, width, e);
  if (status == 0) status = delete_ignored(x, references, count, want, &width, e);
  for (size_t i = 0; i < count && status == 0 && !*same; i++) {
    status = fold(x, &want[i], width, e);
    *same = status == 0 && strcmp(*have, want[i]) == 0;
  }
  for (size_t i = 0; i <= count; i++) free(texts[i]);
  free(texts);
  return status;
}
