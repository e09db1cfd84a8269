/* A task's files: rows, their labels, subtasks, the pool of shots, and what
 * comes from the manifest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/eval/data_root.h"
#include "harness/eval/fields.h"
#include "harness/eval/pages.h"
#include "harness/eval/rows_parts.h"

enum { PATH = 4096 };

static int no_memory(const tern_task *t, tern_error *e) {
  return tern_fail(e, TERN_FAILED, "%s: out of memory", t->path);
}

/* A name of a task file: under the data root, or beside the task file itself. */
static int find_file(const tern_task *t, const char *data, const char *name, char *path, tern_error *e) {
  if (strncmp(name, "./", 2) != 0 && strncmp(name, "../", 3) != 0) return tern_data_find(path, PATH, data, name, e);
  const char *slash = strrchr(t->path, '/');
  int folder = slash ? (int)(slash - t->path + 1) : 0, n = snprintf(path, PATH, "%.*s%s", folder, t->path, name);
  return n > 0 && n < PATH ? 0 : tern_fail(e, TERN_FAILED, "%.80s: name too long", name);
}

/* A line of the column's file to each row. */
static int join_column(const tern_task *t, const char *data, const tern_task_column *c, tern_rows *rows,
                       tern_error *e) {
  static const size_t limit = (size_t)64 << 20;
  char path[PATH];
  size_t size, row = 0, count = tern_rows_count(rows);
  if (c->file == NULL) return 0;
  if (find_file(t, data, c->file, path, e) != 0) return (int)e->status;
  char *text = tern_rows_bytes(path, limit, &size, e), *rest = text;
  if (text == NULL) return (int)e->status;
  int status = 0;
  for (char *line; status == 0 && (line = strsep(&rest, "\n")) != NULL; row++) {
    line[strcspn(line, "\r")] = '\0';
    if (*line == '\0' && rest == NULL) break; /* behind the last line-end */
    if (row >= count) continue;
    if (json_object_set_new(tern_rows_at(rows, row), c->field, json_string(line)) != 0)
      status = tern_fail(e, TERN_FAILED, "%s: line %zu: invalid UTF-8", path, row + 1);
  }
  free(text);
  if (status == 0 && row != count)
    status = tern_fail(e, TERN_FAILED, "%s: %zu lines for the %zu rows of %s", path, row, count, rows->path);
  return status;
}

/* The evaluated file, else the one in another form; of neither the first is named. */
static int find_rows(const tern_task *t, const char *data, char *path, bool *other, tern_error *e) {
  tern_error missing = {0};
  *other = false;
  if (t->other_data == NULL) return find_file(t, data, t->data, path, e);
  if (find_file(t, data, t->data, path, &missing) == 0 && access(path, R_OK) == 0) return 0;
  if (find_file(t, data, t->other_data, path, &missing) == 0 && access(path, R_OK) == 0) {
    *other = true;
    return 0;
  }
  return find_file(t, data, t->data, path, e);
}

static int read_evaluated(const tern_task *t, const char *data, tern_task_data *out, tern_error *e) {
  char path[PATH];
  if (find_rows(t, data, path, &out->other, e) != 0) return (int)e->status;
  if ((out->path = strdup(path)) == NULL) return no_memory(t, e);
  int status = t->pages ? tern_pages_read(&out->rows, path, e) : tern_rows_read(&out->rows, path, e);
  return status == 0 && !out->other ? join_column(t, data, &t->column, out->rows, e) : status;
}

/* split_by's value of a row as text (free()). */
static char *value_of(const tern_task *t, const tern_rows *rows, size_t i, tern_error *e) {
  const json_t *value = tern_rows_field(rows, i, t->split_by, e);
  return value ? tern_template_text(value, t->split_by, e) : NULL;
}

/* Keeps the rows of one subtask. */
static int select_rows(const tern_task *t, tern_rows **rows, const char *subtask, tern_error *e) {
  tern_rows *all = *rows, *some = calloc(1, sizeof *some);
  if (some == NULL || (some->path = strdup(all->path)) == NULL || (some->list = json_array()) == NULL) {
    tern_rows_close(some);
    return no_memory(t, e);
  }
  int status = 0;
  for (size_t i = 0; status == 0 && i < tern_rows_count(all); i++) {
    char *value = value_of(t, all, i, e);
    if (value == NULL)
      status = (int)e->status;
    else if (strcmp(value, subtask) == 0)
      status = tern_rows_add(some, json_incref(tern_rows_at(all, i)), tern_rows_line(all, i), e);
    free(value);
  }
  if (status == 0 && tern_rows_count(some) == 0)
    status = tern_fail(e, TERN_FAILED, "%s: no row with %s \"%s\"", all->path, t->split_by, subtask);
  if (status != 0) {
    tern_rows_close(some);
    return status;
  }
  tern_rows_close(all);
  *rows = some;
  return 0;
}

int tern_task_subtasks(const tern_task *t, const tern_rows *rows, char ***out, size_t *count, tern_error *e) {
  json_t *seen = json_object();
  size_t all = tern_rows_count(rows);
  *count = 0;
  *out = calloc(all + 1, sizeof **out);
  int status = seen == NULL || *out == NULL ? no_memory(t, e) : 0;
  for (size_t i = 0; status == 0 && t->split_by != NULL && i < all; i++) {
    char *value = value_of(t, rows, i, e);
    if (value == NULL) {
      status = (int)e->status;
    } else if (json_object_get(seen, value) == NULL) {
      (*out)[(*count)++] = value;
      if (json_object_set_new(seen, value, json_true()) != 0) status = no_memory(t, e);
    } else {
      free(value);
    }
  }
  json_decref(seen);
  if (status == 0) return 0;
  for (size_t i = 0; *out != NULL && i < *count; i++) free((*out)[i]);
  free(*out);
  *out = NULL;
  return status;
}

/* Others' texts are not shipped: a file under the data root. */
static int read_manifest(const tern_task *t, const char *data, const char *name, tern_rows **out, tern_error *e) {
  char file[160], path[PATH];
  tern_error why = {0};
  snprintf(file, sizeof file, "shots/%s.jsonl", name);
  if (tern_data_find(path, sizeof path, data, file, &why) != 0)
    return tern_fail(e, TERN_FAILED,
                     "%s: needs %s, texts that others wrote: `ternmark fetch %s`, or make them from your lm-eval "
                     "installation: python3 datasets/tasks/tools/lm_eval_shots.py DATA_FOLDER",
                     t->name, file, name);
  return tern_rows_read(out, path, e);
}

static int read_texts(const tern_task *t, const char *data, tern_task_data *out, tern_error *e) {
  for (int i = 0; i < t->text_count; i++) {
    tern_rows *rows = NULL;
    if (read_manifest(t, data, t->texts[i].manifest, &rows, e) != 0) return (int)e->status;
    const char *text = tern_rows_text(rows, 0, "text", e);
    int wrong = text ? json_object_set_new(out->texts, t->texts[i].name, json_string(text)) : -1;
    tern_rows_close(rows);
    if (wrong != 0) return text ? no_memory(t, e) : (int)e->status;
  }
  return 0;
}

/* Rows written in the task file itself. */
static int own_rows(const tern_task *t, tern_rows **out, tern_error *e) {
  tern_rows *rows = calloc(1, sizeof *rows);
  json_t *row;
  size_t i;
  if (rows == NULL || (rows->path = strdup(t->path)) == NULL || (rows->list = json_array()) == NULL) {
    tern_rows_close(rows);
    return no_memory(t, e);
  }
  *out = rows;
  json_array_foreach(t->shots.rows, i, row) {
    if (tern_rows_add(rows, json_incref(row), i + 1, e) != 0) return (int)e->status;
  }
  return 0;
}

static int read_pool(const tern_task *t, const char *data, tern_task_data *out, tern_error *e) {
  const tern_task_shots *s = &t->shots;
  char path[PATH];
  if (s->rows != NULL) return own_rows(t, &out->pool, e);
  if (s->manifest != NULL) return read_manifest(t, data, s->manifest, &out->pool, e);
  if (s->file == NULL) {
    out->pool = out->rows;
    return 0;
  }
  if (find_file(t, data, s->file, path, e) != 0) return (int)e->status;
  if ((out->pool_path = strdup(path)) == NULL) return no_memory(t, e);
  int status = tern_rows_read(&out->pool, path, e);
  return status == 0 ? join_column(t, data, &s->column, out->pool, e) : status;
}

int tern_task_data_open(tern_task_data *out, const tern_task *t, const char *data, const char *subtask, bool shots,
                        tern_error *e) {
  *out = (tern_task_data){.texts = json_object()};
  int status = out->texts == NULL ? no_memory(t, e) : read_texts(t, data, out, e);
  if (status == 0) status = read_evaluated(t, data, out, e);
  if (status == 0 && subtask != NULL) status = select_rows(t, &out->rows, subtask, e);
  if (status == 0 && shots) status = read_pool(t, data, out, e);
  if (status == 0 && subtask != NULL && out->pool != NULL && out->pool != out->rows && t->shots.file != NULL)
    status = select_rows(t, &out->pool, subtask, e);
  if (status != 0) tern_task_data_close(out);
  return status;
}

void tern_task_data_close(tern_task_data *d) {
  if (d->pool != d->rows) tern_rows_close(d->pool);
  tern_rows_close(d->rows);
  json_decref(d->texts);
  free(d->path);
  free(d->pool_path);
  *d = (tern_task_data){0};
}
