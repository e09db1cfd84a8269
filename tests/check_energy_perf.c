/* RAPL through the perf PMU, whose files and events the test makes. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy_fixture.h"

static const tern_meter_fact *fact_of(const tern_meters *m, const char *kind) {
  return tern_meters_fact(m, meter_of(m, kind));
}

/* Perf events as files that hold their count many times over: every read takes
 * the next copy, and each tick begins anew. */
enum { EVENTS = 8, COPIES = 64 };
typedef struct pmu {
  fixture f;
  struct {
    int file, cpu;
    uint64_t config;
    double count;
  } events[EVENTS];
  int count, refusal;
  double watts[8]; /* of an event code */
} pmu;

static void pmu_tick(void *arg, double seconds) {
  pmu *p = arg;
  for (int i = 0; i < p->count; i++) {
    uint64_t copies[COPIES];
    p->events[i].count += p->watts[p->events[i].config] * seconds * 4294967296.0;
    for (int c = 0; c < COPIES; c++) copies[c] = (uint64_t)p->events[i].count;
    assert_int_equal(pwrite(p->events[i].file, copies, sizeof copies, 0), sizeof copies);
    lseek(p->events[i].file, 0, SEEK_SET);
  }
}

static int pmu_open(void *arg, uint32_t type, uint64_t config, int cpu) {
  pmu *p = arg;
  if (p->refusal) return -p->refusal;
  assert_int_equal(type, 23);
  assert_true(p->count < EVENTS && config < 8);
  FILE *file = tmpfile();
  assert_non_null(file);
  p->events[p->count].file = dup(fileno(file));
  p->events[p->count].cpu = cpu;
  p->events[p->count].config = config;
  p->events[p->count].count = 1000;
  fclose(file);
  p->count++;
  pmu_tick(p, 0);
  return dup(p->events[p->count - 1].file);
}

static void pmu_event(const fixture *f, const char *name, const char *code) {
  char path[128];
  snprintf(path, sizeof path, "bus/event_source/devices/power/events/%s", name);
  fixture_file(f, path, code);
  snprintf(path, sizeof path, "bus/event_source/devices/power/events/%s.scale", name);
  fixture_file(f, path, "2.3283064365386962890625e-10\n");
  snprintf(path, sizeof path, "bus/event_source/devices/power/events/%s.unit", name);
  fixture_file(f, path, "Joules\n");
}

static void pmu_make(pmu *p) {
  memset(p, 0, sizeof *p);
  fixture_open(&p->f);
  p->f.io.perf_open = pmu_open;
  p->f.io.arg = p;
  p->f.io.read_file = tern_meter_io_kernel.read_file;
  p->f.tick = pmu_tick;
  p->f.arg = p;
  fixture_file(&p->f, "bus/event_source/devices/power/type", "23\n");
  fixture_file(&p->f, "bus/event_source/devices/power/cpumask", "0,28\n");
  pmu_event(&p->f, "energy-cores", "event=0x01\n");
  pmu_event(&p->f, "energy-pkg", "event=0x02\n");
  pmu_event(&p->f, "energy-ram", "event=0x03\n");
  p->watts[1] = 30;
  p->watts[2] = 70;
  p->watts[3] = 8;
}

static void pmu_end(pmu *p) {
  for (int i = 0; i < p->count; i++) close(p->events[i].file);
  fixture_close(&p->f);
}

static void perf_events_are_read_on_one_cpu_of_each_package(void **state) {
  pmu p;
  (void)state;
  pmu_make(&p);
  fixture_file(&p.f, "devices/system/cpu/cpu28/topology/physical_package_id", "1\n");
  tern_meters *m = fixture_meters(&p.f, NULL);
  if (!fact_of(m, "perf")->usable) fail_msg("%s", fact_of(m, "perf")->why);
  assert_int_equal(p.count, 6);
  assert_int_equal(p.events[0].cpu, 0);
  assert_int_equal(p.events[1].cpu, 28);
  tern_reading r = reading_over(&p.f, m, "perf", 3, 1);
  assert_reading(&r, 3 * 2 * 78, "package+dram");
  assert_non_null(strstr(fact_of(m, "perf")->source, "package-1/dram (perf power/energy-ram/ on CPU 28)"));
  /* The PMU goes away with its module. */
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&p.f, 1);
  p.f.tick = NULL;
  for (int i = 0; i < p.count; i++) assert_int_equal(ftruncate(p.events[i].file, 0), 0);
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "perf")], "No data available");
  tern_meters_close(m);
  pmu_end(&p);
}

static void perf_says_what_keeps_it_from_reading(void **state) {
  pmu p;
  (void)state;
  pmu_make(&p);
  p.refusal = EACCES;
  tern_meters *m = fixture_meters(&p.f, NULL);
  assert_false(fact_of(m, "perf")->usable);
  assert_true(fact_of(m, "perf")->denied);
  assert_non_null(strstr(fact_of(m, "perf")->why, "Permission denied"));
  assert_non_null(strstr(fact_of(m, "perf")->remedy, "sudo sysctl kernel.perf_event_paranoid=0"));
  tern_meters_close(m);
  p.refusal = 0;
  fixture_file(&p.f, "bus/event_source/devices/power/events/energy-pkg.unit", "Bananas\n");
  fixture_remove(&p.f, "bus/event_source/devices/power/events/energy-cores.scale");
  fixture_file(&p.f, "bus/event_source/devices/power/events/energy-ram.scale", "none\n");
  m = fixture_meters(&p.f, NULL);
  assert_non_null(strstr(fact_of(m, "perf")->why, "no energy event with scale and unit"));
  assert_string_equal(fact_of(m, "perf")->remedy, "");
  tern_meters_close(m);
  fixture_file(&p.f, "bus/event_source/devices/power/cpumask", "x\n");
  m = fixture_meters(&p.f, NULL);
  assert_non_null(strstr(fact_of(m, "perf")->why, "cpumask"));
  tern_meters_close(m);
  pmu_end(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(perf_events_are_read_on_one_cpu_of_each_package),
      cmocka_unit_test(perf_says_what_keeps_it_from_reading),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
