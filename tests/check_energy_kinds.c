/* hwmon, INA3221 and batteries. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "energy_fixture.h"

static const tern_meter_fact *fact_of(const tern_meters *m, const char *kind) {
  return tern_meters_fact(m, meter_of(m, kind));
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
  assert_no_reading(&r, "not looked at for 30 s");
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
  fixture_file(&f, "class/power_supply/hidpp_battery_0/power_now", "100000\n");
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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hwmon_counts_what_it_knows),
      cmocka_unit_test(powers_are_integrated_not_sampled_once),
      cmocka_unit_test(rails_are_volts_times_amperes_and_an_input_stands_for_all),
      cmocka_unit_test(batteries_count_only_while_they_discharge),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
