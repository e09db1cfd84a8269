/* Sampling has two algorithms, chosen by sizes alone: a pool whose chosen
 * members are replaced by its last ones, or drawing again what was drawn. They
 * take different draws, so the choice between them is part of the result. */
#include "harness/eval/python_random.h"

#include <stdbool.h>
#include <stdlib.h>

enum { SHIFT = 397 };

static void seed_word(tern_python_random *r, uint32_t seed) {
  r->state[0] = seed;
  for (uint32_t i = 1; i < TERN_MT_WORDS; i++) {
    uint32_t before = r->state[i - 1];
    r->state[i] = UINT32_C(1812433253) * (before ^ (before >> 30)) + i;
  }
}

/* One step of init_by_array's two walks over the state. */
static uint32_t stir(const tern_python_random *r, uint32_t i, uint32_t factor) {
  uint32_t before = r->state[i - 1];
  return r->state[i] ^ ((before ^ (before >> 30)) * factor);
}

static uint32_t after(tern_python_random *r, uint32_t i) {
  if (i + 1 < TERN_MT_WORDS) return i + 1;
  r->state[0] = r->state[TERN_MT_WORDS - 1];
  return 1;
}

void tern_python_seed(tern_python_random *r, int64_t seed) {
  uint64_t size = seed < 0 ? UINT64_C(0) - (uint64_t)seed : (uint64_t)seed;
  uint32_t key[2] = {(uint32_t)size, (uint32_t)(size >> 32)}, words = key[1] ? 2 : 1;
  seed_word(r, UINT32_C(19650218));
  uint32_t i = 1, j = 0;
  for (int k = 0; k < TERN_MT_WORDS; k++) {
    r->state[i] = stir(r, i, UINT32_C(1664525)) + key[j] + j;
    i = after(r, i);
    j = j + 1 < words ? j + 1 : 0;
  }
  for (int k = 1; k < TERN_MT_WORDS; k++) {
    r->state[i] = stir(r, i, UINT32_C(1566083941)) - i;
    i = after(r, i);
  }
  r->state[0] = UINT32_C(0x80000000);
  r->next = TERN_MT_WORDS;
}

static void renew(tern_python_random *r) {
  uint32_t *s = r->state;
  for (int i = 0; i < TERN_MT_WORDS; i++) {
    uint32_t y = (s[i] & UINT32_C(0x80000000)) | (s[(i + 1) % TERN_MT_WORDS] & UINT32_C(0x7fffffff));
    s[i] = s[(i + SHIFT) % TERN_MT_WORDS] ^ (y >> 1) ^ (y & 1 ? UINT32_C(0x9908b0df) : 0);
  }
  r->next = 0;
}

static uint32_t word(tern_python_random *r) {
  if (r->next == TERN_MT_WORDS) renew(r);
  uint32_t y = r->state[r->next++];
  y ^= y >> 11;
  y ^= (y << 7) & UINT32_C(0x9d2c5680);
  y ^= (y << 15) & UINT32_C(0xefc60000);
  return y ^ (y >> 18);
}

uint64_t tern_python_bits(tern_python_random *r, int bits) {
  if (bits <= 32) return word(r) >> (32 - bits);
  uint64_t low = word(r);
  return low | (uint64_t)(word(r) >> (64 - bits)) << 32;
}

double tern_python_unit(tern_python_random *r) {
  double high = word(r) >> 5, low = word(r) >> 6;
  return (high * 0x1p26 + low) * 0x1p-53;
}

uint64_t tern_python_below(tern_python_random *r, uint64_t n) {
  int bits = 64 - __builtin_clzll(n); /* of n itself, so that n = 2^k draws k + 1 */
  uint64_t drawn;
  do drawn = tern_python_bits(r, bits);
  while (drawn >= n);
  return drawn;
}

/* Whether a list of all n costs less than a set of k, as CPython estimates. */
static bool pool_is_small(size_t n, size_t k) {
  size_t set = 21, table = 1;
  if (k > 5) {
    while (table < 3 * k) table *= 4;
    set += table;
  }
  return n <= set;
}

static int from_pool(tern_python_random *r, size_t n, size_t k, size_t *out, tern_error *e) {
  size_t *pool = calloc(n ? n : 1, sizeof *pool);
  if (pool == NULL) return tern_fail(e, TERN_FAILED, "sampling %zu of %zu: out of memory", k, n);
  for (size_t i = 0; i < n; i++) pool[i] = i;
  for (size_t i = 0; i < k; i++) {
    size_t j = (size_t)tern_python_below(r, n - i);
    out[i] = pool[j];
    pool[j] = pool[n - i - 1];
  }
  free(pool);
  return 0;
}

static bool drawn_before(const size_t *out, size_t count, size_t value) {
  for (size_t i = 0; i < count; i++) {
    if (out[i] == value) return true;
  }
  return false;
}

int tern_python_sample(tern_python_random *r, size_t n, size_t k, size_t *out, tern_error *e) {
  if (k > n) return tern_fail(e, TERN_FAILED, "can't sample %zu of %zu: there are too few", k, n);
  if (pool_is_small(n, k)) return from_pool(r, n, k, out, e);
  for (size_t i = 0; i < k; i++) {
    do out[i] = (size_t)tern_python_below(r, n);
    while (drawn_before(out, i, out[i]));
  }
  return 0;
}
