/* What a template's pieces share. */
#ifndef TERN_EVAL_TEMPLATE_PARTS_H
#define TERN_EVAL_TEMPLATE_PARTS_H

#include <stdbool.h>

#include "harness/eval/regex.h"
#include "harness/eval/template.h"

enum { TERN_STEP_ARGUMENTS = 2 };

/* One function of a field with its arguments. */
typedef struct tern_template_step {
  const struct tern_template_function *function;
  char *arguments[TERN_STEP_ARGUMENTS];
  tern_regex *regex;
  const char *where;
} tern_template_step;

typedef struct tern_template_function {
  const char *name;
  int arguments;
  bool regular; /* its argument is a regular expression */
  char *(*text)(const tern_template_step *s, const char *text, tern_error *e);   /* of text, or */
  char *(*list)(const tern_template_step *s, const json_t *list, tern_error *e); /* of a list */
} tern_template_function;

const tern_template_function *tern_template_function_find(const char *name);
/* "strip, lower, ..." for a message. */
void tern_template_functions_list(char *out, size_t size);

#endif
