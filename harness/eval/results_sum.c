/* A task's figures: each named figure over the items that have it. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/items.h"
#include "harness/eval/results_parts.h"
#include "harness/eval/samples.h"

int tern_result_set(json_t *to, const char *figure, double value, double error, tern_error *e) {
  char key[300];
  size_t name = strcspn(figure, ",");
  snprintf(key, sizeof key, "%.*s_stderr%s", (int)name, figure, figure + name);
  bool ok = json_object_set_new(to, figure, json_real(value)) == 0;
  ok = json_object_set_new(to, key, isnan(error) ? json_string("N/A") : json_real(error)) == 0 && ok;
  return ok ? 0 : tern_fail(e, TERN_FAILED, "%s is %g, which no result can be", figure, value);
}

static int sum_figure(const json_t *items, const char *key, json_t *to, tern_error *e) {
  char name[200];
  size_t n = json_array_size(items), count = 0, i;
  json_t *item;
  tern_summed sum;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(key, ","), key);
  const tern_figure *figure = tern_figure_find(name);
  if (figure == NULL) return tern_fail(e, TERN_FAILED, "figure %s: no metric of this version has it", name);
  const json_t **values = calloc(n + 1, sizeof *values);
  if (values == NULL) return tern_fail(e, TERN_FAILED, "figures: out of memory");
  json_array_foreach((json_t *)items, i, item) {
    const json_t *value = json_object_get(json_object_get(item, "figures"), key);
    if (value != NULL) values[count++] = value;
  }
  int status = figure->sum(values, count, &sum, e);
  if (status == 0) status = tern_result_set(to, key, sum.value, sum.error, e);
  free(values);
  return status;
}

static bool any_above_zero(const json_t *list) {
  const json_t *value;
  size_t i;
  json_array_foreach((json_t *)list, i, value) {
    if (json_integer_value(value) > 0) return true;
  }
  return false;
}

static bool is_empty(const json_t *item) {
  const json_t *texts = json_object_get(item, "text");
  const char *last = json_string_value(json_array_get(texts, json_array_size(texts) - 1));
  return last != NULL && last[strspn(last, " \n\t\r")] == '\0';
}

/* What is to be known beside figures: counts over items, and sums of their facts. */
static json_t *count_facts(const json_t *items) {
  json_t *item, *value, *facts = json_object();
  json_int_t truncated = 0, empty = 0;
  const char *name;
  size_t i;
  json_array_foreach((json_t *)items, i, item) {
    truncated += any_above_zero(json_object_get(item, "truncated"));
    empty += is_empty(item);
    json_object_foreach(json_object_get(item, "facts"), name, value) {
      json_int_t sum = json_integer_value(json_object_get(facts, name)) + json_integer_value(value);
      json_object_set_new(facts, name, json_integer(sum));
    }
  }
  return json_pack("{s:I, s:I, s:o}", "truncated", truncated, "empty", empty, "facts", facts);
}

static int sum_items(json_t *results, const char *task, const json_t *items, tern_error *e) {
  json_t *to =
      json_pack("{s:s, s:s, s:I}", "name", task, "alias", task, "sample_len", (json_int_t)json_array_size(items));
  json_t *seen = json_object(), *item, *value, *facts = count_facts(items);
  const char *key;
  size_t i;
  int status = 0;
  json_array_foreach((json_t *)items, i, item) {
    json_object_foreach(json_object_get(item, "figures"), key, value) json_object_set(seen, key, value);
  }
  json_object_foreach(seen, key, value) {
    if (status == 0) status = sum_figure(items, key, to, e);
  }
  json_t *effective = json_integer((json_int_t)json_array_size(items));
  json_object_set_new(json_object_get(json_object_get(results, "n-samples"), task), "effective", effective);
  json_t *ours = json_object_get(json_object_get(json_object_get(results, "ternmark"), "tasks"), task);
  json_object_update(ours, facts);
  if (status == 0 && json_object_set(json_object_get(results, "results"), task, to) != 0)
    status = tern_fail(e, TERN_FAILED, "results: out of memory");
  json_decref(facts);
  json_decref(seen);
  json_decref(to);
  return status;
}

int tern_task_sum(json_t *results, const char *folder, const char *task, tern_error *e) {
  json_t *items = NULL;
  char *path = tern_samples_path(folder, task, e);
  int status = path != NULL ? tern_items_read(&items, path, e) : (int)e->status;
  if (status == 0) status = sum_items(results, task, items, e);
  if (status != 0) {
    tern_error why = *e;
    tern_fail(e, why.status, "task %s: %s", task, why.text);
  }
  json_decref(items);
  free(path);
  return status;
}
