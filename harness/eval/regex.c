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

tern_regex_walk tern_regex_start(const tern_regex *r, const char *text) {
  return (tern_regex_walk){.r = r, .text = text, .size = strlen(text)};
}

int tern_regex_next(tern_regex_walk *w, tern_error *e) {
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
  w->from = v[0];
  w->at = w->to = v[1];
  return 1;
}

bool tern_regex_group(const tern_regex_walk *w, unsigned group, size_t *from, size_t *to) {
  const PCRE2_SIZE *v = pcre2_get_ovector_pointer(w->r->match);
  if (group > w->r->groups || v[2 * group] == PCRE2_UNSET || v[2 * group] > v[2 * group + 1]) return false;
  *from = v[2 * group];
  *to = v[2 * group + 1];
  return true;
}

/* The text that replaces a match; returns its size, written when `to` is there. */
static size_t put(const tern_regex_walk *w, const char *replacement, char *to) {
  size_t used = 0, from, end;
  for (const char *at = replacement; *at != '\0'; at++) {
    bool group = *at == '\\' && at[1] >= '1' && at[1] <= '9';
    if (!group) {
      if (to != NULL) to[used] = *at;
      used++;
    } else if (tern_regex_group(w, (unsigned)(*++at - '0'), &from, &end)) {
      if (to != NULL) memcpy(to + used, w->text + from, end - from);
      used += end - from;
    }
  }
  return used;
}

/* Size of the result, or its bytes when `to` is there; false: failed. */
static bool replace(const tern_regex *r, const char *text, const char *replacement, char *to, size_t *size,
                    tern_error *e) {
  tern_regex_walk w = tern_regex_start(r, text);
  size_t used = 0, kept = 0;
  int more;
  while ((more = tern_regex_next(&w, e)) > 0) {
    size_t before = w.from > kept ? w.from - kept : 0;
    if (to != NULL) memcpy(to + used, text + kept, before);
    used += before;
    used += put(&w, replacement, to == NULL ? NULL : to + used);
    kept = w.to;
  }
  if (to != NULL) memcpy(to + used, text + kept, w.size - kept);
  *size = used + w.size - kept;
  return more == 0;
}

char *tern_regex_replace(const tern_regex *r, const char *text, const char *replacement, tern_error *e) {
  size_t size;
  if (!replace(r, text, replacement, NULL, &size, e)) return NULL;
  char *out = malloc(size + 1);
  if (out == NULL) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", r->where);
    return NULL;
  }
  if (!replace(r, text, replacement, out, &size, e)) {
    free(out);
    return NULL;
  }
  out[size] = '\0';
  return out;
}

char *tern_regex_delete(const tern_regex *r, const char *text, tern_error *e) {
  return tern_regex_replace(r, text, "", e);
}

/* What findall gives for the match at hand. */
static char *take(const tern_regex_walk *w, tern_regex_found *why, tern_error *e) {
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
  tern_regex_walk w = tern_regex_start(r, text);
  long count = 0, wanted = pick;
  int more;
  *found = NULL;
  *why = TERN_REGEX_NONE;
  if (pick < 0) { /* counted from the end: how many are there? */
    while ((more = tern_regex_next(&w, e)) > 0) count++;
    if (more < 0) return TERN_FAILED;
    wanted += count;
    w = tern_regex_start(r, text);
  }
  if (wanted < 0) return 0;
  do more = tern_regex_next(&w, e);
  while (more > 0 && wanted-- > 0);
  if (more <= 0) return more < 0 ? TERN_FAILED : 0;
  *found = take(&w, why, e);
  return *found == NULL && *why == TERN_REGEX_FOUND ? TERN_FAILED : 0;
}
