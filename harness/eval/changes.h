/* Two runs over the same items, item by item: what changed at all (a bit of a
 * log-likelihood, a letter of a text), what changed in a figure, and what that
 * says of the difference. Differences are now minus before, turned so that more
 * is better. */
#ifndef TERN_EVAL_CHANGES_H
#define TERN_EVAL_CHANGES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"
#include "harness/eval/paired.h"

typedef enum tern_change_kind {
  TERN_CHANGE_RIGHT,  /* right or wrong: accuracies, Tango's interval, McNemar */
  TERN_CHANGE_MEAN,   /* a number an item */
  TERN_CHANGE_LOGPROB /* nats a unit (word, byte) of rolling log-likelihoods */
} tern_change_kind;

/* One figure of one task. */
typedef struct tern_change {
  char *task, *figure; /* "acc,none" */
  tern_change_kind kind;
  size_t items;       /* of LOGPROB and RIGHT: values, which may be several an item */
  size_t won, lost;   /* RIGHT: only now, only before */
  size_t changed;     /* values that differ */
  double before, now; /* the figure */
  tern_interval difference;
  double p, adjusted; /* two-sided; Holm over all rows */
} tern_change;

/* One item that differs. */
typedef struct tern_changed_item {
  const char *task, *target;
  json_int_t id;
  double most;          /* greatest difference of a log-likelihood; NAN: texts */
  const char *was, *is; /* texts, NULL else */
  json_t *figures;      /* {"acc,none": [before, now]} of those that differ */
} tern_changed_item;

typedef struct tern_changes {
  tern_change *rows;
  size_t count;
  tern_changed_item *items; /* in the order of tasks, then ids */
  size_t item_count, compared;
  json_t *runs_differ; /* {"kv": ["f16", "i8"]}: what differs in what ran */
} tern_changes;

/* Both must have asked the same items; before, now: runs of items.h, which
 * outlive the changes. */
int tern_changes_find(tern_changes *out, const json_t *before, const json_t *now, tern_error *e);
void tern_changes_close(tern_changes *c);

#endif
