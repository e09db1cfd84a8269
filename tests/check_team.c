/* The thread team: every member runs every job once, the barrier separates
 * phases, waiting members sleep, ranges are split without gap or overlap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <dirent.h>

#include <cmocka.h>

#include "engine/base/team.h"

enum { MOST = 9, JOBS = 2000, PHASES = 300 };
static const int sizes[] = {1, 2, 3, MOST};

static tern_team *open_team(int size) {
  tern_error e = {0};
  tern_team *t;
  if (tern_team_open(&t, size, NULL, &e)) fail_msg("%s", e.text);
  assert_int_equal(tern_team_size(t), size);
  return t;
}

typedef struct counted {
  int runs[MOST][64]; /* plain ints, a line each: a race shows under ThreadSanitizer */
  int size;
} counted;

static void count_job(void *arg, int member, int size) {
  counted *c = arg;
  c->runs[member][0]++;
  if (member == 0) c->size = size;
}

static void every_member_runs_every_job_once(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    tern_team *t = open_team(sizes[k]);
    counted c = {0};
    for (int i = 0; i < JOBS; i++) {
      tern_team_run(t, count_job, &c);
      assert_int_equal(c.runs[sizes[k] - 1][0], i + 1); /* run returns when all are done */
    }
    for (int m = 0; m < MOST; m++) assert_int_equal(c.runs[m][0], m < sizes[k] ? JOBS : 0);
    assert_int_equal(c.size, sizes[k]);
    tern_team_close(t);
  }
}

typedef struct phased {
  tern_team *team;
  int phase[MOST][64];
  atomic_int wrong;
} phased;

static void phase_job(void *arg, int member, int size) {
  phased *p = arg;
  for (int i = 1; i <= PHASES; i++) {
    p->phase[member][0] = i;
    tern_team_barrier(p->team);
    for (int m = 0; m < size; m++) {
      if (p->phase[m][0] != i) atomic_fetch_add(&p->wrong, 1);
    }
    tern_team_barrier(p->team);
  }
}

static void no_member_passes_a_barrier_early(void **state) {
  (void)state;
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
    phased p = {.team = open_team(sizes[k])};
    tern_team_run(p.team, phase_job, &p);
    assert_int_equal(p.wrong, 0);
    tern_team_close(p.team);
  }
}

/* Threads of this process, other than the caller, that are not asleep. */
static int threads_awake(void) {
  int awake = 0;
  DIR *d = opendir("/proc/self/task");
  assert_non_null(d);
  for (struct dirent *x; (x = readdir(d));) {
    char path[300], line[200] = "";
    if (x->d_name[0] == '.' || atoi(x->d_name) == (int)getpid()) continue;
    snprintf(path, sizeof path, "/proc/self/task/%.20s/stat", x->d_name);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    const char *after = strrchr(line, ')');
    awake += after && after[2] == 'R';
  }
  closedir(d);
  return awake;
}

static void sleep_ms(long ms) {
  const struct timespec t = {.tv_nsec = ms * 1000000};
  nanosleep(&t, NULL);
}

static void a_parked_team_sleeps_and_wakes(void **state) {
  (void)state;
  tern_team *t = open_team(4);
  counted c = {0};
  for (int round = 1; round <= 20; round++) {
    tern_team_run(t, count_job, &c);
    int looks = 0, calm = 0;
    while (calm < 3 && looks++ < 5000) { /* asleep at three looks in a row; gives up after seconds, not at once */
      sleep_ms(1);
      calm = threads_awake() ? 0 : calm + 1;
    }
    assert_int_equal(calm, 3);
    for (int m = 0; m < 4; m++) assert_int_equal(c.runs[m][0], round);
  }
  tern_team_close(t);
}

static void a_cpu_that_is_not_there_is_named(void **state) {
  (void)state;
  const int cpus[2] = {0, 999};
  tern_error e = {0};
  tern_team *t;
  assert_int_equal(tern_team_open(&t, 2, cpus, &e), TERN_FAILED);
  assert_null(t);
  assert_non_null(strstr(e.text, "CPU "));
  assert_int_equal(tern_team_open(&t, 0, NULL, &e), TERN_FAILED);
}

static void a_split_covers_everything_once_in_whole_units(void **state) {
  (void)state;
  static const int counts[] = {0, 1, 15, 16, 17, 100, 6912, 128256, INT32_MAX};
  for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
    for (int unit = 1; unit <= 48; unit += 15) {
      for (int size = 1; size <= 7; size++) {
        int end = 0;
        for (int m = 0; m < size; m++) {
          int lo, hi;
          tern_split(counts[k], unit, m, size, &lo, &hi);
          assert_int_equal(lo, end);
          assert_true(hi >= lo && (lo % unit == 0 || lo == counts[k]));
          end = hi;
        }
        assert_int_equal(end, counts[k]);
      }
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_member_runs_every_job_once),
      cmocka_unit_test(no_member_passes_a_barrier_early),
      cmocka_unit_test(a_parked_team_sleeps_and_wakes),
      cmocka_unit_test(a_cpu_that_is_not_there_is_named),
      cmocka_unit_test(a_split_covers_everything_once_in_whole_units),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
