/* The text of an answer as it comes, made fit for metrics: valid UTF-8 (U+FFFD
 * for what is none, as Python decodes with "replace"), without NUL characters. */
#ifndef TERN_EVAL_ANSWER_TEXT_H
#define TERN_EVAL_ANSWER_TEXT_H

#include "engine/text/tokenizer.h"

typedef struct tern_answer_text {
  char *text; /* NUL-terminated once finished */
  size_t size, room;
  int replaced; /* NULs that became U+FFFD */
  bool full;    /* no memory: told by the next put or finish */
  tern_utf8_stream stream;
} tern_answer_text;

/* A tern_put_text; arg: a tern_answer_text that began as zeros. */
int tern_answer_text_put(void *arg, const char *text, size_t size, tern_error *e);
/* The whole text (free()), NULL on failure; the struct is zeros again. */
char *tern_answer_text_finish(tern_answer_text *a, int *replaced, tern_error *e);
/* For one that is given up. */
void tern_answer_text_drop(tern_answer_text *a);

#endif
