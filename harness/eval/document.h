/* Documents of a task: rows with their shots, as what a model is asked. Shots
 * are drawn for every row in order, also of rows that a shard or a resumed run
 * leaves out, so that prompts don't depend on either. */
#ifndef TERN_EVAL_DOCUMENT_H
#define TERN_EVAL_DOCUMENT_H

#include "engine/text/chat_template.h"
#include "harness/eval/ask.h"
#include "harness/eval/fields.h"

typedef struct tern_document {
  size_t id;            /* place in the task, from 0: lm-eval's doc_id; also the row of `data` */
  tern_row_texts texts; /* choices, gold, references, truth, turns, original */
  tern_ask *asks;       /* one a choice or a turn, or one; later turns' contexts are NULL: they need answers */
  int ask_count;
  char **contexts, **continuations; /* what asks point to; [ask_count], NULL where they share or have none */
} tern_document;

typedef struct tern_document_options {
  const char *data;               /* --data, or NULL (data_root.h) */
  const tern_task_data *whole;    /* all subtasks' rows, to be cut from; outlives the call; NULL: files are read */
  const char *subtask;            /* a value of split_by, or NULL */
  size_t limit;                   /* 0: all */
  int shots;                      /* -1: the task's */
  const int64_t *seed;            /* NULL: the task's */
  const tern_chat_template *chat; /* NULL: plain */
  bool shots_as_turns;
} tern_document_options;

typedef struct tern_documents {
  const tern_task *task; /* outlives them */
  tern_document_options options;
  char *name; /* the task's, "_" and the subtask's */
  tern_task_data data;
  tern_document *list;
  size_t count; /* of the data's rows the first */
  int shots;    /* to each */
} tern_documents;

int tern_documents_make(tern_documents *out, const tern_task *t, const tern_document_options *o, tern_error *e);
void tern_documents_close(tern_documents *d); /* NULL allowed */

/* A subtask's part of all rows, as reading the files for it would give. */
int tern_subtask_data(tern_task_data *out, const tern_task *t, const tern_task_data *whole, const char *subtask,
                      bool shots, tern_error *e);

/* The context of turn `turn` (>= 1), after answers to those before (free()). */
int tern_document_turn(const tern_documents *set, const tern_document *d, int turn, const tern_reply *replies,
                       char **context, tern_error *e);

#endif
