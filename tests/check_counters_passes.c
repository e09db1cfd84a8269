/* Passes of hardware events. Where no hardware event exists (virtual machines
 * without a PMU) PAPI's software events stand in the place of hardware ones, a
 * few to a group: splitting, choosing and reading passes is then exercised
 * with the real PAPI. What only a PMU can show stays untested there: that the
 * CPU refuses a group which is too wide, and reads through its own registers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>
#include <papi.h>

#include "harness/counters_parts.h"

static const char *const stand_ins[] = {"perf::TASK-CLOCK", "perf::CPU-CLOCK",       "perf::PAGE-FAULTS",
                                        "perf::FAULTS",     "perf::MINOR-FAULTS",    "perf::TASK-CLOCK",
                                        "perf::CPU-CLOCK",  "perf::CONTEXT-SWITCHES"};
enum { STAND_INS = sizeof stand_ins / sizeof *stand_ins, LIMIT = 2 };

static tern_counter_source sources[TERN_COUNTERS];

/* The real table, with software events where hardware ones would be. */
static int setup(void **state) {
  (void)state;
  memcpy(sources, tern_counter_sources, sizeof sources);
  for (int i = 0, next = 0; i < TERN_COUNTERS; i++) {
    if (sources[i].software || sources[i].uncore) continue;
    memset(sources[i].events, 0, sizeof sources[i].events);
    sources[i].events[0] = "perf::NO-SUCH-EVENT";
    if (next < STAND_INS) sources[i].events[1] = stand_ins[next++];
  }
  return 0;
}

static bool hardware(int i) {
  return !sources[i].software && !sources[i].uncore;
}

static int counting(const tern_counters *c) {
  int n = 0;
  for (int i = 0; i < TERN_COUNTERS; i++) n += hardware(i) && tern_counters_fact(c, (tern_counter)i)->counts;
  return n;
}

static void touch(void *arg, int member, int size) {
  (void)arg;
  (void)member;
  (void)size;
  enum { BYTES = 1 << 20 };
  char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return;
  for (int i = 0; i < BYTES; i += 64) ((volatile char *)p)[i]++;
  munmap(p, BYTES);
  nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Asked of PAPI itself: a kernel that lets it count no page fault of its own. */
static bool papi_counts_nothing(void) {
  int set = PAPI_NULL;
  long long value = 0;
  bool starts = PAPI_create_eventset(&set) == PAPI_OK && PAPI_add_named_event(set, "perf::PAGE-FAULTS") == PAPI_OK &&
                PAPI_start(set) == PAPI_OK;
  touch(NULL, 0, 1);
  if (starts) PAPI_stop(set, &value);
  PAPI_cleanup_eventset(set);
  PAPI_destroy_eventset(&set);
  return value <= 0;
}

static tern_counters *open_or_skip(int most) {
  tern_counters *c = tern_counters_open_from(sources, most, false);
  assert_non_null(c);
  if (!papi_counts_nothing()) {
    assert_true(counting(c) >= 5);
    return c;
  }
  tern_counters_close(c);
  print_message("PAPI counts no software events here\n");
  skip();
  return NULL;
}

static void every_event_is_in_one_pass_and_anchors_in_all(void **state) {
  (void)state;
  tern_counters *c = open_or_skip(LIMIT);
  int inside[TERN_COUNTERS] = {0}, single = 0;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(c, (tern_counter)i);
    if (!f->counts || !hardware(i)) continue;
    if (sources[i].anchor) assert_int_equal(f->pass, -1);
    if (sources[i].anchor) continue;
    assert_true(f->pass >= 0 && f->pass < tern_counters_passes(c));
    inside[f->pass]++;
    single++;
  }
  assert_int_equal(tern_counters_passes(c), (single + LIMIT - 1) / LIMIT);
  for (int p = 0; p < tern_counters_passes(c); p++) assert_in_range(inside[p], 1, LIMIT);
  assert_true(tern_counters_passes(c) > 1);
  tern_counters_close(c);
}

static void an_event_that_does_not_exist_gives_way_to_the_next_candidate(void **state) {
  (void)state;
  tern_counters *c = open_or_skip(LIMIT);
  assert_string_equal(tern_counters_fact(c, TERN_CYCLES)->event, "perf::TASK-CLOCK");
  const tern_counter_fact *none = tern_counters_fact(c, TERN_VECTOR_OPS); /* has no stand-in */
  assert_false(none->counts);
  assert_non_null(strstr(none->why, "perf::NO-SUCH-EVENT"));
  tern_counters_close(c);
}

/* All passes in turn on a bound team: what a pass holds is counted on every
 * thread, what it does not hold is absent. */
static void a_pass_reads_its_own_events_on_every_thread(void **state) {
  (void)state;
  tern_team *team;
  tern_error e;
  tern_counters *c = open_or_skip(LIMIT);
  assert_int_equal(tern_team_open(&team, 2, NULL, &e), 0);
  tern_counters_bind(c, team);
  for (int round = 0; round < 2; round++) {
    for (int p = 0; p < tern_counters_passes(c); p++) {
      int64_t sum[TERN_COUNTERS], one[TERN_COUNTERS];
      tern_counters_pass(c, p);
      tern_counters_start(c);
      tern_team_run(team, touch, NULL);
      tern_counters_stop(c, sum);
      for (int i = 0; i < TERN_COUNTERS; i++) {
        const tern_counter_fact *f = tern_counters_fact(c, (tern_counter)i);
        if (!hardware(i)) continue;
        bool here = f->counts && (f->pass < 0 || f->pass == p);
        for (int m = 0; m < 2; m++) {
          tern_counters_thread(c, m, one);
          if (here && one[i] <= 0) fail_msg("pass %d: %s of thread %d: %lld", p, f->event, m, (long long)one[i]);
        }
        if (!here) assert_int_equal(sum[i], -1);
      }
      /* The kernel's accounting and PAPI agree on what happened. */
      assert_true(sum[TERN_CYCLES] > 0 && sum[TERN_CYCLES] < 2 * sum[TERN_TASK_CLOCK] + 1000000);
    }
  }
  tern_counters_close(c);
  tern_team_close(team);
}

/* PAPI takes no more events into a set than it believes the CPU has counters. */
static void a_set_that_papi_refuses_is_split(void **state) {
  (void)state;
  tern_counters *wide = open_or_skip(0), *narrow = open_or_skip(LIMIT);
  assert_int_equal(counting(wide), counting(narrow));
  assert_in_range(tern_counters_passes(wide), 1, tern_counters_passes(narrow) - 1);
  tern_counters_pass(wide, tern_counters_passes(wide)); /* not a pass: nothing happens */
  tern_counters_pass(wide, -1);
  tern_counters_close(wide);
  tern_counters_close(narrow);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_event_is_in_one_pass_and_anchors_in_all),
      cmocka_unit_test(an_event_that_does_not_exist_gives_way_to_the_next_candidate),
      cmocka_unit_test(a_pass_reads_its_own_events_on_every_thread),
      cmocka_unit_test(a_set_that_papi_refuses_is_split),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
