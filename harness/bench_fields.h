/* Records as CSV, JSON, JSON lines and SQL from one table of fields. */
#ifndef TERN_HARNESS_BENCH_FIELDS_H
#define TERN_HARNESS_BENCH_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "engine/base/error.h"

typedef enum tern_field_kind { TERN_FIELD_TEXT, TERN_FIELD_INTEGER, TERN_FIELD_REAL, TERN_FIELD_TRUTH } tern_field_kind;

typedef struct tern_field {
  const char *name;
  tern_field_kind kind; /* const char *, int64_t (TERN_NO_COUNT: not available), double (NAN: not available), bool */
  size_t offset;
} tern_field;

/* A list of numbers that JSON alone has: found in the record by offset. */
typedef struct tern_field_list {
  const char *name;
  size_t values, count; /* offsets of a double * and a size_t */
  bool whole;
} tern_field_list;

typedef struct tern_records {
  const char *table; /* of SQL */
  const tern_field *fields;
  size_t field_count;
  const tern_field_list *lists;
  size_t list_count;
  const void *items;
  size_t count, size;
  /* As llama-bench writes: every value is there, so that -1 is a number; CSV
   * and SQL quote all and have 0 and 1 for truth. */
  bool complete;
} tern_records;

int tern_records_csv(const tern_records *r, FILE *to, tern_error *e);
int tern_records_json(const tern_records *r, FILE *to, tern_error *e);
int tern_records_jsonl(const tern_records *r, FILE *to, tern_error *e);
int tern_records_sql(const tern_records *r, FILE *to, tern_error *e);

#endif
