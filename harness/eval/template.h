/* Prompt templates: text with {field} for a row's value. {a.b.0} walks objects
 * and lists; {{ and }} are braces. After | come functions, left to right:
 *   strip, lower, capitalize          as Python's str methods
 *   replace:OLD:NEW                   every occurrence
 *   delete:REGEX                      re.sub(REGEX, "")
 *   before:TEXT, after:TEXT           the part before, after TEXT's first occurrence
 *   spaced                            "_" becomes a blank
 *   letters                           a list of texts as lines "A. text"
 *   join:TEXT                         a list's texts with TEXT between
 *   wikitext                          lm-eval's detokenised WikiText (pages.h)
 * In arguments \n \t \\ \: \| \} stand for line-end, tab and the sign itself;
 * any other backslash stays, so that \s or \[ reach a regular expression. */
#ifndef TERN_EVAL_TEMPLATE_H
#define TERN_EVAL_TEMPLATE_H

#include "harness/eval/rows.h"

typedef struct tern_template tern_template;

/* where: names task file and key in errors. */
int tern_template_open(tern_template **out, const char *text, const char *where, tern_error *e);
void tern_template_close(tern_template *t); /* NULL allowed */
/* The text for one row (free()); more: object of further fields, looked up
 * before the row's own, or NULL. Without NUL characters. */
int tern_template_fill(const tern_template *t, const tern_rows *rows, size_t row, const json_t *more, char **out,
                       tern_error *e);
/* A value by its path, of `more` first (borrowed); NULL: missing, said in e. */
json_t *tern_template_value(const tern_rows *rows, size_t row, const json_t *more, const char *path, tern_error *e);
/* The text that a value stands for in a prompt (free()): texts as they are,
 * numbers and true, false, null as Python prints them. NULL for others. */
char *tern_template_text(const json_t *value, const char *where, tern_error *e);

#endif
