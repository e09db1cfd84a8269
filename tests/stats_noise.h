/* Noise of a pair of identical repetitions, as log(time A / time B): models, and
 * blocks recorded on real machines (every blocks-*.csv of a folder). Sides are
 * given their names by chance, as the program orders engines by chance, so the
 * true ratio is 1. For the tests and the study of intervals. */
#ifndef TERN_TESTS_STATS_NOISE_H
#define TERN_TESTS_STATS_NOISE_H

#include <stdint.h>

#include "engine/base/random.h"

enum { NOISE_MOST = 64, NOISE_BLOCKS = 4096 };

typedef struct dice {
  uint64_t seed, stream, next;
} dice;

static inline double dice_unit(dice *d) {
  return tern_random_unit(tern_random_at(d->seed, d->stream, d->next++));
}
double dice_normal(dice *d);
double dice_exponential(dice *d);

typedef struct noise noise;
struct noise {
  char name[80];
  double scale, rate; /* what they mean is the model's */
  double precision;   /* at which the stopping rule is tried */
  int count;          /* of recorded blocks */
  double *logs;       /* log(A / B) of each */
  void (*fill)(const noise *, dice *, double *logs, int n);
};

/* The models, ended by one without a name. */
extern const noise noise_models[];

/* Noise that only one side feels: no name given by chance makes it even, and
 * the true ratio is the one that the noise leaves in the long run. */
extern const noise noise_one_sided[];

/* Adds two noises a file: its blocks drawn singly, and stretches of it in the
 * order of time. Returns how many, at most `room`; -1 with a message when the
 * folder or a file can't be read. */
int noise_recorded(const char *folder, noise *out, int room);
void noise_free(noise *recorded, int count);

#endif
