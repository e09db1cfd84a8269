/* llama-bench's rows, whatever surrounds them: warnings stand before and after
 * its JSON (bitnet.cpp, ik_llama.cpp), keys come and go with versions. */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "harness/peer_read.h"

enum {
  MOST_ATTEMPTS = 64, /* texts that begin like JSON and are none */
  MOST_FIELDS = 128,
  MOST_ROWS = 4096
};

static bool is_row(const json_t *value) {
  return json_object_get(value, "n_prompt") || json_object_get(value, "n_gen");
}

static void add_rows(json_t *rows, json_t *value) {
  size_t i;
  json_t *row;
  if (json_is_object(value) && is_row(value)) json_array_append(rows, value);
  json_array_foreach(value, i, row) {
    if (json_is_object(row) && is_row(row)) json_array_append(rows, row);
  }
}

/* The next line that begins with a bracket; NULL: none. */
static const char *opening(const char *text) {
  while (text && *text) {
    const char *p = text + strspn(text, " \t\r\n");
    if (*p == '[' || *p == '{') return p;
    text = strchr(p, '\n');
  }
  return NULL;
}

json_t *tern_peer_rows_json(const char *text) {
  json_t *rows = json_array();
  int failed = 0;
  for (const char *p = opening(text); rows && p && failed < MOST_ATTEMPTS && json_array_size(rows) < MOST_ROWS;) {
    json_error_t where;
    json_t *value = json_loads(p, JSON_DISABLE_EOF_CHECK, &where);
    if (value) {
      add_rows(rows, value);
      p += where.position;
      json_decref(value);
    } else {
      failed++;
      p = strchr(p, '\n');
    }
    p = p ? opening(p) : NULL;
  }
  return rows;
}

typedef struct csv_state {
  json_t *rows, *row;
  char *names[MOST_FIELDS];
  int count, field;
  bool header_done;
} csv_state;

static void on_field(void *data, size_t size, void *arg) {
  csv_state *s = arg;
  const char *text = data ? data : "";
  if (!s->header_done) {
    if (s->count < MOST_FIELDS && (s->names[s->count] = strndup(text, size))) s->count++;
  } else if (s->field < s->count) {
    if (!s->row) s->row = json_object();
    json_object_set_new(s->row, s->names[s->field], json_stringn(text, size));
  }
  s->field++;
}

/* A row with another number of fields is a line between, not a row. */
static void on_row(int end, void *arg) {
  (void)end;
  csv_state *s = arg;
  if (s->header_done && s->row && s->field == s->count && json_array_size(s->rows) < MOST_ROWS)
    json_array_append(s->rows, s->row);
  json_decref(s->row);
  s->row = NULL;
  s->field = 0;
  s->header_done = true;
}

/* The line that names the columns; NULL: none. */
static const char *csv_header(const char *text) {
  const char *column = strstr(text, "n_prompt");
  while (column && column > text && column[-1] != '\n') column--;
  return column && memchr(column, ',', strcspn(column, "\n")) ? column : NULL;
}

json_t *tern_peer_rows_csv(const char *text) {
  csv_state s = {.rows = json_array()};
  struct csv_parser parser;
  const char *from = csv_header(text);
  if (!s.rows || !from || csv_init(&parser, CSV_APPEND_NULL) != 0) return s.rows;
  /* What was read until an error stands. */
  size_t size = strlen(from);
  if (csv_parse(&parser, from, size, on_field, on_row, &s) == size) csv_fini(&parser, on_field, on_row, &s);
  csv_free(&parser);
  json_decref(s.row);
  for (int i = 0; i < s.count; i++) free(s.names[i]);
  return s.rows;
}
