/* How a figure's values are compared follows from how they are summed. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/eval/changes_parts.h"
#include "harness/eval/score.h"

typedef struct values {
  const json_t **before, **now; /* a value an item */
  size_t count;
  double *x, *y; /* the numbers compared, flat lists taken apart; y: differences or units where said */
  size_t numbers, room;
} values;

static double number(const json_t *v) {
  return json_is_boolean(v) ? (double)json_is_true(v) : json_number_value(v);
}

static int load(values *v, const char *figure, const json_t *before, const json_t *now, tern_error *e) {
  size_t n = json_array_size(before), i;
  json_t *item;
  v->before = calloc(n + 1, sizeof *v->before);
  v->now = calloc(n + 1, sizeof *v->now);
  if (v->before == NULL || v->now == NULL) return tern_fail(e, TERN_FAILED, "comparing runs: out of memory");
  json_array_foreach((json_t *)before, i, item) {
    const json_t *then = json_array_get(now, i);
    const json_t *a = json_object_get(json_object_get(item, "figures"), figure);
    const json_t *b = json_object_get(json_object_get(then, "figures"), figure);
    if ((a == NULL) != (b == NULL))
      return tern_fail(e, TERN_FAILED, "figure %s: item %zu has it in one of the runs only", figure, i);
    if (a == NULL) continue;
    v->before[v->count] = a;
    v->now[v->count++] = b;
  }
  return 0;
}

static int add(values *v, double x, double y, tern_error *e) {
  if (v->numbers == v->room) {
    size_t room = v->room ? 2 * v->room : 256;
    double *a = realloc(v->x, room * sizeof *a);
    if (a != NULL) v->x = a;
    double *b = realloc(v->y, room * sizeof *b);
    if (b != NULL) v->y = b;
    if (a == NULL || b == NULL) return tern_fail(e, TERN_FAILED, "comparing runs: out of memory");
    v->room = room;
  }
  v->x[v->numbers] = x;
  v->y[v->numbers++] = y;
  return 0;
}

/* Whether a [gold, chosen] pair is right. */
static double is_right(const json_t *pair) {
  return json_equal(json_array_get(pair, 0), json_array_get(pair, 1)) ? 1 : 0;
}

static int flatten(values *v, tern_sum sum, tern_error *e) {
  int status = 0;
  for (size_t i = 0; i < v->count && status == 0; i++) {
    const json_t *a = v->before[i], *b = v->now[i];
    if (sum == tern_sum_f1) {
      status = add(v, is_right(a), is_right(b), e);
    } else if (sum == tern_sum_flat) {
      if (json_array_size(a) != json_array_size(b))
        return tern_fail(e, TERN_FAILED, "item %zu: lists of different lengths in the two runs", i);
      for (size_t j = 0; j < json_array_size(a) && status == 0; j++)
        status = add(v, number(json_array_get(a, j)), number(json_array_get(b, j)), e);
    } else {
      status = add(v, number(a), number(b), e);
    }
  }
  return status;
}

static bool all_are_verdicts(const values *v) {
  for (size_t i = 0; i < v->numbers; i++) {
    if ((v->x[i] != 0 && v->x[i] != 1) || (v->y[i] != 0 && v->y[i] != 1)) return false;
  }
  return true;
}

static void compare_numbers(tern_change *row, values *v, bool higher_is_better) {
  row->kind = all_are_verdicts(v) ? TERN_CHANGE_RIGHT : TERN_CHANGE_MEAN;
  for (size_t i = 0; i < v->numbers; i++) {
    row->changed += v->x[i] != v->y[i];
    double d = higher_is_better ? v->y[i] - v->x[i] : v->x[i] - v->y[i];
    row->won += d > 0;
    row->lost += d < 0;
    v->x[i] = d;
  }
  if (row->kind == TERN_CHANGE_RIGHT) {
    row->difference = tern_paired_accuracy(row->won, row->lost, v->numbers);
    row->p = tern_mcnemar(row->won, row->lost);
  } else {
    row->difference = tern_paired_mean(v->x, v->numbers);
    row->p = tern_interval_p(row->difference);
  }
}

static int compare_logprobs(tern_change *row, values *v, tern_error *e) {
  int status = 0;
  row->kind = TERN_CHANGE_LOGPROB;
  for (size_t i = 0; i < v->count && status == 0; i++) {
    double was = number(json_array_get(v->before[i], 0)), is = number(json_array_get(v->now[i], 0));
    row->changed += is != was;
    row->won += is > was;
    row->lost += is < was;
    status = add(v, is - was, number(json_array_get(v->before[i], 1)), e);
  }
  if (status != 0) return status;
  row->difference = tern_paired_ratio(v->x, v->y, v->numbers);
  row->p = tern_interval_p(row->difference);
  return 0;
}

static int compare(tern_change *row, values *v, const tern_figure *f, tern_error *e) {
  tern_summed before, now;
  int status = f->sum(v->before, v->count, &before, e);
  if (status == 0) status = f->sum(v->now, v->count, &now, e);
  if (status != 0) return status;
  row->before = before.value;
  row->now = now.value;
  if (f->sum == tern_sum_perplexity || f->sum == tern_sum_bits) {
    status = compare_logprobs(row, v, e);
  } else {
    status = flatten(v, f->sum, e);
    if (status == 0) compare_numbers(row, v, f->higher_is_better);
  }
  row->items = v->numbers;
  if (!(row->p >= 0)) row->p = 1;
  return status;
}

int tern_change_figure(tern_change *row, const json_t *before, const json_t *now, tern_error *e) {
  char name[200];
  values v = {0};
  snprintf(name, sizeof name, "%.*s", (int)strcspn(row->figure, ","), row->figure);
  const tern_figure *f = tern_figure_find(name);
  if (f == NULL) return tern_fail(e, TERN_FAILED, "task %s: figure %s is of no metric here", row->task, name);
  int status = load(&v, row->figure, before, now, e);
  if (status == 0 && v.count == 0) status = tern_fail(e, TERN_FAILED, "no item has figure %s", row->figure);
  if (status == 0) status = compare(row, &v, f, e);
  if (status != 0) {
    tern_error why = *e;
    tern_fail(e, why.status, "task %s: %s", row->task, why.text);
  }
  free(v.before);
  free(v.now);
  free(v.x);
  free(v.y);
  return status;
}
