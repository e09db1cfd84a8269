/* Interference read from a made-up proc and sys, from this machine's, and
 * judged at its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/interference.h"
#include "tests/scratch.h"

static const int cpus[] = {1, 10};

static void whole_machine(const char *dir) {
  scratch_file(dir, "proc/stat",
               "cpu  9 9 9 9 9 9 9 999 0 0\ncpu0 1 1 1 1 1 1 1 500 0 0\ncpu1 1 1 1 1 1 1 1 7 0 0\n"
               "cpu10 1 1 1 1 1 1 1 35 0 0\nintr 12 3\n");
  scratch_file(dir, "proc/77/stat", "77 (a ) b (c) R 1 1 1 0 -1 4194304 99 5 31 6 0 0 0 0 20\n");
  scratch_file(dir, "proc/77/task/77/schedstat", "100 2000 3\n");
  scratch_file(dir, "proc/77/task/78/schedstat", "100 500 3\n");
  scratch_file(dir, "proc/77/task/77/status",
               "Name:\tx\nvoluntary_ctxt_switches:\t3\nnonvoluntary_ctxt_switches:\t40\n");
  scratch_file(dir, "proc/77/task/78/status", "Name:\tx\nnonvoluntary_ctxt_switches:\t2\n");
  scratch_file(dir, "proc/77/cgroup", "4:memory:/job\n0::/job\n");
  scratch_file(dir, "sys/fs/cgroup/job/cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 6\nthrottled_usec 1\n");
  scratch_file(dir, "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
  scratch_file(dir, "sys/devices/system/cpu/cpu10/cpufreq/scaling_cur_freq", "2000000\n");
  scratch_file(dir, "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n");
  scratch_file(dir, "sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count", "10\n");
  scratch_file(dir, "proc/pressure/cpu",
               "some avg10=1.00 avg60=0.20 avg300=0.00 total=1234567\nfull avg10=0 total=9\n");
  scratch_file(dir, "proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=11\n");
  scratch_file(dir, "proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=22\n");
}

static void every_source_is_read_below_the_root(void **state) {
  (void)state;
  static const int64_t expected[TERN_DISTURBANCES] = {
      [TERN_BY_STEAL] = 42,      [TERN_BY_WAITING] = 2500,         [TERN_BY_SWITCHES] = 42,
      [TERN_BY_FAULTS] = 31,     [TERN_BY_FREQUENCY] = 2500000,    [TERN_BY_HEAT] = 14,
      [TERN_BY_QUOTA] = 6,       [TERN_BY_CPU_PRESSURE] = 1234567, [TERN_BY_MEMORY_PRESSURE] = 11,
      [TERN_BY_IO_PRESSURE] = 22};
  char dir[256];
  scratch_make(dir, sizeof dir);
  whole_machine(dir);
  tern_interference got;
  const tern_interference_source s = {dir, 77, cpus, 2};
  tern_interference_read(&got, &s);
  for (int d = 0; d < TERN_DISTURBANCES; d++)
    if (got.values[d] != expected[d])
      fail_msg("%s: %lld, not %lld", tern_disturbance_name((tern_disturbance)d), (long long)got.values[d],
               (long long)expected[d]);
  const tern_interference_source all = {dir, 77, NULL, 0};
  tern_interference_read(&got, &all);
  assert_int_equal(got.values[TERN_BY_STEAL], 999);
  scratch_remove(dir);
}

static void first_hierarchy_groups_and_containers_are_found(void **state) {
  (void)state;
  char dir[256];
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "proc/self/cgroup", "5:cpuset:/x\n3:cpu,cpuacct:/docker/12ab\n");
  scratch_file(dir, "sys/fs/cgroup/cpu,cpuacct/cpu.stat", "nr_periods 0\nnr_throttled 17\n");
  tern_interference got;
  const tern_interference_source s = {dir, 0, NULL, 0};
  tern_interference_read(&got, &s);
  assert_int_equal(got.values[TERN_BY_QUOTA], 17); /* /docker/12ab is not shown: the mount's own */
  scratch_file(dir, "sys/fs/cgroup/cpu,cpuacct/docker/12ab/cpu.stat", "nr_throttled 5\n");
  tern_interference_read(&got, &s);
  assert_int_equal(got.values[TERN_BY_QUOTA], 5);
  scratch_remove(dir);
}

static void what_is_absent_or_nonsense_is_not_told(void **state) {
  (void)state;
  char dir[256];
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "proc/stat", "cpu  1 2\n");
  scratch_file(dir, "proc/self/stat", "1 (no end");
  scratch_file(dir, "proc/self/cgroup", "garbage\n0\n::\n");
  scratch_file(dir, "proc/pressure/cpu", "some total=x\n");
  scratch_file(dir, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "<unknown>\n");
  tern_interference got, later;
  const tern_interference_source s = {dir, 0, NULL, 0};
  tern_interference_read(&got, &s);
  for (int d = 0; d < TERN_DISTURBANCES; d++) assert_int_equal(got.values[d], -1);
  memset(&later, 0x7f, sizeof later);
  assert_int_equal(tern_interference_judge(&got, &later, 1, 1), 0);
  scratch_remove(dir);
}

static void this_machine_tells_faults_and_switches(void **state) {
  (void)state;
  if (access("/proc/self/stat", R_OK) != 0) skip();
  tern_interference got;
  const tern_interference_source s = {"", 0, NULL, 0};
  tern_interference_read(&got, &s);
  assert_true(got.values[TERN_BY_FAULTS] >= 0);
  assert_true(got.values[TERN_BY_SWITCHES] >= 0);
}

/* Two seconds, two threads: just at the limit, and one step above. */
static void marks_begin_above_the_limits(void **state) {
  (void)state;
  const int64_t tick = sysconf(_SC_CLK_TCK);
  const struct {
    tern_disturbance d;
    int64_t before, quiet, marked;
  } rows[] = {
      {TERN_BY_STEAL, 100, 100 + 4 * tick / 100, 101 + 4 * tick / 100},
      {TERN_BY_WAITING, 5, 5 + 40000000, 6 + 40000000},
      {TERN_BY_SWITCHES, 7, 87, 88},
      {TERN_BY_FAULTS, 3, 3, 4},
      {TERN_BY_FREQUENCY, 1000000, 950000, 949000},
      {TERN_BY_HEAT, 8, 8, 9},
      {TERN_BY_QUOTA, 0, 0, 1},
      {TERN_BY_CPU_PRESSURE, 0, 200000, 200001},
      {TERN_BY_MEMORY_PRESSURE, 0, 20000, 20001},
      {TERN_BY_IO_PRESSURE, 0, 200000, 200001},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    tern_interference before, after;
    memset(&before, 0xff, sizeof before); /* all -1 */
    after = before;
    before.values[rows[i].d] = rows[i].before;
    after.values[rows[i].d] = rows[i].quiet;
    assert_int_equal(tern_interference_judge(&before, &after, 2, 2), 0);
    after.values[rows[i].d] = rows[i].marked;
    assert_int_equal(tern_interference_judge(&before, &after, 2, 2), 1U << rows[i].d);
  }
}

static void marks_are_named_and_cut_whole(void **state) {
  (void)state;
  char text[64], small[16];
  tern_interference_text(1U << TERN_BY_STEAL | 1U << TERN_BY_FAULTS, text, sizeof text);
  assert_string_equal(text, "steal+faults");
  tern_interference_text(~0U, small, sizeof small);
  assert_string_equal(small, "steal+waiting");
  tern_interference_text(0, text, sizeof text);
  assert_string_equal(text, "");
}

static void a_machine_that_is_never_quiet_is_not_waited_for(void **state) {
  (void)state;
  assert_false(tern_interference_repeat(0, 10, 0));
  assert_true(tern_interference_repeat(1, 0, 0));
  int repeated = 0;
  for (int taken = 0; taken < 40; taken++)
    while (tern_interference_repeat(1, taken, repeated)) repeated++;
  assert_int_equal(repeated, 2 + 39 / 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_source_is_read_below_the_root),
      cmocka_unit_test(first_hierarchy_groups_and_containers_are_found),
      cmocka_unit_test(what_is_absent_or_nonsense_is_not_told),
      cmocka_unit_test(this_machine_tells_faults_and_switches),
      cmocka_unit_test(marks_begin_above_the_limits),
      cmocka_unit_test(marks_are_named_and_cut_whole),
      cmocka_unit_test(a_machine_that_is_never_quiet_is_not_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
