/* Groups: means weighted by size, standard errors pooled, over all tasks below
 * (lm-eval's aggregate_subtask_metrics and pooled_sample_stderr). */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/aggregate.h"
#include "harness/eval/results_parts.h"
#include "harness/eval/score.h"

enum { DEEPEST = 8 }; /* a group within itself ends here */

/* Names of the tasks below a group, into `out`. */
static void leaves(const json_t *results, const char *group, json_t *out, int depth) {
  json_t *child;
  size_t i;
  if (depth > DEEPEST) return;
  json_array_foreach(json_object_get(json_object_get(results, "group_subtasks"), group), i, child) {
    const char *name = json_string_value(child);
    if (json_object_get(json_object_get(results, "group_subtasks"), name) != NULL)
      leaves(results, name, out, depth + 1);
    else
      json_array_append(out, child);
  }
}

static const json_t *result_of(const json_t *results, const json_t *task) {
  return json_object_get(json_object_get(results, "results"), json_string_value(task));
}

/* Figures that a mean over all items means something for. */
static bool is_mean(const char *key) {
  char name[200];
  size_t n = strcspn(key, ",");
  if (key[n] == '\0' || n >= sizeof name) return false;
  memcpy(name, key, n);
  name[n] = '\0';
  const tern_figure *f = tern_figure_find(name);
  return f != NULL && f->sum == tern_sum_mean;
}

typedef struct columns {
  double *means, *errors;
  size_t *sizes, count, items;
  bool whole; /* each task has a standard error */
} columns;

static void gather(const json_t *results, const json_t *tasks, const char *key, columns *c) {
  char error_key[300];
  json_t *task;
  size_t i, name = strcspn(key, ",");
  snprintf(error_key, sizeof error_key, "%.*s_stderr%s", (int)name, key, key + name);
  c->count = c->items = 0;
  c->whole = true;
  json_array_foreach((json_t *)tasks, i, task) {
    const json_t *r = result_of(results, task), *error = json_object_get(r, error_key);
    if (json_object_get(r, key) == NULL) continue;
    c->means[c->count] = json_number_value(json_object_get(r, key));
    c->sizes[c->count] = (size_t)json_integer_value(json_object_get(r, "sample_len"));
    c->errors[c->count] = json_number_value(error);
    c->whole = c->whole && json_is_number(error);
    c->items += c->sizes[c->count++];
  }
}

static int sum_figures(const json_t *results, const json_t *tasks, columns *c, json_t *to, tern_error *e) {
  json_t *task, *value, *counts = json_object();
  const char *key;
  size_t i;
  int status = 0;
  json_array_foreach((json_t *)tasks, i, task) {
    json_object_foreach((json_t *)result_of(results, task), key, value) {
      if (status != 0 || !is_mean(key) || json_object_get(to, key) != NULL) continue;
      gather(results, tasks, key, c);
      double error = c->whole ? tern_group_stderr(c->errors, c->sizes, c->count) : NAN;
      status = tern_result_set(to, key, tern_group_mean(c->means, c->sizes, c->count), error, e);
      json_object_set_new(counts, key, json_integer((json_int_t)c->items));
    }
  }
  json_object_set_new(to, "sample_count", counts);
  return status;
}

static int sum_group(json_t *results, const char *group, tern_error *e) {
  json_t *tasks = json_array(), *task;
  json_int_t items = 0;
  size_t i;
  leaves(results, group, tasks, 0);
  json_array_foreach(tasks, i, task) items +=
      json_integer_value(json_object_get(result_of(results, task), "sample_len"));
  json_t *to = json_pack("{s:s, s:s, s:I}", "alias", group, "name", group, "sample_len", items);
  size_t n = json_array_size(tasks) + 1;
  columns c = {
      .means = calloc(n, sizeof(double)), .errors = calloc(n, sizeof(double)), .sizes = calloc(n, sizeof(size_t))};
  int status = 0;
  if (to == NULL || c.means == NULL || c.errors == NULL || c.sizes == NULL)
    status = tern_fail(e, TERN_FAILED, "group %s: out of memory", group);
  else
    status = sum_figures(results, tasks, &c, to, e);
  if (status == 0) {
    json_object_set(json_object_get(results, "groups"), group, to);
    json_object_set(json_object_get(results, "results"), group, to);
  }
  free(c.means);
  free(c.errors);
  free(c.sizes);
  json_decref(to);
  json_decref(tasks);
  return status;
}

int tern_groups_sum(json_t *results, tern_error *e) {
  const char *group;
  json_t *children;
  int status = 0;
  json_object_foreach(json_object_get(results, "group_subtasks"), group, children) {
    if (status == 0) status = sum_group(results, group, e);
  }
  return status;
}
