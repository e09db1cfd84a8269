/* Draws of a generator: one stream a record, so that records don't depend on
 * each other; and pools: a key's hash says whether training may see it. */
#ifndef TERN_MINI_DRAW_H
#define TERN_MINI_DRAW_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/random.h"

typedef struct mini_draw {
  uint64_t seed, stream, at;
} mini_draw;

static inline int mini_below(mini_draw *d, int n) { /* 0 .. n-1; n >= 1 */
  uint64_t r = tern_random_at(d->seed, d->stream, d->at++) >> 32;
  return (int)((r * (uint64_t)n) >> 32);
}
static inline int mini_range(mini_draw *d, int lo, int hi) { /* lo .. hi */
  return lo + mini_below(d, hi - lo + 1);
}
static inline bool mini_chance(mini_draw *d, int of, int in) {
  return mini_below(d, in) < of;
}
static inline void mini_shuffle(mini_draw *d, int *list, int n) {
  for (int i = n - 1; i > 0; i--) {
    int j = mini_below(d, i + 1), keep = list[i];
    list[i] = list[j];
    list[j] = keep;
  }
}
/* `take` different numbers of 0 .. n-1; take <= n <= 64. */
static inline void mini_pick(mini_draw *d, int *list, int take, int n) {
  int all[64];
  for (int i = 0; i < n; i++) all[i] = i;
  for (int i = 0; i < take; i++) {
    int j = i + mini_below(d, n - i), keep = all[j];
    all[j] = all[i];
    all[i] = keep;
    list[i] = keep;
  }
}

/* FNV-1a, to be continued from an earlier hash. */
static inline uint64_t mini_hash(uint64_t h, const char *text) {
  for (; *text; text++) h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return h;
}
static const uint64_t MINI_HASH = UINT64_C(0xcbf29ce484222325);

typedef enum mini_pool { MINI_TRAIN, MINI_VALID, MINI_TEST } mini_pool;

/* 2 of 16 keys are for tests, 1 for validation. */
static inline mini_pool mini_pool_of(uint64_t key) {
  uint64_t part = tern_random_mix(key) >> 60;
  return part < 2 ? MINI_TEST : part == 2 ? MINI_VALID : MINI_TRAIN;
}

#endif
