/* What the rules share: an instruction's arguments, counting, stripping. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/ifeval_rules.h"
#include "harness/eval/python_text.h"
#include "harness/eval/regex.h"

int tern_ifeval_number(const tern_ifeval_call *c, const char *key, long *out, tern_error *e) {
  const json_t *value = json_object_get(c->args, key);
  /* some distributions of the dataset have 3.0 for 3 */
  double number = json_number_value(value);
  if (!json_is_number(value) || number < 1 || number > 1e6 || number != (double)(long)number)
    return tern_fail(e, TERN_FAILED, "%s: %s: a whole number above 0 was expected", c->id, key);
  *out = (long)number;
  return 0;
}

const char *tern_ifeval_text(const tern_ifeval_call *c, const char *key, tern_error *e) {
  const char *text = json_string_value(json_object_get(c->args, key));
  if (text != NULL && *text != '\0') return text;
  tern_fail(e, TERN_FAILED, "%s: %s: text was expected", c->id, key);
  return NULL;
}

int tern_ifeval_related(const tern_ifeval_call *c, const char *relation, const char *number, long actual,
                        tern_followed *out, tern_error *e) {
  long wanted = 0;
  const char *how = tern_ifeval_text(c, relation, e);
  if (how == NULL || tern_ifeval_number(c, number, &wanted, e) != 0) return (int)e->status;
  if (strcmp(how, "less than") != 0 && strcmp(how, "at least") != 0)
    return tern_fail(e, TERN_FAILED, "%s: %s: \"less than\" or \"at least\" was expected", c->id, relation);
  *out = (*how == 'l' ? actual < wanted : actual >= wanted) ? TERN_FOLLOWED : TERN_NOT_FOLLOWED;
  return 0;
}

long tern_ifeval_matches(const tern_ifeval_call *c, const char *text, tern_error *e, const char *pattern, ...) {
  tern_regex *r = NULL;
  char *made = NULL;
  long count = -1;
  va_list args;
  va_start(args, pattern);
  int size = vasprintf(&made, pattern, args);
  va_end(args);
  if (size < 0) {
    tern_fail(e, TERN_FAILED, "%s: out of memory", c->id);
    return -1;
  }
  if (tern_regex_open(&r, made, c->id, e) == 0) {
    tern_regex_walk w = tern_regex_start(r, text);
    int more;
    for (count = 0; (more = tern_regex_next(&w, e)) > 0; count++) continue;
    if (more < 0) count = -1;
  }
  tern_regex_close(r);
  free(made);
  return count;
}

bool tern_ifeval_blank(const char *text, size_t size) {
  for (const char *end = text + size; text < end;) {
    int32_t c;
    text += tern_python_character(text, &c);
    if (!tern_python_is_space(c)) return false;
  }
  return true;
}

char *tern_ifeval_stripped(const char *text, tern_error *e) {
  char *out = strdup(text);
  if (out == NULL) {
    tern_fail(e, TERN_FAILED, "ifeval: out of memory");
    return NULL;
  }
  return tern_python_strip(out);
}
