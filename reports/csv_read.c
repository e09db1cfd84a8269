/* CSV text into a table through libcsv, whose callbacks cannot stop the parser:
 * the first error is kept and the rest passed over. All cells lie in one
 * buffer, found by offset. Invariant: every row has as many cells as the header. */
#include "reports/csv_read.h"

#include <csv.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "reports/published.h"

enum { CELL_LIMIT = 1 << 16, FILE_LIMIT = 1 << 28, COLUMN_LIMIT = 256 };

struct tern_table {
  char *name;
  char *text; /* all cells, each ended by NUL */
  size_t text_size, text_room;
  size_t *cells; /* offsets into text */
  size_t count, room;
  int columns, rows;
};

typedef struct reading {
  tern_table *t;
  tern_error *e;
  int field;
} reading;

/* Room for one more element; doubles. */
static bool grow(void **data, size_t *room, size_t need, size_t size) {
  if (need <= *room) return true;
  size_t want = *room ? *room * 2 : 256;
  while (want < need) want *= 2;
  if (want > SIZE_MAX / size) return false;
  void *more = realloc(*data, want * size);
  if (!more) return false;
  *data = more;
  *room = want;
  return true;
}

static void on_field(void *field, size_t size, void *arg) {
  reading *r = arg;
  tern_table *t = r->t;
  if (r->e->status) return;
  if (size > CELL_LIMIT || memchr(field, '\0', size)) {
    tern_fail(r->e, TERN_FAILED, "%s: row %d: a cell is longer than %d bytes or holds a NUL", t->name, t->rows + 1,
              CELL_LIMIT);
    return;
  }
  if (++r->field > COLUMN_LIMIT) {
    tern_fail(r->e, TERN_FAILED, "%s: row %d: more than %d columns", t->name, t->rows + 1, COLUMN_LIMIT);
    return;
  }
  if (!grow((void **)&t->text, &t->text_room, t->text_size + size + 1, 1) ||
      !grow((void **)&t->cells, &t->room, t->count + 1, sizeof *t->cells)) {
    tern_fail(r->e, TERN_FAILED, "%s: out of memory", t->name);
    return;
  }
  t->cells[t->count++] = t->text_size;
  if (size) memcpy(t->text + t->text_size, field, size);
  t->text[t->text_size + size] = '\0';
  t->text_size += size + 1;
}

static void on_row(int terminator, void *arg) {
  (void)terminator;
  reading *r = arg;
  tern_table *t = r->t;
  if (r->e->status) return;
  if (t->columns == 0)
    t->columns = r->field;
  else if (r->field != t->columns)
    tern_fail(r->e, TERN_FAILED, "%s: row %d has %d cells, the header %d", t->name, t->rows + 1, r->field, t->columns);
  else
    t->rows++;
  r->field = 0;
}

int tern_table_parse(tern_table **out, const char *data, size_t size, const char *name, tern_error *e) {
  struct csv_parser parser;
  bool started = false;
  tern_error failed = {0};
  *out = NULL;
  tern_table *t = calloc(1, sizeof *t);
  if (!t || !(t->name = strdup(name))) {
    tern_fail(&failed, TERN_FAILED, "%s: out of memory", name);
    goto out;
  }
  if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL) != 0) {
    tern_fail(&failed, TERN_FAILED, "%s: out of memory", name);
    goto out;
  }
  started = true;
  reading r = {t, &failed, 0};
  if (csv_parse(&parser, data, size, on_field, on_row, &r) != size || csv_fini(&parser, on_field, on_row, &r) != 0) {
    if (!failed.status) tern_fail(&failed, TERN_FAILED, "%s: row %d: broken CSV quoting", t->name, t->rows + 1);
  } else if (!failed.status && t->columns == 0) {
    tern_fail(&failed, TERN_FAILED, "%s: is empty; a header row was expected", t->name);
  }
out:
  if (started) csv_free(&parser);
  if (failed.status) {
    tern_table_free(t);
    *e = failed;
    return (int)failed.status;
  }
  *out = t;
  return 0;
}

int tern_table_published(tern_table **out, const char *name, tern_error *e) {
  size_t size;
  const char *data = tern_published_file(name, &size);
  *out = NULL;
  if (!data) return tern_fail(e, TERN_FAILED, "%s: no such published table", name);
  return tern_table_parse(out, data, size, name, e);
}

int tern_table_read(tern_table **out, const char *path, bool growing, tern_error *e) {
  size_t size;
  *out = NULL;
  char *data = tern_file_read(path, FILE_LIMIT, &size, e);
  if (!data) return (int)e->status;
  if (growing)
    while (size && data[size - 1] != '\n') size--;
  int status = tern_table_parse(out, data, size, path, e);
  free(data);
  return status;
}

void tern_table_free(tern_table *t) {
  if (!t) return;
  free(t->name);
  free(t->text);
  free(t->cells);
  free(t);
}

const char *tern_table_name(const tern_table *t) {
  return t->name;
}
int tern_table_rows(const tern_table *t) {
  return t->rows;
}

const char *tern_table_header(const tern_table *t, int column) {
  return tern_table_cell(t, -1, column);
}

int tern_table_column(const tern_table *t, const char *name) {
  for (int i = 0; i < t->columns; i++)
    if (strcmp(tern_table_header(t, i), name) == 0) return i;
  return -1;
}

const char *tern_table_cell(const tern_table *t, int row, int column) {
  if (row < -1 || row >= t->rows || column < 0 || column >= t->columns) return "";
  return t->text + t->cells[(size_t)(row + 1) * (size_t)t->columns + (size_t)column];
}

const char *tern_table_get(const tern_table *t, int row, const char *column) {
  return tern_table_cell(t, row, tern_table_column(t, column));
}

int tern_table_real(const tern_table *t, int row, int column, double *out, tern_error *e) {
  const char *text = tern_table_cell(t, row, column);
  char *end;
  *out = NAN;
  if (!*text) return 0;
  double value = strtod(text, &end);
  if (*end || !isfinite(value))
    return tern_fail(e, TERN_FAILED, "%s: row %d, column %s: \"%.40s\" is no number", t->name, row + 1,
                     tern_table_header(t, column), text);
  *out = value;
  return 0;
}

double tern_table_value(const tern_table *t, int row, const char *column) {
  tern_error ignored;
  double value;
  tern_table_real(t, row, tern_table_column(t, column), &value, &ignored);
  return value;
}

static bool matches(const char *text, const char *pattern) {
  size_t n = strlen(pattern);
  if (n && pattern[n - 1] == '*') return strncmp(text, pattern, n - 1) == 0;
  return strcmp(text, pattern) == 0;
}

int tern_table_find(const tern_table *t, int start, const char *const *pairs) {
  for (int row = start; row < t->rows; row++) {
    bool all = true;
    for (int i = 0; all && pairs[i]; i += 2) all = matches(tern_table_get(t, row, pairs[i]), pairs[i + 1]);
    if (all) return row;
  }
  return -1;
}
