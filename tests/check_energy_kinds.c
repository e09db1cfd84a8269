/* The other sources of the kernel, and the choice among all of them. */
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

static void hwmon_counts_what_it_knows(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_file(&f, "class/hwmon/hwmon0/name", "nvme\n");
  fixture_power(&f, "class/hwmon/hwmon0/power1_input", 7);
  tern_meters *m = fixture_meters(&f, NULL);
  assert_false(fact_of(m, "hwmon")->usable);
  assert_non_null(strstr(fact_of(m, "hwmon")->why, "what nvme/power1 covers is not known; --meter hwmon:nvme/power1"));
  tern_meters_close(m);

  const char *named[] = {"hwmon:nvme"};
  tern_meter_options o = fixture_options(&f);
  o.named = named;
  o.named_count = 1;
  m = fixture_meters(&f, &o);
  tern_reading r = reading_over(&f, m, "hwmon", 10, 0.5);
  assert_reading(&r, 35, "nvme");
  tern_meters_close(m);

  fixture_file(&f, "class/hwmon/hwmon10/name", "amd_energy\n");
  fixture_file(&f, "class/hwmon/hwmon10/energy1_label", "Ecore000\n");
  fixture_file(&f, "class/hwmon/hwmon10/energy2_label", "Esocket0\n");
  fixture_file(&f, "class/hwmon/hwmon10/energy3_label", "Esocket1\n");
  fixture_counter(&f, "class/hwmon/hwmon10/energy1_input", 11);
  fixture_counter(&f, "class/hwmon/hwmon10/energy2_input", 80)->lump = 0.1;
  fixture_counter(&f, "class/hwmon/hwmon10/energy3_input", 90)->lump = 0.1;
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "hwmon", 20, 0.5);
  assert_near(r.value, 1700, 0.011); /* an update lies every 100 ms */
  assert_string_equal(r.scope, "package");
  assert_near(r.interval, 0.1, 0.02);
  tern_meters_close(m);

  /* The machine's input covers more; its average stands in for an input. */
  fixture_file(&f, "class/hwmon/hwmon2/name", "power_meter\n");
  fixture_file(&f, "class/hwmon/hwmon2/power1_average_interval", "250\n");
  fixture_file(&f, "class/hwmon/hwmon2/power1_interval", "1000\n");
  fake *input = fixture_power(&f, "class/hwmon/hwmon2/power1_average", 200);
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "hwmon", 10, 0.5);
  assert_reading(&r, 1000, "machine");
  assert_near(r.interval, 1, 1e-9);
  input->watts = -5;
  r = reading_over(&f, m, "hwmon", 10, 0.5);
  assert_no_reading(&r, "-5 W is not plausible");
  input->watts = 0;
  fixture_pass(&f, 1);
  r = reading_over(&f, m, "hwmon", 10, 0.5);
  assert_no_reading(&r, "0 W is not a measurement");
  input->watts = 3000;
  fixture_pass(&f, 1);
  r = reading_over(&f, m, "hwmon", 10, 0.5);
  assert_no_reading(&r, "3000 W is not plausible");
  input->watts = 200;
  fixture_pass(&f, 1);
  r = reading_over(&f, m, "hwmon", 1, 30);
  assert_no_reading(&r, "not looked at for 30.0 s");
  r = reading_over(&f, m, "hwmon", 140, 0.5);
  assert_no_reading(&r, "frozen, the same value in 141 looks over 70 s");
  tern_meters_close(m);
  fixture_close(&f);
}

static void powers_are_integrated_not_sampled_once(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_file(&f, "class/hwmon/hwmon0/name", "power_meter\n");
  fake *input = fixture_power(&f, "class/hwmon/hwmon0/power1_input", 100);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading all[16];
  tern_meters_start(m);
  for (int i = 1; i <= 100; i++) {
    input->watts = 100 + i;
    fixture_pass(&f, 0.1);
    tern_meters_sample(m);
  }
  tern_meters_stop(m, all);
  assert_reading(&all[meter_of(m, "hwmon")], 1500, "machine"); /* a ramp from 100 to 200 W over 10 s */
  tern_meters_close(m);
  fixture_close(&f);
}

static void ina_rail(const fixture *f, const char *device, int rail, const char *label, const char *mv,
                     const char *ma) {
  char path[96], text[64];
  snprintf(path, sizeof path, "class/hwmon/%s/in%d_label", device, rail);
  snprintf(text, sizeof text, "%s\n", label);
  fixture_file(f, path, text);
  snprintf(path, sizeof path, "class/hwmon/%s/in%d_input", device, rail);
  fixture_file(f, path, mv);
  snprintf(path, sizeof path, "class/hwmon/%s/curr%d_input", device, rail);
  fixture_file(f, path, ma);
}

static void rails_are_volts_times_amperes_and_an_input_stands_for_all(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_file(&f, "class/hwmon/hwmon3/name", "ina3221\n");
  fixture_file(&f, "class/hwmon/hwmon3/update_interval", "140\n");
  ina_rail(&f, "hwmon3", 1, "VDD_GPU_SOC", "5000\n", "1000\n");
  ina_rail(&f, "hwmon3", 2, "VDD_CPU_CV", "5000\n", "600\n");
  ina_rail(&f, "hwmon3", 3, "VIN_SYS_5V0", "5000\n", "400\n");
  fixture_file(&f, "class/hwmon/hwmon4/name", "ina3221\n");
  ina_rail(&f, "hwmon4", 1, "NC", "5000\n", "0\n");
  ina_rail(&f, "hwmon4", 2, "VDDQ_VDD2_1V8AO", "5000\n", "200\n");
  ina_rail(&f, "hwmon4", 3, "VDD_OFF", "5000\n", "900\n");
  fixture_file(&f, "class/hwmon/hwmon4/in3_enable", "0\n");
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "ina3221", 10, 0.5);
  assert_reading(&r, 50, "rails"); /* 5 + 3 + 2 W: 1V8AO hangs on VIN_SYS_5V0 */
  assert_near(r.interval, 0.14, 1e-9);
  fixture_remove(&f, "class/hwmon/hwmon3/curr2_input");
  r = reading_over(&f, m, "ina3221", 10, 0.5);
  assert_no_reading(&r, "class/hwmon/hwmon3/curr2_input: No such file");
  tern_meters_close(m);

  ina_rail(&f, "hwmon3", 1, "VDD_IN", "5000\n", "2000\n");
  ina_rail(&f, "hwmon3", 2, "VDD_CPU_GPU_CV", "5000\n", "600\n");
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "ina3221", 10, 0.5);
  assert_reading(&r, 50, "board input");
  tern_meters_close(m);
  fixture_close(&f);
}

static void batteries_count_only_while_they_discharge(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_file(&f, "class/power_supply/AC/type", "Mains\n");
  fixture_file(&f, "class/power_supply/hidpp_battery_0/type", "Battery\n");
  fixture_file(&f, "class/power_supply/hidpp_battery_0/scope", "Device\n");
  fixture_file(&f, "class/power_supply/hidpp_battery_0/status", "Charging\n");
  fixture_file(&f, "class/power_supply/BAT0/type", "Battery\n");
  fixture_file(&f, "class/power_supply/BAT0/status", "Charging\n");
  fixture_file(&f, "class/power_supply/BAT0/current_now", "-1500000\n");
  fixture_file(&f, "class/power_supply/BAT0/voltage_now", "12000000\n");
  tern_meters *m = fixture_meters(&f, NULL);
  assert_non_null(strstr(fact_of(m, "battery")->why, "BAT0 is 'Charging', not discharging: unplug the charger"));
  tern_meters_close(m);

  fixture_file(&f, "class/power_supply/BAT0/status", "Discharging\n");
  m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "battery", 10, 1);
  assert_reading(&r, 180, "battery"); /* 1.5 A x 12 V */
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 5);
  fixture_file(&f, "class/power_supply/BAT0/status", "Charging\n"); /* plugged in, for a moment */
  tern_meters_sample(m);
  fixture_file(&f, "class/power_supply/BAT0/status", "Discharging\n");
  fixture_pass(&f, 5);
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "battery")], "unplug the charger");
  tern_meters_close(m);

  fixture_power(&f, "class/power_supply/BAT0/power_now", 20);
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "battery", 10, 1);
  assert_reading(&r, 200, "battery");
  tern_meters_close(m);

  /* Energy alone: 50 Wh that fall by 36 W. */
  fixture_remove(&f, "class/power_supply/BAT0/power_now");
  fixture_remove(&f, "class/power_supply/BAT0/current_now");
  f.count = 0;
  fake *left = fixture_counter(&f, "class/power_supply/BAT0/energy_now", -36);
  left->count = 50e6;
  left->scale = 1e6 / 3600;
  fixture_pass(&f, 0);
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "battery", 100, 1);
  assert_reading(&r, 3600, "battery");
  tern_meters_close(m);
  fixture_close(&f);
}

static void given_watts_are_modelled_and_never_chosen_unasked(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  const char *named[] = {"constant:65"};
  tern_meter_options o = fixture_options(&f);
  o.named = named;
  o.named_count = 1;
  tern_meters *m = fixture_meters(&f, &o);
  tern_reading r = reading_over(&f, m, "constant", 1, 4);
  assert_reading(&r, 260, "assumed");
  assert_int_equal(r.how, TERN_MODELLED);
  assert_string_equal(tern_how_name(r.how), "modelled");
  tern_meters_close(m);
  named[0] = "constant:lots";
  m = fixture_meters(&f, &o);
  assert_int_equal(tern_meters_primary(m), meter_of(m, "constant"));
  r = reading_over(&f, m, "constant", 1, 4);
  assert_no_reading(&r, "constant: 'lots' is no number of watts");
  tern_meters_close(m);
  fixture_close(&f);
}

static void what_covers_most_is_primary_unless_another_is_named(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, 65712999613.0);
  fixture_file(&f, "class/hwmon/hwmon0/name", "power_meter\n");
  fixture_power(&f, "class/hwmon/hwmon0/power1_input", 130);
  tern_meters *m = fixture_meters(&f, NULL);
  assert_int_equal(tern_meters_primary(m), meter_of(m, "hwmon"));
  tern_meters_close(m);

  const char *named[] = {"powercap", "constant:5"};
  tern_meter_options o = fixture_options(&f);
  o.named = named;
  o.named_count = 2;
  m = fixture_meters(&f, &o);
  assert_int_equal(tern_meters_primary(m), meter_of(m, "powercap"));
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 2);
  tern_meters_stop(m, all);
  assert_reading(&all[meter_of(m, "powercap")], 100, "package");
  assert_reading(&all[meter_of(m, "hwmon")], 260, "machine");
  assert_reading(&all[meter_of(m, "constant")], 10, "assumed");
  tern_meters_close(m);

  /* A named meter that does not work is not replaced behind the user's back. */
  named[0] = "battery";
  m = fixture_meters(&f, &o);
  assert_int_equal(tern_meters_primary(m), meter_of(m, "battery"));
  assert_false(fact_of(m, "battery")->usable);
  tern_meters_close(m);
  fixture_close(&f);
}

static void meters_that_make_no_sense_are_usage_errors(void **state) {
  static const struct {
    const char *named, *text;
  } cases[] = {{"foo", "--meter foo: no such meter; there are powercap, perf, hwmon, ina3221, battery, csv, command, "
                       "serial, constant"},
               {"csv", "--meter csv: write csv:WHAT"},
               {"", "no such meter"}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_meters *m;
    tern_error e = {0};
    tern_meter_options o = TERN_METER_DEFAULTS;
    o.sysfs_root = "/nonexistent";
    o.named = &cases[i].named;
    o.named_count = 1;
    assert_int_equal(tern_meters_open(&m, &o, &e), TERN_USAGE);
    assert_non_null(strstr(e.text, cases[i].text));
    assert_null(m);
  }
}

static void one_meter_says_why_nothing_is_read(void **state) {
  (void)state;
  tern_meter *m = tern_meter_open("/nonexistent");
  assert_null(tern_meter_name(m));
  assert_non_null(strstr(tern_meter_source(m), "powercap: no /nonexistent/class/powercap; perf: no "));
  tern_reading r;
  tern_meter_start(m);
  tern_meter_stop(m, &r);
  assert_no_reading(&r, "powercap: no /nonexistent/class/powercap");
  tern_meter_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(perf_events_are_read_on_one_cpu_of_each_package),
      cmocka_unit_test(perf_says_what_keeps_it_from_reading),
      cmocka_unit_test(hwmon_counts_what_it_knows),
      cmocka_unit_test(powers_are_integrated_not_sampled_once),
      cmocka_unit_test(rails_are_volts_times_amperes_and_an_input_stands_for_all),
      cmocka_unit_test(batteries_count_only_while_they_discharge),
      cmocka_unit_test(given_watts_are_modelled_and_never_chosen_unasked),
      cmocka_unit_test(what_covers_most_is_primary_unless_another_is_named),
      cmocka_unit_test(meters_that_make_no_sense_are_usage_errors),
      cmocka_unit_test(one_meter_says_why_nothing_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
