/* Changes as tables for people. */
#ifndef TERN_EVAL_CHANGES_TABLE_H
#define TERN_EVAL_CHANGES_TABLE_H

#include <stdio.h>

#include "harness/eval/changes.h"

enum { TERN_CHANGES_SHOWN = 50 /* items listed by name; the rest is counted */ };

/* A line a figure. word: what the last column says of row i, NULL: no such column. */
typedef struct tern_changes_table {
  const tern_changes *changes;
  const char *before, *now; /* heads of their columns */
  const char *(*word)(const void *arg, size_t i);
  const void *arg;
  bool markdown;
} tern_changes_table;
void tern_changes_table_write(const tern_changes_table *t, FILE *to);
/* The items that changed, and what differs in what ran; nothing where there are none. */
void tern_changes_items_write(const tern_changes *c, bool markdown, FILE *to);

/* Text for a Markdown cell: no bars, breaks, tags; at most `most` characters. */
void tern_markdown_cell(const char *text, size_t most, FILE *to);

#endif
