/* A task file's tables of keys. What keys may not stand together is checked in
 * task_check.c. */
#include "harness/eval/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/task_parts.h"

enum { WHERE = 400 };

static int no_memory(const char *where, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", where);
}

static int read_kind(void *to, const json_t *value, const char *where, tern_error *e) {
  static const char *const names[] = {"choices", "rolling", "text"};
  const char *name = json_string_value(value);
  for (int i = 0; name != NULL && i < 3; i++) {
    if (strcmp(names[i], name) != 0) continue;
    *(tern_request_kind *)to = (tern_request_kind)i;
    return 0;
  }
  return tern_fail(e, TERN_FAILED, "%s: \"choices\", \"text\" or \"rolling\" was expected", where);
}

static int read_format(void *to, const json_t *value, const char *where, tern_error *e) {
  (void)to;
  if (json_is_integer(value) && json_integer_value(value) == 1) return 0;
  return tern_fail(e, TERN_FAILED, "%s: format 1 is read here", where);
}

static int read_version(void *to, const json_t *value, const char *where, tern_error *e) {
  if (json_is_string(value)) return tern_key_text(to, value, where, e);
  if (!json_is_number(value)) return tern_fail(e, TERN_FAILED, "%s: text or a number was expected", where);
  return (*(char **)to = tern_template_text(value, where, e)) == NULL ? (int)e->status : 0;
}

static int read_pages(void *to, const json_t *value, const char *where, tern_error *e) {
  const char *name = json_string_value(value);
  if (name == NULL || strcmp(name, "wikitext") != 0)
    return tern_fail(e, TERN_FAILED, "%s: \"wikitext\" is the only way to cut pages", where);
  *(bool *)to = true;
  return 0;
}

static int read_column(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"file", tern_key_text, offsetof(tern_task_column, file), true},
                                  {"field", tern_key_text, offsetof(tern_task_column, field), true}};
  const tern_keys table = {keys, 2, to};
  return tern_keys_read(value, &table, 1, where, e);
}

static int read_otherwise(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"file", tern_key_text, offsetof(tern_task, other_data), true}};
  const tern_keys tables[] = {{keys, 1, to},
                              {tern_wording_keys, tern_wording_key_count, &((tern_task *)to)->other_wording}};
  return tern_keys_read(value, tables, 2, where, e);
}

static int read_data(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"file", tern_key_text, offsetof(tern_task, data), true},
                                  {"column", read_column, offsetof(tern_task, column), false},
                                  {"otherwise", read_otherwise, 0, false},
                                  {"split_by", tern_key_text, offsetof(tern_task, split_by), false},
                                  {"groups", tern_key_object, offsetof(tern_task, groups), false},
                                  {"pages", read_pages, offsetof(tern_task, pages), false}};
  const tern_keys table = {keys, sizeof keys / sizeof *keys, to};
  if (json_is_string(value)) return tern_key_text(&((tern_task *)to)->data, value, where, e);
  return tern_keys_read(value, &table, 1, where, e);
}

/* Fixed shots are taken in their order, drawn ones at random, unless the file
 * says otherwise; a question may be its own shot only where the pool has it. */
static int read_shots(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"file", tern_key_text, offsetof(tern_task_shots, file), false},
                                  {"column", read_column, offsetof(tern_task_shots, column), false},
                                  {"rows", tern_key_shot_rows, 0, false},
                                  {"count", tern_key_natural, offsetof(tern_task_shots, count), false},
                                  {"sampler", tern_key_sampler, offsetof(tern_task_shots, sampler), false},
                                  {"seed", tern_key_int64, offsetof(tern_task_shots, seed), false},
                                  {"leave_out", tern_key_flag, offsetof(tern_task_shots, leave_out), false}};
  tern_task *t = to;
  tern_task_shots *s = &t->shots;
  const json_t *rows = json_object_get(value, "rows");
  s->leave_out = false; /* the default is that of a task without "shots" */
  s->sampler = rows != NULL && !json_is_null(rows) ? TERN_SHOTS_FIRST : TERN_SHOTS_RANDOM;
  const tern_keys tables[] = {{keys, sizeof keys / sizeof *keys, s},
                              {tern_wording_keys, tern_wording_key_count, &t->shot_wording}};
  if (tern_keys_read(value, tables, 2, where, e) != 0) return (int)e->status;
  if (s->file != NULL && (s->rows != NULL || s->manifest != NULL))
    return tern_fail(e, TERN_FAILED, "%s: \"file\" and \"rows\" can't stand together", where);
  if (s->file == NULL && s->column.file != NULL)
    return tern_fail(e, TERN_FAILED, "%s: \"column\" belongs to \"file\"", where);
  if (s->file == NULL && s->rows == NULL && s->manifest == NULL && json_object_get(value, "leave_out") == NULL)
    s->leave_out = true;
  if (s->rows != NULL && (size_t)s->count > json_array_size(s->rows))
    return tern_fail(e, TERN_FAILED, "%s.count is %d; there are %zu rows", where, s->count, json_array_size(s->rows));
  return 0;
}

static int read_texts(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task *t = to;
  const char *name;
  json_t *source;
  if (!json_is_object(value)) return tern_fail(e, TERN_FAILED, "%s: an object was expected", where);
  if ((t->texts = calloc(json_object_size(value) + 1, sizeof *t->texts)) == NULL) return no_memory(where, e);
  json_object_foreach((json_t *)value, name, source) {
    char at[WHERE];
    tern_task_text *x = &t->texts[t->text_count++];
    tern_key_where(at, sizeof at, where, name);
    if ((x->name = strdup(name)) == NULL) return no_memory(where, e);
    if (tern_key_manifest(&x->manifest, source, at, e) != 0) return (int)e->status;
  }
  return 0;
}

static int read_stops(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task *t = to;
  size_t count = json_array_size(value);
  if (!json_is_array(value)) return tern_fail(e, TERN_FAILED, "%s: a list of texts was expected", where);
  if ((t->stops = calloc(count + 1, sizeof *t->stops)) == NULL) return no_memory(where, e);
  for (size_t i = 0; i < count; i++) {
    if (tern_key_text(&t->stops[i], json_array_get(value, i), where, e) != 0) return (int)e->status;
    t->stop_count++;
  }
  return 0;
}

static int read_temperature(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"by", tern_key_text, offsetof(tern_task, temperature_by), true},
                                  {"of", tern_key_object, offsetof(tern_task, temperatures), true}};
  const tern_keys table = {keys, 2, to};
  const char *name;
  json_t *number;
  if (tern_keys_read(value, &table, 1, where, e) != 0) return (int)e->status;
  json_object_foreach(((tern_task *)to)->temperatures, name, number) {
    double v = json_number_value(number);
    if (!json_is_number(number) || !(v >= 0) || v > 10)
      return tern_fail(e, TERN_FAILED, "%s.of.%s: a number from 0 to 10 was expected", where, name);
  }
  return 0;
}

static int read_one_filter(tern_task_filter *f, const json_t *value, const char *where, tern_error *e) {
  json_t *list = NULL;
  static const tern_key name[] = {{"name", tern_key_text, offsetof(tern_task_filter, name), true}};
  static const tern_key filter[] = {{"filter", tern_key_list, 0, true}};
  const tern_keys tables[] = {{name, 1, f}, {filter, 1, &list}};
  int status = tern_keys_read(value, tables, 2, where, e);
  if (status == 0) status = tern_filters_open(&f->filters, list, where, e);
  json_decref(list);
  return status;
}

static int read_filters(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task *t = to;
  size_t count = json_array_size(value);
  if (!json_is_array(value) || count == 0)
    return tern_fail(e, TERN_FAILED, "%s: a list of {\"name\": ..., \"filter\": [...]} was expected", where);
  if ((t->filters = calloc(count, sizeof *t->filters)) == NULL) return no_memory(where, e);
  for (size_t i = 0; i < count; i++) {
    t->filter_count++; /* counted first, so that a failed one is closed too */
    if (read_one_filter(&t->filters[i], json_array_get(value, i), where, e) != 0) return (int)e->status;
    for (size_t j = 0; j < i; j++) {
      if (strcmp(t->filters[i].name, t->filters[j].name) == 0)
        return tern_fail(e, TERN_FAILED, "%s: two are named \"%s\"", where, t->filters[i].name);
    }
  }
  return 0;
}

static int read_metrics(void *to, const json_t *value, const char *where, tern_error *e) {
  tern_task *t = to;
  size_t count = json_array_size(value);
  if (!json_is_array(value)) return tern_fail(e, TERN_FAILED, "%s: a list of {\"metric\": NAME} was expected", where);
  if ((t->metrics = calloc(count + 1, sizeof *t->metrics)) == NULL) return no_memory(where, e);
  for (size_t i = 0; i < count; i++) {
    const json_t *one = json_array_get(value, i);
    tern_task_metric *m = &t->metrics[i];
    const json_t *name = json_object_get(one, "metric");
    if (!json_is_string(name)) return tern_fail(e, TERN_FAILED, "%s: entry %zu has no \"metric\"", where, i + 1);
    t->metric_count++;
    if (tern_key_text(&m->name, name, where, e) != 0) return (int)e->status;
    if (json_object_size(one) == 1) continue;
    if ((m->params = json_copy((json_t *)one)) == NULL) return no_memory(where, e);
    json_object_del(m->params, "metric");
  }
  return 0;
}

static int read_lm_eval(void *to, const json_t *value, const char *where, tern_error *e) {
  static const tern_key keys[] = {{"name", NULL, 0, true}, {"differs", NULL, 0, false}};
  const tern_keys table = {keys, 2, to};
  return tern_keys_read(value, &table, 1, where, e);
}

static const tern_key task_keys[] = {
    {"ternmark_task", read_format, 0, true},
    {"task", tern_key_text, offsetof(tern_task, name), true},
    {"title", tern_key_text, offsetof(tern_task, title), false},
    {"version", read_version, offsetof(tern_task, version), false},
    {"kind", read_kind, offsetof(tern_task, kind), true},
    {"data", read_data, 0, true},
    {"description", tern_key_template, offsetof(tern_task, description), false},
    {"texts", read_texts, 0, false},
    {"shots", read_shots, 0, false},
    {"references", tern_key_texts, offsetof(tern_task, references), false},
    {"truth", tern_key_texts, offsetof(tern_task, truth), false},
    {"turns", tern_key_texts, offsetof(tern_task, turns), false},
    {"original", tern_key_template, offsetof(tern_task, original), false},
    {"delimiter", tern_key_blank, offsetof(tern_task, delimiter), false},
    {"shot_delimiter", tern_key_blank, offsetof(tern_task, shot_delimiter), false},
    {"answer_begins", tern_key_template, offsetof(tern_task, answer_begins), false},
    {"stops", read_stops, 0, false},
    {"most_tokens", tern_key_natural, offsetof(tern_task, most_tokens), false},
    {"temperature", read_temperature, 0, false},
    {"filters", read_filters, 0, false},
    {"metrics", read_metrics, 0, true},
    {"lm_eval", read_lm_eval, 0, false},
    {"source", NULL, 0, false},
    {"comment", NULL, 0, false},
};

static int fill_defaults(tern_task *t, tern_error *e) {
  if (t->title == NULL) t->title = strdup(t->name);
  if (t->version == NULL) t->version = strdup("0");
  if (t->delimiter == NULL) t->delimiter = strdup(" ");
  if (t->shot_delimiter == NULL) t->shot_delimiter = strdup("\n\n");
  if (t->title == NULL || t->version == NULL || t->delimiter == NULL || t->shot_delimiter == NULL)
    return no_memory(t->path, e);
  if (t->filters != NULL) return 0;
  json_t *nothing = json_array();
  t->filters = calloc(1, sizeof *t->filters);
  if (nothing == NULL || t->filters == NULL || (t->filters->name = strdup("none")) == NULL) {
    json_decref(nothing);
    return no_memory(t->path, e);
  }
  t->filter_count = 1;
  int status = tern_filters_open(&t->filters->filters, nothing, t->path, e);
  json_decref(nothing);
  return status;
}

static int read_task(tern_task *t, tern_error *e) {
  static const size_t limit = (size_t)16 << 20;
  json_error_t wrong;
  size_t size;
  char *text = tern_file_read(t->path, limit, &size, e);
  if (text == NULL) return (int)e->status;
  t->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &wrong);
  free(text);
  if (t->root == NULL)
    return tern_fail(e, TERN_FAILED, "%s: line %d, column %d: %s", t->path, wrong.line, wrong.column, wrong.text);
  const tern_keys tables[] = {{task_keys, sizeof task_keys / sizeof *task_keys, t},
                              {tern_wording_keys, tern_wording_key_count, &t->wording}};
  if (tern_keys_read(t->root, tables, 2, t->path, e) != 0) return (int)e->status;
  if (tern_task_check(t, e) != 0) return (int)e->status;
  return fill_defaults(t, e);
}

int tern_task_open(tern_task **out, const char *path, tern_error *e) {
  int status = 0;
  *out = NULL;
  tern_task *t = calloc(1, sizeof *t);
  if (t == NULL || (t->path = strdup(path)) == NULL) status = no_memory(path, e);
  if (status == 0) {
    t->most_tokens = 256;
    t->shots.seed = 1234;
    t->shots.leave_out = true; /* the pool is the evaluated file where no shots are described */
    status = read_task(t, e);
  }
  if (status != 0) {
    tern_task_close(t);
    return status;
  }
  *out = t;
  return 0;
}

void tern_task_close(tern_task *t) {
  if (t == NULL) return;
  char *texts[] = {t->name,
                   t->path,
                   t->version,
                   t->title,
                   t->data,
                   t->other_data,
                   t->column.file,
                   t->column.field,
                   t->shots.column.file,
                   t->shots.column.field,
                   t->split_by,
                   t->delimiter,
                   t->shot_delimiter,
                   t->shots.file,
                   t->shots.manifest,
                   t->temperature_by};
  json_t *values[] = {t->groups, t->shots.rows, t->temperatures, t->root};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) free(texts[i]);
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) json_decref(values[i]);
  tern_template_close(t->description);
  tern_template_close(t->answer_begins);
  tern_template_close(t->original);
  tern_wording_close(&t->wording);
  tern_wording_close(&t->other_wording);
  tern_wording_close(&t->shot_wording);
  tern_task_list_close(&t->references);
  tern_task_list_close(&t->truth);
  tern_task_list_close(&t->turns);
  for (int i = 0; i < t->text_count; i++) {
    free(t->texts[i].name);
    free(t->texts[i].manifest);
  }
  for (int i = 0; i < t->stop_count; i++) free(t->stops[i]);
  for (int i = 0; i < t->filter_count; i++) {
    free(t->filters[i].name);
    tern_filters_close(t->filters[i].filters);
  }
  for (int i = 0; i < t->metric_count; i++) {
    free(t->metrics[i].name);
    json_decref(t->metrics[i].params);
  }
  free(t->texts);
  free(t->stops);
  free(t->filters);
  free(t->metrics);
  free(t);
}
