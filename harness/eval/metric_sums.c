/* Figures of a task from those of its items; definitions in aggregate.c. */
#include <math.h>
#include <stdlib.h>

#include "harness/eval/aggregate.h"
#include "harness/eval/score.h"

enum { F1_ROUNDS = 100000 /* lm-eval's own number of resamples */ };

static double number(const json_t *value) {
  return json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
}

static bool is_number(const json_t *value) {
  return json_is_number(value) || json_is_boolean(value);
}

static int damaged(tern_error *e) {
  return tern_fail(e, TERN_FAILED, "an item's figure is of another kind than its metric's");
}

static bool is_pair(const json_t *value) {
  return json_array_size(value) == 2 && is_number(json_array_get(value, 0)) && is_number(json_array_get(value, 1));
}

int tern_sum_mean(const json_t *const *values, size_t count, tern_summed *out, tern_error *e) {
  double *v = calloc(count + 1, sizeof *v);
  bool ok = true;
  if (v == NULL) return tern_fail(e, TERN_FAILED, "figures: out of memory");
  for (size_t i = 0; i < count; i++) {
    ok = ok && is_number(values[i]);
    v[i] = number(values[i]);
  }
  *out = (tern_summed){tern_eval_mean(v, count), tern_eval_stderr(v, count)};
  free(v);
  return ok ? 0 : damaged(e);
}

/* Sums of log-likelihoods and of units, from first to last. */
static int add_pairs(const json_t *const *values, size_t count, double sums[2], tern_error *e) {
  sums[0] = sums[1] = 0;
  for (size_t i = 0; i < count; i++) {
    if (!is_pair(values[i])) return damaged(e);
    for (size_t j = 0; j < 2; j++) sums[j] += number(json_array_get(values[i], j));
  }
  return 0;
}

int tern_sum_perplexity(const json_t *const *values, size_t count, tern_summed *out, tern_error *e) {
  double sums[2];
  int status = add_pairs(values, count, sums, e);
  *out = (tern_summed){tern_eval_perplexity(sums[0], sums[1]), NAN};
  return status;
}

int tern_sum_bits(const json_t *const *values, size_t count, tern_summed *out, tern_error *e) {
  double sums[2];
  int status = add_pairs(values, count, sums, e);
  *out = (tern_summed){tern_eval_bits_per_byte(sums[0], sums[1]), NAN};
  return status;
}

int tern_sum_f1(const json_t *const *values, size_t count, tern_summed *out, tern_error *e) {
  tern_verdict *v = calloc(count + 1, sizeof *v);
  int status = 0;
  if (v == NULL) return tern_fail(e, TERN_FAILED, "figures: out of memory");
  for (size_t i = 0; i < count && status == 0; i++) {
    if (!is_pair(values[i])) status = damaged(e);
    v[i].gold = (int)json_integer_value(json_array_get(values[i], 0));
    v[i].chosen = (int)json_integer_value(json_array_get(values[i], 1));
  }
  *out = (tern_summed){tern_eval_f1(v, count), NAN};
  if (status == 0 && count > 1) status = tern_eval_f1_stderr(v, count, F1_ROUNDS, &out->error, e);
  free(v);
  return status;
}

int tern_sum_flat(const json_t *const *values, size_t count, tern_summed *out, tern_error *e) {
  double sum = 0;
  size_t n = 0;
  for (size_t i = 0; i < count; i++) {
    const json_t *value;
    size_t j;
    if (!json_is_array(values[i])) return damaged(e);
    json_array_foreach((json_t *)values[i], j, value) {
      if (!is_number(value)) return damaged(e);
      sum += number(value);
      n++;
    }
  }
  *out = (tern_summed){n ? sum / (double)n : NAN, NAN};
  return 0;
}

int tern_scored_set(tern_scored *item, const char *name, json_t *value, tern_error *e) {
  if (json_object_set_new(item->figures, name, value) == 0) return 0;
  return tern_fail(e, TERN_FAILED, "figure %s: no finite number, or out of memory", name);
}
