/* Tables of datasets/mini/world: fields between tabs, '#' begins a comment line. */
#ifndef TERN_MINI_TABLE_H
#define TERN_MINI_TABLE_H

#include "engine/base/error.h"
#include "engine/train/mini/draw.h"

enum { MINI_FIELDS = 8, MINI_NAMES = 64 };

typedef struct mini_row {
  int line, fields;
  char *field[MINI_FIELDS];
} mini_row;

typedef struct mini_table {
  char path[512];
  char *text; /* what the fields point into */
  mini_row *row;
  int rows;
} mini_table;

/* Every row has `least` to `most` fields, none of them empty; at least one row. */
int mini_table_open(mini_table *t, const char *folder, const char *name, int least, int most, tern_error *e);
void mini_table_close(mini_table *t);

/* A table of part, split ("train" or "test"), text. Fails when a split has
 * another name or one of `parts` (ends with NULL) lacks a split. */
int mini_phrases_check(const mini_table *t, const char *const *parts, tern_error *e);
const char *mini_phrase(const mini_table *t, const char *part, bool test, mini_draw *d);

#endif
