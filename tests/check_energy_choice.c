/* Which meter counts, and what is said of the others. */
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
      cmocka_unit_test(given_watts_are_modelled_and_never_chosen_unasked),
      cmocka_unit_test(what_covers_most_is_primary_unless_another_is_named),
      cmocka_unit_test(meters_that_make_no_sense_are_usage_errors),
      cmocka_unit_test(one_meter_says_why_nothing_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
