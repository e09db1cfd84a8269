/* How often each answer occurs in the training text of a task. */
#ifndef TERN_MINI_ANSWERS_H
#define TERN_MINI_ANSWERS_H

#include <stddef.h>

#include "engine/base/error.h"

typedef struct mini_answers {
  struct mini_answer {
    const char *text; /* not owned */
    size_t times;
  } * list; /* sorted by text */
  size_t count;
  const char *most; /* the most frequent, "" when there is none */
} mini_answers;

/* `texts` is sorted in place. */
int mini_answers_count(mini_answers *a, const char **texts, size_t count, tern_error *e);
size_t mini_answers_times(const mini_answers *a, const char *text);
void mini_answers_close(mini_answers *a);

#endif
