/* Facts of the system from trees made here: a laptop with intel_pstate, a
 * server with cpufreq boost, an ARM board, and a machine that tells nothing. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/cpu_model.h"
#include "harness/machine.h"
#include "tests/scratch.h"

#define CPU0 "sys/devices/system/cpu/cpu0/"

static char root[256];
static tern_system s;

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

static void frequency_is_told_with_its_bounds(void **state) {
  (void)state;
  scratch_file(root, CPU0 "cpufreq/scaling_driver", "acpi-cpufreq\n");
  scratch_file(root, CPU0 "cpufreq/scaling_governor", "schedutil\n");
  scratch_file(root, CPU0 "cpufreq/scaling_cur_freq", "2450500\n");
  scratch_file(root, CPU0 "cpufreq/cpuinfo_min_freq", "1500000\n");
  scratch_file(root, CPU0 "cpufreq/cpuinfo_max_freq", "3700000\n");
  scratch_file(root, "sys/devices/system/cpu/cpufreq/boost", "1\n");
  scratch_file(root, "proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 99.0\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.frequency_driver, "acpi-cpufreq");
  assert_string_equal(s.governor, "schedutil");
  assert_string_equal(s.boost, "on");
  assert_true(s.mhz == 2450.5 && s.mhz_low == 1500 && s.mhz_top == 3700);
  scratch_file(root, "sys/devices/system/cpu/cpufreq/boost", "0\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.boost, "off");
}

/* intel_pstate says the opposite: 1 is no boost. */
static void no_turbo_is_boost_the_other_way_round(void **state) {
  (void)state;
  scratch_file(root, "sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.boost, "off");
  scratch_file(root, "sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.boost, "on");
}

static void heat_and_throttling_are_read_from_every_zone_and_core(void **state) {
  (void)state;
  scratch_file(root, "sys/class/thermal/thermal_zone1/type", "x86_pkg_temp\n");
  scratch_file(root, "sys/class/thermal/thermal_zone1/temp", "71500\n");
  scratch_file(root, "sys/class/thermal/thermal_zone0/type", "acpitz\n");
  scratch_file(root, "sys/class/thermal/thermal_zone0/temp", "-3000\n");
  scratch_file(root, "sys/class/thermal/thermal_zone2/type", "broken\n");
  scratch_file(root, "sys/class/thermal/cooling_device0/type", "Fan\n");
  scratch_file(root, CPU0 "thermal_throttle/core_throttle_count", "3\n");
  scratch_file(root, CPU0 "thermal_throttle/package_throttle_count", "4\n");
  scratch_file(root, "sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "5\n");
  tern_system_probe(&s, root);
  assert_int_equal(s.zone_count, 2);
  assert_string_equal(s.zones[0].type, "acpitz");
  assert_true(s.zones[0].celsius == -3 && s.zones[1].celsius == 71.5);
  assert_int_equal(s.throttled, 12);
}

static void huge_pages_are_told_by_size(void **state) {
  (void)state;
  scratch_file(root, "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
  scratch_file(root, "sys/kernel/mm/transparent_hugepage/defrag", "always defer [defer+madvise] madvise never\n");
  scratch_file(root, "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "2\n");
  scratch_file(root, "sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "1\n");
  scratch_file(root, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.thp, "madvise");
  assert_string_equal(s.thp_defrag, "defer+madvise");
  assert_int_equal(s.huge_count, 2);
  assert_true(s.huge[0].kib == 2048 && s.huge[0].total == 512 && s.huge[0].free == -1);
  assert_true(s.huge[1].kib == 1048576 && s.huge[1].total == 2 && s.huge[1].free == 1);
}

static void steal_is_a_share_of_all_time(void **state) {
  (void)state;
  scratch_file(root, "proc/stat", "cpu  60 0 20 10 0 0 0 10 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
  tern_system_probe(&s, root);
  assert_true(fabs(s.steal - 10) < 1e-9);
}

static void what_is_not_told_is_not_zero(void **state) {
  (void)state;
  scratch_file(root, "proc/stat", "garbage\n");
  scratch_file(root, CPU0 "cpufreq/scaling_cur_freq", "<unsupported>\n");
  tern_system_probe(&s, root);
  assert_true(isnan(s.mhz) && isnan(s.mhz_top) && isnan(s.steal));
  assert_int_equal(s.throttled, -1);
  assert_int_equal(s.zone_count + s.huge_count, 0);
  assert_true(!s.boost[0] && !s.governor[0] && !s.thp[0] && !s.microarchitecture[0]);
  json_t *o = tern_system_json(&s);
  assert_non_null(o);
  static const char *const keys[] = {"boost", "mhz", "throttled", "steal_percent", "huge_pages", "microarchitecture"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) assert_true(json_is_null(json_object_get(o, keys[i])));
  json_decref(o);
}

static void microarchitectures_are_told_by_numbers(void **state) {
  (void)state;
  static const struct {
    tern_cpu_id id;
    const char *name;
  } cases[] = {
      {{"AuthenticAMD", 25, 17, 1}, "Zen 4 (Genoa)"},
      {{"AuthenticAMD", 25, 1, 1}, "Zen 3 (Milan)"},
      {{"AuthenticAMD", 23, 49, 0}, "Zen 2 (Rome)"},
      {{"AuthenticAMD", 26, 2, 1}, "Zen 5 (Turin)"},
      {{"GenuineIntel", 6, 0x55, 4}, "Skylake (server)"},
      {{"GenuineIntel", 6, 0x55, 7}, "Cascade Lake"},
      {{"GenuineIntel", 6, 0x55, 11}, "Cooper Lake"},
      {{"GenuineIntel", 6, 0x6a, 6}, "Ice Lake (server, Sunny Cove)"},
      {{"GenuineIntel", 6, 0x8f, 8}, "Sapphire Rapids (Golden Cove)"},
      {{"", 0x41, 0xd0c, 0}, "Neoverse N1"},
      {{"", 0xc0, 0xac3, 0}, "AmpereOne"},
      {{"AuthenticAMD", 99, 17, 1}, "unknown (AuthenticAMD family 99, model 17, stepping 1)"},
      {{"GenuineIntel", 25, 17, 1}, "unknown (GenuineIntel family 25, model 17, stepping 1)"},
      {{"", 0x41, 0xfff, 0}, "unknown (implementer 0x41, part 0xfff)"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char name[96];
    tern_cpu_microarchitecture(&cases[i].id, name, sizeof name);
    assert_string_equal(name, cases[i].name);
  }
}

static void all_microarchitectures_of_big_little_are_told_once(void **state) {
  (void)state;
  static const char a55[] = "processor\t: 0\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x2\n"
                            "CPU part\t: 0xd05\nCPU revision\t: 0\n\n",
                    a76[] = "processor\t: 4\nCPU implementer\t: 0x41\nCPU part\t: 0xd0b\n\n";
  char text[1024];
  snprintf(text, sizeof text, "%s%s%s%s", a55, a55, a76, a76);
  scratch_file(root, "proc/cpuinfo", text);
  tern_system_probe(&s, root);
  assert_string_equal(s.microarchitecture, "Cortex-A55, Cortex-A76");
  /* x86 names come in another order of lines. */
  scratch_file(root, "proc/cpuinfo",
               "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nmodel name\t: Some 12 name\n"
               "stepping\t: 8\n\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\nstepping\t: 8\n");
  tern_system_probe(&s, root);
  assert_string_equal(s.microarchitecture, "Sapphire Rapids (Golden Cove)");
}

static void the_machine_is_read_under_a_root(void **state) {
  (void)state;
  tern_error e = {0};
  tern_machine m;
  scratch_file(root, "proc/meminfo", "MemTotal:       16384 kB\nMemFree: 1 kB\n");
  scratch_file(root, "proc/self/cgroup", "0::/job\n");
  scratch_file(root, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu memory\n");
  scratch_file(root, "sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  scratch_file(root, "sys/fs/cgroup/job/cpuset.cpus.effective", "0-5,8\n");
  scratch_file(root, "sys/class/dmi/id/product_name", "KVM Virtual Machine\n");
  assert_int_equal(tern_machine_probe_at(&m, root, &e), 0);
  assert_true(m.memory_total == 16384 * 1024);
  assert_true(m.cgroup.cpus == 1.5);
  assert_string_equal(m.cgroup.version, "v2");
  assert_string_equal(m.cgroup.cpuset, "0-5,8");
  assert_string_equal(m.virtualisation, "KVM");
  assert_int_equal(tern_machine_cores(&m), 1);
  json_t *o = tern_machine_json(&m);
  assert_string_equal(json_string_value(json_object_get(o, "cgroup_cpus")), "0-5,8");
  assert_true(json_is_null(json_object_get(o, "governor")));
  json_decref(o);
  tern_machine_free(&m);
}

int main(void) {
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
  const struct CMUnitTest tests[] = {
      CASE(frequency_is_told_with_its_bounds),
      CASE(no_turbo_is_boost_the_other_way_round),
      CASE(heat_and_throttling_are_read_from_every_zone_and_core),
      CASE(huge_pages_are_told_by_size),
      CASE(steal_is_a_share_of_all_time),
      CASE(what_is_not_told_is_not_zero),
      CASE(microarchitectures_are_told_by_numbers),
      CASE(all_microarchitectures_of_big_little_are_told_once),
      CASE(the_machine_is_read_under_a_root),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
