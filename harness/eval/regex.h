/* Regular expressions as Python's re applies them, through PCRE2: what findall
 * finds, what finditer walks over and what sub leaves. Patterns are Python's where
 * both agree; what PCRE2 reads otherwise (\Z, {,n}) is refused at opening. A
 * pattern is one thread's at a time, and one walk's. */
#ifndef TERN_EVAL_REGEX_H
#define TERN_EVAL_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_regex tern_regex;

/* where: names the task and field in errors. */
int tern_regex_open(tern_regex **out, const char *pattern, const char *where, tern_error *e);
void tern_regex_close(tern_regex *r); /* NULL allowed */

/* re.sub(pattern, "", text) (free()). */
char *tern_regex_delete(const tern_regex *r, const char *text, tern_error *e);

/* re.sub(pattern, replacement, text) (free()): \1 to \9 in it are groups, those
 * that matched nothing empty; any other character stands for itself. */
char *tern_regex_replace(const tern_regex *r, const char *text, const char *replacement, tern_error *e);

/* finditer: matches one after the other, as ranges of bytes. */
typedef struct tern_regex_walk {
  const tern_regex *r;
  const char *text;
  size_t size, at;
  bool longer;     /* the next match must not be empty at `at` */
  size_t from, to; /* the match at hand */
} tern_regex_walk;
tern_regex_walk tern_regex_start(const tern_regex *r, const char *text);
/* 1: found, 0: no more, negative: failed. */
int tern_regex_next(tern_regex_walk *w, tern_error *e);
/* The range of a group of the match at hand; false when it took no part. */
bool tern_regex_group(const tern_regex_walk *w, unsigned group, size_t *from, size_t *to);

/* One of findall's results: the match, its only group, or its first group that
 * is not empty (TERN_REGEX_EMPTY when all of several are). pick: 0 the first,
 * -1 the last. *found (free()) is NULL when there is none, with the reason. */
typedef enum tern_regex_found { TERN_REGEX_FOUND, TERN_REGEX_NONE, TERN_REGEX_EMPTY } tern_regex_found;
int tern_regex_find(const tern_regex *r, const char *text, int pick, char **found, tern_regex_found *why,
                    tern_error *e);

#endif
