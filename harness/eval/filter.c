/* The table of filters; each takes a text and gives a new one. */
#include "harness/eval/filter.h"

#include <stdlib.h>
#include <string.h>

#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

typedef struct filter {
  char *(*apply)(const struct filter *f, const char *text, tern_error *e);
  tern_regex *regex;
  char *fallback;
  int pick;
} filter;

struct tern_filters {
  filter *list;
  size_t count;
};

static char *copy(const char *text, tern_error *e) {
  char *out = strdup(text);
  if (out == NULL) tern_fail(e, TERN_FAILED, "filter: out of memory");
  return out;
}

static char *keep(const filter *f, const char *text, tern_error *e) {
  (void)f;
  return copy(text, e);
}

static char *strip(const filter *f, const char *text, tern_error *e) {
  char *out = keep(f, text, e);
  return out ? tern_python_strip(out) : NULL;
}

static char *lower(const filter *f, const char *text, tern_error *e) {
  (void)f;
  return tern_python_lower(text, e);
}

/* The fallback stands for no match, and, stripped as a match is, for a match of
 * several groups that are all empty. */
static char *extract(const filter *f, const char *text, tern_error *e) {
  tern_regex_found why;
  char *found;
  if (tern_regex_find(f->regex, text, f->pick, &found, &why, e) != 0) return NULL;
  if (found == NULL && (found = copy(f->fallback, e)) == NULL) return NULL;
  return why == TERN_REGEX_NONE ? found : tern_python_strip(found);
}

static int open_plain(filter *f, const json_t *params, const char *where, tern_error *e) {
  (void)f;
  if (json_object_size(params) == 1) return 0;
  return tern_fail(e, TERN_FAILED, "%s: %s takes no parameters", where,
                   json_string_value(json_object_get(params, "function")));
}

static int open_regex(filter *f, const json_t *params, const char *where, tern_error *e) {
  const char *pattern = "#### (\\-?[0-9\\.\\,]+)", *fallback = "[invalid]", *name;
  json_error_t wrong;
  if (json_unpack_ex((json_t *)params, &wrong, JSON_STRICT, "{s:s, s?s, s?i, s?s}", "function", &name, "regex_pattern",
                     &pattern, "group_select", &f->pick, "fallback", &fallback) != 0)
    return tern_fail(e, TERN_FAILED, "%s: regex: %s", where, wrong.text);
  if ((f->fallback = strdup(fallback)) == NULL) return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  return tern_regex_open(&f->regex, pattern, where, e);
}

static const struct {
  const char *name;
  int (*open)(filter *, const json_t *, const char *, tern_error *);
  char *(*apply)(const filter *, const char *, tern_error *);
} kinds[] = {
    {"regex", open_regex, extract},
    {"remove_whitespace", open_plain, strip},
    {"lowercase", open_plain, lower},
    {"take_first", open_plain, keep}, /* of one answer a question */
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static int open_one(filter *f, const json_t *params, const char *where, tern_error *e) {
  const char *name = json_string_value(json_object_get(params, "function"));
  for (int k = 0; name != NULL && k < KINDS; k++) {
    if (strcmp(name, kinds[k].name) != 0) continue;
    f->apply = kinds[k].apply;
    return kinds[k].open(f, params, where, e);
  }
  return tern_fail(e, TERN_FAILED,
                   "%s: unknown filter \"%s\"; there are regex, remove_whitespace, lowercase, take_first", where,
                   name ? name : "");
}

int tern_filters_open(tern_filters **out, const json_t *list, const char *where, tern_error *e) {
  *out = NULL;
  if (!json_is_array(list)) return tern_fail(e, TERN_FAILED, "%s: a list of filters was expected", where);
  size_t count = json_array_size(list);
  tern_filters *f = calloc(1, sizeof *f);
  if (f == NULL || (f->list = calloc(count + 1, sizeof *f->list)) == NULL) {
    tern_filters_close(f);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
  }
  for (f->count = 0; f->count < count;) {
    size_t i = f->count++; /* counted first, so that a failed one is closed too */
    if (open_one(&f->list[i], json_array_get(list, i), where, e) != 0) {
      tern_filters_close(f);
      return (int)e->status;
    }
  }
  *out = f;
  return 0;
}

void tern_filters_close(tern_filters *f) {
  if (f == NULL) return;
  for (size_t i = 0; i < f->count; i++) {
    tern_regex_close(f->list[i].regex);
    free(f->list[i].fallback);
  }
  free(f->list);
  free(f);
}

char *tern_filters_apply(const tern_filters *f, const char *text, tern_error *e) {
  char *now = copy(text, e);
  for (size_t i = 0; i < f->count && now != NULL; i++) {
    char *then = f->list[i].apply(&f->list[i], now, e);
    free(now);
    now = then;
  }
  return now;
}
