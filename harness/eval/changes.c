/* Walks both runs in step; figures are in changes_figure.c. */
#include "harness/eval/changes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/changes_parts.h"
#include "harness/eval/score.h"

static int no_memory(tern_error *e) {
  return tern_fail(e, TERN_FAILED, "comparing runs: out of memory");
}

static const json_t *items_of(const json_t *run, const char *task) {
  return json_object_get(json_object_get(run, "tasks"), task);
}

static bool same(const json_t *a, const json_t *b, const char *key) {
  const json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
  return x == y || json_equal(x, y);
}

/* Both runs asked the same. */
static int check_items(const char *task, const json_t *before, const json_t *now, tern_error *e) {
  size_t n = json_array_size(before);
  if (n != json_array_size(now))
    return tern_fail(e, TERN_FAILED, "task %s: %zu items before, %zu now: runs of the same items are compared", task, n,
                     json_array_size(now));
  for (size_t i = 0; i < n; i++) {
    const json_t *a = json_array_get(before, i), *b = json_array_get(now, i);
    const char *what = !same(a, b, "id") ? "id" : !same(a, b, "doc") ? "row" : !same(a, b, "asked") ? "prompt" : NULL;
    if (what != NULL)
      return tern_fail(e, TERN_FAILED, "task %s: item %" JSON_INTEGER_FORMAT ": another %s in the two runs", task,
                       json_integer_value(json_object_get(a, "id")), what);
  }
  return 0;
}

static int check_tasks(const json_t *before, const json_t *now, tern_error *e) {
  const char *task;
  json_t *items;
  json_object_foreach(json_object_get(now, "tasks"), task, items) {
    if (items_of(before, task) == NULL) return tern_fail(e, TERN_FAILED, "task %s is not in the first run", task);
  }
  json_object_foreach(json_object_get(before, "tasks"), task, items) {
    if (items_of(now, task) == NULL) return tern_fail(e, TERN_FAILED, "task %s is not in the second run", task);
    if (check_items(task, items, items_of(now, task), e) != 0) return (int)e->status;
  }
  return 0;
}

static double greatest_difference(const json_t *a, const json_t *b) {
  const json_t *x = json_object_get(a, "lls"), *y = json_object_get(b, "lls");
  double most = 0;
  for (size_t i = 0; i < json_array_size(x); i++) {
    double d = fabs(json_number_value(json_array_get(x, i)) - json_number_value(json_array_get(y, i)));
    if (d > most) most = d;
  }
  return most;
}

static const char *last_text(const json_t *item) {
  const json_t *texts = json_object_get(item, "text");
  return json_string_value(json_array_get(texts, json_array_size(texts) - 1));
}

/* Rolling log-likelihoods stand among figures, but move rather than turn. */
static bool is_logprob(const char *key) {
  char name[200];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(key, ","), key);
  const tern_figure *f = tern_figure_find(name);
  return f != NULL && (f->sum == tern_sum_perplexity || f->sum == tern_sum_bits);
}

static json_t *changed_figures(const json_t *a, const json_t *b) {
  json_t *out = json_object(), *value, *figures = json_object_get(b, "figures");
  const char *key;
  json_object_foreach(json_object_get(a, "figures"), key, value) {
    json_t *then = json_object_get(figures, key);
    if (then == NULL || is_logprob(key) || json_equal(value, then)) continue;
    json_object_set_new(out, key, json_pack("[O, O]", value, then));
  }
  return out;
}

static int find_items(tern_changes *c, const char *task, const json_t *before, const json_t *now, tern_error *e) {
  for (size_t i = 0; i < json_array_size(before); i++) {
    const json_t *a = json_array_get(before, i), *b = json_array_get(now, i);
    json_t *figures = changed_figures(a, b);
    if (figures == NULL) return no_memory(e);
    bool all = same(a, b, "lls") && same(a, b, "greedy") && same(a, b, "text") && json_object_size(figures) == 0;
    tern_changed_item *list = all ? NULL : realloc(c->items, (c->item_count + 1) * sizeof *list);
    if (list == NULL) {
      json_decref(figures);
      if (!all) return no_memory(e);
      continue;
    }
    c->items = list;
    list[c->item_count++] = (tern_changed_item){.task = task,
                                                .target = json_string_value(json_object_get(a, "target")),
                                                .id = json_integer_value(json_object_get(a, "id")),
                                                .most = greatest_difference(a, b),
                                                .was = last_text(a),
                                                .is = last_text(b),
                                                .figures = figures};
  }
  c->compared += json_array_size(before);
  return 0;
}

static int find_rows(tern_changes *c, const char *task, const json_t *before, const json_t *now, tern_error *e) {
  const char *figure;
  json_t *value;
  json_object_foreach(json_object_get(json_array_get(before, 0), "figures"), figure, value) {
    tern_change *list = realloc(c->rows, (c->count + 1) * sizeof *list);
    if (list == NULL) return no_memory(e);
    c->rows = list;
    tern_change *row = &list[c->count++];
    *row = (tern_change){.task = strdup(task), .figure = strdup(figure)};
    if (row->task == NULL || row->figure == NULL) return no_memory(e);
    if (tern_change_figure(row, before, now, e) != 0) return (int)e->status;
  }
  return 0;
}

static int adjust(tern_changes *c, tern_error *e) {
  double *p = calloc(2 * c->count + 1, sizeof *p), *adjusted = p + c->count;
  if (p == NULL) return no_memory(e);
  for (size_t i = 0; i < c->count; i++) p[i] = c->rows[i].p;
  tern_holm(p, adjusted, c->count);
  for (size_t i = 0; i < c->count; i++) c->rows[i].adjusted = adjusted[i];
  free(p);
  return 0;
}

/* Keys of what ran whose values differ; objects a level down. */
static void find_differences(json_t *out, const char *above, const json_t *a, const json_t *b) {
  json_t *all = json_object(), *value;
  const char *key;
  json_object_update(all, (json_t *)a);
  json_object_update(all, (json_t *)b);
  json_object_foreach(all, key, value) {
    json_t *x = json_object_get(a, key), *y = json_object_get(b, key);
    if (x == y || json_equal(x, y)) continue;
    if (above == NULL && json_is_object(x) && json_is_object(y)) {
      find_differences(out, key, x, y);
      continue;
    }
    char name[200];
    snprintf(name, sizeof name, "%s%s%s", above != NULL ? above : "", above != NULL ? "." : "", key);
    json_object_set_new(
        out, name,
        json_pack("[o, o]", x != NULL ? json_incref(x) : json_null(), y != NULL ? json_incref(y) : json_null()));
  }
  json_decref(all);
}

int tern_changes_find(tern_changes *out, const json_t *before, const json_t *now, tern_error *e) {
  const char *task;
  json_t *items;
  *out = (tern_changes){.runs_differ = json_object()};
  int status = out->runs_differ != NULL ? check_tasks(before, now, e) : no_memory(e);
  if (status == 0)
    find_differences(out->runs_differ, NULL, json_object_get(before, "run"), json_object_get(now, "run"));
  json_object_foreach(json_object_get(before, "tasks"), task, items) {
    if (status == 0) status = find_items(out, task, items, items_of(now, task), e);
    if (status == 0) status = find_rows(out, task, items, items_of(now, task), e);
  }
  if (status == 0) status = adjust(out, e);
  if (status != 0) tern_changes_close(out);
  return status;
}

void tern_changes_close(tern_changes *c) {
  for (size_t i = 0; i < c->count; i++) {
    free(c->rows[i].task);
    free(c->rows[i].figure);
  }
  for (size_t i = 0; i < c->item_count; i++) json_decref(c->items[i].figures);
  free(c->rows);
  free(c->items);
  json_decref(c->runs_differ);
  *c = (tern_changes){0};
}
