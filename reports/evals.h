/* Accuracy figures of `ternmark eval` (or lm-eval itself): gathered from their
 * results.json into a result folder's evals.csv, from which the report reads. */
#ifndef TERN_REPORTS_EVALS_H
#define TERN_REPORTS_EVALS_H

#include "reports/csv_read.h"

/* FROM/results.json and FROM/NAME/results.json, by name, into DIR/evals.csv: a
 * row a figure of a task or group that is no other group's part. Fails when
 * there is no result, or one is broken. dir NULL: only looks whether it would. */
int tern_evals_gather(const char *from, const char *dir, tern_error *e);
/* The folder's evals.csv; *out is NULL where it has none. */
int tern_evals_read(tern_table **out, const char *dir, tern_error *e);

/* One accuracy column of arXiv 2504.12285: which task and figure stand for it. */
typedef struct tern_eval_column {
  const char *published;  /* metric of the published table */
  const char *tasks[3];   /* the first that was run; NULL-ended */
  const char *figures[3]; /* the first that an eval has; NULL-ended */
  const char *why;        /* NULL, or why there can be none */
} tern_eval_column;
const tern_eval_column *tern_eval_columns(size_t *count);

/* The row of evals.csv that stands for a column and a model's name; -1: none. */
int tern_evals_find(const tern_table *t, const tern_eval_column *c, const char *model);
/* Whether a model that was evaluated is the published one of that name: by its
 * name, synthetic weights are never it. */
bool tern_eval_is_model(const char *name, const char *published);

#endif
