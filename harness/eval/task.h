/* A task file (datasets/tasks/NAME.json; format: datasets/tasks/README.md),
 * checked whole at opening: unknown keys, templates, filters and metrics that
 * can't be are errors that name file and key. Immutable afterwards. */
#ifndef TERN_EVAL_TASK_H
#define TERN_EVAL_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/eval/filter.h"
#include "harness/eval/shots.h"
#include "harness/eval/template.h"

typedef enum tern_request_kind { TERN_ASK_CHOICES, TERN_ASK_ROLLING, TERN_ASK_TEXT } tern_request_kind;
typedef enum tern_gold_is {
  TERN_GOLD_INDEX,
  TERN_GOLD_ONE_BASED,
  TERN_GOLD_LETTER,
  TERN_GOLD_TEXT,
  TERN_GOLD_LABEL
} tern_gold_is;

/* A list of texts that a row gives: written out as templates, or the entries
 * found at a path. */
typedef struct tern_task_list {
  bool given;                                                      /* false: the key is absent */
  char *path;                                                      /* NULL: texts */
  enum { TERN_LIST_ENTRIES, TERN_LIST_KEYS, TERN_LIST_VALUES } of; /* keys, values: of the object at path */
  tern_template *each; /* an entry's text by {item}; NULL: the entry itself */
  tern_template **texts;
  int count;
} tern_task_list;

/* How a row is worded: of evaluated rows, and of shots where they have another form. */
typedef struct tern_wording {
  char **field_names; /* computed in this order */
  tern_template **fields;
  int field_count;
  tern_template *prompt; /* NULL: inputs, and the row's is that of its gold */
  tern_task_list inputs; /* one prompt a choice, `target` the shared continuation (WinoGrande) */
  tern_task_list choices, labels;
  tern_template *gold; /* NULL: none */
  tern_gold_is gold_is;
  tern_template *target;
} tern_wording;

/* A file of a value a line, which becomes a field of the rows; file NULL: none. */
typedef struct tern_task_column {
  char *file, *field;
} tern_task_column;

typedef struct tern_task_shots {
  char *file; /* NULL: the evaluated rows, or rows, or manifest */
  tern_task_column column;
  json_t *rows;   /* written in the task file */
  char *manifest; /* others' texts: shots/NAME.jsonl under the data root */
  tern_shot_sampler sampler;
  int count;
  int64_t seed;
  bool leave_out; /* one more is drawn and rows equal to the question are passed over */
} tern_task_shots;

/* A text that others wrote and prompts begin with: field `name` of every row. */
typedef struct tern_task_text {
  char *name, *manifest; /* shots/MANIFEST.jsonl: one row {"text": ...} */
} tern_task_text;

typedef struct tern_task_metric {
  char *name;
  const struct tern_metric *metric; /* score.h */
  json_t *params;                   /* the object without "metric"; NULL: no other keys */
} tern_task_metric;
typedef struct tern_task_filter { /* a named pipeline: "strict-match"; "none" where the file has none */
  char *name;
  tern_filters *filters;
} tern_task_filter;

typedef struct tern_task {
  char *name, *path, *version; /* path: of the task file */
  char *title;                 /* shown; the name where the file has none */
  tern_request_kind kind;
  char *data;                         /* file, relative to the data root; "./" and "../": to the task file */
  tern_task_column column;            /* of data */
  char *split_by;                     /* field whose values make subtasks NAME_VALUE; NULL: none */
  json_t *groups;                     /* {"stem": [values of split_by]}; NULL: none */
  bool pages;                         /* the file is WikiText, cut into articles */
  tern_template *description;         /* NULL: none */
  tern_template *answer_begins;       /* text: how the answer begins, given with the question; NULL: nothing */
  char *other_data;                   /* a file in another form, read where data is not at hand; NULL: none */
  tern_wording other_wording;         /* of its rows; absent keys are the task's own */
  tern_wording wording, shot_wording; /* shot_wording's absent keys are the task's own */
  tern_task_list references;          /* of texts: any may match; absent: target */
  tern_task_list truth;               /* choices: "1" for each true one (mc2) */
  tern_task_list turns;               /* text: users' turns of a conversation; prompt absent */
  tern_template *original;            /* rolling: the text whose words and bytes are counted; NULL: the prompt */
  char *delimiter, *shot_delimiter;
  tern_task_shots shots;
  tern_task_text *texts;
  int text_count;
  char **stops;
  int stop_count, most_tokens;
  char *temperature_by;      /* field that `temperatures` is keyed by; NULL: greedy */
  json_t *temperatures;      /* {"writing": 0.7}; others 0 */
  tern_task_filter *filters; /* "none" in a list of one where the file has none */
  int filter_count;
  tern_task_metric *metrics;
  int metric_count;
  json_t *root; /* the file, for the results' "configs" */
} tern_task;

int tern_task_open(tern_task **out, const char *path, tern_error *e);
void tern_task_close(tern_task *t); /* NULL allowed */

/* An entry of a set: a task, and what the set says of it. */
typedef struct tern_task_entry {
  tern_task *task;
  int shots;       /* -1: the task's own */
  int chat;        /* 1 yes, 0 no, -1 the set does not say */
  size_t limit;    /* 0: all */
  char *metric;    /* the figure that the set reports, as "acc_norm,none"; NULL: all */
  char *published; /* name in the published table ("ARC-Challenge"); NULL: none */
  char *note;      /* what differs from the publication; NULL: nothing */
} tern_task_entry;
typedef struct tern_task_set {
  tern_task_entry *entries;
  size_t count;
} tern_task_set;

/* Names with commas between: a task, a set of FOLDER/sets.json, or a task file's
 * path. folders: searched in order, NULL-ended. Unknown: the nearest and the
 * list. A task twice is an error. */
int tern_task_set_open(tern_task_set *out, const char *const *folders, const char *names, tern_error *e);
void tern_task_set_close(tern_task_set *s);

#endif
