/* The nearest of many texts: cosine of tf-idf weights over words and numbers. */
#ifndef TERN_MINI_NEAREST_H
#define TERN_MINI_NEAREST_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct mini_index mini_index;

int mini_index_open(mini_index **out, tern_error *e);
/* The text's number is how many were added before it. It is `a`, then `b`. */
int mini_index_add(mini_index *x, const char *a, const char *b, tern_error *e);
/* After the last text: weights and lengths. */
int mini_index_finish(mini_index *x, tern_error *e);
/* The first text with the largest cosine to `a` and `b` together, or -1 when no
 * word is shared; *cosine is its cosine. */
long mini_index_find(mini_index *x, const char *a, const char *b, double *cosine);
void mini_index_close(mini_index *x);

#endif
