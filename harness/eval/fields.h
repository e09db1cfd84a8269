/* From a task's files to the texts of a row: what is read, which rows shots come
 * from, and every text that the row stands for. Assembly into prompts with shots
 * is document.h's. */
#ifndef TERN_EVAL_FIELDS_H
#define TERN_EVAL_FIELDS_H

#include "harness/eval/task.h"

typedef struct tern_task_data {
  tern_rows *rows; /* evaluated ones, in file order */
  tern_rows *pool; /* of shots; may be rows */
  bool other;      /* rows are of data.otherwise */
  json_t *texts;   /* object: the task's texts from the manifest */
  char *path;      /* of the evaluated file, for its SHA-256 */
  char *pool_path; /* NULL: the pool is the evaluated file or the task file's own rows */
} tern_task_data;

/* data: --data or NULL (data_root.h). subtask: a value of split_by, or NULL for
 * all rows. shots: whether a pool is wanted; without, pool is NULL. */
int tern_task_data_open(tern_task_data *out, const tern_task *t, const char *data, const char *subtask, bool shots,
                        tern_error *e);
void tern_task_data_close(tern_task_data *d);

/* Values of split_by in the order they first appear; each and the list: free(). */
int tern_task_subtasks(const tern_task *t, const tern_rows *rows, char ***out, size_t *count, tern_error *e);

/* A list of texts. */
typedef struct tern_texts {
  char **list;
  int count;
} tern_texts;

/* What a row is asked with and answered by. */
typedef struct tern_row_texts {
  char *prompt;      /* of inputs: that of the gold choice */
  tern_texts inputs; /* count 0: none */
  tern_texts choices;
  int gold;     /* -1: none */
  char *answer; /* a shot's answer: target, else the gold choice; NULL: neither */
  char *target; /* NULL: none; of inputs the shared continuation */
  tern_texts references;
  bool *truth;      /* [choices.count], or NULL */
  tern_texts turns; /* count 0: none */
  char *original;   /* rolling */
  double temperature;
} tern_row_texts;

/* shot: worded as a shot, row of the pool; else an evaluated row. */
int tern_row_texts_make(tern_row_texts *out, const tern_task *t, const tern_task_data *d, size_t row, bool shot,
                        tern_error *e);
void tern_row_texts_close(tern_row_texts *r);

/* A text beside the wording's for a row, such as the task's description; "" for
 * template NULL (free()). */
int tern_row_text(const tern_task *t, const tern_template *text, const tern_task_data *d, size_t row, char **out,
                  tern_error *e);

#endif
