/* Matches one after the other: an empty match may follow where the last one
 * ended, and after an empty one only a longer match may begin at its place, as
 * in Python since 3.7. */
#include "harness/eval/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct tern_regex {
  pcre2_code *code;
  pcre2_match_data *match;
  char *where;
  uint32_t groups;
};

static int refuse_other_meanings(const char *pattern, const char *where, tern_error *e) {
  for (const char *at = pattern; *at != '\0'; at++) {
    if (*at == '\\' && at[1] != '\0') {
      if (at[1] == 'Z')
        return tern_fail(e, TERN_FAILED, "%s: \\Z means something else here than in Python; write \\z", where);
      at++;
    } else if (at[0] == '{' && at[1] == ',') {
      return tern_fail(e, TERN_FAILED, "%s: {,n} means something else here than in Python; write {0,n}", where);
    }
  }
  return 0;
}

int tern_regex_open(tern_regex **out, const char *pattern, const char *where, tern_error *e) {
  int code;
  PCRE2_SIZE at;
  *out = NULL;
  if (refuse_other_meanings(pattern, where, e) != 0) return (int)e->status;
  tern_regex *r = calloc(1, sizeof *r);
  if (r == NULL || (r->where = strdup(where)) == NULL) goto memory;
  r->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &code, &at, NULL);
  if (r->code == NULL) {
    char text[128];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    tern_regex_close(r);
    return tern_fail(e, TERN_FAILED, "%s: \"%s\" is no regular expression: %s at byte %zu", where, pattern, text, at);
  }
  r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
  pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &r->groups);
  if (r->match == NULL) goto memory;
  *out = r;
  return 0;
memory:
  tern_regex_close(r);
  return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
}

void tern_regex_close(tern_regex *r) {
  if (r == NULL) return;
  pcre2_match_data_free(r->match);
  pcre2_code_free(r->code);
  free(r->where);
  free(r);
}

/* A walk over the matches of a text. */
typedef struct walk {
  const tern_regex *r;
  const char *text;
  size_t size, at;
  bool longer; /* the next match must not be empty at `at` */
} walk;

/* The next match into r->match: 1 found, 0 none, negative an error (in e). */
static int next(walk *w, tern_error *e) {
  uint32_t options = (w->longer ? PCRE2_NOTEMPTY_ATSTART : 0) | (w->at > 0 ? PCRE2_NO_UTF_CHECK : 0);
  int code = pcre2_match(w->r->code, (PCRE2_SPTR)w->text, w->size, w->at, options, w->r->match, NULL);
  if (code == PCRE2_ERROR_NOMATCH) return 0;
  if (code < 0) {
    char text[128];
    pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
    tern_fail(e, TERN_FAILED, "%s: %s", w->r->where, text);
    return -1;
  }
  const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->r->match);
  w->longer = v[0] == v[1];
  w->at = v[1];
  return 1;
}

char *tern_regex_delete(const tern_regex *r, const char *text, tern_error *e) {
  walk w = {r, text, strlen(text), 0, false};
  const PCRE2_SIZE *v = pcre2_get_ovector_pointer(r->match);
  char *out = malloc(w.size + 1);
  size_t used = 0, kept = 0;
  int more;
  if (out == NULL) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", r->where);
    return NULL;
  }
  while ((more = next(&w, e)) > 0) {
    if (v[0] > kept) memcpy(out + used, text + kept, v[0] - kept), used += v[0] - kept;
    kept = v[1];
  }
  if (more < 0) {
    free(out);
    return NULL;
  }
  memcpy(out + used, text + kept, w.size - kept);
  out[used + w.size - kept] = '\0';
  return out;
}

/* What findall gives for the match at hand. */
static char *take(const walk *w, tern_regex_found *why, tern_error *e) {
  const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->r->match);
  uint32_t first = w->r->groups > 0, last = w->r->groups, g = first;
  while (g < last && (v[2 * g] == PCRE2_UNSET || v[2 * g] == v[2 * g + 1])) g++;
  size_t from = v[2 * g], to = v[2 * g + 1];
  if (from == PCRE2_UNSET || from > to) from = to = 0; /* a \K within a lookaround may put the start behind the end */
  *why = w->r->groups > 1 && from == to ? TERN_REGEX_EMPTY : TERN_REGEX_FOUND;
  if (*why == TERN_REGEX_EMPTY) return NULL;
  char *text = strndup(w->text + from, to - from);
  if (text == NULL) tern_fail(e, TERN_FAILED, "%s: out of memory", w->r->where);
  return text;
}

int tern_regex_find(const tern_regex *r, const char *text, int pick, char **found, tern_regex_found *why,
                    tern_error *e) {
  walk w = {r, text, strlen(text), 0, false};
  long count = 0, wanted = pick;
  int more;
  *found = NULL;
  *why = TERN_REGEX_NONE;
  if (pick < 0) { /* counted from the end: how many are there? */
    while ((more = next(&w, e)) > 0) count++;
    if (more < 0) return TERN_FAILED;
    wanted += count;
    w = (walk){r, text, w.size, 0, false};
  }
  if (wanted < 0) return 0;
  do more = next(&w, e);
  while (more > 0 && wanted-- > 0);
  if (more <= 0) return more < 0 ? TERN_FAILED : 0;
  *found = take(&w, why, e);
  return *found == NULL && *why == TERN_REGEX_FOUND ? TERN_FAILED : 0;
}
