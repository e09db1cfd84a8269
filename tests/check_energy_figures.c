/* What follows from joules, and the energy check. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "energy_fixture.h"
#include "harness/meter_check.h"
#include "harness/meter_figures.h"

static void windows_are_a_hundred_updates_and_five_seconds_at_least(void **state) {
  (void)state;
  assert_near(tern_energy_window(0.001, TERN_RULES_USUAL), 5, 1e-12);
  assert_near(tern_energy_window(0.1, TERN_RULES_USUAL), 10, 1e-12);
  assert_near(tern_energy_window(0.1, TERN_RULES_MLPERF), 60, 1e-12);
  assert_near(tern_energy_window(1, TERN_RULES_MLPERF), 100, 1e-12);
  assert_near(tern_energy_window(NAN, TERN_RULES_USUAL), 100, 1e-12);
  assert_int_equal(tern_energy_repeats(0.4, 5), 13);
  assert_int_equal(tern_energy_repeats(7, 5), 1);
  assert_int_equal(tern_energy_repeats(0, 5), 1);
  assert_int_equal(tern_energy_repeats(NAN, 5), 1);
}

static tern_reading reading(double watts, double seconds, const char *scope, tern_how how) {
  tern_reading r = tern_reading_none();
  r.how = how;
  if (how == TERN_UNAVAILABLE) {
    snprintf(r.why, sizeof r.why, "no source");
    return r;
  }
  r.value = watts * seconds;
  r.watts = watts;
  r.seconds = seconds;
  snprintf(r.scope, sizeof r.scope, "%s", scope);
  return r;
}

static void net_is_what_lies_above_the_idle_of_the_same_meter(void **state) {
  (void)state;
  const tern_reading none = reading(0, 0, "", TERN_UNAVAILABLE);
  tern_reading r = reading(50, 10, "package", TERN_MEASURED);
  tern_idle idle = {reading(20, 5, "package", TERN_MEASURED), reading(21, 5, "package", TERN_MEASURED)};
  tern_reading_net(&r, &idle);
  assert_near(r.net, 295, 1e-12);
  assert_near(r.idle_watts, 20.5, 1e-12);
  assert_string_equal(r.net_note, "");
  idle.after = reading(30, 5, "package", TERN_MEASURED);
  tern_reading_net(&r, &idle);
  assert_near(r.net, 250, 1e-12);
  assert_string_equal(r.net_note, "idle moved from 20 to 30 W");
  idle.after = none;
  tern_reading_net(&r, &idle);
  assert_near(r.net, 300, 1e-12);
  assert_string_equal(r.net_note, "idle measured before the work only");

  idle.before = none;
  tern_reading_net(&r, &idle);
  assert_true(isnan(r.net) && isnan(r.idle_watts));
  assert_string_equal(r.net_note, "no source");
  /* Another scope, another meter, or nothing left: no figure. */
  idle.before = idle.after = reading(20, 5, "psys", TERN_MEASURED);
  tern_reading_net(&r, &idle);
  assert_true(isnan(r.net));
  idle.before = idle.after = reading(20, 5, "package", TERN_MODELLED);
  tern_reading_net(&r, &idle);
  assert_true(isnan(r.net));
  idle.before = idle.after = reading(60, 5, "package", TERN_MEASURED);
  tern_reading_net(&r, &idle);
  assert_true(isnan(r.net));
  assert_string_equal(r.net_note, "the reading is not above idle (50 W against 60 W)");
  r = none;
  tern_reading_net(&r, &idle);
  assert_true(isnan(r.net));
}

static void products_need_their_factors(void **state) {
  (void)state;
  assert_near(tern_energy_delay(100, 2), 200, 1e-12);
  assert_true(isnan(tern_energy_delay(NAN, 2)));
  assert_near(tern_energy_co2(3.6e6, 400), 400, 1e-12); /* a kWh */
  assert_near(tern_energy_co2(90, 400), 0.01, 1e-12);
  assert_true(isnan(tern_energy_co2(90, NAN)));
  assert_true(isnan(tern_energy_co2(90, -1)));
}

/* A machine whose package follows the number of threads that burn, and whose
 * ACPI meter does not. */
typedef struct bench {
  fixture f;
  int load;
} bench;

static void bench_wait(void *arg, double seconds) {
  static const double watts[] = {20, 45, 80};
  bench *b = arg;
  if (seconds > 1.5) b->f.fakes[0].watts = watts[b->load++ % 3];
  fixture_pass(&b->f, seconds);
}

static char *run_check(bench *b, bool json) {
  char *text;
  size_t size;
  tern_error e = {0};
  FILE *out = open_memstream(&text, &size);
  tern_energy_check_options o = {.meters = fixture_options(&b->f), .cores = 2, .seconds = 2, .json = json};
  b->load = 0;
  if (tern_energy_check_with(out, &o, &e)) fail_msg("%s", e.text);
  fclose(out);
  return text;
}

static void the_check_shows_every_meter_under_three_loads(void **state) {
  bench b = {0};
  (void)state;
  fixture_open(&b.f);
  b.f.clock.wait = bench_wait;
  b.f.clock.arg = &b.f; /* the first member */
  fixture_zone(&b.f, "intel-rapl:0", "package-0", 20, 5, 65712999613.0);
  fixture_file(&b.f, "class/hwmon/hwmon0/name", "power_meter\n");
  fixture_power(&b.f, "class/hwmon/hwmon0/power1_input", 130);
  char *text = run_check(&b, false);
  assert_non_null(strstr(text, "powercap     20.00 W   45.00 W   80.00 W  package: follows the load"));
  assert_non_null(
      strstr(text, "hwmon       130.00 W  130.00 W  130.00 W  machine (primary): does not follow the load: one core"));
  assert_non_null(strstr(text, "perf       no: no "));
  free(text);

  text = run_check(&b, true);
  json_error_t bad;
  json_t *o = json_loads(text, 0, &bad);
  if (!o) fail_msg("%s", bad.text);
  json_t *meters = json_object_get(o, "energy_check"), *first = json_array_get(meters, 0);
  assert_int_equal(json_array_size(meters), 5);
  assert_string_equal(json_string_value(json_object_get(first, "kind")), "powercap");
  json_t *all = json_object_get(json_object_get(first, "loads"), "all cores");
  assert_near(json_real_value(json_object_get(all, "watts")), 80, 1e-5);
  assert_string_equal(json_string_value(json_object_get(first, "verdict")), "follows the load");
  json_decref(o);
  free(text);
  fixture_close(&b.f);
}

static void a_machine_without_meters_is_told_at_once(void **state) {
  bench b = {0};
  (void)state;
  fixture_open(&b.f);
  double before = b.f.now;
  char *text = run_check(&b, false);
  assert_non_null(strstr(text, "No energy can be measured here."));
  assert_true(b.f.now == before); /* no load is run for nothing */
  free(text);
  fixture_close(&b.f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(windows_are_a_hundred_updates_and_five_seconds_at_least),
      cmocka_unit_test(net_is_what_lies_above_the_idle_of_the_same_meter),
      cmocka_unit_test(products_need_their_factors),
      cmocka_unit_test(the_check_shows_every_meter_under_three_loads),
      cmocka_unit_test(a_machine_without_meters_is_told_at_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
