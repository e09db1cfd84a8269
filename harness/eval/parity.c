#include "harness/eval/parity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(tern_error *e) {
  return tern_fail(e, TERN_FAILED, "comparing with lm-eval: out of memory");
}

static double number(const json_t *v) {
  return json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v);
}

static void compare_scores(tern_parity *row, const json_t *theirs, const json_t *ours, double tolerance, double *sum) {
  const json_t *a = json_object_get(theirs, "lls"), *b = json_object_get(ours, "lls");
  const json_t *x = json_object_get(theirs, "greedy"), *y = json_object_get(ours, "greedy");
  size_t n = json_array_size(a), m = json_array_size(b);
  for (size_t i = 0; i < (n > m ? n : m); i++) {
    const json_t *p = json_array_get(a, i), *q = json_array_get(b, i);
    double d = json_is_number(p) && json_is_number(q) ? fabs(number(p) - number(q)) : json_equal(p, q) ? 0 : INFINITY;
    row->scores++;
    row->beyond += d > tolerance;
    row->greedy += x != NULL && !json_equal(json_array_get(x, i), json_array_get(y, i));
    *sum += d;
    if (d > row->most) {
      row->most = d;
      row->worst = (size_t)json_integer_value(json_object_get(ours, "id"));
    }
  }
}

static void compare_texts(tern_parity *row, const json_t *theirs, const json_t *ours) {
  const json_t *a = json_object_get(theirs, "text"), *b = json_object_get(ours, "text");
  if (a == NULL && b == NULL) return;
  row->texts++;
  row->other += !json_equal(a, b);
}

/* Verdicts and other numbers; the pairs of rolling log-likelihoods are scores. */
static bool agree(const json_t *a, const json_t *b, double tolerance) {
  if (a == NULL || b == NULL) return false;
  if (json_is_array(a)) {
    if (json_array_size(a) != json_array_size(b)) return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
      if (!agree(json_array_get(a, i), json_array_get(b, i), tolerance)) return false;
    }
    return true;
  }
  return fabs(number(a) - number(b)) <= tolerance;
}

static void compare_figures(tern_parity *row, const json_t *theirs, const json_t *ours, double tolerance) {
  const char *key;
  json_t *value;
  json_object_foreach(json_object_get(theirs, "figures"), key, value) {
    row->decisions++;
    row->wrong += !agree(value, json_object_get(json_object_get(ours, "figures"), key), tolerance);
  }
}

static bool any_above_zero(const json_t *list) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    if (json_integer_value(json_array_get(list, i)) > 0) return true;
  }
  return false;
}

static void compare_tasks(tern_parity *row, const json_t *theirs, const json_t *ours, double tolerance) {
  size_t i = 0, j = 0, n = json_array_size(theirs), m = json_array_size(ours);
  double sum = 0;
  while (i < n || j < m) {
    const json_t *a = json_array_get(theirs, i), *b = json_array_get(ours, j);
    json_int_t x = json_integer_value(json_object_get(a, "id")), y = json_integer_value(json_object_get(b, "id"));
    if (a == NULL || b == NULL || x != y) {
      row->alone++;
      if (b == NULL || (a != NULL && x < y))
        i++;
      else
        j++;
      continue;
    }
    row->items++;
    row->prompts += (size_t)json_equal(json_object_get(a, "asked"), json_object_get(b, "asked"));
    row->truncated += any_above_zero(json_object_get(b, "truncated"));
    compare_scores(row, a, b, tolerance, &sum);
    compare_texts(row, a, b);
    compare_figures(row, a, b, tolerance);
    i++, j++;
  }
  row->mean = row->scores > 0 ? sum / (double)row->scores : 0;
}

static json_t *task_of(const json_t *run, const char *name) {
  json_t *tasks = json_object_get(run, "tasks"), *found = json_object_get(tasks, name);
  if (found != NULL || json_object_size(tasks) != 1) return found;
  return json_object_iter_value(json_object_iter(tasks));
}

int tern_parity_find(tern_parity **rows, size_t *count, const json_t *theirs, const json_t *ours, double tolerance,
                     tern_error *e) {
  json_t *tasks = json_object_get(theirs, "tasks"), *items;
  const char *name;
  size_t n = json_object_size(tasks);
  *count = 0;
  *rows = calloc(n + 1, sizeof **rows);
  if (*rows == NULL) return no_memory(e);
  json_object_foreach(tasks, name, items) {
    const json_t *own = n == 1 ? task_of(ours, name) : json_object_get(json_object_get(ours, "tasks"), name);
    if (own == NULL) continue; /* a task that only lm-eval ran is no row */
    tern_parity *row = &(*rows)[(*count)++];
    if ((row->task = strdup(name)) == NULL) {
      tern_parity_close(*rows, *count);
      return no_memory(e);
    }
    compare_tasks(row, items, own, tolerance);
  }
  if (*count > 0) return 0;
  tern_parity_close(*rows, *count);
  return tern_fail(e, TERN_FAILED, "no task is in both runs");
}

void tern_parity_close(tern_parity *rows, size_t count) {
  for (size_t i = 0; i < count; i++) free(rows[i].task);
  free(rows);
}

bool tern_parity_holds(const tern_parity *r) {
  return r->items > 0 && r->beyond == 0 && r->wrong == 0 && r->other == 0;
}

void tern_parity_markdown(const tern_parity *rows, size_t count, double tolerance, FILE *to) {
  fprintf(to,
          "| task | items | same prompt | truncated | log-likelihoods | greatest difference | mean | over %g | texts | "
          "differ | decisions | differ |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
          tolerance);
  for (size_t i = 0; i < count; i++) {
    const tern_parity *r = &rows[i];
    fprintf(to, "| %s | %zu | %zu | %zu | %zu | %.2g | %.2g | %zu | %zu | %zu | %zu | %zu |\n", r->task, r->items,
            r->prompts, r->truncated, r->scores, r->most, r->mean, r->beyond, r->texts, r->other, r->decisions,
            r->wrong);
  }
}

json_t *tern_parity_json(const tern_parity *rows, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    const tern_parity *r = &rows[i];
    json_t *row = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "task", r->task, "items", (json_int_t)r->items,
                            "alone", (json_int_t)r->alone, "same_prompt", (json_int_t)r->prompts, "truncated",
                            (json_int_t)r->truncated, "scores", (json_int_t)r->scores, "beyond", (json_int_t)r->beyond);
    json_t *more = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "other_greedy", (json_int_t)r->greedy, "texts",
                             (json_int_t)r->texts, "other_texts", (json_int_t)r->other, "decisions",
                             (json_int_t)r->decisions, "other_decisions", (json_int_t)r->wrong, "worst_item",
                             (json_int_t)r->worst, "holds", (int)tern_parity_holds(r));
    if (row != NULL) json_object_update(row, more);
    json_decref(more);
    /* a score that only one has differs without bound, which JSON has no number for */
    json_object_set_new(row, "most", isfinite(r->most) ? json_real(r->most) : json_null());
    json_object_set_new(row, "mean", isfinite(r->mean) ? json_real(r->mean) : json_null());
    json_array_append_new(list, row);
  }
  return list;
}
