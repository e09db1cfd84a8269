/* exact_match of texts, and its namesake for choices: whether the gold one is
 * what the model would have written. */
#include "harness/eval/document.h"
#include "harness/eval/exact.h"
#include "harness/eval/metrics.h"

static int check(const json_t *params, const char *where, tern_error *e) {
  tern_exact *x = NULL;
  int status = tern_exact_open(&x, params, where, e);
  tern_exact_close(x);
  return status;
}

static int match(const tern_exact *x, const tern_scored *item, bool *same, tern_error *e) {
  const tern_row_texts *t = &item->document->texts;
  const char *alone = t->target != NULL ? t->target : t->answer;
  if (t->references.count > 0)
    return tern_exact_match(x, item->filtered, (const char *const *)t->references.list, (size_t)t->references.count,
                            same, e);
  if (alone != NULL) return tern_exact_match(x, item->filtered, &alone, 1, same, e);
  return tern_fail(e, TERN_FAILED, "item %zu: exact_match: the task has no reference for it", item->document->id);
}

static int score_texts(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  tern_exact *x = NULL;
  bool same;
  int status = tern_exact_open(&x, c->params, "exact_match", e);
  for (size_t i = 0; i < count && status == 0; i++) {
    status = match(x, &items[i], &same, e);
    if (status == 0) status = tern_scored_set(&items[i], "exact_match", json_real(same ? 1 : 0), e);
  }
  tern_exact_close(x);
  return status;
}

static int score(const tern_score_call *c, tern_scored *items, size_t count, tern_error *e) {
  if (c->task->kind == TERN_ASK_TEXT) return score_texts(c, items, count, e);
  for (size_t i = 0; i < count; i++) {
    const tern_document *d = items[i].document;
    bool said = d->texts.gold >= 0 && d->texts.gold < d->ask_count && items[i].replies[d->texts.gold].greedy;
    if (tern_scored_set(&items[i], "exact_match", json_integer(said), e) != 0) return (int)e->status;
  }
  return 0;
}

const tern_metric tern_metric_exact_match = {.name = "exact_match",
                                             .kinds = 1u << TERN_ASK_TEXT | 1u << TERN_ASK_CHOICES,
                                             .figures = {{"exact_match", true, tern_sum_mean}},
                                             .check = check,
                                             .score = score};
