/* Records read back from JSON lines, grouped by nothing: callers filter by task. */
#ifndef TERN_MINI_CORPUS_H
#define TERN_MINI_CORPUS_H

#include "engine/base/error.h"
#include "engine/train/mini/record.h"

typedef struct mini_item {
  char *prompt, *completion, *task, *kind, *tuple, *composition; /* "" where absent */
  int choices, answer;
  char *choice[MINI_CHOICES];
  const char *final; /* in completion: after "#### ", else after leading blanks */
} mini_item;

typedef struct mini_corpus {
  mini_item *item;
  size_t count, room;
} mini_corpus;

/* Errors name file and line. */
int mini_corpus_open(mini_corpus *c, const char *path, tern_error *e);
void mini_corpus_close(mini_corpus *c);

#endif
