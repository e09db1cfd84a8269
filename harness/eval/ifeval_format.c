/* IFEval's rules about marks in the text: lists, sections, titles, JSON. */
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

#define SPACE "[" TERN_IFEVAL_SPACE "]"

/* count == or >= the number in kwargs; count -1: failed. */
static int compare(const tern_ifeval_call *c, const char *key, long count, bool exactly, tern_followed *out,
                   tern_error *e) {
  long wanted = 0;
  if (count < 0 || tern_ifeval_number(c, key, &wanted, e) != 0) return (int)e->status;
  *out = (exactly ? count == wanted : count >= wanted) ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  return 0;
}

int tern_ifeval_placeholders(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  return compare(c, "num_placeholders", tern_ifeval_matches(c, text, e, "\\[.*?\\]"), false, out, e);
}

int tern_ifeval_postscript(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "postscript_marker", e);
  char *marker = given == NULL ? NULL : tern_ifeval_stripped(given, e), *low = NULL, *text_low = NULL;
  long count = -1;
  if (marker == NULL || (low = tern_python_lower(marker, e)) == NULL || (text_low = tern_python_lower(text, e)) == NULL)
    goto out;
  if (strcmp(marker, "P.P.S") == 0)
    count = tern_ifeval_matches(c, text_low, e, "(?m)p\\." SPACE "?p\\." SPACE "?s.*$");
  else if (strcmp(marker, "P.S.") == 0)
    count = tern_ifeval_matches(c, text_low, e, "(?m)p\\." SPACE "?s\\..*$");
  else
    count = tern_ifeval_matches(c, text_low, e, "(?m)" SPACE "*%s.*$", low);
  *out = count > 0 ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
out:
  free(marker);
  free(low);
  free(text_low);
  return count < 0 ? (int)e->status : 0;
}

int tern_ifeval_bullets(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long stars = tern_ifeval_matches(c, text, e, "(?m)^" SPACE "*\\*[^*].*$");
  long dashes = stars < 0 ? -1 : tern_ifeval_matches(c, text, e, "(?m)^" SPACE "*-.*$");
  return compare(c, "num_bullets", dashes < 0 ? -1 : stars + dashes, true, out, e);
}

int tern_ifeval_constrained(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  static const char *const options[] = {"My answer is yes.", "My answer is no.", "My answer is maybe."};
  (void)c;
  (void)e;
  *out = TERN_NOT_FOLLOWED;
  for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
    if (strstr(text, options[i]) != NULL) *out = TERN_FOLLOWED;
  }
  return 0;
}

/* Matches of a pattern with one group, of those whose group is not blank; -1: failed. */
static long not_blank(const tern_ifeval_call *c, const char *pattern, const char *text, tern_error *e) {
  tern_regex *r = NULL;
  long count = 0;
  size_t from, to;
  int more = 0;
  if (tern_regex_open(&r, pattern, c->id, e) != 0) return -1;
  tern_regex_walk w = tern_regex_start(r, text);
  while ((more = tern_regex_next(&w, e)) > 0) {
    count += tern_regex_group(&w, 1, &from, &to) && !tern_ifeval_blank(text + from, to - from);
  }
  tern_regex_close(r);
  return more < 0 ? -1 : count;
}

int tern_ifeval_highlights(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  long single = not_blank(c, "\\*([^\\n*]*)\\*", text, e);
  long twice = single < 0 ? -1 : not_blank(c, "\\*\\*([^\\n*]*)\\*\\*", text, e);
  return compare(c, "num_highlights", twice < 0 ? -1 : single + twice, false, out, e);
}

int tern_ifeval_sections(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  const char *given = tern_ifeval_text(c, "section_spliter", e);
  char *mark = given == NULL ? NULL : tern_ifeval_stripped(given, e);
  if (mark == NULL) return (int)e->status;
  long count = tern_ifeval_matches(c, text, e, SPACE "?%s" SPACE "?\\d+" SPACE "?", mark);
  free(mark);
  return compare(c, "num_sections", count, false, out, e);
}

/* A title: between << and the last >> of its line, angles around it left out. */
int tern_ifeval_title(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  tern_regex *r = NULL;
  int more;
  if (tern_regex_open(&r, "<<[^\\n]+>>", c->id, e) != 0) return (int)e->status;
  tern_regex_walk w = tern_regex_start(r, text);
  *out = TERN_NOT_FOLLOWED;
  while ((more = tern_regex_next(&w, e)) > 0) {
    size_t from = w.from, to = w.to;
    while (from < to && text[from] == '<') from++;
    while (from < to && text[to - 1] == '>') to--;
    if (!tern_ifeval_blank(text + from, to - from)) *out = TERN_FOLLOWED;
  }
  tern_regex_close(r);
  return more < 0 ? (int)e->status : 0;
}

int tern_ifeval_json(const tern_ifeval_call *c, const char *text, tern_followed *out, tern_error *e) {
  static const char *const fences[] = {"```json", "```Json", "```JSON", "```"};
  (void)c;
  char *whole = tern_ifeval_stripped(text, e), *at = whole;
  if (whole == NULL) return (int)e->status;
  for (size_t i = 0; i < sizeof fences / sizeof *fences; i++) {
    size_t size = strlen(fences[i]);
    if (strncmp(at, fences[i], size) == 0) at += size;
  }
  size_t size = strlen(at);
  if (size >= 3 && strcmp(at + size - 3, "```") == 0) at[size - 3] = '\0';
  *out = tern_ifeval_is_json(tern_python_strip(at)) ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  free(whole);
  return 0;
}
