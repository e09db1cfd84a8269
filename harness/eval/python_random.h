/* Python's random.Random for the calls that choose few-shot examples and
 * resamples: MT19937 (Matsumoto, Nishimura 1998), seeded by init_by_array with
 * the seed's 32-bit words, lowest first, as CPython seeds from an int. Equal to
 * Python 3.11 draw by draw; tests/fixtures/eval-random.json. */
#ifndef TERN_EVAL_PYTHON_RANDOM_H
#define TERN_EVAL_PYTHON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/error.h"

enum { TERN_MT_WORDS = 624 };

typedef struct tern_python_random {
  uint32_t state[TERN_MT_WORDS];
  int next; /* word of state to give next; TERN_MT_WORDS: make new ones */
} tern_python_random;

/* random.Random(seed); negative seeds count as their absolute value, as in Python. */
void tern_python_seed(tern_python_random *r, int64_t seed);
/* getrandbits(bits), 1 <= bits <= 64. */
uint64_t tern_python_bits(tern_python_random *r, int bits);
/* random(): [0, 1) with 53 bits. */
double tern_python_unit(tern_python_random *r);
/* randrange(n), n >= 1. */
uint64_t tern_python_below(tern_python_random *r, uint64_t n);
/* sample(range(n), k) into out[k]: in Python's order. Fails when k > n. */
int tern_python_sample(tern_python_random *r, size_t n, size_t k, size_t *out, tern_error *e);

#endif
