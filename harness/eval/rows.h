/* A dataset file as rows of JSON objects, whatever its format: .jsonl (an
 * object a line, empty lines passed over), .json (a list of objects), .csv and
 * .tsv (a header, then text cells); each also with .gz behind. Errors name file
 * and line. Rows are immutable and stay in file order. */
#ifndef TERN_EVAL_ROWS_H
#define TERN_EVAL_ROWS_H

#include <jansson.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_rows tern_rows;

/* Reads the whole file; an empty list of rows is an error. */
int tern_rows_read(tern_rows **out, const char *path, tern_error *e);
void tern_rows_close(tern_rows *rows); /* NULL allowed */

size_t tern_rows_count(const tern_rows *rows);
/* The row's object. */
json_t *tern_rows_at(const tern_rows *rows, size_t i);
/* Line of the file that row i begins on, from 1; of .json the place in the list. */
size_t tern_rows_line(const tern_rows *rows, size_t i);
/* Fills e with "FILE: line L: " before the message; returns TERN_FAILED. */
int tern_rows_fail(const tern_rows *rows, size_t i, tern_error *e, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A value by its path: keys and list indices (from 0, negative from the end)
 * between dots, as in "choices.text.0". Missing: NULL, with what is there
 * instead in e. */
json_t *tern_rows_field(const tern_rows *rows, size_t i, const char *path, tern_error *e);
/* The same, which must be text (NULL else), an integer (a number, or text of one). */
const char *tern_rows_text(const tern_rows *rows, size_t i, const char *path, tern_error *e);
int tern_rows_integer(const tern_rows *rows, size_t i, const char *path, json_int_t *out, tern_error *e);

#endif
