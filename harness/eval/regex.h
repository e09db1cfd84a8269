/* Regular expressions as Python's re applies them, through PCRE2: what findall
 * finds and what sub(pattern, "") leaves. Patterns are Python's where both
 * agree; what PCRE2 reads otherwise (\Z, {,n}) is refused at opening. */
#ifndef TERN_EVAL_REGEX_H
#define TERN_EVAL_REGEX_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_regex tern_regex;

/* where: names the task and field in errors. */
int tern_regex_open(tern_regex **out, const char *pattern, const char *where, tern_error *e);
void tern_regex_close(tern_regex *r); /* NULL allowed */

/* re.sub(pattern, "", text) (free()). */
char *tern_regex_delete(const tern_regex *r, const char *text, tern_error *e);

/* One of findall's results: the match, its only group, or its first group that
 * is not empty (TERN_REGEX_EMPTY when all of several are). pick: 0 the first,
 * -1 the last. *found (free()) is NULL when there is none, with the reason. */
typedef enum tern_regex_found { TERN_REGEX_FOUND, TERN_REGEX_NONE, TERN_REGEX_EMPTY } tern_regex_found;
int tern_regex_find(const tern_regex *r, const char *text, int pick, char **found, tern_regex_found *why,
                    tern_error *e);

#endif
