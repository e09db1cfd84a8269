/* Metrics of questions with choices: what is chosen, and what the true ones weigh. */
#include <stdlib.h>

#include "harness/eval/choice.h"
#include "harness/eval/document.h"
#include "harness/eval/metrics.h"

enum { CHOICES = 1u << TERN_ASK_CHOICES };

/* Choices of an item with their log-likelihoods (free()); by: what needs their texts. */
static tern_choice *choices_of(const tern_scored *item, tern_choice_by by, tern_error *e) {
  const tern_document *d = item->document;
  size_t n = (size_t)d->ask_count;
  if (by != TERN_BY_SUM && d->texts.choices.count != d->ask_count) {
    tern_fail(e, TERN_FAILED, "item %zu: %d choices for %d asks: only acc is defined", d->id, d->texts.choices.count,
              d->ask_count);
    return NULL;
  }
  tern_choice *list = calloc(n + 1, sizeof *list);
  if (list == NULL) {
    tern_fail(e, TERN_FAILED, "item %zu: out of memory", d->id);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    list[i].logprob = item->replies[i].logprob;
    if (by != TERN_BY_SUM) list[i].text = d->texts.choices.list[i];
  }
  return list;
}

static int chosen(const tern_scored *item, tern_choice_by by, int *best, tern_error *e) {
  tern_choice *list = choices_of(item, by, e);
  if (list == NULL) return (int)e->status;
  *best = (int)tern_choice_best(list, (size_t)item->document->ask_count, by);
  free(list);
  return 0;
}

static int score_accuracy(const char *name, tern_choice_by by, tern_scored *items, size_t count, tern_error *e) {
  int status = 0, best = 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    status = chosen(&items[i], by, &best, e);
    if (status == 0)
      status = tern_scored_set(&items[i], name, json_real(best == items[i].document->texts.gold ? 1 : 0), e);
  }
  return status;
}

static int score_acc(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_accuracy("acc", TERN_BY_SUM, items, count, e);
}

static int score_acc_norm(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_accuracy("acc_norm", TERN_BY_CHARACTERS, items, count, e);
}

static int score_acc_bytes(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  return score_accuracy("acc_bytes", TERN_BY_BYTES, items, count, e);
}

static int score_f1(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  int status = 0, best = 0;
  for (size_t i = 0; i < count && status == 0; i++) {
    status = chosen(&items[i], TERN_BY_SUM, &best, e);
    if (status == 0)
      status = tern_scored_set(&items[i], "f1", json_pack("[i, i]", items[i].document->texts.gold, best), e);
  }
  return status;
}

static int score_mc2(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  (void)c;
  for (size_t i = 0; i < count; i++) {
    const tern_document *d = items[i].document;
    if (d->texts.truth == NULL || d->texts.choices.count != d->ask_count)
      return tern_fail(e, TERN_FAILED, "item %zu: mc2 needs the task's \"truth\", a label for each choice", d->id);
    tern_choice *list = choices_of(&items[i], TERN_BY_SUM, e);
    if (list == NULL) return (int)e->status;
    double mass = tern_choice_mass(list, d->texts.truth, (size_t)d->ask_count);
    free(list);
    /* nothing has any mass: lm-eval's NAN, which JSON has not */
    if (tern_scored_set(&items[i], "acc", json_real(mass >= 0 ? mass : 0), e) != 0) return (int)e->status;
  }
  return 0;
}

const tern_metric tern_metric_acc = {
    .name = "acc", .kinds = CHOICES, .figures = {{"acc", true, tern_sum_mean}}, .score = score_acc};
const tern_metric tern_metric_acc_norm = {
    .name = "acc_norm", .kinds = CHOICES, .figures = {{"acc_norm", true, tern_sum_mean}}, .score = score_acc_norm};
const tern_metric tern_metric_acc_bytes = {
    .name = "acc_bytes", .kinds = CHOICES, .figures = {{"acc_bytes", true, tern_sum_mean}}, .score = score_acc_bytes};
const tern_metric tern_metric_f1 = {
    .name = "f1", .kinds = CHOICES, .figures = {{"f1", true, tern_sum_f1}}, .score = score_f1};
const tern_metric tern_metric_mc2 = {
    .name = "mc2", .kinds = CHOICES, .figures = {{"acc", true, tern_sum_mean}}, .score = score_mc2};
