/* Batches: the documents of an epoch in an order that seed and epoch give,
 * taken until the batch is full (one at least, however long), and spread over
 * slices, longest first. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/train/dataset.h"

static void *take(char *base, size_t *used, size_t bytes) {
  void *at = base ? base + *used : NULL;
  *used += (bytes + 63) / 64 * 64;
  return at;
}

static size_t place(tern_train_batch *b, char *base) {
  const size_t n = (size_t)b->capacity;
  size_t used = 0;
  b->slices = take(base, &used, (size_t)b->count * sizeof *b->slices);
  b->chosen = take(base, &used, b->chosen_capacity * sizeof *b->chosen);
  for (int i = 0; i < b->count; i++) {
    tern_train_slice s = {.ids = take(base, &used, n * sizeof(int32_t)),
                          .targets = take(base, &used, n * sizeof(int32_t)),
                          .weights = take(base, &used, n * sizeof(float)),
                          .starts = take(base, &used, (n + 1) * sizeof(int))};
    if (base) b->slices[i] = s;
  }
  return used;
}

/* A slice takes its fair share and at most one document more. */
int tern_batch_open(tern_train_batch *b, int slices, int batch_tokens, int context, tern_error *e) {
  *b = (tern_train_batch){.count = slices, .capacity = batch_tokens / slices + context + 1};
  b->chosen_capacity = (size_t)batch_tokens;
  b->memory_bytes = place(b, NULL);
  b->memory = tern_alloc(b->memory_bytes, "batch", e);
  if (!b->memory) return TERN_FAILED;
  place(b, b->memory);
  return TERN_OK;
}

void tern_batch_close(tern_train_batch *b) {
  tern_free(b->memory, b->memory_bytes);
  *b = (tern_train_batch){0};
}

/* Copies of a document in an epoch: its file's repeat, the fraction by chance; none in an epoch that is not the file's.
 */
static size_t copies(const tern_dataset *d, size_t document, uint64_t seed, uint64_t epoch) {
  const tern_train_file *f = &d->files.at[d->file[document]];
  if (epoch + 1 < (uint64_t)f->first || (f->last && epoch + 1 > (uint64_t)f->last)) return 0;
  const double repeat = f->repeat, whole = (double)(size_t)repeat;
  const uint64_t stream = epoch << 1 | UINT64_C(1) << 60;
  return (size_t)whole + (tern_random_unit(tern_random_at(seed, stream, document)) < repeat - whole);
}

static int make_epoch(tern_epoch *o, const tern_dataset *d, uint64_t seed, uint64_t epoch, tern_error *e) {
  size_t count = 0;
  for (size_t i = 0; i < d->documents; i++) count += copies(d, i, seed, epoch);
  if (count > o->capacity) {
    size_t *order = realloc(o->order, tern_mul(count, sizeof *order));
    if (!order) return tern_fail(e, TERN_FAILED, "epoch of %zu documents: out of memory", count);
    o->order = order;
    o->capacity = count;
  }
  o->count = 0;
  for (size_t i = 0; i < d->documents; i++) {
    for (size_t k = copies(d, i, seed, epoch); k > 0; k--) o->order[o->count++] = i;
  }
  const uint64_t stream = epoch << 1 | 1 | UINT64_C(1) << 60;
  for (size_t i = o->count; i > 1; i--) { /* Fisher and Yates */
    const size_t j = (size_t)(tern_random_unit(tern_random_at(seed, stream, i)) * (double)i);
    const size_t other = o->order[j];
    o->order[j] = o->order[i - 1];
    o->order[i - 1] = other;
  }
  o->epoch = epoch;
  o->ready = true;
  return TERN_OK;
}

static void put_document(tern_train_slice *s, const tern_dataset *d, size_t document) {
  const size_t at = d->at[document], n = d->at[document + 1] - at;
  for (size_t i = 0; i < n; i++) {
    const size_t to = (size_t)s->tokens + i;
    const bool last = i + 1 == n; /* predicts nothing */
    s->ids[to] = d->tokens[at + i];
    s->targets[to] = last ? 0 : d->tokens[at + i + 1];
    s->weights[to] = last ? 0 : d->weights[at + i + 1];
  }
  s->tokens += (int)n;
  s->starts[++s->documents] = s->tokens;
}

/* Each document to the slice that has least. */
static void spread(tern_train_batch *b, const tern_dataset *d, size_t count) {
  for (int i = 0; i < b->count; i++) b->slices[i].tokens = b->slices[i].documents = b->slices[i].starts[0] = 0;
  b->weight = 0;
  for (size_t i = 0; i < count; i++) {
    tern_train_slice *least = &b->slices[0];
    for (int k = 1; k < b->count; k++) {
      if (b->slices[k].tokens < least->tokens) least = &b->slices[k];
    }
    put_document(least, d, b->chosen[i]);
  }
  for (int i = 0; i < b->count; i++) {
    for (int t = 0; t < b->slices[i].tokens; t++) b->weight += (double)b->slices[i].weights[t];
  }
  for (int i = 0; i < b->count && b->weight > 0; i++) {
    for (int t = 0; t < b->slices[i].tokens; t++)
      b->slices[i].weights[t] = (float)((double)b->slices[i].weights[t] / b->weight);
  }
}

static size_t length(const tern_dataset *d, size_t document) {
  return d->at[document + 1] - d->at[document];
}

/* Longest first, equal ones as they came. */
static void sort_chosen(tern_train_batch *b, const tern_dataset *d, size_t count) {
  for (size_t i = 1; i < count; i++) {
    const size_t document = b->chosen[i];
    size_t k = i;
    for (; k > 0 && length(d, b->chosen[k - 1]) < length(d, document); k--) b->chosen[k] = b->chosen[k - 1];
    b->chosen[k] = document;
  }
}

/* Adds a document; false: the batch has others already and this one is too much. */
static bool choose(tern_train_batch *b, const tern_dataset *d, size_t document, size_t *count, int batch_tokens) {
  const size_t n = length(d, document);
  if (*count && b->tokens + n > (size_t)batch_tokens) return false;
  b->chosen[(*count)++] = document;
  b->tokens += n;
  return true;
}

int tern_batch_next(tern_train_batch *b, const tern_dataset *d, tern_epoch *order, tern_cursor *at, uint64_t seed,
                    int batch_tokens, tern_error *e) {
  size_t count = 0;
  b->tokens = 0;
  for (;;) {
    if ((!order->ready || order->epoch != at->epoch) && make_epoch(order, d, seed, at->epoch, e) != TERN_OK)
      return TERN_FAILED;
    if (at->next >= order->count) {
      at->epoch++;
      at->next = 0;
      continue;
    }
    if (!choose(b, d, order->order[at->next], &count, batch_tokens)) break;
    at->next++;
  }
  sort_chosen(b, d, count);
  spread(b, d, count);
  return TERN_OK;
}

size_t tern_batch_plain(tern_train_batch *b, const tern_dataset *d, int file, size_t next, int batch_tokens) {
  size_t count = 0;
  b->tokens = 0;
  for (; next < d->documents; next++) {
    if (file >= 0 && d->file[next] != file) continue;
    if (!choose(b, d, next, &count, batch_tokens)) break;
  }
  spread(b, d, count);
  return next;
}
