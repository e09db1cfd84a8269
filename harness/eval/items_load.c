/* Where runs are read from: a folder of samples files, a baseline, a lone file. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/file.h"
#include "harness/eval/items.h"
#include "harness/eval/python_json.h"

static const char version_key[] = "ternmark_baseline", prefix[] = "samples_", suffix[] = ".jsonl";
enum { VERSION = 1 };

static bool is_samples(const char *name) {
  size_t n = strlen(name), ends = strlen(suffix);
  return strncmp(name, prefix, strlen(prefix)) == 0 && n > strlen(prefix) + ends &&
         strcmp(name + n - ends, suffix) == 0;
}

static int pick(const struct dirent *d) {
  return is_samples(d->d_name);
}

/* The task of a samples file (free()); lm-eval puts a time behind it. */
static char *task_of(const char *path) {
  const char *name = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
  if (strncmp(name, prefix, strlen(prefix)) == 0) name += strlen(prefix);
  size_t n = strlen(name);
  if (n > strlen(suffix) && strcmp(name + n - strlen(suffix), suffix) == 0) n -= strlen(suffix);
  char *task = strndup(name, n), *time = task != NULL ? strrchr(task, '_') : NULL;
  int year, month, day;
  if (time != NULL && sscanf(time, "_%4d-%2d-%2dT", &year, &month, &day) == 3) *time = '\0';
  return task;
}

static int add_file(json_t *run, const char *path, tern_error *e) {
  json_t *items = NULL, *tasks = json_object_get(run, "tasks");
  char *task = task_of(path);
  int status = task != NULL ? tern_items_read(&items, path, e) : tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  if (status == 0 && json_object_get(tasks, task) != NULL)
    status = tern_fail(e, TERN_FAILED, "%s: a second file of task %s; leave one in the folder", path, task);
  if (status == 0 && json_object_set(tasks, task, items) != 0)
    status = tern_fail(e, TERN_FAILED, "%s: out of memory", path);
  json_decref(items);
  free(task);
  return status;
}

/* What the folder's results.json says of the run; lm-eval's folders say it elsewhere. */
static int add_facts(json_t *run, const char *folder, tern_error *e) {
  char *path = NULL;
  struct stat st;
  json_error_t wrong;
  json_t *results = NULL;
  if (asprintf(&path, "%s/results.json", folder) < 0) return tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  int status = 0;
  if (stat(path, &st) == 0) {
    results = json_load_file(path, 0, &wrong);
    if (results == NULL) status = tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, wrong.line, wrong.text);
    json_t *facts = json_object_get(json_object_get(results, "ternmark"), "run");
    if (facts != NULL) json_object_set(run, "run", facts);
  }
  json_decref(results);
  free(path);
  return status;
}

static int read_folder(json_t *run, const char *folder, tern_error *e) {
  struct dirent **list = NULL;
  int count = scandir(folder, &list, pick, alphasort), status = 0;
  if (count < 0) return tern_fail_errno(e, "%s: cannot read", folder);
  for (int i = 0; i < count; i++) {
    char *path = NULL;
    if (status == 0 && asprintf(&path, "%s/%s", folder, list[i]->d_name) < 0)
      status = tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
    if (status == 0) {
      status = add_file(run, path, e);
      free(path);
    }
    free(list[i]);
  }
  free(list);
  if (status == 0 && count == 0)
    status =
        tern_fail(e, TERN_FAILED, "%s: no samples_TASK.jsonl here: not the folder of an eval, or not finished", folder);
  return status == 0 ? add_facts(run, folder, e) : status;
}

static int read_baseline(json_t **run, const char *path, tern_error *e) {
  json_error_t wrong;
  *run = json_load_file(path, 0, &wrong);
  if (*run == NULL) return tern_fail(e, TERN_FAILED, "%s: line %d: %s", path, wrong.line, wrong.text);
  if (json_integer_value(json_object_get(*run, version_key)) == VERSION &&
      json_is_object(json_object_get(*run, "tasks")))
    return 0;
  return tern_fail(e, TERN_FAILED,
                   "%s: no baseline that this version reads (\"%s\": %d); write one with --save-baseline", path,
                   version_key, VERSION);
}

int tern_items_load(json_t **out, const char *path, tern_error *e) {
  struct stat st;
  int status;
  size_t n = strlen(path);
  *out = NULL;
  if (stat(path, &st) != 0) return tern_fail_errno(e, "%s", path);
  bool lone = n > strlen(suffix) && strcmp(path + n - strlen(suffix), suffix) == 0;
  if (S_ISDIR(st.st_mode) || lone) {
    *out = json_pack("{s:{}, s:{}}", "run", "tasks");
    status = *out == NULL ? tern_fail(e, TERN_FAILED, "%s: out of memory", path)
                          : (lone ? add_file : read_folder)(*out, path, e);
  } else {
    status = read_baseline(out, path, e);
  }
  if (status != 0) {
    json_decref(*out);
    *out = NULL;
  }
  return status;
}

int tern_baseline_write(const char *path, const char *folder, tern_error *e) {
  json_t *run = NULL, *whole = NULL;
  tern_output *o = NULL;
  char *text = NULL;
  int status = tern_items_load(&run, folder, e);
  if (status == 0 && (whole = json_pack("{s:i}", version_key, VERSION)) != NULL) json_object_update(whole, run);
  if (status == 0 && (text = tern_python_dumps(whole, 0, e)) == NULL) status = (int)e->status;
  if (status == 0) status = tern_output_open(&o, path, e);
  if (status == 0) {
    fprintf(tern_output_stream(o), "%s\n", text);
    status = tern_output_commit(o, e);
  }
  free(text);
  json_decref(whole);
  json_decref(run);
  return status;
}
