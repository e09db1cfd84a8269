/* lm-eval's exact_match: both sides lose what regexes_to_ignore match (in their
 * order), then case, ASCII punctuation and digits as asked, then must be equal.
 * Lower case is numpy's: what it lengthens is cut to the longest text of its side. */
#ifndef TERN_EVAL_EXACT_H
#define TERN_EVAL_EXACT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_exact tern_exact;

/* params: object with any of ignore_case, ignore_punctuation, ignore_numbers,
 * regexes_to_ignore; NULL: none. where: names the task and field in errors. */
int tern_exact_open(tern_exact **out, const json_t *params, const char *where, tern_error *e);
void tern_exact_close(tern_exact *x); /* NULL allowed */
/* Whether answer equals one of the references. */
int tern_exact_match(const tern_exact *x, const char *answer, const char *const *references, size_t count, bool *same,
                     tern_error *e);

#endif
