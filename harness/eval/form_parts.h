/* The kinds of forms (form.c has the table) and where they put content. */
#ifndef TERN_EVAL_FORM_PARTS_H
#define TERN_EVAL_FORM_PARTS_H

#include <stddef.h>
#include <stdio.h>

#include <jansson.h>
#include <zlib.h>

#include "engine/base/error.h"

/* Content on its way into a file. */
typedef struct tern_sink {
  FILE *plain; /* one of both */
  gzFile gzip;
  const char *name;
  long long left; /* bytes that may still come */
} tern_sink;
int tern_sink_write(tern_sink *to, const void *bytes, size_t n, tern_error *e);
/* The row as a line of JSON, keys in their order. */
int tern_sink_row(tern_sink *to, const json_t *row, tern_error *e);

/* What unpacking may take in memory: downloads that rows are taken out of are
 * longer than the rows. */
#define TERN_FORM_MOST ((size_t)1 << 30)

typedef int (*tern_form_make)(const json_t *form, const char *download, tern_sink *to, tern_error *e);
int tern_form_rows(const json_t *form, const char *download, tern_sink *to, tern_error *e);
int tern_form_csv(const json_t *form, const char *download, tern_sink *to, tern_error *e);
int tern_form_python_list(const json_t *form, const char *download, tern_sink *to, tern_error *e);
int tern_form_yaml_items(const json_t *form, const char *download, tern_sink *to, tern_error *e);
int tern_form_yaml_text(const json_t *form, const char *download, tern_sink *to, tern_error *e);

/* Whether "row" or "value" is made of rules (form_rows.c). */
int tern_form_check_row(const json_t *form, const char *where, tern_error *e);

/* The text of a form's key, NULL: absent. */
const char *tern_form_text(const json_t *form, const char *key);

#endif
