/* One line of samples_TASK.jsonl. */
#ifndef TERN_EVAL_SAMPLE_LINE_H
#define TERN_EVAL_SAMPLE_LINE_H

#include "harness/eval/document.h"
#include "harness/eval/score.h"

/* The line's object; prompt: hash of the ids that were asked. */
json_t *tern_sample_line(const tern_task *t, const char *filter, const tern_scored *item, const char *prompt,
                         tern_error *e);

#endif
