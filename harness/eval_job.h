/* An eval as a command has it: tasks, a model or a journal, a folder; asked,
 * scored and written task by task. */
#ifndef TERN_HARNESS_EVAL_JOB_H
#define TERN_HARNESS_EVAL_JOB_H

#include "harness/eval/document.h"
#include "harness/eval/journal.h"
#include "harness/eval/run.h"
#include "harness/opened.h"

enum { TERN_EVAL_PATH = 4096 };

typedef struct tern_eval_options {
  tern_open_options open; /* open.model "": none, with `from` */
  const char *names, *data, *out, *from, *gate, *baseline, *template_name;
  size_t limit;
  int shots;    /* -1: the task's */
  int chat;     /* 1, 0; -1: as a set says, else no */
  int64_t seed; /* of few-shot choice, where given */
  bool seed_given, shots_as_turns, skip_missing, json;
  int bos;         /* of tern_eval_bos_names */
  int window;      /* tern_window_rule, of tern_eval_window_names */
  int most_tokens; /* of generated texts; 0: the task's */
  int shard, shards;
  double margin; /* of the gate */
  int sequences, batch, positions;
} tern_eval_options;
extern const char *const tern_eval_bos_names[];    /* "current", "v0.4.8" */
extern const char *const tern_eval_window_names[]; /* "hf", "completions" */

/* A task, or a subtask of it: what has a row of figures of its own. */
typedef struct tern_eval_unit {
  const tern_task_entry *entry;
  char *subtask;               /* NULL: the whole task */
  const tern_task_data *whole; /* then NULL */
} tern_eval_unit;

/* What a run consists of, known before a model is loaded. */
typedef struct tern_eval_plan {
  tern_task_set set;
  tern_task_data *whole; /* [set.count] of tasks with subtasks: read once */
  tern_eval_unit *units;
  size_t count;
  json_t *tasks, *data; /* {name: SHA-256 of the task file}, {file: SHA-256 of its content} */
  json_t *left_out;     /* {name: why}, with skip_missing: no data, no sandbox */
  bool graders;         /* some metric runs programs */
} tern_eval_plan;
int tern_eval_plan_open(tern_eval_plan *p, const tern_eval_options *o, tern_error *e);
void tern_eval_plan_close(tern_eval_plan *p);
/* What tern_documents_make gets for a unit; chat: the model's template, or NULL. */
tern_document_options tern_eval_unit_options(const tern_eval_options *o, const tern_eval_unit *u,
                                             const tern_chat_template *chat);
/* Whether the unit's documents are put in a chat template. */
bool tern_eval_unit_chat(const tern_eval_options *o, const tern_eval_unit *u);

/* The journal's first line: everything that a figure depends on. */
json_t *tern_eval_head(const tern_eval_options *o, const tern_eval_plan *p, const tern_opened *opened,
                       const tern_chat_template *chat, int context, tern_error *e);
/* Options that decide prompts and items, as a journal's head has them; texts stay the head's. */
int tern_eval_head_read(const json_t *head, tern_eval_options *o, const tern_chat_template **chat, tern_error *e);

/* Runs it. dir [TERN_EVAL_PATH]: the folder; *results: lm-eval's form (json_decref). Where it fails half-way, what
 * was answered stays in the folder's journal, and *e says how to go on. */
int tern_eval_job_run(tern_eval_options *o, char *dir, json_t **results, tern_error *e);

/* Whether no text gets a BOS: 0.4.8 for all but Gemma; a chat template brings its own. */
bool tern_eval_bos_never(const tern_eval_options *o, const tern_opened *opened, bool chat);

/* A line a figure, as lm-eval prints its table. */
void tern_eval_print(const json_t *results, FILE *to);

#endif
