/* Counters: whatever claims to count moves with the work, over all threads,
 * and what does not count says why. */
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

static void absent_events_say_why_and_present_ones_what_they_read(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  assert_non_null(c);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    const tern_counter_fact *f = tern_counters_fact(c, (tern_counter)i);
    assert_int_equal(f->counts, f->why[0] == '\0');
    assert_int_equal(f->counts, f->event[0] != '\0');
  }
  tern_counters_close(c);
}

static void other_threads_are_counted(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  int64_t values[TERN_COUNTERS];
  double before = busy();
  tern_counters_start(c);
  work_on_threads(3);
  tern_counters_stop(c, values);
  double spent = busy() - before;
  for (int i = 0; i < TERN_COUNTERS; i++) {
    if (!tern_counters_fact(c, (tern_counter)i)->counts)
      assert_int_equal(values[i], -1);
    else if (i != TERN_MIGRATIONS && values[i] <= 0)
      fail_msg("%s counted %lld", tern_counter_name((tern_counter)i), (long long)values[i]);
  }
  if (tern_counters_fact(c, TERN_TASK_CLOCK)->counts) {
    double counted = 1e-9 * (double)values[TERN_TASK_CLOCK];
    if (counted < 0.5 * spent || counted > 1.5 * spent) fail_msg("counted %g s of %g s", counted, spent);
  }
  tern_counters_close(c);
}

static void each_call_is_counted_by_itself(void **state) {
  (void)state;
  tern_counters *c = tern_counters_open();
  int64_t large[TERN_COUNTERS], none[TERN_COUNTERS];
  tern_counters_start(c);
  work_on_threads(2);
  tern_counters_stop(c, large);
  tern_counters_start(c);
  tern_counters_stop(c, none);
  if (tern_counters_fact(c, TERN_TASK_CLOCK)->counts) assert_true(none[TERN_TASK_CLOCK] < large[TERN_TASK_CLOCK]);
  tern_counters_close(c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(absent_events_say_why_and_present_ones_what_they_read),
      cmocka_unit_test(other_threads_are_counted),
      cmocka_unit_test(each_call_is_counted_by_itself),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
