/* Rows out of rows: JSON lines, or the cells of CSV files in an archive. A rule
 * says what a key's value is:
 *   "a.b"                                      the value at that path
 *   {"of": "a.b", "after": S, "before": S}     text behind the first S, in front of the last S
 *   {"of": "a.b", "map": {"0": 1, "1": 0}}     another value for each
 *   {"text": "A"}                              that text
 *   {"list": [rule, ...]}                      a list
 *   {"object": {key: rule, ...}}               an object
 * Columns of CSV rows are "0", "1", ...; "file" is the name of their file. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <csv.h>

#include "engine/base/interrupt.h"
#include "harness/eval/archive.h"
#include "harness/eval/form_parts.h"

enum { LONGEST_KEY = 100 };

static bool is_rule(const json_t *rule);

static bool are_rules(const json_t *all) {
  const char *key;
  json_t *v;
  size_t i;
  json_array_foreach((json_t *)all, i, v) if (!is_rule(v)) return false;
  json_object_foreach((json_t *)all, key, v) if (!is_rule(v)) return false;
  return json_is_array(all) || json_object_size(all) > 0;
}

static bool is_rule(const json_t *rule) {
  static const char *const texts[] = {"of", "after", "before"};
  size_t known = 0;
  if (json_is_string(rule)) return true;
  const json_t *list = json_object_get(rule, "list"), *object = json_object_get(rule, "object");
  if (list != NULL || object != NULL)
    return json_object_size(rule) == 1 && (json_is_array(list) || json_is_object(object)) &&
           are_rules(list != NULL ? list : object);
  if (json_is_string(json_object_get(rule, "text"))) return json_object_size(rule) == 1;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) known += tern_form_text(rule, texts[i]) != NULL;
  if (json_is_object(json_object_get(rule, "map"))) known = known == 1 ? 2 : 0;
  return known == json_object_size(rule) && tern_form_text(rule, "of") != NULL;
}

int tern_form_check_row(const json_t *form, const char *where, tern_error *e) {
  const json_t *row = json_object_get(form, "row"), *value = json_object_get(form, "value");
  bool one = (row != NULL) != (value != NULL);
  if (one && (value != NULL ? is_rule(value) : json_is_object(row) && are_rules(row))) return TERN_OK;
  return tern_fail(e, TERN_FAILED, "%s: form: wants 'row' (keys with rules) or 'value' (one rule)", where);
}

static json_t *at_path(const json_t *from, const char *path) {
  char key[LONGEST_KEY + 1];
  const json_t *v = from;
  for (const char *part = path; v != NULL; part++) {
    size_t n = strcspn(part, ".");
    if (n > LONGEST_KEY) return NULL;
    memcpy(key, part, n);
    key[n] = '\0';
    v = json_is_array(v) ? json_array_get(v, strtoul(key, NULL, 10)) : json_object_get(v, key);
    part += n;
    if (*part == '\0') break;
  }
  return (json_t *)v;
}

static const char *last_of(const char *text, const char *piece) {
  const char *last = NULL;
  for (const char *p = strstr(text, piece); p != NULL; p = strstr(p + 1, piece)) last = p;
  return last;
}

static json_t *between(const char *text, const char *after, const char *before) {
  const char *from = text;
  if (after != NULL) {
    from = strstr(text, after);
    if (from == NULL) return NULL;
    from += strlen(after);
  }
  const char *end = before != NULL ? last_of(from, before) : from + strlen(from);
  return end != NULL ? json_stringn(from, (size_t)(end - from)) : NULL;
}

static json_t *mapped(const json_t *map, const json_t *value) {
  char *key = value != NULL ? json_dumps(value, JSON_ENCODE_ANY) : NULL;
  json_t *v = key != NULL ? json_object_get(map, key) : NULL;
  free(key);
  return json_incref(v);
}

static json_t *apply(const json_t *rule, const json_t *from);

static json_t *apply_list(const json_t *rules, const json_t *from) {
  json_t *out = json_array(), *rule;
  size_t i;
  json_array_foreach((json_t *)rules, i, rule) {
    if (json_array_append_new(out, apply(rule, from)) == 0) continue;
    json_decref(out);
    return NULL;
  }
  return out;
}

static json_t *apply_object(const json_t *rules, const json_t *from) {
  json_t *out = json_object(), *rule;
  const char *key;
  json_object_foreach((json_t *)rules, key, rule) {
    if (json_object_set_new(out, key, apply(rule, from)) == 0) continue;
    json_decref(out);
    return NULL;
  }
  return out;
}

/* A new reference; NULL: the row has no such thing. */
static json_t *apply(const json_t *rule, const json_t *from) {
  const json_t *part;
  if (json_is_string(rule)) return json_incref(at_path(from, json_string_value(rule)));
  if ((part = json_object_get(rule, "text")) != NULL) return json_incref((json_t *)part);
  if ((part = json_object_get(rule, "list")) != NULL) return apply_list(part, from);
  if ((part = json_object_get(rule, "object")) != NULL) return apply_object(part, from);
  const json_t *v = at_path(from, tern_form_text(rule, "of"));
  if ((part = json_object_get(rule, "map")) != NULL) return mapped(part, v);
  if (!json_is_string(v)) return NULL;
  return between(json_string_value(v), tern_form_text(rule, "after"), tern_form_text(rule, "before"));
}

static int put_row(const json_t *form, const json_t *from, size_t line, tern_sink *to, tern_error *e) {
  const json_t *row = json_object_get(form, "row");
  json_t *v = row != NULL ? apply_object(row, from) : apply(json_object_get(form, "value"), from);
  int status = v != NULL
                   ? tern_sink_row(to, v, e)
                   : tern_fail(e, TERN_FAILED, "%s: row %zu of its source lacks a field: another form than it had",
                               to->name, line);
  json_decref(v);
  return status;
}

/* True the first time that the value at `path` comes by. */
static bool is_new(json_t *seen, const json_t *row, const char *path) {
  if (path == NULL) return true;
  char *key = json_dumps(at_path(row, path), JSON_ENCODE_ANY | JSON_COMPACT);
  bool first = key != NULL && json_object_get(seen, key) == NULL;
  if (first) json_object_set_new_nocheck(seen, key, json_true());
  free(key);
  return first;
}

int tern_form_rows(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  tern_members m;
  int status = tern_archive_read(&m, download, NULL, TERN_FORM_MOST, e);
  if (status != TERN_OK) return status;
  json_t *seen = json_object();
  size_t line = 0;
  for (char *at = m.all[0].data, *next; status == TERN_OK && at != NULL && *at != '\0'; at = next) {
    next = strchr(at, '\n');
    size_t n = next != NULL ? (size_t)(next - at) : strlen(at);
    next = next != NULL ? next + 1 : NULL;
    line++;
    if (strspn(at, " \t\r") >= n) continue;
    json_error_t why;
    json_t *row = json_loadb(at, n, 0, &why);
    if (row == NULL)
      status = tern_fail(e, TERN_FAILED, "%s: line %zu of its source is no JSON: %.80s", to->name, line, why.text);
    else if (is_new(seen, row, tern_form_text(form, "distinct")))
      status = put_row(form, row, line, to, e);
    json_decref(row);
    if (status == TERN_OK && tern_interrupt_check(e)) status = TERN_INTERRUPTED;
  }
  json_decref(seen);
  tern_members_close(&m);
  return status;
}

typedef struct cells {
  const json_t *form;
  const char *file;
  json_t *row;
  size_t columns, line;
  tern_sink *to;
  tern_error *e;
  int status;
} cells;

static void on_cell(void *text, size_t n, void *state) {
  cells *c = state;
  char name[24];
  snprintf(name, sizeof name, "%zu", c->columns++);
  json_t *v = json_stringn(text != NULL ? text : "", n);
  if (v == NULL && c->status == TERN_OK)
    c->status = tern_fail(c->e, TERN_FAILED, "%s: %s: row %zu is no UTF-8", c->to->name, c->file, c->line + 1);
  if (v != NULL) json_object_set_new(c->row, name, v);
}

static void on_row(int end, void *state) {
  cells *c = state;
  (void)end;
  c->line++;
  if (c->columns > 0 && c->status == TERN_OK) {
    json_object_set_new(c->row, "file", json_string(c->file));
    c->status = put_row(c->form, c->row, c->line, c->to, c->e);
  }
  json_object_clear(c->row);
  c->columns = 0;
}

/* libcsv would drop spaces around cells; they belong to the texts. */
static int never(unsigned char c) {
  (void)c;
  return 0;
}

int tern_form_csv(const json_t *form, const char *download, tern_sink *to, tern_error *e) {
  tern_members m;
  struct csv_parser p;
  int status = tern_archive_read(&m, download, tern_form_text(form, "member"), TERN_FORM_MOST, e);
  if (status != TERN_OK) return status;
  cells c = {.form = form, .row = json_object(), .to = to, .e = e};
  for (size_t i = 0; i < m.count && c.status == TERN_OK; i++) {
    const char *slash = strrchr(m.all[i].name, '/');
    c.file = slash != NULL ? slash + 1 : m.all[i].name;
    c.line = 0;
    if (csv_init(&p, CSV_STRICT | CSV_STRICT_FINI) != 0) {
      c.status = tern_fail(e, TERN_FAILED, "%s: out of memory", to->name);
      break;
    }
    csv_set_space_func(&p, never);
    size_t n = m.all[i].size;
    bool whole = csv_parse(&p, m.all[i].data, n, on_cell, on_row, &c) == n && csv_fini(&p, on_cell, on_row, &c) == 0;
    if (!whole && c.status == TERN_OK)
      c.status = tern_fail(e, TERN_FAILED, "%s: %s: %s", to->name, c.file, csv_strerror(csv_error(&p)));
    csv_free(&p);
  }
  json_decref(c.row);
  tern_members_close(&m);
  return c.status;
}
