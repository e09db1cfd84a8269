/* Metrics by name: a table with a row each (metric_table.c), graders among them.
 * A metric sees all items of a task at once, so that those which run programs
 * can run several; what it says of an item depends on that item alone. Figures
 * go into the item's line of samples_TASK.jsonl, and every sum is taken over
 * those lines in the order of ids: shards merged give the figures of one run. */
#ifndef TERN_EVAL_SCORE_H
#define TERN_EVAL_SCORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

struct tern_task;
struct tern_document;
struct tern_reply;
struct tern_sandbox;

typedef struct tern_scored {
  const struct tern_document *document; /* its choices, gold, references */
  const json_t *row;                    /* of the data file */
  const struct tern_reply *replies;     /* one an ask */
  const char *filtered;                 /* what the filters left of the answer; NULL unless the task asks for text */
  json_t *figures;                      /* object: a metric sets each of its figures */
  json_t *facts;                        /* object: integers worth a sum over the task ("timed_out": 1) */
} tern_scored;

typedef struct tern_score_call {
  const struct tern_task *task;
  const char *data;             /* --data, or NULL: where a metric's own data are looked for (data_root.h) */
  const char *file;             /* the evaluated one: a grader may need its lines as they are */
  bool chat;                    /* asked in the model's chat template */
  const json_t *params;         /* the metric's other keys in the task file; NULL: none */
  struct tern_sandbox *sandbox; /* NULL unless a metric of the run has a grader */
  json_t *facts;                /* object: texts for the result, such as a grader's version */
} tern_score_call;

/* Of one figure's values, items in the order of ids. */
typedef struct tern_summed {
  double value, error; /* standard error; NAN: none ("N/A") */
} tern_summed;
typedef int (*tern_sum)(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);

typedef struct tern_figure {
  const char *name; /* lm-eval's: "acc", "inst_level_strict_acc"; unique in a task */
  bool higher_is_better;
  tern_sum sum;
} tern_figure;

typedef struct tern_metric {
  const char *name;   /* in task files */
  unsigned kinds;     /* bits 1u << tern_request_kind */
  const char *grader; /* needs a program in the sandbox: its name for people ("Python's sympy"); NULL: native */
  /* Whether the grader's own packages are there, asked before anything runs; NULL: it has none, or does without. */
  int (*ready)(struct tern_sandbox *s, tern_error *e);
  tern_figure figures[6]; /* up to the first without a name */
  /* Whether the task file's parameters can be; NULL: there are none. */
  int (*check)(const json_t *params, const char *where, tern_error *e);
  int (*score)(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e);
} tern_metric;

/* NULL: no such metric. */
const tern_metric *tern_metric_find(const char *name);
/* All rows, to list them; NULL at the end. */
const tern_metric *tern_metric_at(size_t i);
/* Parameters of a task file; where names file and key. */
int tern_metric_check(const tern_metric *m, const json_t *params, const char *where, tern_error *e);
/* The figure of that name among all metrics, NULL when there is none. */
const tern_figure *tern_figure_find(const char *name);

/* Sums that several metrics share. Values: numbers, or [logprob, units]. */
int tern_sum_mean(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);
int tern_sum_perplexity(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);
int tern_sum_bits(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);
int tern_sum_f1(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);
/* Values: lists of numbers, all of them counted alike, without standard error. */
int tern_sum_flat(const json_t *const *values, size_t count, tern_summed *out, tern_error *e);

/* A figure into the item; takes over value. */
int tern_scored_set(tern_scored *item, const char *name, json_t *value, tern_error *e);

#endif
