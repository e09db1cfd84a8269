/* Names of tasks and sets against the folders that hold them. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/eval/score.h"
#include "harness/eval/task_parts.h"

enum { PATH = 4096, MOST_NAMES = 256 };

static int no_memory(tern_error *e) {
  return tern_fail(e, TERN_FAILED, "tasks: out of memory");
}

static int join(char *path, const char *folder, const char *name, const char *suffix, tern_error *e) {
  int n = snprintf(path, PATH, "%s/%s%s", folder, name, suffix);
  return n > 0 && n < PATH ? 0 : tern_fail(e, TERN_FAILED, "%.80s/%.80s: name too long", folder, name);
}

/* FOLDER/sets.json's sets; NULL with e unset where there is none. */
static json_t *read_sets(const char *folder, char *path, tern_error *e) {
  json_error_t wrong;
  if (join(path, folder, "sets", ".json", e) != 0 || access(path, R_OK) != 0) return NULL;
  json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &wrong), *sets = NULL;
  static const tern_key keys[] = {
      {"ternmark_sets", NULL, 0, true}, {"comment", NULL, 0, false}, {"sets", tern_key_object, 0, true}};
  const tern_keys table = {keys, 3, &sets};
  if (root == NULL)
    tern_fail(e, TERN_FAILED, "%s: line %d, column %d: %s", path, wrong.line, wrong.column, wrong.text);
  else if (tern_keys_read(root, &table, 1, path, e) != 0)
    json_decref(sets), sets = NULL;
  json_decref(root);
  return sets;
}

/* One entry of a set as the file has it. */
typedef struct raw_entry {
  char *task, *metric, *published, *note;
  int shots, limit;
  bool chat;
} raw_entry;

static void free_raw(raw_entry *r) {
  free(r->task);
  free(r->metric);
  free(r->published);
  free(r->note);
}

static int add_task(tern_task_set *out, const char *path, tern_task_entry **entry, tern_error *e) {
  tern_task_entry *more = realloc(out->entries, (out->count + 1) * sizeof *more);
  if (more == NULL) return no_memory(e);
  out->entries = more;
  *entry = &more[out->count];
  **entry = (tern_task_entry){.shots = -1, .chat = -1};
  if (tern_task_open(&(*entry)->task, path, e) != 0) return (int)e->status;
  out->count++;
  for (size_t i = 0; i + 1 < out->count; i++) {
    if (strcmp(more[i].task->name, (*entry)->task->name) == 0)
      return tern_fail(e, TERN_FAILED, "task %s is asked for twice (%s, %s)", (*entry)->task->name, more[i].task->path,
                       path);
  }
  return 0;
}

/* Adds FOLDER/NAME.json of the first folder that has it; *found says whether. */
static int add_named(tern_task_set *out, const char *const *folders, const char *name, tern_task_entry **entry,
                     bool *found, tern_error *e) {
  char path[PATH];
  *found = false;
  for (; *folders != NULL; folders++) {
    if (join(path, *folders, name, ".json", e) != 0) return (int)e->status;
    if (access(path, R_OK) != 0) continue;
    *found = true;
    if (add_task(out, path, entry, e) != 0) return (int)e->status;
    if (strcmp((*entry)->task->name, name) == 0) return 0;
    return tern_fail(e, TERN_FAILED, "%s: task: \"%s\", but the file's name says \"%s\"", path, (*entry)->task->name,
                     name);
  }
  return 0;
}

/* "FIGURE,FILTER" of a task's own metrics and filters. */
static bool has_figure(const tern_task *t, const char *name) {
  const char *comma = strchr(name, ',');
  bool filter = false, figure = false;
  for (int i = 0; comma != NULL && i < t->filter_count; i++) filter |= strcmp(t->filters[i].name, comma + 1) == 0;
  for (int i = 0; filter && i < t->metric_count; i++) {
    const tern_figure *f = t->metrics[i].metric->figures;
    for (size_t j = 0; j < sizeof t->metrics[i].metric->figures / sizeof *f && f[j].name != NULL; j++)
      figure |= strncmp(f[j].name, name, (size_t)(comma - name)) == 0 && f[j].name[comma - name] == '\0';
  }
  return figure;
}

static int add_entry(tern_task_set *out, const char *const *folders, const json_t *value, const char *where,
                     tern_error *e) {
  static const tern_key keys[] = {{"task", tern_key_text, offsetof(raw_entry, task), true},
                                  {"shots", tern_key_natural, offsetof(raw_entry, shots), false},
                                  {"limit", tern_key_natural, offsetof(raw_entry, limit), false},
                                  {"chat", tern_key_flag, offsetof(raw_entry, chat), false},
                                  {"metric", tern_key_text, offsetof(raw_entry, metric), false},
                                  {"published", tern_key_text, offsetof(raw_entry, published), false},
                                  {"note", tern_key_text, offsetof(raw_entry, note), false}};
  raw_entry r = {.shots = -1};
  const tern_keys table = {keys, sizeof keys / sizeof *keys, &r};
  tern_task_entry *entry = NULL;
  bool found = false;
  int status = tern_keys_read(value, &table, 1, where, e);
  if (status == 0) status = add_named(out, folders, r.task, &entry, &found, e);
  if (status == 0 && !found) status = tern_fail(e, TERN_FAILED, "%s: there is no task file %s.json", where, r.task);
  if (status == 0 && r.metric != NULL && !has_figure(entry->task, r.metric))
    status = tern_fail(e, TERN_FAILED, "%s: metric: %s has no figure \"%.60s\" (figure, comma, filter)", where, r.task,
                       r.metric);
  if (status == 0) {
    entry->shots = r.shots;
    entry->limit = (size_t)r.limit;
    const json_t *chat = json_object_get(value, "chat");
    entry->chat = chat == NULL || json_is_null(chat) ? -1 : r.chat;
    entry->metric = r.metric;
    entry->published = r.published;
    entry->note = r.note;
    r.metric = r.published = r.note = NULL;
  }
  free_raw(&r);
  return status;
}

static int add_set(tern_task_set *out, const char *const *folders, const json_t *set, const char *where,
                   tern_error *e) {
  json_t *tasks = NULL;
  const json_t *entry;
  size_t i;
  static const tern_key keys[] = {{"about", NULL, 0, false}, {"tasks", tern_key_list, 0, true}};
  const tern_keys table = {keys, 2, &tasks};
  int status = tern_keys_read(set, &table, 1, where, e);
  json_array_foreach(tasks, i, entry) {
    char at[PATH + 200];
    if (status != 0) break;
    snprintf(at, sizeof at, "%s.tasks.%zu", where, i);
    status = add_entry(out, folders, entry, at, e);
  }
  json_decref(tasks);
  return status;
}

static int add_set_named(tern_task_set *out, const char *const *folders, const char *name, bool *found, tern_error *e) {
  *found = false;
  for (const char *const *folder = folders; *folder != NULL && !*found; folder++) {
    char path[PATH], where[PATH + 120];
    e->status = TERN_OK;
    json_t *sets = read_sets(*folder, path, e);
    if (sets == NULL && e->status != TERN_OK) return (int)e->status;
    const json_t *set = json_object_get(sets, name);
    int status = 0;
    if (set != NULL) {
      *found = true;
      snprintf(where, sizeof where, "%s: sets.%s", path, name);
      status = add_set(out, folders, set, where, e);
    }
    json_decref(sets);
    if (status != 0) return status;
  }
  return 0;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of tasks and sets in the folders, sorted (each: free()). */
static size_t list_names(const char *const *folders, char **names) {
  size_t count = 0;
  for (; *folders != NULL; folders++) {
    char path[PATH];
    const char *key;
    json_t *value;
    tern_error ignored = {0};
    DIR *dir = opendir(*folders);
    for (const struct dirent *d; dir != NULL && count < MOST_NAMES && (d = readdir(dir)) != NULL;) {
      size_t size = strlen(d->d_name);
      if (size <= 5 || strcmp(d->d_name + size - 5, ".json") != 0 || strcmp(d->d_name, "sets.json") == 0) continue;
      if ((names[count] = strndup(d->d_name, size - 5)) != NULL) count++;
    }
    if (dir != NULL) closedir(dir);
    json_t *sets = read_sets(*folders, path, &ignored);
    json_object_foreach(sets, key, value) {
      if (count < MOST_NAMES && (names[count] = strdup(key)) != NULL) count++;
    }
    json_decref(sets);
  }
  qsort(names, count, sizeof *names, compare_names);
  return count;
}

static int unknown(const char *const *folders, const char *name, tern_error *e) {
  char *names[MOST_NAMES], advice[440];
  size_t count = list_names(folders, names);
  tern_key_advice(advice, sizeof advice, name, (const char *const *)names, count);
  for (size_t i = 0; i < count; i++) free(names[i]);
  if (count == 0)
    return tern_fail(e, TERN_USAGE, "unknown task \"%.60s\": no task files in %s", name,
                     *folders ? *folders : "no folder");
  return tern_fail(e, TERN_USAGE, "unknown task \"%.60s\"; %s", name, advice);
}

static bool is_path(const char *name) {
  size_t size = strlen(name);
  return strchr(name, '/') != NULL || (size > 5 && strcmp(name + size - 5, ".json") == 0);
}

static int add_name(tern_task_set *out, const char *const *folders, const char *name, tern_error *e) {
  tern_task_entry *entry;
  bool found;
  if (is_path(name)) return add_task(out, name, &entry, e);
  if (add_set_named(out, folders, name, &found, e) != 0) return (int)e->status;
  if (found) return 0;
  if (add_named(out, folders, name, &entry, &found, e) != 0) return (int)e->status;
  return found ? 0 : unknown(folders, name, e);
}

int tern_task_set_open(tern_task_set *out, const char *const *folders, const char *names, tern_error *e) {
  *out = (tern_task_set){0};
  char *copy = strdup(names), *rest = copy;
  int status = copy ? 0 : no_memory(e);
  for (char *name; status == 0 && (name = strsep(&rest, ",")) != NULL;) {
    if (*name != '\0') status = add_name(out, folders, name, e);
  }
  free(copy);
  if (status == 0 && out->count == 0) status = tern_fail(e, TERN_USAGE, "no task is named");
  if (status != 0) tern_task_set_close(out);
  return status;
}

void tern_task_set_close(tern_task_set *s) {
  for (size_t i = 0; i < s->count; i++) {
    tern_task_close(s->entries[i].task);
    free(s->entries[i].metric);
    free(s->entries[i].published);
    free(s->entries[i].note);
  }
  free(s->entries);
  *s = (tern_task_set){0};
}
