/* A machine for meters, made by a test: a sysfs tree whose counters move with
 * a clock that moves only when the test says so. */
#ifndef TERN_TESTS_ENERGY_FIXTURE_H
#define TERN_TESTS_ENERGY_FIXTURE_H

#include <pthread.h>

#include "harness/meter.h"

enum { MOST_FAKES = 24 };

typedef struct fake {
  char path[160]; /* below the root */
  double watts;   /* true power */
  double scale;   /* counts a joule (counters) or a watt (powers) */
  double count;
  double range; /* 0: never wraps */
  double lump;  /* s between updates; 0: at every moment */
  bool power;
  double shown_at;
} fake;

typedef struct fixture {
  char root[64];
  tern_clock clock;
  tern_meter_io io;
  fake fakes[MOST_FAKES];
  int count;
  char denied[64]; /* files with this in their path give EACCES */
  /* Called as time passes, with the seconds. */
  void (*tick)(void *arg, double seconds);
  void *arg;
  pthread_mutex_t lock;
  double now, wall;
  int reads;
} fixture;

void fixture_open(fixture *f);
void fixture_close(fixture *f);

void fixture_file(const fixture *f, const char *path, const char *text);
void fixture_remove(const fixture *f, const char *path);

/* intel-rapl:<number> with its name; a counter of `watts` from `uj` on. */
fake *fixture_zone(fixture *f, const char *folder, const char *name, double watts, double uj, double range);
/* Any file that counts uJ or shows uW. */
fake *fixture_counter(fixture *f, const char *path, double watts);
fake *fixture_power(fixture *f, const char *path, double watts);

/* Time passes, counters move. */
void fixture_pass(fixture *f, double seconds);
/* Only the wall clock is set. */
void fixture_set_wall(fixture *f, double seconds);

/* Options for this machine, looked at by hand. */
tern_meter_options fixture_options(fixture *f);
tern_meters *fixture_meters(fixture *f, const tern_meter_options *o);

/* The meter of this kind, and its reading after `looks` pauses of `pause` s. */
int meter_of(const tern_meters *m, const char *kind);
tern_reading reading_over(fixture *f, tern_meters *m, const char *kind, int looks, double pause);

void assert_reading(const tern_reading *r, double joules, const char *scope);
/* Unavailable, with this text in the reason. */
void assert_no_reading(const tern_reading *r, const char *reason);
void assert_near(double a, double b, double relative);

#endif
