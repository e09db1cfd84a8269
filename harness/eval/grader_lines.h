/* Questions to a driver of datasets/graders in the sandbox: JSON lines in, JSON
 * lines out, several programs at a time. A program that a limit ends has answered
 * the questions before; the one it ended at is known, those behind it are asked
 * again in a new one. */
#ifndef TERN_EVAL_GRADER_LINES_H
#define TERN_EVAL_GRADER_LINES_H

#include <jansson.h>
#include <stddef.h>

#include "harness/eval/sandbox_python.h"

typedef struct tern_grader {
  const char *name; /* datasets/graders/NAME.py */
  double item_s;    /* at most, a question; of one beyond it nothing is known */
  size_t batch;     /* questions a program */
} tern_grader;

/* asks: objects, which get their number as "n"; there may be none. answers: one each (json_decref()):
 * the object that came back, or {"ended": "wall-clock limit"}. about: what the
 * driver says of itself (json_decref()), {"about", "error"}; on "error" there are no
 * answers and it is the caller's to judge. */
int tern_grader_ask(tern_sandbox *s, const tern_grader *g, const json_t *asks, json_t **answers, json_t **about,
                    tern_error *e);

#endif
