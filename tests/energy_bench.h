/* A run on a fake machine: work that draws one power, idle another, and meters
 * that a test lets fail at a call of its choice. */
#ifndef TERN_TESTS_ENERGY_BENCH_H
#define TERN_TESTS_ENERGY_BENCH_H

#include "energy_fixture.h"
#include "harness/energy_call.h"

typedef struct bench {
  fixture f;
  tern_energy_options o;
  tern_energy_run *run;
  fake *package; /* draws `idle` W, and `busy` W while work is done */
  double busy, idle;
  double seconds, between; /* of one piece of work, and after it, untimed */
  double look;             /* s between looks within the work */
  long works;              /* pieces done in the run */
  long fault_at;           /* before this piece `fault` happens */
  void (*fault)(struct bench *);
} bench;

/* A package of 100 W busy and 40 W idle, half a second a piece; not begun. */
void bench_open(bench *b);
void bench_begin(bench *b);
void bench_close(bench *b);

tern_energy_share bench_call(bench *b);
void bench_rest(bench *b, bool last);
/* One call gives these joules for a piece; or none, for a reason with this text. */
void assert_share(const tern_energy_share *s, double joules, double net);
void assert_no_share(const tern_energy_share *s, const char *reason);

#endif
