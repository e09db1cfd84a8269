/* Multiplexed events: scaled by the time they ran, never where they did not
 * run, and marked as such. Where no hardware event exists the kernel's software
 * events stand in their place: these never wait for a turn, so a share below 1
 * is tested on numbers alone there. */
#include <linux/perf_event.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "harness/counters_parts.h"

static const tern_turn start = {1000, 500, 400};

static void a_count_is_scaled_up_to_the_whole_window(void **state) {
  (void)state;
  double share;
  assert_int_equal(tern_turn_scale(&start, &(tern_turn){1300, 1500, 650}, &share), 1200); /* ran 250 of 1000 ns */
  assert_true(share == 0.25);
  assert_int_equal(tern_turn_scale(&start, &(tern_turn){1300, 1500, 1400}, &share), 300);
  assert_true(share == 1);
  assert_int_equal(tern_turn_scale(&start, &(tern_turn){1000, 1500, 1400}, &share), 0); /* ran and saw nothing */
}

static void an_event_that_never_ran_has_no_count(void **state) {
  (void)state;
  double share;
  assert_int_equal(tern_turn_scale(&start, &(tern_turn){1000, 1500, 400}, &share), -1);
  assert_true(share == 0);
  assert_int_equal(tern_turn_scale(&start, &start, &share), -1);
  assert_int_equal(tern_turn_scale(&start, &(tern_turn){900, 1500, 1400}, &share), -1); /* backwards */
}

static void touch(void *arg, int member, int size) {
  (void)arg;
  (void)size;
  enum { PAGES = 300, PAGE = 4096 };
  if (member != 1) return;
  char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return;
  madvise(p, PAGES * PAGE, MADV_NOHUGEPAGE);
  for (int i = 0; i < PAGES; i++) ((volatile char *)p)[i * PAGE] = 1;
  munmap(p, PAGES * PAGE);
}

/* The same page faults through a stand-in for cycles and through getrusage. */
static void each_thread_reads_its_events_in_turns(void **state) {
  (void)state;
  static tern_counter_source sources[TERN_COUNTERS];
  tern_team *team;
  tern_error e;
  int64_t values[TERN_COUNTERS], one[TERN_COUNTERS];
  memcpy(sources, tern_counter_sources, sizeof sources);
  sources[TERN_CYCLES].generic = (tern_generic_event){"stand-in", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS};
  sources[TERN_BRANCHES].generic = (tern_generic_event){"unknown", PERF_TYPE_SOFTWARE, 1 << 20};
  tern_counters *c = tern_counters_open_from(sources, 0, true);
  assert_true(isnan(tern_counters_share(c)));
  assert_int_equal(tern_counters_passes(c), 1);
  assert_int_equal(tern_team_open(&team, 2, NULL, &e), 0);
  tern_counters_bind(c, team);
  assert_false(tern_counters_fact(c, TERN_BRANCHES)->counts);
  assert_non_null(strstr(tern_counters_fact(c, TERN_BRANCHES)->why, "unknown: "));
  if (!tern_counters_fact(c, TERN_CYCLES)->counts) {
    print_message("no perf events here: %s\n", tern_counters_fact(c, TERN_CYCLES)->why);
    tern_counters_close(c);
    tern_team_close(team);
    skip();
  }
  assert_string_equal(tern_counters_fact(c, TERN_CYCLES)->event, "stand-in, multiplexed");
  tern_counters_start(c);
  tern_team_run(team, touch, NULL);
  tern_counters_stop(c, values);
  tern_counters_thread(c, 1, one);
  assert_true(one[TERN_CYCLES] >= 300);
  assert_in_range(one[TERN_PAGE_FAULTS], one[TERN_CYCLES] - 100, one[TERN_CYCLES] + 200);
  assert_true(values[TERN_CYCLES] >= one[TERN_CYCLES]);
  assert_true(tern_counters_share(c) > 0 && tern_counters_share(c) <= 1);
  assert_int_equal(values[TERN_BRANCHES], -1);
  tern_counters_now(c, 0, one); /* this thread is member 0 */
  assert_int_equal(one[TERN_CYCLES], -1);
  tern_counters_close(c);
  tern_team_close(team);
}

static void what_is_not_multiplexed_has_no_share(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  assert_true(isnan(tern_counters_share(c)));
  for (int i = 0; i < TERN_COUNTERS; i++)
    assert_null(strstr(tern_counters_fact(c, (tern_counter)i)->event, "multiplexed"));
  tern_counters_close(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_count_is_scaled_up_to_the_whole_window),
      cmocka_unit_test(an_event_that_never_ran_has_no_count),
      cmocka_unit_test(each_thread_reads_its_events_in_turns),
      cmocka_unit_test(what_is_not_multiplexed_has_no_share),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
