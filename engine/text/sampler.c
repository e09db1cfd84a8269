/* Sampling: biases and penalties, then temperature, then the k likeliest, then the smallest set
 * whose probability reaches p, then what is at least min-p times the likeliest;
 * one draw among the rest. A heap gives candidates from the top, so that only
 * as many are ordered as are kept. Sums run in one order with our own exp:
 * the same token everywhere. */
#include "engine/text/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/base/random.h"
#include "engine/text/sampler_adjust.h"
#include "kernels/vec.h"

enum { STREAM = 0x73616d70 }; /* "samp": random numbers of its own under the seed */

typedef struct candidate {
  float logit;
  int32_t id;
  float weight; /* exp((logit - greatest) / temperature): 1 at the top */
} candidate;

struct tern_sampler {
  int vocab;
  tern_sampler_params params;
  uint64_t draws;
  tern_adjust *adjust; /* NULL: nothing to */
  candidate *pool;     /* [vocab] all, a heap where order is asked for */
  candidate *kept;     /* [vocab] likeliest first */
};

int tern_sampler_open(tern_sampler **out, int vocab, const tern_sampler_params *p, tern_error *e) {
  *out = NULL;
  if (vocab < 1 || !(p->temperature >= 0) || p->temperature > 1e6f || p->top_k < 0 ||
      !(p->top_p > 0 && p->top_p <= 1) || !(p->min_p >= 0 && p->min_p <= 1))
    return tern_fail(e, TERN_USAGE, "sampling wants temperature >= 0, top-k >= 0, 0 < top-p <= 1, 0 <= min-p <= 1");
  tern_sampler *s = calloc(1, sizeof *s);
  if (s != NULL) {
    *s = (tern_sampler){.vocab = vocab, .params = *p};
    s->params.biases = NULL;
    if (tern_adjust_wanted(p) && tern_adjust_open(&s->adjust, vocab, p, e) != TERN_OK) {
      tern_sampler_close(s);
      return (int)e->status;
    }
    s->pool = malloc(tern_mul((size_t)vocab, sizeof *s->pool));
    s->kept = malloc(tern_mul((size_t)vocab, sizeof *s->kept));
  }
  if (s == NULL || s->pool == NULL || s->kept == NULL) {
    tern_sampler_close(s);
    return tern_fail(e, TERN_FAILED, "not enough memory to sample from %d tokens", vocab);
  }
  *out = s;
  return TERN_OK;
}

void tern_sampler_close(tern_sampler *s) {
  if (s == NULL) return;
  tern_adjust_close(s->adjust);
  free(s->pool);
  free(s->kept);
  free(s);
}

int32_t tern_argmax(const float *logits, int n) {
  int32_t best = -1;
  for (int i = 0; i < n; i++) {
    if (isfinite(logits[i]) && (best < 0 || logits[i] > logits[best])) best = i;
  }
  return best;
}

bool tern_sampler_greedy(const tern_sampler_params *p) {
  return p->temperature <= 0 && !tern_adjust_wanted(p);
}

void tern_sampler_accept(tern_sampler *s, int32_t id) {
  if (s->adjust != NULL) tern_adjust_accept(s->adjust, id);
}

void tern_sampler_seek(tern_sampler *s, uint64_t i) {
  s->draws = i;
}

/* Where logits only fall, as many of the k greatest as change may leave them,
 * and no more: the k greatest afterwards are among the k + changed before. How
 * far the greatest falls is not known before it is there. */
bool tern_sampler_reach(const tern_sampler *s, int *k, float *floor) {
  const tern_sampler_params *p = &s->params;
  bool raises = false;
  int changed = s->adjust != NULL ? tern_adjust_count(s->adjust, &raises) : 0;
  *k = p->temperature > 0 ? p->top_k : 1;
  *floor = INFINITY;
  /* With top-p the weights of all that top-k kept are added up. The margin
   * covers the rounding of exp and of the division by the temperature. */
  if (changed == 0 && p->temperature > 0 && p->min_p > 0 && p->top_p >= 1)
    *floor = (float)(-log((double)p->min_p) * (double)p->temperature * 1.001 + 0.001 * (double)p->temperature);
  if (*k > 0) *k = *k < s->vocab - changed ? *k + changed : s->vocab;
  return !raises && (*k > 0 || isfinite(*floor));
}

static bool above(const candidate *a, const candidate *b) {
  return a->logit != b->logit ? a->logit > b->logit : a->id < b->id;
}

static void sift(candidate *heap, int n, int i) {
  candidate moving = heap[i];
  for (int down; (down = 2 * i + 1) < n; i = down) {
    if (down + 1 < n && above(&heap[down + 1], &heap[down])) down++;
    if (!above(&heap[down], &moving)) break;
    heap[i] = heap[down];
  }
  heap[i] = moving;
}

static int gather(candidate *pool, const float *logits, int vocab) {
  int n = 0;
  for (int32_t id = 0; id < vocab; id++) {
    if (isfinite(logits[id])) pool[n++] = (candidate){logits[id], id, 0};
  }
  return n;
}

static void weigh(candidate *c, int n, float greatest, float temperature) {
  for (int i = 0; i < n; i++) c[i].weight = tern_expf((c[i].logit - greatest) / temperature);
}

static double sum_of(const candidate *c, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += c[i].weight;
  return sum;
}

/* Moves the likeliest of the pool to `kept` until k are there or their weights
 * reach `enough`; returns how many. */
static int take(tern_sampler *s, int n, int k, double enough) {
  candidate *heap = s->pool;
  for (int i = n / 2 - 1; i >= 0; i--) sift(heap, n, i);
  int kept = 0;
  for (double sum = 0; n > 0 && kept < k && sum < enough;) {
    s->kept[kept] = heap[0];
    sum += s->kept[kept++].weight;
    heap[0] = heap[--n];
    if (n > 0) sift(heap, n, 0);
  }
  return kept;
}

/* The likeliest that reach the share top_p, of the pool or of what top-k kept. */
static int nucleus(tern_sampler *s, candidate **c, int n) {
  double all = sum_of(*c, n), enough = s->params.top_p * all, sum = 0;
  int kept = 0;
  if (*c == s->kept) {
    while (kept < n && sum < enough) sum += s->kept[kept++].weight;
    return kept;
  }
  double least = (1 - (double)s->params.top_p) * all / n; /* all below together miss the share */
  for (int i = 0; i < n; i++) {
    if (s->pool[i].weight >= least) s->pool[kept++] = s->pool[i];
  }
  *c = s->kept;
  return take(s, kept, kept, enough);
}

static int32_t draw(const candidate *c, int n, float least, double unit) {
  double sum = 0;
  int32_t id = -1;
  for (int i = 0; i < n; i++) sum += c[i].weight >= least ? c[i].weight : 0;
  double left = unit * sum;
  for (int i = 0; i < n && left >= 0; i++) {
    if (c[i].weight < least || c[i].weight <= 0) continue;
    left -= c[i].weight;
    id = c[i].id;
  }
  return id;
}

int32_t tern_sampler_next(tern_sampler *s, float *logits) {
  const tern_sampler_params *p = &s->params;
  if (s->adjust != NULL) tern_adjust_apply(s->adjust, logits);
  double unit = tern_random_unit(tern_random_at(p->seed, STREAM, s->draws++));
  int32_t best = tern_argmax(logits, s->vocab);
  if (best < 0 || p->temperature <= 0) return best;
  candidate *c = s->pool;
  int n = gather(s->pool, logits, s->vocab);
  if (p->top_k > 0) { /* also when fewer are left: the order of a draw must not depend on what was left out */
    n = take(s, n, p->top_k, INFINITY);
    c = s->kept;
  }
  weigh(c, n, logits[best], p->temperature);
  if (p->top_p < 1) n = nucleus(s, &c, n);
  return draw(c, n, p->min_p, unit);
}
