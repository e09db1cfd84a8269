/* Machine facts: limits of control groups from trees made here, and a topology
 * that agrees with the affinity of this process. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/machine.h"
#include "tests/scratch.h"

static char root[256];

static int setup(void **state) {
  (void)state;
  scratch_make(root, sizeof root);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(root);
  return 0;
}

static tern_cgroup probe(const char *groups) {
  char path[300];
  scratch_file(root, "groups", groups);
  snprintf(path, sizeof path, "%s/groups", root);
  return tern_cgroup_probe(path, root);
}

static void the_tightest_limit_on_the_way_up_counts(void **state) {
  (void)state;
  scratch_file(root, "a/cpu.max", "400000 100000\n");
  scratch_file(root, "a/memory.max", "1000000\n");
  scratch_file(root, "a/b/cpu.max", "max 100000\n");
  scratch_file(root, "a/b/memory.max", "2000000\n");
  scratch_file(root, "a/b/c/cpu.max", "150000 100000\n");
  tern_cgroup g = probe("0::/a/b/c\n");
  assert_true(g.cpus == 1.5);
  assert_int_equal(g.memory, 1000000);
  g = probe("0::/a/b\n");
  assert_true(g.cpus == 4);
}

static void version_1_controllers_are_read_under_their_mounts(void **state) {
  (void)state;
  scratch_file(root, "cpu,cpuacct/job/cpu.cfs_quota_us", "250000\n");
  scratch_file(root, "cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  scratch_file(root, "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  scratch_file(root, "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  scratch_file(root, "memory/job/memory.limit_in_bytes", "5000000000\n");
  scratch_file(root, "memory/memory.limit_in_bytes", "9223372036854771712\n");
  tern_cgroup g = probe("4:memory:/job\n3:cpuset:/job\n2:cpu,cpuacct:/job\n");
  assert_true(g.cpus == 2.5);
  assert_true(g.memory == 5000000000u);
}

static void version_1_cpusets_and_short_mounts_are_read(void **state) {
  (void)state;
  scratch_file(root, "cpuset/cpuset.cpus", "0-7\n");
  scratch_file(root, "cpuset/job/cpuset.cpus", "2-3\n");
  scratch_file(root, "cpu/job/cpu.cfs_quota_us", "150000\n"); /* mounted under one of the names alone */
  scratch_file(root, "cpu/job/cpu.cfs_period_us", "100000\n");
  tern_cgroup g = probe("3:cpuset:/job\n2:cpu,cpuacct:/job\n");
  assert_true(g.cpus == 1.5);
  assert_string_equal(g.cpuset, "2-3");
  assert_string_equal(g.version, "v1");
}

/* Both at once: controllers of v1, and v2 mounted beside them. */
static void a_hybrid_hierarchy_is_told_as_both(void **state) {
  (void)state;
  scratch_file(root, "memory/memory.limit_in_bytes", "3000000\n");
  scratch_file(root, "unified/cgroup.controllers", "cpu\n");
  scratch_file(root, "unified/job/cpu.max", "300000 100000\n");
  tern_cgroup g = probe("4:memory:/\n0::/job\n");
  assert_string_equal(g.version, "v1+v2");
  assert_true(g.cpus == 3 && g.memory == 3000000);
}

static void no_limit_is_zero(void **state) {
  (void)state;
  scratch_file(root, "a/cpu.max", "max 100000\n");
  scratch_file(root, "a/memory.max", "max\n");
  tern_cgroup g = probe("0::/a\nnonsense\n");
  assert_true(g.cpus == 0 && g.memory == 0);
  g = probe("0::/not/there\n");
  assert_true(g.cpus == 0 && g.memory == 0);
}

static void a_quota_bounds_the_team(void **state) {
  (void)state;
  tern_machine m = {.topology = {.allowed_cores = 8}};
  assert_int_equal(tern_machine_cores(&m), 8);
  m.cgroup.cpus = 2.5;
  assert_int_equal(tern_machine_cores(&m), 2);
  m.cgroup.cpus = 0.5;
  assert_int_equal(tern_machine_cores(&m), 1);
}

static void the_order_of_cpus_is_the_affinity_once_each(void **state) {
  (void)state;
  tern_error e = {0};
  tern_machine m;
  cpu_set_t allowed, seen;
  assert_int_equal(tern_machine_probe(&m, &e), 0);
  assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  CPU_ZERO(&seen);
  for (int i = 0; i < m.topology.allowed_cpus; i++) CPU_SET((size_t)m.topology.order[i], &seen);
  assert_int_equal(m.topology.allowed_cpus, CPU_COUNT(&allowed));
  assert_true(CPU_EQUAL(&seen, &allowed));
  assert_true(m.memory_total > 0 && m.system.page_size > 0);
  tern_machine_free(&m);
}

static void a_narrower_affinity_is_respected(void **state) {
  (void)state;
  tern_error e = {0};
  tern_machine m;
  cpu_set_t before, one;
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  size_t last = 0;
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &before)) last = cpu;
  CPU_ZERO(&one);
  CPU_SET(last, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  int bad = tern_machine_probe(&m, &e);
  sched_setaffinity(0, sizeof before, &before);
  assert_int_equal(bad, 0);
  assert_int_equal(m.topology.allowed_cpus, 1);
  assert_int_equal(m.topology.order[0], (int)last);
  tern_machine_free(&m);
}

static void the_topology_does_not_name_the_host(void **state) {
  (void)state;
  tern_error e = {0};
  tern_machine m;
  char host[256] = "", quoted[300];
  assert_int_equal(tern_machine_probe(&m, &e), 0);
  gethostname(host, sizeof host - 1);
  snprintf(quoted, sizeof quoted, "\"%s\"", host);
  assert_non_null(m.topology_xml);
  assert_non_null(strstr(m.topology_xml, "<topology"));
  assert_null(strstr(m.topology_xml, quoted));
  tern_machine_free(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(the_tightest_limit_on_the_way_up_counts, setup, teardown),
      cmocka_unit_test_setup_teardown(version_1_controllers_are_read_under_their_mounts, setup, teardown),
      cmocka_unit_test_setup_teardown(version_1_cpusets_and_short_mounts_are_read, setup, teardown),
      cmocka_unit_test_setup_teardown(a_hybrid_hierarchy_is_told_as_both, setup, teardown),
      cmocka_unit_test_setup_teardown(no_limit_is_zero, setup, teardown),
      cmocka_unit_test(a_quota_bounds_the_team),
      cmocka_unit_test(the_order_of_cpus_is_the_affinity_once_each),
      cmocka_unit_test(a_narrower_affinity_is_respected),
      cmocka_unit_test(the_topology_does_not_name_the_host),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
