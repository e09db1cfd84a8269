/* What the parts of the summary share: settled samples in the order of the
 * rows, cut into cells, and how a row is written. */
#ifndef TERN_HARNESS_SUMMARY_PARTS_H
#define TERN_HARNESS_SUMMARY_PARTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "harness/sample.h"
#include "harness/stats.h"

/* Samples of one contender, model, workload, team and placement; neighbours. */
typedef struct tern_cell_rows {
  const tern_sample *rows;
  size_t count;
} tern_cell_rows;

typedef struct tern_summary {
  const json_t *manifest;
  const tern_sample *rows;
  size_t count;
  tern_cell_rows *cells;
  size_t cell_count;
  double *values; /* room for count numbers */
  FILE *out;
} tern_summary;

/* What a row of summary.csv is about. */
typedef struct tern_subject {
  const char *metric, *engine, *model, *workload, *unit;
  int64_t threads; /* -1: any */
  const char *how, *note, *placement;
} tern_subject;

void tern_summary_put(const tern_summary *s, const tern_subject *about, const tern_estimate *m);
/* The default placement is an empty cell, as in folders that know no other. */
const char *tern_summary_placement(const tern_sample *r);
/* A timed sample that is not the warm-up's. */
bool tern_summary_counts(const tern_sample *r);

/* Rows of one cell: speed, latencies, energy, counters and what follows from them. */
void tern_summary_cell(const tern_summary *s, const tern_cell_rows *cell);
/* Rows of two cells that differ in the contender alone. */
void tern_summary_pair(const tern_summary *s, const tern_cell_rows *ours, const tern_cell_rows *other);
/* Whether the ratio of two contenders is wanted, in this order. `reference`
 * may be "". */
bool tern_summary_pairs(const char *ours, const char *other, const char *reference);
/* Place of a contender among others: ternary ones first, outside programs last. */
int tern_contender_order(const char *a, const char *b);
/* Sizes of every engine and the machine's read bandwidth. */
void tern_summary_sizes(const tern_summary *s);
void tern_summary_bandwidth(const tern_summary *s);

#endif
