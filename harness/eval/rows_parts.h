/* What the readers of rows share. */
#ifndef TERN_EVAL_ROWS_PARTS_H
#define TERN_EVAL_ROWS_PARTS_H

#include <stdbool.h>

#include "harness/eval/rows.h"

struct tern_rows {
  char *path;
  json_t *list;  /* of objects */
  size_t *lines; /* of each */
  size_t room;
};

/* Takes over `row` (also on failure). */
int tern_rows_add(tern_rows *rows, json_t *row, size_t line, tern_error *e);

/* json_loadb that takes integers of any width: wider ones as floats. */
json_t *tern_rows_json(const char *text, size_t size, json_error_t *wrong);

/* Readers of a whole file's text: valid UTF-8 without byte order mark. */
int tern_rows_read_csv(tern_rows *rows, const char *text, size_t size, char delimiter, tern_error *e);

/* What lies in `at` under that key or place in the list; NULL: nothing. */
json_t *tern_rows_step(json_t *at, const char *name, size_t size);

/* The file's bytes, decompressed (free()), at most `limit`. */
char *tern_rows_bytes(const char *path, size_t limit, size_t *size, tern_error *e);

#endif
