/* Power logs of outside meters: their forms, their clocks, their holes. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy_fixture.h"
#include "harness/meter_csv_file.h"
#include "harness/meter_marker.h"

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

/* A logger in a process of its own. It is told the time and the load over a
 * pipe, writes a row every half second by its own clock, and answers when the
 * row is in the file. */
static const double LOGGER_EPOCH = 1777636501.3;
typedef struct logger {
  fixture f;
  int say, hear;
  pid_t pid;
  int threads; /* of this process when nothing burns */
} logger;

static void log_rows(int hear, int say, const char *path) {
  double at[2], next = 0;
  FILE *file = fopen(path, "w");
  if (!file) _exit(1);
  fprintf(file, "elapsed time,power (W)\n");
  while (read(hear, at, sizeof at) == sizeof at) {
    if (at[0] >= next) {
      fprintf(file, "%.3f,%.2f\n", at[0], at[1]);
      next = at[0] + 0.4999;
    }
    fflush(file);
    if (write(say, "", 1) != 1) break;
  }
  _exit(0);
}

static double cpu_of(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int threads(void) {
  int n = 0;
  DIR *d = opendir("/proc/self/task");
  assert_non_null(d);
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

/* No real seconds are waited: the machine is loaded when this process has more
 * threads than at first and they burn processor time. */
static void logger_tick(void *arg, double seconds) {
  logger *l = arg;
  (void)seconds;
  double all = cpu_of(CLOCK_PROCESS_CPUTIME_ID), own = cpu_of(CLOCK_THREAD_CPUTIME_ID), others = 0;
  while (threads() > l->threads && others < 2e-4)
    others = (cpu_of(CLOCK_PROCESS_CPUTIME_ID) - all) - (cpu_of(CLOCK_THREAD_CPUTIME_ID) - own);
  double row[2] = {l->f.wall - LOGGER_EPOCH, threads() > l->threads ? 90 : 30};
  char answer;
  assert_int_equal(write(l->say, row, sizeof row), sizeof row);
  assert_int_equal(read(l->hear, &answer, 1), 1);
}

static void logger_wait(void *arg, double seconds) {
  for (; seconds > 0.25; seconds -= 0.25) fixture_pass(arg, 0.25);
  fixture_pass(arg, seconds);
}

static void logger_start(logger *l) {
  int there[2], back[2];
  char path[128];
  memset(l, 0, sizeof *l);
  fixture_open(&l->f);
  snprintf(path, sizeof path, "%s/log.csv", l->f.root);
  assert_int_equal(pipe(there) | pipe(back), 0);
  l->pid = fork();
  if (l->pid == 0) {
    close(there[1]);
    close(back[0]);
    log_rows(there[0], back[1], path);
  }
  close(there[0]);
  close(back[1]);
  l->say = there[1];
  l->hear = back[0];
  l->threads = threads();
  l->f.tick = logger_tick;
  l->f.arg = l;
  l->f.clock.wait = logger_wait;
}

static void logger_end(logger *l) {
  close(l->say);
  close(l->hear);
  waitpid(l->pid, NULL, 0);
  fixture_close(&l->f);
}

static void a_marker_load_finds_the_offset_of_a_loggers_clock(void **state) {
  logger l;
  (void)state;
  logger_start(&l);
  logger_wait(&l.f, 3);
  tern_meters *m = open_log(&l.f, NAN);
  tern_reading r = reading_over(&l.f, m, "csv", 1, 5);
  assert_no_reading(&r, "times count from the logger's start: give the offset, or find it by a marker load");
  tern_error e = {0};
  if (tern_meters_align(m, 1, 2, &e)) fail_msg("%s", e.text);
  tern_reading all[16];
  tern_meters_start(m);
  logger_wait(&l.f, 10);
  if (tern_marker_load(1, 10, &l.f.clock, &e)) fail_msg("%s", e.text);
  tern_meters_stop(m, all);
  /* A second of error would be 5 %. */
  assert_near(all[meter_of(m, "csv")].value, 10 * 30 + 10 * 90, 0.03);
  assert_string_equal(all[meter_of(m, "csv")].scope, "wall");
  tern_meters_close(m);
  logger_end(&l);
}

/* The correlation by itself: exact load, a noisy log, offsets to be found. */
static void markers_are_found_where_they_are_and_nowhere_else(void **state) {
  static const double offsets[] = {0, 0.35, -3600, 7200.7, 1e9};
  (void)state;
  tern_marker k = {.begin = 1000, .chip = 2};
  const char *code = "0011111001101010100";
  for (int i = 0; code[i]; i++)
    if (i > 0 && code[i] != code[i - 1]) k.edges[k.count++] = 1000 + 2 * i;
  k.end = 1000 + 2.0 * (double)strlen(code);
  for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++) {
    tern_series s = {0};
    for (int i = 0; i < 800; i++) {
      double t = 900 + 0.5 * i;
      int edges = 0;
      while (edges < k.count && k.edges[edges] <= t) edges++;
      /* Work of the same power before and after, and noise. */
      double load = edges % 2 || (t > 1100 && fmod(t, 14) < 7);
      tern_series_add(&s, t - offsets[o], 30 + 60 * load + 5 * sin(i * 1.7));
    }
    tern_offset found = tern_marker_find(&k, &s, INFINITY);
    if (isnan(found.seconds)) fail_msg("%g: %s", offsets[o], found.why);
    if (fabs(found.seconds - offsets[o]) > 0.26) fail_msg("%g, not %g", found.seconds, offsets[o]);
    assert_true(found.score > 0.9 && found.runner_up < 0.8);
    /* Flat watts hold no marker; a logger of 2 s is too slow for it. */
    for (size_t i = 0; i < s.count; i++) s.points[i].watts = 50 + 5 * sin((double)i * 1.7);
    found = tern_marker_find(&k, &s, INFINITY);
    assert_true(isnan(found.seconds));
    assert_non_null(strstr(found.why, "not clear in the log"));
    for (size_t i = 0; i < s.count; i++) s.points[i].t *= 4;
    found = tern_marker_find(&k, &s, INFINITY);
    assert_non_null(strstr(found.why, "too slow"));
    tern_series_free(&s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(times_of_all_usual_forms_are_read),
      cmocka_unit_test(columns_are_found_by_their_names),
      cmocka_unit_test(rows_are_integrated_over_the_window),
      cmocka_unit_test(reversed_rows_are_put_in_order),
      cmocka_unit_test(holes_and_impossible_values_are_no_reading),
      cmocka_unit_test(another_time_zone_is_told_not_guessed),
      cmocka_unit_test(a_clock_that_is_set_within_the_window_is_told),
      cmocka_unit_test(files_that_are_no_log_are_facts_with_a_reason),
      cmocka_unit_test(a_marker_load_finds_the_offset_of_a_loggers_clock),
      cmocka_unit_test(markers_are_found_where_they_are_and_nowhere_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
