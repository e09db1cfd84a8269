/* Marker loads: a logger's clock is found by what it logged. */
#include <dirent.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy_fixture.h"
#include "harness/meter_marker.h"

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
  /* What the first thread brings with it (a sanitizer's own) is no load; one
   * that has ended may be listed for a moment. */
  tern_error e = {0};
  assert_int_equal(tern_marker_load(1, 0.001, &tern_clock_real, &e), 0);
  l->threads = threads();
  for (int i = 0; i < 50; i++, poll(NULL, 0, 1))
    if (threads() < l->threads) l->threads = threads();
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
      cmocka_unit_test(a_marker_load_finds_the_offset_of_a_loggers_clock),
      cmocka_unit_test(markers_are_found_where_they_are_and_nowhere_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
