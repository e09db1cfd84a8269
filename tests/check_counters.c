/* Counters: whatever claims to count moves with the work, thread by thread and
 * summed, and what does not count says why. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "harness/counters.h"
#include "harness/counters_uncore.h"

/* CPU seconds of this whole process. */
static double busy(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *arg) {
  (void)arg;
  enum { BYTES = 4 << 20 };
  char *p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) return NULL;
  for (int pass = 0; pass < 20; pass++)
    for (int i = 0; i < BYTES; i += 64) ((volatile char *)p)[i]++;
  munmap(p, BYTES);
  nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  return NULL;
}

static void work_on_threads(int n) {
  pthread_t threads[4];
  for (int i = 0; i < n; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
  for (int i = 0; i < n; i++) pthread_join(threads[i], NULL);
}

/* Member 1 works, the others have nothing to do. */
static void job_of_one(void *arg, int member, int size) {
  (void)arg;
  (void)size;
  if (member == 1) work(NULL);
}

static tern_team *team_of(int size) {
  tern_team *t;
  tern_error e;
  assert_int_equal(tern_team_open(&t, size, NULL, &e), 0);
  return t;
}

static void absent_events_say_why_and_present_ones_what_they_read(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  assert_non_null(c);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(c, (tern_counter)i);
    assert_int_equal(f->counts, f->why[0] == '\0');
    assert_int_equal(f->counts, f->event[0] != '\0');
    assert_true(f->pass >= -1 && f->pass < tern_counters_passes(c));
    assert_int_equal(f->scope == TERN_SCOPE_SYSTEM, i == TERN_MEMORY_BYTES);
    assert_int_equal(f->software, i >= TERN_TASK_CLOCK);
    for (int k = 0; k < i; k++)
      assert_string_not_equal(tern_counter_name((tern_counter)i), tern_counter_name((tern_counter)k));
  }
  tern_counters_close(c);
}

static void unbound_counters_are_of_the_whole_process_or_absent(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  int64_t values[TERN_COUNTERS];
  double before = busy();
  tern_counters_start(c);
  work_on_threads(3);
  tern_counters_stop(c, values);
  double spent = busy() - before;
  assert_int_equal(tern_counters_threads(c), 0);
  for (int i = 0; i < TERN_TASK_CLOCK; i++)
    if (i != TERN_MEMORY_BYTES) assert_int_equal(values[i], -1); /* the threads' own are nobody's */
  double counted = 1e-9 * (double)values[TERN_TASK_CLOCK];
  if (counted < 0.5 * spent || counted > 1.5 * spent) fail_msg("counted %g s of %g s", counted, spent);
  assert_true(values[TERN_PAGE_FAULTS] >= 3 && values[TERN_CONTEXT_SWITCHES] >= 3);
  tern_counters_close(c);
}

static void each_thread_is_counted_by_itself_and_summed(void **state) {
  (void)state;
  tern_team *team = team_of(3);
  tern_counters *c = tern_counters_open();
  int64_t sum[TERN_COUNTERS], each[3][TERN_COUNTERS];
  tern_counters_bind(c, team);
  tern_counters_start(c);
  tern_team_run(team, job_of_one, NULL);
  tern_counters_stop(c, sum);
  assert_int_equal(tern_counters_threads(c), 3);
  for (int m = 0; m < 3; m++) tern_counters_thread(c, m, each[m]);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(c, (tern_counter)i);
    if (f->scope == TERN_SCOPE_SYSTEM) continue;
    bool read = f->counts && f->pass <= 0;
    if (read) assert_int_equal(sum[i], each[0][i] + each[1][i] + each[2][i]);
    if (!read) assert_int_equal(sum[i], -1);
    if (read && !f->software) assert_true(sum[i] > 0);
  }
  /* 1024 pages touched and a sleep, on the one that worked. */
  assert_true(each[1][TERN_PAGE_FAULTS] > each[0][TERN_PAGE_FAULTS] && each[1][TERN_PAGE_FAULTS] >= 2);
  assert_true(each[1][TERN_CONTEXT_SWITCHES] >= 1);
  assert_true(each[2][TERN_PAGE_FAULTS] < each[1][TERN_PAGE_FAULTS]);
  assert_true(each[1][TERN_TASK_CLOCK] > 0 && each[2][TERN_TASK_CLOCK] > 0);
  tern_counters_close(c);
  tern_team_close(team);
}

static void each_call_is_counted_by_itself(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  tern_team *team = team_of(2);
  int64_t large[TERN_COUNTERS], none[TERN_COUNTERS];
  for (int bound = 0; bound < 2; bound++) {
    if (bound) tern_counters_bind(c, team);
    tern_counters_start(c);
    tern_team_run(team, job_of_one, NULL);
    tern_counters_stop(c, large);
    tern_counters_start(c);
    tern_counters_stop(c, none);
    assert_true(none[TERN_TASK_CLOCK] < large[TERN_TASK_CLOCK]);
    assert_true(none[TERN_PAGE_FAULTS] < large[TERN_PAGE_FAULTS]);
  }
  tern_counters_close(c);
  tern_team_close(team);
}

/* The harness takes teams of other sizes on the same counters. */
static void teams_come_and_go(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  int64_t values[TERN_COUNTERS];
  for (int size = 1; size <= 3; size++) {
    tern_team *team = team_of(size);
    tern_counters_bind(c, team);
    tern_counters_start(c);
    work(NULL);
    tern_counters_stop(c, values);
    assert_int_equal(tern_counters_threads(c), size);
    assert_true(values[TERN_PAGE_FAULTS] >= 2);
    if (tern_counters_fact(c, TERN_MIGRATIONS)->counts) assert_true(values[TERN_MIGRATIONS] >= 0);
    tern_counters_unbind(c);
    tern_team_close(team);
  }
  tern_counters_start(c);
  tern_counters_stop(c, values);
  assert_int_equal(values[TERN_MIGRATIONS], -1);
  assert_true(values[TERN_TASK_CLOCK] >= 0);
  tern_counters_close(c);
}

static void the_cost_of_a_pair_is_told(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  tern_team *team = team_of(1);
  tern_counters_bind(c, team);
  double cost = tern_counters_cost(c);
  print_message("a start and stop: %.2f us\n", 1e6 * cost);
  assert_true(cost > 0);
  tern_counters_close(c);
  tern_team_close(team);
}

static void memory_controllers_are_found_by_name(void **state) {
  (void)state;
  assert_true(tern_uncore_is_cas("skx_unc_imc0::UNC_M_CAS_COUNT"));
  assert_true(tern_uncore_is_cas("icx_unc_imc11::UNC_M_CAS_COUNT"));
  assert_false(tern_uncore_is_cas("skx_unc_imc0::UNC_M_CAS_COUNT:RD")); /* would be added twice */
  assert_false(tern_uncore_is_cas("skx_unc_imc0::UNC_M_CLOCKTICKS"));
  assert_false(tern_uncore_is_cas("knl_unc_imc_uclk0::UNC_M_CAS_COUNT"));
  assert_false(tern_uncore_is_cas("skx_unc_imc::UNC_M_CAS_COUNT"));
  assert_false(tern_uncore_is_cas("perf::CACHE-MISSES"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(absent_events_say_why_and_present_ones_what_they_read),
      cmocka_unit_test(unbound_counters_are_of_the_whole_process_or_absent),
      cmocka_unit_test(each_thread_is_counted_by_itself_and_summed),
      cmocka_unit_test(each_call_is_counted_by_itself),
      cmocka_unit_test(teams_come_and_go),
      cmocka_unit_test(the_cost_of_a_pair_is_told),
      cmocka_unit_test(memory_controllers_are_found_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
