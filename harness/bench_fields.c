/* Writers of records. A value that is not available is an empty cell in CSV,
 * null in JSON, NULL in SQL. */
#include <csv.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "harness/bench_fields.h"
#include "harness/sample.h"

enum { VALUE_BYTES = 40 };

static const void *field_at(const tern_records *r, size_t item, const tern_field *f) {
  return (const char *)r->items + item * r->size + f->offset;
}

static bool absent(const tern_records *r, int64_t v) {
  return v == TERN_NO_COUNT && !r->complete;
}

/* The value as text, which is the record's own for a text; NULL: not available. */
static const char *value_text(const tern_records *r, size_t item, const tern_field *f, char room[VALUE_BYTES]) {
  const void *at = field_at(r, item, f);
  switch (f->kind) {
  case TERN_FIELD_TEXT:
    return *(const char *const *)at;
  case TERN_FIELD_INTEGER:
    if (absent(r, *(const int64_t *)at)) return NULL;
    snprintf(room, VALUE_BYTES, "%" PRId64, *(const int64_t *)at);
    return room;
  case TERN_FIELD_REAL:
    if (!isfinite(*(const double *)at)) return NULL;
    snprintf(room, VALUE_BYTES, "%.9g", *(const double *)at);
    return room;
  case TERN_FIELD_TRUTH:
    return *(const bool *)at ? "1" : "0";
  }
  return NULL;
}

int tern_records_csv(const tern_records *r, FILE *to, tern_error *e) {
  char room[VALUE_BYTES];
  for (size_t k = 0; k < r->field_count; k++) fprintf(to, "%s%s", k ? "," : "", r->fields[k].name);
  fputc('\n', to);
  for (size_t i = 0; i < r->count; i++)
    for (size_t k = 0; k < r->field_count; k++) {
      const tern_field *f = &r->fields[k];
      const char *text = value_text(r, i, f, room);
      if (r->complete || (text && *text && f->kind == TERN_FIELD_TEXT))
        csv_fwrite(to, text ? text : "", text ? strlen(text) : 0);
      else if (text)
        fputs(text, to);
      fputc(k + 1 == r->field_count ? '\n' : ',', to);
    }
  return ferror(to) ? tern_fail_errno(e, "standard output") : 0;
}

static json_t *json_value(const tern_records *r, size_t item, const tern_field *f) {
  const void *at = field_at(r, item, f);
  switch (f->kind) {
  case TERN_FIELD_TEXT: {
    /* Text from files may not be UTF-8; jansson then gives NULL. */
    json_t *text = json_string(*(const char *const *)at);
    return text ? text : json_null();
  }
  case TERN_FIELD_INTEGER:
    return absent(r, *(const int64_t *)at) ? json_null() : json_integer(*(const int64_t *)at);
  case TERN_FIELD_REAL:
    return isfinite(*(const double *)at) ? json_real(*(const double *)at) : json_null();
  case TERN_FIELD_TRUTH:
    return json_boolean(*(const bool *)at);
  }
  return json_null();
}

static json_t *json_list(const tern_records *r, size_t item, const tern_field_list *l) {
  const char *record = (const char *)r->items + item * r->size;
  const double *values = *(double *const *)(const void *)(record + l->values);
  size_t count = *(const size_t *)(const void *)(record + l->count);
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++)
    json_array_append_new(list, l->whole ? json_integer((json_int_t)llround(values[i])) : json_real(values[i]));
  return list;
}

static json_t *json_record(const tern_records *r, size_t item) {
  json_t *o = json_object();
  for (size_t k = 0; k < r->field_count; k++)
    json_object_set_new(o, r->fields[k].name, json_value(r, item, &r->fields[k]));
  for (size_t k = 0; k < r->list_count; k++) json_object_set_new(o, r->lists[k].name, json_list(r, item, &r->lists[k]));
  return o;
}

static int dump(json_t *o, size_t flags, FILE *to, tern_error *e) {
  int bad = !o || json_dumpf(o, to, flags | JSON_REAL_PRECISION(9)) != 0 || fputc('\n', to) == EOF;
  json_decref(o);
  return bad ? tern_fail_errno(e, "standard output") : 0;
}

int tern_records_json(const tern_records *r, FILE *to, tern_error *e) {
  json_t *list = json_array();
  for (size_t i = 0; i < r->count; i++) json_array_append_new(list, json_record(r, i));
  return dump(list, JSON_INDENT(2), to, e);
}

int tern_records_jsonl(const tern_records *r, FILE *to, tern_error *e) {
  for (size_t i = 0; i < r->count; i++)
    if (dump(json_record(r, i), JSON_COMPACT, to, e)) return (int)e->status;
  return 0;
}

static void put_sql(const char *text, bool quoted, FILE *to) {
  if (!text) {
    fputs("NULL", to);
    return;
  }
  if (quoted) fputc('\'', to);
  for (; *text; text++) {
    if (*text == '\'') fputc('\'', to);
    fputc(*text, to);
  }
  if (quoted) fputc('\'', to);
}

int tern_records_sql(const tern_records *r, FILE *to, tern_error *e) {
  static const char *const types[] = {[TERN_FIELD_TEXT] = "TEXT",
                                      [TERN_FIELD_INTEGER] = "INTEGER",
                                      [TERN_FIELD_REAL] = "REAL",
                                      [TERN_FIELD_TRUTH] = "INTEGER"};
  char room[VALUE_BYTES];
  fprintf(to, "CREATE TABLE IF NOT EXISTS %s (\n", r->table);
  for (size_t k = 0; k < r->field_count; k++)
    fprintf(to, "  %s %s%s\n", r->fields[k].name, types[r->fields[k].kind], k + 1 < r->field_count ? "," : "");
  fputs(");\n\n", to);
  for (size_t i = 0; i < r->count; i++) {
    fprintf(to, "INSERT INTO %s (", r->table);
    for (size_t k = 0; k < r->field_count; k++) fprintf(to, "%s%s", k ? ", " : "", r->fields[k].name);
    fputs(") VALUES (", to);
    for (size_t k = 0; k < r->field_count; k++) {
      const tern_field *f = &r->fields[k];
      if (k) fputs(", ", to);
      put_sql(value_text(r, i, f, room), r->complete || f->kind == TERN_FIELD_TEXT, to);
    }
    fputs(");\n", to);
  }
  return ferror(to) ? tern_fail_errno(e, "standard output") : 0;
}
