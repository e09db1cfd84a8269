/* CSV and TSV as rows: the header names the fields, every cell is text with the
 * blanks it has in the file (PIQA's choices end with some). libcsv's callbacks
 * can't stop it: the first error is kept, the rest passed over. */
#include <csv.h>
#include <stdbool.h>
#include <string.h>

#include "harness/eval/rows_parts.h"

typedef struct reading {
  tern_rows *rows;
  json_t *header, *cells; /* names; cells of the row being read */
  size_t row;             /* its number, header 1 */
  tern_error *e;
  int status;
} reading;

static int no_memory(reading *r) {
  return tern_fail(r->e, TERN_FAILED, "%s: row %zu: out of memory", r->rows->path, r->row);
}

static void on_cell(void *cell, size_t size, void *arg) {
  reading *r = arg;
  if (r->status != 0) return;
  if (json_array_append_new(r->cells, json_stringn(size ? cell : "", size)) != 0) r->status = no_memory(r);
}

static int take_header(reading *r) {
  r->header = r->cells;
  r->cells = json_array();
  for (size_t i = 0; i < json_array_size(r->header); i++) {
    for (size_t j = 0; j < i; j++) {
      if (json_equal(json_array_get(r->header, i), json_array_get(r->header, j)))
        return tern_fail(r->e, TERN_FAILED, "%s: the header names \"%s\" twice", r->rows->path,
                         json_string_value(json_array_get(r->header, i)));
    }
  }
  return r->cells ? 0 : no_memory(r);
}

static int take_row(reading *r) {
  size_t have = json_array_size(r->cells), want = json_array_size(r->header);
  if (have != want)
    return tern_fail(r->e, TERN_FAILED, "%s: row %zu has %zu cells, the header %zu", r->rows->path, r->row, have, want);
  json_t *row = json_object();
  for (size_t i = 0; i < want; i++) {
    if (json_object_set(row, json_string_value(json_array_get(r->header, i)), json_array_get(r->cells, i)) != 0) {
      json_decref(row);
      return no_memory(r);
    }
  }
  json_array_clear(r->cells);
  return tern_rows_add(r->rows, row, r->row, r->e);
}

static void on_row(int terminator, void *arg) {
  (void)terminator;
  reading *r = arg;
  if (r->status != 0) return;
  r->status = r->header == NULL ? take_header(r) : take_row(r);
  r->row++;
}

static int never(unsigned char c) {
  (void)c;
  return 0;
}

int tern_rows_read_csv(tern_rows *rows, const char *text, size_t size, char delimiter, tern_error *e) {
  struct csv_parser parser;
  reading r = {.rows = rows, .cells = json_array(), .row = 1, .e = e};
  if (r.cells == NULL || csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
    json_decref(r.cells);
    return no_memory(&r);
  }
  csv_set_delim(&parser, (unsigned char)delimiter);
  csv_set_space_func(&parser, never);
  if (csv_parse(&parser, text, size, on_cell, on_row, &r) != size || csv_fini(&parser, on_cell, on_row, &r) != 0) {
    if (r.status == 0) r.status = tern_fail(e, TERN_FAILED, "%s: row %zu: broken quoting", rows->path, r.row);
  }
  csv_free(&parser);
  json_decref(r.header);
  json_decref(r.cells);
  return r.status;
}
