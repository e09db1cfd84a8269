/* Biases and penalties. The ids of the window are kept with their counts and as
 * a list without repeats, so that a step costs as many operations as there are
 * different ids. */
#include "engine/text/sampler_adjust.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"

enum { USUAL_WINDOW = 64 };

struct tern_adjust {
  int vocab, window; /* < 0: everything */
  float repeat, frequency, presence;
  tern_bias *biases;
  int bias_count;
  bool penalties;
  int64_t accepted;
  int32_t *last;  /* [window] ring */
  int32_t *count; /* [vocab] within the window */
  int32_t *ids;   /* [vocab] those with a count, in any order */
  int32_t *place; /* [vocab] of an id in ids */
  int different;
};

static float factor_of(const tern_sampler_params *p) {
  return p->repeat == 0 ? 1 : p->repeat;
}

static bool penalises(const tern_sampler_params *p) {
  return factor_of(p) != 1 || p->frequency != 0 || p->presence != 0;
}

bool tern_adjust_wanted(const tern_sampler_params *p) {
  return p->bias_count > 0 || penalises(p);
}

static int check(int vocab, const tern_sampler_params *p, tern_error *e) {
  if (!(p->repeat >= 0 && p->repeat <= 100) || !(fabsf(p->frequency) <= 100) || !(fabsf(p->presence) <= 100))
    return tern_fail(e, TERN_USAGE, "penalties want 0 <= repeat <= 100, frequency and presence from -100 to 100");
  for (int i = 0; i < p->bias_count; i++) {
    const tern_bias *b = &p->biases[i];
    if (b->id < 0 || b->id >= vocab)
      return tern_fail(e, TERN_USAGE, "bias on token id %d, which is outside the vocabulary of %d", b->id, vocab);
    if (!(b->add < INFINITY)) return tern_fail(e, TERN_USAGE, "bias on token id %d wants a number or -inf", b->id);
  }
  return TERN_OK;
}

int tern_adjust_open(tern_adjust **out, int vocab, const tern_sampler_params *p, tern_error *e) {
  *out = NULL;
  if (check(vocab, p, e) != TERN_OK) return TERN_USAGE;
  tern_adjust *a = calloc(1, sizeof *a);
  if (a == NULL) return tern_fail(e, TERN_FAILED, "sampler: out of memory");
  size_t biases = tern_mul((size_t)p->bias_count, sizeof *a->biases), ids = tern_mul((size_t)vocab, sizeof *a->ids);
  bool enough = true;
  *a = (tern_adjust){.vocab = vocab,
                     .window = p->window == 0 ? USUAL_WINDOW : p->window,
                     .repeat = factor_of(p),
                     .frequency = p->frequency,
                     .presence = p->presence,
                     .bias_count = p->bias_count,
                     .penalties = penalises(p)};
  if (biases > 0) {
    a->biases = malloc(biases);
    enough = a->biases != NULL;
    if (enough) memcpy(a->biases, p->biases, biases);
  }
  if (a->penalties) {
    if (a->window > 0) a->last = malloc(tern_mul((size_t)a->window, sizeof *a->last));
    a->count = calloc(1, ids);
    a->ids = malloc(ids);
    a->place = malloc(ids);
    enough &= (a->last != NULL || a->window < 0) && a->count != NULL && a->ids != NULL && a->place != NULL;
  }
  if (!enough) {
    tern_adjust_close(a);
    return tern_fail(e, TERN_FAILED, "not enough memory for penalties on %d tokens", vocab);
  }
  *out = a;
  return TERN_OK;
}

void tern_adjust_close(tern_adjust *a) {
  if (a == NULL) return;
  free(a->biases);
  free(a->last);
  free(a->count);
  free(a->ids);
  free(a->place);
  free(a);
}

static void forget(tern_adjust *a, int32_t id) {
  if (--a->count[id] > 0) return;
  int32_t moved = a->ids[--a->different];
  a->ids[a->place[id]] = moved;
  a->place[moved] = a->place[id];
}

void tern_adjust_accept(tern_adjust *a, int32_t id) {
  if (!a->penalties || id < 0 || id >= a->vocab) return;
  if (a->window > 0) {
    int32_t *slot = &a->last[a->accepted % a->window];
    if (a->accepted >= a->window) forget(a, *slot);
    *slot = id;
  }
  a->accepted++;
  if (a->count[id]++ > 0) return;
  a->place[id] = a->different;
  a->ids[a->different++] = id;
}

void tern_adjust_apply(const tern_adjust *a, float *logits) {
  for (int i = 0; i < a->bias_count; i++) logits[a->biases[i].id] += a->biases[i].add;
  for (int i = 0; i < a->different; i++) {
    int32_t id = a->ids[i];
    float x = logits[id];
    if (a->repeat != 1) x = x > 0 ? x / a->repeat : x * a->repeat;
    logits[id] = x - ((float)a->count[id] * a->frequency + a->presence);
  }
}

int tern_adjust_count(const tern_adjust *a, bool *raises) {
  *raises = a->repeat < 1 || a->frequency < 0 || a->presence < 0;
  for (int i = 0; i < a->bias_count; i++) *raises |= a->biases[i].add > 0;
  return a->bias_count + a->different;
}
