/* Inside of code_*.c. */
#ifndef TERN_EVAL_CODE_PARTS_H
#define TERN_EVAL_CODE_PARTS_H

#include <jansson.h>

#include "harness/eval/code.h"

struct tern_code {
  tern_sandbox *sandbox;
  tern_code_rules rules;
  char *path, *text; /* the file's; lines end by NUL */
  char **lines;      /* [count] */
  char **expected;   /* [count]; NULL: not prepared */
  size_t count;
  char python[32]; /* version */
};

/* Starts the driver with an order (taken over) and further lines, NULL-ended. */
int tern_code_ask(tern_sandbox *s, json_t *order, const char *const *lines, const tern_sandbox_limits *limits,
                  int *ticket, tern_error *e);

/* The cache's file for a problem; "" where there is no home for a cache. */
int tern_code_cache_path(const tern_code *c, size_t row, char *path, size_t size, tern_error *e);
/* What is there (free()), NULL: nothing. */
char *tern_code_cache_read(const char *path);
/* Best effort: without it the next run computes again. */
void tern_code_cache_write(const char *path, const char *text);

#endif
