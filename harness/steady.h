/* Warm-up: how many repetitions to throw away before those that count. Pure. */
#ifndef TERN_HARNESS_STEADY_H
#define TERN_HARNESS_STEADY_H

typedef struct tern_steady_rule {
  int window;       /* latest repetitions that are tested, 4 to TERN_STEADY_WINDOW */
  int most;         /* repetitions after which the warm-up ends in any case */
  double precision; /* a window within this span is steady, whatever its order */
  double level;     /* of the test for a trend */
} tern_steady_rule;

enum { TERN_STEADY_WINDOW = 16 };

/* Six repetitions, at most 20, 1 %; 0.14 is |S| >= 9 of 15 pairs (chance 0.136),
 * which also finds a step in the middle of the window. */
extern const tern_steady_rule tern_steady_default;

typedef enum tern_steady {
  TERN_STEADY_NOT_YET,
  TERN_STEADY,         /* no trend in the window */
  TERN_STEADY_GIVEN_UP /* `most` reached while times still moved one way */
} tern_steady;

/* After n repetitions that took seconds[0..n-1]. Not steady: Mann's test finds
 * a trend, up or down, in the window, and the window spans more than the
 * precision. */
tern_steady tern_steady_decide(const double *seconds, int n, const tern_steady_rule *rule);

/* Kendall's S: pairs that rise less pairs that fall. */
int tern_trend_score(const double *values, int n);
/* P(|S| >= score) for n values in random order without ties, n <= TERN_STEADY_WINDOW. */
double tern_trend_chance(int n, int score);

#endif
