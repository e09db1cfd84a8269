/* Placement on topologies made here: every policy's CPUs to the number, and
 * the lines that refuse. hwloc reads them as it would a machine's. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/machine.h"
#include "harness/placement.h"
#include "tests/scratch.h"

enum { MOST = 64 };

static char root[256];

static int setup(void **state) {
  (void)state;
  scratch_make(root, sizeof root);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  unsetenv("HWLOC_SYNTHETIC");
  unsetenv("HWLOC_XMLFILE");
  scratch_remove(root);
  return 0;
}

static tern_placement *open_or_fail(void) {
  tern_error e = {0};
  tern_placement *p;
  int bad = tern_placement_open_at(&p, root, &e);
  if (bad) fail_msg("%s", e.text);
  return p;
}

static tern_placement *synthetic(const char *description) {
  setenv("HWLOC_SYNTHETIC", description, 1);
  return open_or_fail();
}

/* Kinds of cores can only be told in XML: a synthetic topology with `extra`
 * elements put in, and the root's attributes `from` replaced by `to`. */
static tern_placement *with_xml(const char *description, const char *extra, const char *from, const char *to) {
  hwloc_topology_t t;
  char *xml, path[300];
  int size;
  assert_int_equal(hwloc_topology_init(&t), 0);
  assert_int_equal(hwloc_topology_set_synthetic(t, description), 0);
  assert_int_equal(hwloc_topology_load(t), 0);
  assert_int_equal(hwloc_topology_export_xmlbuffer(t, &xml, &size, 0), 0);
  char *whole = calloc(1, (size_t)size + strlen(extra) + strlen(to) + 1), *end = strstr(xml, "</topology>");
  assert_non_null(whole);
  assert_non_null(end);
  char *at = from[0] ? strstr(xml, from) : xml;
  assert_non_null(at);
  sprintf(whole, "%.*s%s%.*s%s</topology>\n", (int)(at - xml), xml, to, (int)(end - at - (long)strlen(from)),
          at + strlen(from), extra);
  scratch_file(root, "topology.xml", whole);
  free(whole);
  hwloc_free_xmlbuffer(t, xml);
  hwloc_topology_destroy(t);
  snprintf(path, sizeof path, "%s/topology.xml", root);
  setenv("HWLOC_XMLFILE", path, 1);
  return open_or_fail();
}

/* Two P-cores of two threads, four E-cores that share a cache. */
static tern_placement *hybrid(void) {
  static const char description[] = "pack:1 core:6 pu:2";
  static const char kinds[] = "  <cpukind cpuset=\"0x00000ff0\" forced_efficiency=\"0\">\n"
                              "    <info name=\"CoreType\" value=\"IntelAtom\"/>\n  </cpukind>\n"
                              "  <cpukind cpuset=\"0x0000000f\" forced_efficiency=\"1\">\n"
                              "    <info name=\"CoreType\" value=\"IntelCore\"/>\n  </cpukind>\n";
  return with_xml(description, kinds, "", "");
}

/* "0,2,1" of all CPUs that the policy has room for. */
static void assert_order(const tern_placement *p, const char *policy, const char *expected) {
  tern_error e = {0};
  int cpus[MOST], room = tern_placement_room(p, policy, &e);
  char text[512] = "";
  if (room < 1) fail_msg("%s: %s", policy, e.text);
  assert_true(room <= MOST);
  assert_int_equal(tern_placement_cpus(p, policy, room, cpus, &e), 0);
  for (int i = 0; i < room; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "%s%d", i ? "," : "", cpus[i]);
  assert_string_equal(text, expected);
  for (int n = 1; n < room; n++) { /* a smaller team is the beginning of a greater one */
    int fewer[MOST];
    assert_int_equal(tern_placement_cpus(p, policy, n, fewer, &e), 0);
    assert_memory_equal(fewer, cpus, (size_t)n * sizeof *cpus);
  }
}

static void assert_refused(const tern_placement *p, const char *policy, int threads, int status, const char *words) {
  tern_error e = {0};
  int cpus[MOST];
  for (int i = 0; i < MOST; i++) cpus[i] = -7;
  assert_int_equal(tern_placement_cpus(p, policy, threads, cpus, &e), status);
  if (!strstr(e.text, words)) fail_msg("'%s' does not say '%s'", e.text, words);
  assert_int_equal(cpus[0], -7);
}

static void two_sockets_with_smt(void **state) {
  (void)state;
  tern_placement *p = synthetic("pack:2 [numa] l3:1 core:2 pu:2");
  assert_order(p, "cores", "0,2,4,6,1,3,5,7");
  assert_order(p, "compact", "0,1,2,3,4,5,6,7");
  assert_order(p, "spread", "0,4,2,6,1,5,3,7");
  assert_order(p, "fast", "0,2,4,6");
  assert_order(p, "node:0", "0,2,1,3");
  assert_order(p, "node:1", "4,6,5,7");
  assert_order(p, "cpus:7,0-1", "0,1,7");
  assert_refused(p, "node:2", 1, TERN_USAGE, "no such NUMA node (2 in all)");
  tern_placement_close(p);
}

static void spreading_takes_caches_in_turn_within_a_package(void **state) {
  (void)state;
  tern_placement *p = synthetic("pack:2 l3:2 core:2 pu:1");
  assert_order(p, "spread", "0,4,2,6,1,5,3,7");
  assert_order(p, "compact", "0,1,2,3,4,5,6,7");
  tern_placement_close(p);
}

static void numbers_follow_the_tree_not_the_other_way_round(void **state) {
  (void)state;
  /* As Linux numbers them: siblings after all cores. */
  tern_placement *p = synthetic("pack:2 [numa] core:2 pu:2(indexes=0,4,1,5,2,6,3,7)");
  assert_order(p, "cores", "0,1,2,3,4,5,6,7");
  assert_order(p, "compact", "0,4,1,5,2,6,3,7");
  assert_order(p, "spread", "0,2,1,3,4,6,5,7");
  assert_order(p, "node:1", "2,3,6,7");
  tern_placement_close(p);
}

static void fast_is_the_p_cores_of_a_hybrid(void **state) {
  (void)state;
  tern_placement *p = hybrid();
  assert_order(p, "fast", "0,2");
  assert_order(p, "cores", "0,2,4,6,8,10,1,3,5,7,9,11");
  assert_order(p, "compact", "0,1,2,3,4,5,6,7,8,9,10,11");
  assert_refused(p, "fast", 3, TERN_FAILED, "it has 2 CPUs");
  tern_placement_close(p);
}

static void fast_is_the_big_cores_of_big_little(void **state) {
  (void)state;
  /* Little cores carry the lower numbers, as on most ARM boards. */
  static const char kinds[] = "  <cpukind cpuset=\"0x0000000f\" forced_efficiency=\"446\">\n"
                              "    <info name=\"LinuxCapacity\" value=\"446\"/>\n  </cpukind>\n"
                              "  <cpukind cpuset=\"0x00000030\" forced_efficiency=\"1024\">\n"
                              "    <info name=\"LinuxCapacity\" value=\"1024\"/>\n  </cpukind>\n";
  tern_placement *p = with_xml("pack:1 core:6 pu:1", kinds, "", "");
  assert_order(p, "fast", "4,5");
  assert_order(p, "cores", "4,5,0,1,2,3");
  assert_order(p, "compact", "4,5,0,1,2,3");
  assert_order(p, "spread", "0,1,2,3,4,5");
  tern_placement_close(p);
}

static void kinds_that_cannot_be_ranked_are_not_guessed(void **state) {
  (void)state;
  static const char kinds[] = "  <cpukind cpuset=\"0x00000003\">\n    <info name=\"Colour\" value=\"red\"/>\n"
                              "  </cpukind>\n  <cpukind cpuset=\"0x0000000c\">\n"
                              "    <info name=\"Colour\" value=\"blue\"/>\n  </cpukind>\n";
  tern_placement *p = with_xml("core:4 pu:1", kinds, "", "");
  assert_refused(p, "fast", 1, TERN_USAGE, "can't tell which kind of core is the faster one");
  assert_order(p, "cores", "0,1,2,3");
  tern_placement_close(p);
}

static void cpus_that_are_not_allowed_are_left_out(void **state) {
  (void)state;
  /* Whole machine 0-7, allowed 1-5: core 0 keeps one CPU, package 1 one core. */
  tern_placement *p =
      with_xml("pack:2 [numa] core:2 pu:2", "", "allowed_cpuset=\"0x000000ff\"", "allowed_cpuset=\"0x0000003e\"");
  assert_order(p, "cores", "1,2,4,3,5");
  assert_order(p, "compact", "1,2,3,4,5");
  assert_order(p, "spread", "1,4,2,5,3");
  assert_order(p, "node:1", "4,5");
  assert_order(p, "cpus:2-3", "2,3");
  assert_refused(p, "cpus:0-3", 1, TERN_FAILED, "CPU 0: the control group's cpuset forbids it (usable: 1-5)");
  assert_refused(p, "cpus:3,9", 1, TERN_FAILED, "CPU 9: there is no such CPU");
  assert_refused(p, "cores", 6, TERN_FAILED, "placement cores: 6 threads, but it has 5 CPUs");
  tern_placement_close(p);
}

static void a_node_that_the_group_may_not_use_is_refused(void **state) {
  (void)state;
  tern_placement *p =
      with_xml("pack:2 [numa] core:2 pu:1", "", "allowed_nodeset=\"0x00000003\"", "allowed_nodeset=\"0x00000001\"");
  assert_order(p, "node:0", "0,1");
  assert_refused(p, "node:1", 1, TERN_FAILED, "cpuset.mems leaves that node out");
  tern_placement_close(p);
}

static void more_threads_than_the_quota_are_refused(void **state) {
  (void)state;
  scratch_file(root, "proc/self/cgroup", "0::/job\n");
  scratch_file(root, "sys/fs/cgroup/job/cpu.max", "250000 100000\n");
  tern_placement *p = synthetic("core:4 pu:1");
  tern_error e = {0};
  assert_int_equal(tern_placement_room(p, "cores", &e), 2);
  assert_order(p, "compact", "0,1");
  assert_refused(p, "cores", 3, TERN_FAILED, "quota is 2.50 CPUs");
  assert_refused(p, "cores", 5, TERN_FAILED, "it has 4 CPUs");
  tern_placement_close(p);
  scratch_file(root, "sys/fs/cgroup/job/cpu.max", "50000 100000\n");
  p = synthetic("core:4 pu:1");
  assert_order(p, "cores", "0");
  tern_placement_close(p);
}

static void what_is_not_a_policy_is_one_line(void **state) {
  (void)state;
  static const char *const wrong[] = {
      "",        "core",    "cores:1", "node:",   "node:x",    "node:-1",           "node:99999999999999999999",
      "cpus:",   "cpus:a",  "cpus:1-", "cpus:-1", "cpus:1,,2", "cpus:0-4000000000", "cpus:0x1",
      "cpus: 1", "cpus:3-1"};
  tern_placement *p = synthetic("core:4 pu:1");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    tern_error e = {0};
    int cpus[MOST];
    int bad = tern_placement_cpus(p, wrong[i], 1, cpus, &e);
    if (bad != TERN_USAGE) fail_msg("'%s' gives %d: %s", wrong[i], bad, e.text);
    assert_true(strncmp(e.text, "placement ", 10) == 0);
    assert_int_equal(tern_placement_room(p, wrong[i], &e), 0);
  }
  assert_refused(p, "cores", 0, TERN_USAGE, "0 threads");
  assert_refused(p, "cores", -1, TERN_USAGE, "-1 threads");
  tern_placement_close(p);
}

static void a_topology_that_cannot_be_read_is_named(void **state) {
  (void)state;
  tern_error e = {0};
  tern_placement *p;
  setenv("HWLOC_XMLFILE", "/not/there.xml", 1);
  assert_int_equal(tern_placement_open(&p, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "HWLOC_XMLFILE=/not/there.xml"));
  assert_null(p);
  unsetenv("HWLOC_XMLFILE");
  setenv("HWLOC_SYNTHETIC", "a pack of wolves", 1);
  e = (tern_error){0};
  assert_int_equal(tern_placement_open(&p, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "HWLOC_SYNTHETIC=a pack of wolves"));
}

/* A described machine: its facts are told, its CPUs never used. */
static void another_machine_is_described_but_never_bound(void **state) {
  (void)state;
  tern_error e = {0};
  tern_machine m;
  int here[1] = {0};
  cpu_set_t mine;
  tern_placement *p = synthetic("pack:2 [numa] core:32 pu:2");
  assert_false(tern_placement_binds(p));
  assert_int_equal(tern_placement_bind_memory(p, here, 1, "bind", &e), 0);
  tern_placement_close(p);
  assert_int_equal(tern_machine_probe(&m, &e), 0);
  assert_true(m.topology.described);
  assert_int_equal(m.topology.cpus, 128);
  assert_int_equal(m.topology.numa_nodes, 2);
  assert_int_equal(sched_getaffinity(0, sizeof mine, &mine), 0);
  assert_int_equal(m.topology.allowed_cpus, CPU_COUNT(&mine));
  for (int i = 0; i < m.topology.allowed_cpus; i++) assert_true(CPU_ISSET((size_t)m.topology.order[i], &mine));
  tern_machine_free(&m);
}

static void this_machines_affinity_bounds_every_policy(void **state) {
  (void)state;
  cpu_set_t before, one;
  char list[32], only[16];
  assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
  if (CPU_COUNT(&before) < 2) skip();
  int first = -1, last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET((size_t)cpu, &before)) continue;
    if (first < 0) first = cpu;
    last = cpu;
  }
  CPU_ZERO(&one);
  CPU_SET((size_t)last, &one);
  assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
  tern_placement *p = open_or_fail();
  sched_setaffinity(0, sizeof before, &before);
  assert_true(tern_placement_binds(p));
  snprintf(only, sizeof only, "%d", last);
  assert_order(p, "cores", only);
  assert_order(p, "spread", only);
  snprintf(list, sizeof list, "cpus:%d", first);
  assert_refused(p, list, 1, TERN_FAILED, "affinity (taskset) leaves it out");
  assert_refused(p, "compact", 2, TERN_FAILED, "it has 1 CPU for");
  tern_placement_close(p);
}

static void memory_policies_are_checked_by_name(void **state) {
  (void)state;
  static const char *const right[] = {"local", "bind", "interleave"};
  tern_placement *p = open_or_fail();
  tern_error e = {0};
  int cpu;
  assert_int_equal(tern_placement_cpus(p, "cores", 1, &cpu, &e), 0);
  for (size_t i = 0; i < 3; i++) assert_int_equal(tern_placement_bind_memory(p, &cpu, 1, right[i], &e), 0);
  assert_int_equal(tern_placement_bind_memory(p, &cpu, 1, "near", &e), TERN_USAGE);
  assert_non_null(strstr(e.text, "local, bind, interleave"));
  tern_placement_close(p);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      CASE(two_sockets_with_smt),
      CASE(spreading_takes_caches_in_turn_within_a_package),
      CASE(numbers_follow_the_tree_not_the_other_way_round),
      CASE(fast_is_the_p_cores_of_a_hybrid),
      CASE(fast_is_the_big_cores_of_big_little),
      CASE(kinds_that_cannot_be_ranked_are_not_guessed),
      CASE(cpus_that_are_not_allowed_are_left_out),
      CASE(a_node_that_the_group_may_not_use_is_refused),
      CASE(more_threads_than_the_quota_are_refused),
      CASE(what_is_not_a_policy_is_one_line),
      CASE(a_topology_that_cannot_be_read_is_named),
      CASE(another_machine_is_described_but_never_bound),
      CASE(this_machines_affinity_bounds_every_policy),
      CASE(memory_policies_are_checked_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
