/* The forms of power logs: times, separators, columns, units. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "energy_fixture.h"
#include "harness/meter_csv_file.h"

static void times_of_all_usual_forms_are_read(void **state) {
  static const struct {
    const char *text;
    double seconds;
    tern_time_kind kind;
  } cases[] = {
      {"2026-05-01T12:00:00Z", 1777636800, TERN_TIME_ABSOLUTE},
      {"2026-05-01T12:00:00.250Z", 1777636800.25, TERN_TIME_ABSOLUTE},
      {"2026-05-01 14:00:00,5+02:00", 1777636800.5, TERN_TIME_ABSOLUTE},
      {"2026-05-01T14:00:00+0200", 1777636800, TERN_TIME_ABSOLUTE},
      {"2026-05-01T05:30:00-06:30", 1777636800, TERN_TIME_ABSOLUTE},
      {"2026-05-01t14:00:00 +02", 1777636800, TERN_TIME_ABSOLUTE},
      {"2026-05-01 12:00:00", 1777636800, TERN_TIME_LOCAL},
      {"1777636800.125", 1777636800.125, TERN_TIME_ABSOLUTE},
      {"1777636800125", 1777636800.125, TERN_TIME_ABSOLUTE},
      {"1777636800125000", 1777636800.125, TERN_TIME_ABSOLUTE},
      {"1777636800125000000", 1777636800.125, TERN_TIME_ABSOLUTE},
      {"12.5", 12.5, TERN_TIME_RELATIVE},
  };
  static const char *const none[] = {
      "",   "now", "2026-13-01T00:00:00Z",    "2026-05-01T12:00:00+1", "2026-05-01", "12:00",
      "-5", "nan", "2026-05-01T12:00:00 CEST"};
  (void)state;
  double t;
  tern_time_kind kind;
  setenv("TZ", "UTC0", 1);
  tzset();
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (!tern_time_parse(cases[i].text, &t, &kind)) fail_msg("%s is a time", cases[i].text);
    if (fabs(t - cases[i].seconds) > 1e-6) fail_msg("%s: %.6f", cases[i].text, t);
    assert_int_equal(kind, cases[i].kind);
  }
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    if (tern_time_parse(none[i], &t, &kind)) fail_msg("%s is no time", none[i]);
  /* Without a zone: this machine's, summer time included. */
  setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  tzset();
  assert_true(tern_time_parse("2026-05-01 14:00:00", &t, &kind));
  assert_near(t, 1777636800, 1e-15);
  setenv("TZ", "UTC0", 1);
  tzset();
}

static void columns_are_found_by_their_names(void **state) {
  static const struct {
    const char *text;
    double watts;
    size_t rows, bad;
  } cases[] = {
      {"1777636800,12.5\n", 12.5, 1, 0},
      {"time,watts\n1777636800,12.5\n", 12.5, 1, 0},
      {"# a logger\n\nVoltage (V),Timestamp,Power Factor,Energy (kWh),Power (mW)\n230,1777636800,0.9,17,12500\n", 12.5,
       1, 0},
      {"Zeit;Date;Time;Power [W]\n1;2026-05-01;12:00:00Z;12,5\n", 12.5, 1, 0},
      {"\xef\xbb\xbf\"time\",\"power, of all (W)\"\r\n\"1777636800\",\"12.5 W\"\r\n", 12.5, 1, 0},
      {"timestamp\tkW\n1777636800\t0.0125\n", 12.5, 1, 0},
      {"1777636800 12.5\n1777636801 n/a\n\n1777636802\n", 12.5, 1, 2},
      {"time,watts\n1777636800,12.5\n1777636801,13", 12.5, 1, 0}, /* half a row is not yet a row */
  };
  fixture f;
  (void)state;
  fixture_open(&f);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_csv c = {0};
    char why[200] = "";
    fixture_file(&f, "log.csv", cases[i].text);
    snprintf(c.path, sizeof c.path, "%s/log.csv", f.root);
    if (!tern_csv_load(&c, why, sizeof why)) fail_msg("%zu: %s", i, why);
    if (c.rows != cases[i].rows || c.bad != cases[i].bad) fail_msg("%zu: %zu rows, %zu bad", i, c.rows, c.bad);
    assert_near(c.series.points[0].watts, cases[i].watts, 1e-12);
    assert_near(c.series.points[0].t, 1777636800, 1e-15);
    tern_csv_free(&c);
  }
  static const char *const bad[][2] = {{"time,volts\n1,2\n", "names no column of watts"},
                                       {"stamp-less,power\n", "names no column of time"}};
  for (size_t i = 1; i < 2; i++) {
    tern_csv c = {0};
    char why[200] = "";
    fixture_file(&f, "log.csv", bad[0][0]);
    snprintf(c.path, sizeof c.path, "%s/log.csv", f.root);
    assert_false(tern_csv_load(&c, why, sizeof why));
    assert_non_null(strstr(why, bad[0][1]));
    tern_csv_free(&c);
  }
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_of_all_usual_forms_are_read),
      cmocka_unit_test(columns_are_found_by_their_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
