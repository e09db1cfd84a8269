#include "harness/eval/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/file.h"
#include "harness/eval/python_json.h"
#include "harness/eval/results_parts.h"
#include "harness/eval/score.h"

json_t *tern_results_begin(const json_t *run, tern_error *e) {
  json_t *options = json_object_get(run, "options");
  json_t *config = json_pack("{s:O?}", "model", json_object_get(run, "model"));
  json_t *results = json_pack("{s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:{}, s:o, s:{s:O, s:{}}}", "results",
                              "groups", "group_subtasks", "configs", "versions", "n-shot", "higher_is_better",
                              "n-samples", "config", config, "ternmark", "run", run, "tasks");
  if (results != NULL && options != NULL) json_object_update_missing(config, options);
  if (results == NULL) tern_fail(e, TERN_FAILED, "results: out of memory");
  return results;
}

static json_t *part(json_t *results, const char *name) {
  return json_object_get(results, name);
}

static json_t *directions(const tern_task *t) {
  json_t *out = json_object();
  for (int i = 0; i < t->metric_count; i++) {
    const tern_metric *m = t->metrics[i].metric;
    for (size_t j = 0; j < sizeof m->figures / sizeof *m->figures && m->figures[j].name != NULL; j++)
      json_object_set_new(out, m->figures[j].name, json_boolean(m->figures[j].higher_is_better));
  }
  return out;
}

/* Adds the child once; what holds for it holds for the group. */
static void add_child(json_t *results, const char *group, const char *child, const tern_documents *d) {
  json_t *groups = part(results, "group_subtasks"), *list = json_object_get(groups, group), *there;
  size_t i;
  if (list == NULL) json_object_set_new(groups, group, list = json_array());
  json_array_foreach(list, i, there) {
    if (strcmp(json_string_value(there), child) == 0) return;
  }
  json_array_append_new(list, json_string(child));
  json_object_set_new(part(results, "versions"), group, json_string(d->task->version));
  json_object_set_new(part(results, "n-shot"), group, json_integer(d->shots));
  json_object_set_new(part(results, "higher_is_better"), group, directions(d->task));
}

/* A subtask stands in its group and that in the task's, or in the task's alone. */
static int add_to_groups(json_t *results, const tern_documents *d, tern_error *e) {
  const tern_task *t = d->task;
  const char *group, *inner = NULL;
  json_t *values, *value;
  char *name = NULL;
  size_t i;
  json_object_foreach(t->groups, group, values) {
    json_array_foreach(values, i, value) {
      if (strcmp(json_string_value(value), d->options.subtask) == 0) inner = group;
    }
  }
  if (inner == NULL) {
    add_child(results, t->name, d->name, d);
    return 0;
  }
  if (asprintf(&name, "%s_%s", t->name, inner) < 0) return tern_fail(e, TERN_FAILED, "results: out of memory");
  add_child(results, t->name, name, d);
  add_child(results, name, d->name, d);
  free(name);
  return 0;
}

int tern_results_add(json_t *results, const tern_documents *d, const json_t *graders, tern_error *e) {
  const tern_task *t = d->task;
  json_t *samples = json_pack("{s:I, s:i}", "original", (json_int_t)tern_rows_count(d->data.rows), "effective", 0);
  const char *chat = d->options.chat != NULL ? tern_chat_template_name(d->options.chat) : NULL;
  json_t *ours = json_pack("{s:s, s:O, s:s?}", "title", t->title, "graders", graders, "chat", chat);
  bool ok = json_object_set(part(results, "configs"), d->name, t->root) == 0;
  ok = json_object_set_new(part(results, "versions"), d->name, json_string(t->version)) == 0 && ok;
  ok = json_object_set_new(part(results, "n-shot"), d->name, json_integer(d->shots)) == 0 && ok;
  ok = json_object_set_new(part(results, "higher_is_better"), d->name, directions(t)) == 0 && ok;
  ok = json_object_set_new(part(results, "n-samples"), d->name, samples) == 0 && ok;
  ok = json_object_set_new(json_object_get(part(results, "ternmark"), "tasks"), d->name, ours) == 0 && ok;
  if (!ok) return tern_fail(e, TERN_FAILED, "%s: results: out of memory", d->name);
  return d->options.subtask != NULL ? add_to_groups(results, d, e) : 0;
}

int tern_results_sum(json_t *results, const char *folder, tern_error *e) {
  const char *task;
  json_t *config;
  int status = 0;
  json_object_clear(part(results, "results"));
  json_object_clear(part(results, "groups"));
  json_object_foreach(part(results, "configs"), task, config) {
    if (status == 0) status = tern_task_sum(results, folder, task, e);
  }
  return status == 0 ? tern_groups_sum(results, e) : status;
}

int tern_results_write(const json_t *results, const char *folder, tern_error *e) {
  char *path = NULL, *text = tern_python_dumps(results, 2, e);
  tern_output *o = NULL;
  if (text == NULL) return (int)e->status;
  int status = 0;
  if (asprintf(&path, "%s/results.json", folder) < 0) {
    path = NULL;
    status = tern_fail(e, TERN_FAILED, "%s: out of memory", folder);
  }
  if (status == 0) status = tern_output_open(&o, path, e);
  if (status == 0) {
    fprintf(tern_output_stream(o), "%s\n", text);
    status = tern_output_commit(o, e);
  }
  free(path);
  free(text);
  return status;
}
