/* Tables from CSV text: a header row and rows of as many cells. Quoting is
 * checked strictly; blank lines are passed over. Cells are text; an empty cell
 * means "not available". Read-only after parsing, safe for any thread. */
#ifndef TERN_REPORTS_CSV_READ_H
#define TERN_REPORTS_CSV_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/error.h"

typedef struct tern_table tern_table;

/* Parses `size` bytes; `name` stands for the file in errors. */
int tern_table_parse(tern_table **out, const char *data, size_t size, const char *name, tern_error *e);
/* One of the published tables by file name. */
int tern_table_published(tern_table **out, const char *name, tern_error *e);
/* A file. `growing`: a last line without newline is a row cut off by a killed
 * run and is left out. */
int tern_table_read(tern_table **out, const char *path, bool growing, tern_error *e);
void tern_table_free(tern_table *t); /* NULL allowed */

const char *tern_table_name(const tern_table *t);
int tern_table_rows(const tern_table *t);
const char *tern_table_header(const tern_table *t, int column);
/* Index of a column; -1: none of that name. */
int tern_table_column(const tern_table *t, const char *name);
/* Cell's text; "" outside the table, so an absent column reads as empty. */
const char *tern_table_cell(const tern_table *t, int row, int column);
const char *tern_table_get(const tern_table *t, int row, const char *column);

/* Number in a cell: NAN when the cell is empty; fails on anything else that is
 * no finite number. */
int tern_table_real(const tern_table *t, int row, int column, double *out, tern_error *e);
/* The same for a cell that may hold words ("N/A"): NAN then. */
double tern_table_value(const tern_table *t, int row, const char *column);

/* First row from `start` on that has every column = value pair of `pairs`
 * (column, value, column, value, ..., NULL); a value that ends in '*' matches
 * by its beginning. -1: none. */
int tern_table_find(const tern_table *t, int start, const char *const *pairs);

#endif
