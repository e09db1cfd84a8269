/* Filters between a generated text and its metric, named and meant as in
 * lm-eval: regex (regex_pattern, group_select, fallback), remove_whitespace,
 * lowercase, take_first. One thread at a time. */
#ifndef TERN_EVAL_FILTER_H
#define TERN_EVAL_FILTER_H

#include <jansson.h>

#include "engine/base/error.h"

typedef struct tern_filters tern_filters;

/* list: of objects with "function" and its parameters, as in a task file;
 * where: names the task and field in errors. */
int tern_filters_open(tern_filters **out, const json_t *list, const char *where, tern_error *e);
void tern_filters_close(tern_filters *f); /* NULL allowed */
/* What is left of text (free()). */
char *tern_filters_apply(const tern_filters *f, const char *text, tern_error *e);

#endif
