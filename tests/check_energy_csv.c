/* Power logs of outside meters against a window: clocks, holes, order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "energy_fixture.h"

/* A log of `rows` rows from the wall clock's `start` on, one every `step` s; a row
 * function may leave one out or change it. */
typedef bool (*row_of)(int i, double *t, double *watts);

static void write_log(const fixture *f, double start, double step, int rows, row_of change) {
  char *text = malloc((size_t)rows * 40 + 16), *at = text;
  assert_non_null(text);
  at += sprintf(at, "time,watts\n");
  for (int i = 0; i < rows; i++) {
    double t = start + i * step, watts = 50;
    if (!change || change(i, &t, &watts)) at += sprintf(at, "%.3f,%.3f\n", t, watts);
  }
  fixture_file(f, "log.csv", text);
  free(text);
}

static char spec[128];
static const char *const named[] = {spec};

static tern_meters *open_log(fixture *f, double offset) {
  tern_meter_options o = fixture_options(f);
  snprintf(spec, sizeof spec, "csv:%s/log.csv", f->root);
  o.named = named;
  o.named_count = 1;
  o.csv_offset = offset;
  return fixture_meters(f, &o);
}

/* Reading of [wall + 10, wall + 30] of a log that was there before. */
static tern_reading read_log(fixture *f, double offset) {
  tern_meters *m = open_log(f, offset);
  fixture_pass(f, 10);
  tern_reading r = reading_over(f, m, "csv", 1, 20);
  tern_meters_close(m);
  return r;
}

static bool ramp(int i, double *t, double *watts) {
  (void)t;
  *watts = 50 + i;
  return true;
}

static bool hole(int i, double *t, double *watts) {
  (void)t, (void)watts;
  return i < 15 || i > 20;
}

static bool lost_row(int i, double *t, double *watts) {
  (void)t, (void)watts;
  return i != 15;
}

static bool newest_first(int i, double *t, double *watts) {
  *t += 40 - 2 * i;
  *watts = 50 + (40 - i);
  return true;
}

static bool set_back(int i, double *t, double *watts) {
  (void)watts;
  if (i > 22) *t -= 5;
  return true;
}

static bool negative(int i, double *t, double *watts) {
  (void)t;
  if (i == 14) *watts = -3;
  return true;
}

static bool zero(int i, double *t, double *watts) {
  (void)i, (void)t;
  *watts = 0;
  return true;
}

static void rows_are_integrated_over_the_window(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  write_log(&f, f.wall + 0.5, 1, 41, ramp); /* rows don't fall on the window's ends */
  tern_reading r = read_log(&f, NAN);
  assert_reading(&r, 20 * (50 + 19.5), "wall");
  assert_near(r.interval, 1, 1e-9);
  assert_int_equal(r.samples, 20);
  fixture_close(&f);
}

static void reversed_rows_are_put_in_order(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  write_log(&f, f.wall, 1, 41, newest_first);
  tern_meters *m = open_log(&f, NAN);
  assert_non_null(strstr(tern_meters_fact(m, meter_of(m, "csv"))->source, "newest row first"));
  fixture_pass(&f, 10);
  tern_reading r = reading_over(&f, m, "csv", 1, 20);
  assert_reading(&r, 20 * 70, "wall");
  tern_meters_close(m);
  fixture_close(&f);
}

static void holes_and_impossible_values_are_no_reading(void **state) {
  static const struct {
    row_of change;
    const char *reason;
  } cases[] = {{hole, "no value for 7 s at 4 s of the window (usual: every 1 s)"},
               {negative, "-3 W at 4 s of the window is not plausible"},
               {zero, "0 W is not a measurement"},
               {set_back, "line 25 goes back in time by up to 4 s"}};
  fixture f;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture_open(&f);
    write_log(&f, f.wall, 1, 61, cases[i].change);
    tern_reading r = read_log(&f, NAN);
    assert_no_reading(&r, cases[i].reason);
    fixture_close(&f);
  }
  fixture_open(&f);
  write_log(&f, f.wall, 1, 61, lost_row); /* one row is drawn over */
  tern_reading r = read_log(&f, NAN);
  assert_reading(&r, 1000, "wall");
  /* The hole and the step back hurt no window that does not hold them. */
  write_log(&f, f.wall - 5, 1, 80, set_back);
  tern_meters *m = open_log(&f, NAN);
  fixture_pass(&f, 25);
  r = reading_over(&f, m, "csv", 1, 20);
  assert_reading(&r, 1000, "wall");
  tern_meters_close(m);
  fixture_close(&f);
}

static void another_time_zone_is_told_not_guessed(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  write_log(&f, f.wall - 7200, 1, 32, NULL); /* ends about now, two hours behind */
  tern_reading r = read_log(&f, NAN);
  assert_no_reading(
      &r, "rows lie +02:00 hours off this clock: another time zone? Give times with a zone or the offset 7200");
  f.wall -= 30;
  r = read_log(&f, 7200);
  assert_reading(&r, 1000, "wall");
  /* Not a zone: a logger that ended, one that began late. */
  write_log(&f, f.wall - 300, 1, 200, NULL);
  r = read_log(&f, NAN);
  assert_no_reading(&r, "the last row is 131 s before the window's end");
  write_log(&f, f.wall + 15, 1, 200, NULL);
  r = read_log(&f, NAN);
  assert_no_reading(&r, "the first row is 5 s after the window's start");
  fixture_close(&f);
}

static void a_clock_that_is_set_within_the_window_is_told(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  write_log(&f, f.wall, 1, 200, NULL);
  tern_meters *m = open_log(&f, NAN);
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 10);
  fixture_set_wall(&f, 3);
  fixture_pass(&f, 10);
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "csv")], "this machine's clock was set by +3 s within the window");
  tern_meters_close(m);
  fixture_close(&f);
}

static void files_that_are_no_log_are_facts_with_a_reason(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  tern_meters *m = open_log(&f, NAN);
  assert_non_null(strstr(tern_meters_fact(m, 0)->why, "No such file"));
  tern_meters_close(m);
  fixture_file(&f, "log.csv", "time,watts\n");
  m = open_log(&f, NAN);
  assert_non_null(strstr(tern_meters_fact(m, 0)->why, "no row with a time and watts"));
  tern_meters_close(m);
  char *text = malloc(8192);
  memset(text, 'x', 8191);
  text[8191] = '\0';
  fixture_file(&f, "log.csv", text);
  free(text);
  m = open_log(&f, NAN);
  assert_non_null(strstr(tern_meters_fact(m, 0)->why, "longer than 4096 bytes"));
  tern_meters_close(m);
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_integrated_over_the_window),
      cmocka_unit_test(reversed_rows_are_put_in_order),
      cmocka_unit_test(holes_and_impossible_values_are_no_reading),
      cmocka_unit_test(another_time_zone_is_told_not_guessed),
      cmocka_unit_test(a_clock_that_is_set_within_the_window_is_told),
      cmocka_unit_test(files_that_are_no_log_are_facts_with_a_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
