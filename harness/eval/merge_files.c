/* Lines are moved as they are; only their filter and id are looked at. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/journal.h"
#include "harness/eval/merge_parts.h"
#include "harness/eval/samples.h"

typedef struct line {
  char *text;
  size_t filter; /* place among the filters */
  json_int_t id;
} line;
typedef struct lines {
  line *list;
  size_t count, room;
  json_t *filters; /* {name: place} */
} lines;

static int no_memory(tern_error *e) {
  return tern_fail(e, TERN_FAILED, "merge: out of memory");
}

/* Takes over text. */
static int add_line(lines *l, char *text, const char *path, size_t number, tern_error *e) {
  json_error_t wrong;
  json_t *value = json_loads(text, JSON_ALLOW_NUL, &wrong);
  const char *filter = json_string_value(json_object_get(value, "filter"));
  const json_t *id = json_object_get(value, "doc_id");
  int status = 0;
  if (filter == NULL || !json_is_integer(id))
    status = tern_fail(e, TERN_FAILED, "%s: line %zu is no sample: score the shard again with --from", path, number);
  if (status == 0 && l->count == l->room) {
    size_t room = l->room ? 2 * l->room : 1024;
    line *list = realloc(l->list, room * sizeof *list);
    if (list == NULL)
      status = no_memory(e);
    else
      l->list = list, l->room = room;
  }
  if (status == 0) {
    if (json_object_get(l->filters, filter) == NULL)
      json_object_set_new(l->filters, filter, json_integer((json_int_t)json_object_size(l->filters)));
    size_t place = (size_t)json_integer_value(json_object_get(l->filters, filter));
    l->list[l->count++] = (line){text, place, json_integer_value(id)};
  } else {
    free(text);
  }
  json_decref(value);
  return status;
}

static int read_lines(lines *l, const char *path, tern_error *e) {
  char *text = NULL;
  size_t room = 0;
  int status = 0;
  FILE *from = fopen(path, "re");
  if (from == NULL) return tern_fail_errno(e, "%s: cannot read", path);
  for (size_t number = 1; status == 0 && getline(&text, &room, from) >= 0; number++) {
    status = add_line(l, text, path, number, e);
    text = NULL;
    room = 0;
  }
  if (status == 0 && ferror(from)) status = tern_fail_errno(e, "%s: cannot read", path);
  free(text);
  fclose(from);
  return status;
}

static int compare(const void *a, const void *b) {
  const line *x = a, *y = b;
  if (x->filter != y->filter) return x->filter < y->filter ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

/* Ids run from 0 without gap in every filter. */
static int check_order(const lines *l, const char *task, tern_error *e) {
  for (size_t i = 0; i < l->count; i++) {
    json_int_t want = i > 0 && l->list[i].filter == l->list[i - 1].filter ? l->list[i - 1].id + 1 : 0;
    if (l->list[i].id != want)
      return tern_fail(e, TERN_FAILED, "task %s: item %" JSON_INTEGER_FORMAT " is %s", task,
                       l->list[i].id < want ? l->list[i].id : want,
                       l->list[i].id < want ? "there twice" : "in no shard");
  }
  return 0;
}

static int write_lines(const lines *l, const char *path, tern_error *e) {
  tern_output *o = NULL;
  int status = tern_output_open(&o, path, e);
  if (status != 0) return status;
  for (size_t i = 0; i < l->count; i++) fputs(l->list[i].text, tern_output_stream(o));
  return tern_output_commit(o, e);
}

int tern_merge_samples(const char *out, const char *const *folders, size_t count, const char *task, tern_error *e) {
  lines l = {.filters = json_object()};
  int status = l.filters != NULL ? 0 : no_memory(e);
  for (size_t i = 0; i <= count && status == 0; i++) {
    char *path = tern_samples_path(i < count ? folders[i] : out, task, e);
    if (path == NULL) {
      status = (int)e->status;
    } else if (i < count) {
      status = read_lines(&l, path, e);
    } else {
      if (l.count > 0) qsort(l.list, l.count, sizeof *l.list, compare);
      status = check_order(&l, task, e);
      if (status == 0) status = write_lines(&l, path, e);
    }
    free(path);
  }
  for (size_t i = 0; i < l.count; i++) free(l.list[i].text);
  free(l.list);
  json_decref(l.filters);
  return status;
}

static char *journal_path(const char *folder, tern_error *e) {
  char *path = NULL;
  if (asprintf(&path, "%s/journal.jsonl", folder) >= 0) return path;
  no_memory(e);
  return NULL;
}

/* Ids of a task are dense over all shards: the count bounds them. */
static int move_task(tern_journal *to, tern_journal *const *from, size_t count, const char *task, tern_error *e) {
  size_t all = 0;
  for (size_t i = 0; i < count; i++) all += tern_journal_count(from[i], task);
  for (size_t id = 0; id < all; id++) {
    for (size_t i = 0; i < count; i++) {
      const json_t *item = tern_journal_item(from[i], task, id);
      if (item == NULL || tern_journal_item(to, task, id) != NULL) continue;
      if (tern_journal_add(to, task, id, item, e) != 0) return (int)e->status;
    }
  }
  return 0;
}

int tern_merge_journals(const char *out, const char *const *folders, size_t count, const json_t *head,
                        const json_t *tasks, tern_error *e) {
  tern_journal **from = calloc(count + 1, sizeof *from), *to = NULL;
  tern_error ignored;
  const char *task;
  json_t *config;
  int status = from != NULL ? 0 : no_memory(e);
  for (size_t i = 0; i <= count && status == 0; i++) {
    char *path = journal_path(i < count ? folders[i] : out, e);
    if (path == NULL)
      status = (int)e->status;
    else
      status = i < count ? tern_journal_read(&from[i], path, e) : tern_journal_open(&to, path, head, e);
    free(path);
  }
  json_object_foreach((json_t *)tasks, task, config) {
    if (status == 0) status = move_task(to, from, count, task, e);
  }
  if (tern_journal_close(to, status == 0 ? e : &ignored) != 0 && status == 0) status = (int)e->status;
  for (size_t i = 0; from != NULL && i < count; i++) tern_journal_close(from[i], &ignored);
  free(from);
  return status;
}
