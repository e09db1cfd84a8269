/* Which of a block's attempts stands. */
#include "harness/attempt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare(int64_t a, int64_t b) {
  return (a > b) - (a < b);
}

/* The last attempt of a block comes first. */
static int by_block(const void *a, const void *b) {
  const tern_sample *x = a, *y = b;
  int order = strcmp(x->model, y->model);
  if (!order) order = compare(x->block, y->block);
  if (!order && x->block >= 0) order = compare(y->attempt, x->attempt);
  return order ? order : compare(x->sample, y->sample);
}

size_t tern_attempts_latest(tern_sample *rows, size_t count) {
  size_t kept = 0;
  if (count) qsort(rows, count, sizeof *rows, by_block);
  for (size_t i = 0; i < count; i++) {
    const tern_sample *last = kept ? &rows[kept - 1] : NULL;
    bool same = last && rows[i].block >= 0 && rows[i].block == last->block && strcmp(rows[i].model, last->model) == 0;
    if (same && rows[i].attempt != last->attempt) continue;
    if (kept != i) rows[kept] = rows[i];
    kept++;
  }
  return kept;
}
