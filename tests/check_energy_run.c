/* Whole runs in which something goes wrong: the calls go on, what was read
 * before stays, and what is missing has its reason. */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "energy_bench.h"
#include "harness/meter_list.h"
#include "harness/meter_live.h"

enum { CALLS = 6 };

/* Idle, calls, idle; every call is made whatever its meter does. */
static void whole_run(bench *b, tern_energy_share *s) {
  bench_begin(b);
  bench_rest(b, false);
  for (int i = 0; i < CALLS; i++) {
    s[i] = bench_call(b);
    assert_true(s[i].calls >= 1);
    assert_near(s[i].seconds, b->seconds, 1e-9);
  }
  bench_rest(b, true);
}

static void counters_that_wrap_in_mid_run_are_followed(void **state) {
  static const double ranges[] = {320e6, 65e6}; /* uJ: once in some calls, seven times in each */
  (void)state;
  for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
    bench b;
    tern_energy_share s[CALLS];
    bench_open(&b);
    char text[32];
    b.package->range = ranges[k];
    snprintf(text, sizeof text, "%.0f\n", ranges[k]);
    fixture_file(&b.f, "class/powercap/intel-rapl:0/max_energy_range_uj", text);
    b.look = 0.02; /* the shorter round is 32 ms at 2 kW */
    whole_run(&b, s);
    for (int i = 0; i < CALLS; i++) assert_near(s[i].joules, 50, 1e-4);
    bench_close(&b);
  }
}

static void denied(bench *b) {
  snprintf(b->f.denied, sizeof b->f.denied, "energy_uj");
}

static void vanishes(bench *b) {
  fixture_remove(&b->f, b->package->path);
  b->package->path[0] = '\0';
}

static void freezes(bench *b) {
  b->busy = b->idle = 0;
}

static void set_back(bench *b) {
  b->package->count = 0;
}

static void steps_back(bench *b) {
  b->f.now -= 3600;
}

static void a_meter_that_fails_in_mid_run_is_given_up_and_the_calls_go_on(void **state) {
  static const struct {
    void (*fault)(bench *);
    const char *reason;
    bool lasts;
    bool at_once; /* seen before the window is full */
  } cases[] = {
      {denied, "energy_uj: Permission denied", true, true}, {vanishes, "energy_uj: No such file", true, true},
      {freezes, "stood still for the last", true, false},   {set_back, "the counter was set back", false, true},
      {steps_back, "the clock went back by", false, true},
  };
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    bench b;
    tern_energy_share s[CALLS];
    bench_open(&b);
    b.fault = cases[k].fault;
    b.fault_at = 23; /* in the third call */
    whole_run(&b, s);
    for (int i = 0; i < 2; i++) assert_share(&s[i], 50, 30);
    assert_no_share(&s[2], cases[k].reason);
    assert_int_equal(s[2].calls, cases[k].at_once ? 4 : 10);
    if (!cases[k].lasts) {
      assert_share(&s[3], 50, 30);
      assert_share(&s[5], 50, 30);
      for (int again = 0; again < 3; again++) { /* often, but not three times in a row */
        b.fault_at = b.works + 3;
        s[0] = bench_call(&b);
        assert_no_share(&s[0], cases[k].reason);
        assert_null(tern_energy_why(b.run));
        s[0] = bench_call(&b);
        assert_share(&s[0], 50, 30);
      }
    } else {
      assert_true(s[3].how == TERN_UNAVAILABLE);
      assert_true(s[4].how == TERN_UNAVAILABLE);
      assert_no_share(&s[5], "given up after 3 windows without a reading: powercap: ");
      assert_int_equal(s[5].calls, 1);
      assert_string_equal(tern_energy_why(b.run), s[5].why);
    }
    bench_close(&b);
  }
}

static double stands_still(void *arg) {
  (void)arg;
  return 1000;
}

static void a_clock_that_stands_still_ends_no_run(void **state) {
  bench b;
  (void)state;
  bench_open(&b);
  bench_begin(&b);
  b.f.clock.now = stands_still;
  tern_energy_share s = bench_call(&b);
  assert_int_equal(s.calls, 20); /* twice the window, by the calls' own seconds */
  assert_no_share(&s, "the clock");
  bench_rest(&b, true);
  bench_close(&b);
}

/* A meter process that prints what the test writes: the power, twice a second. */
typedef struct talk {
  bench b;
  int say;
  bool dead;
  double since;
} talk;

static tern_source *process_of(talk *t) {
  return t->b.run ? ((tern_meters *)tern_energy_meters(t->b.run))->sources[0] : NULL;
}

static void talk_tick(void *arg, double seconds) {
  talk *t = arg;
  tern_source *s = process_of(t);
  char line[32];
  t->since += seconds;
  if (t->since < 0.499 || t->dead) return;
  t->since = 0;
  int length = snprintf(line, sizeof line, "%g\n", t->b.package->watts);
  size_t before = s ? tern_live_values(s) : 0;
  assert_int_equal(write(t->say, line, (size_t)length), length);
  while (s && tern_live_values(s) == before) poll(NULL, 0, 1);
}

static void dies(bench *b) {
  talk *t = (talk *)b;
  t->dead = true;
  assert_int_equal(write(t->say, "die\n", 4), 4);
  while (!tern_live_ended(process_of(t))) poll(NULL, 0, 1);
}

static void a_meter_process_that_dies_is_told_and_no_call_waits_for_it(void **state) {
  talk t;
  char fifo[128], spec[256];
  const char *named[] = {spec};
  tern_energy_share s[CALLS];
  (void)state;
  memset(&t, 0, sizeof t);
  bench_open(&t.b);
  snprintf(fifo, sizeof fifo, "%s/fifo", t.b.f.root);
  assert_int_equal(mkfifo(fifo, 0600), 0);
  t.say = open(fifo, O_RDWR | O_CLOEXEC);
  assert_true(t.say >= 0);
  snprintf(spec, sizeof spec, "command:while read line; do [ \"$line\" = die ] && exit 3; echo \"$line\"; done < '%s'",
           fifo);
  assert_int_equal(write(t.say, "40\n", 3), 3);
  t.b.o.meters.named = named;
  t.b.o.meters.named_count = 1;
  t.b.seconds = t.b.look = 0.5;
  t.b.f.tick = talk_tick;
  t.b.f.arg = &t;
  t.b.fault = dies;
  t.b.fault_at = 205; /* in the third window of 50 s: what the first 5 s taught */
  whole_run(&t.b, s);
  assert_near(s[0].window, 50, 1e-6);
  assert_near(s[0].joules, 50, 0.01);
  assert_string_equal(s[0].scope, "wall");
  assert_near(s[1].joules, 50, 0.01);
  assert_near(s[1].net, 30, 0.02);
  assert_no_share(&s[2], "command: it ended 3 s into a window that needs 50 s");
  assert_int_equal(s[2].calls, 6);
  assert_no_share(&s[3], "the command ended with exit code 3");
  assert_int_equal(s[3].calls, 1);
  assert_no_share(&s[5], "given up after 3 windows without a reading: command: the command ended with exit code 3");
  close(t.say);
  bench_close(&t.b);
}

/* A logger that writes a row every `period` s of the wall clock, and its habits. */
typedef struct logger {
  bench b;
  double watts[4096], times[4096];
  int rows;
  double zone, since, period;
  bool reversed, silent;
} logger;

static void logger_write(logger *l) {
  char *text = malloc((size_t)l->rows * 48 + 16), *at = text;
  assert_non_null(text);
  at += sprintf(at, "time,watts\n");
  for (int i = 0; i < l->rows; i++) {
    int k = l->reversed ? l->rows - 1 - i : i;
    at += sprintf(at, "%.3f,%.3f\n", l->times[k], l->watts[k]);
  }
  fixture_file(&l->b.f, "log.csv", text);
  free(text);
}

static void logger_tick(void *arg, double seconds) {
  logger *l = arg;
  l->since += seconds;
  if (l->since < l->period - 0.001 || l->silent) return;
  l->since = 0;
  assert_true(l->rows < 4096);
  l->times[l->rows] = l->b.f.wall + l->zone;
  l->watts[l->rows++] = l->b.package->watts;
  logger_write(l);
}

static void goes_silent(bench *b) {
  logger *l = (logger *)b;
  l->silent = true;
  fixture_pass(&b->f, 30);
  l->silent = false;
}

static void clock_is_set(bench *b) {
  fixture_set_wall(&b->f, 90);
}

static void logs_with_holes_zones_and_reversed_rows_end_no_run(void **state) {
  static const struct {
    double zone, period;
    bool reversed;
    void (*fault)(bench *);
    const char *reason; /* of the third call; NULL: it is read */
    bool all;           /* of all calls */
  } cases[] = {
      {0, 1, false, NULL, NULL, false},
      {0, 1, true, NULL, NULL, false},
      {0, 4, false, NULL, NULL, false}, /* one row before the run: the interval shows later */
      {-7200, 1, false, NULL, "another time zone?", true},
      {0, 1, false, goes_silent, "no value for", false},
      {0, 1, false, clock_is_set, "clock was set by +90 s", false},
  };
  (void)state;
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    static logger l;
    static char spec[128];
    const char *named[] = {spec};
    tern_energy_share s[CALLS];
    memset(&l, 0, sizeof l);
    bench_open(&l.b);
    l.zone = cases[k].zone;
    l.period = cases[k].period;
    l.reversed = cases[k].reversed;
    l.b.seconds = l.b.look = 1;
    l.b.f.tick = logger_tick;
    l.b.f.arg = &l;
    for (int i = 0; i < 5; i++) fixture_pass(&l.b.f, 1);
    snprintf(spec, sizeof spec, "csv:%s/log.csv", l.b.f.root);
    l.b.o.meters.named = named;
    l.b.o.meters.named_count = 1;
    l.b.fault = cases[k].fault;
    l.b.fault_at = cases[k].fault ? 250 : -1;
    whole_run(&l.b, s);
    for (int i = 0; i < CALLS; i++) {
      if (cases[k].all || (i == 2 && cases[k].reason))
        assert_no_share(&s[i], cases[k].reason);
      else
        assert_near(s[i].joules, 100, 0.02);
    }
    if (!cases[k].all) assert_true(isnan(s[5].window) || s[5].window > 100 * l.period - 1e-6);
    if (cases[k].all) assert_int_equal(s[5].calls, 1);
    bench_close(&l.b);
  }
}

static void a_marker_that_the_log_does_not_show_ends_no_run(void **state) {
  static logger l;
  static char spec[128];
  const char *named[] = {spec};
  (void)state;
  memset(&l, 0, sizeof l);
  bench_open(&l.b);
  l.period = l.b.seconds = l.b.look = 1;
  l.b.f.tick = logger_tick;
  l.b.f.arg = &l;
  for (int i = 0; i < 5; i++) fixture_pass(&l.b.f, 1);
  snprintf(spec, sizeof spec, "csv:%s/log.csv", l.b.f.root);
  l.b.o.meters.named = named;
  l.b.o.meters.named_count = 1;
  l.b.o.marker_cores = 1; /* the fake machine draws no more for it */
  bench_begin(&l.b);
  assert_non_null(strstr(tern_energy_doubt(l.b.run), "the log's own times are used: csv "));
  tern_energy_share s = bench_call(&l.b);
  assert_near(s.joules, 100, 0.02);
  bench_close(&l.b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(counters_that_wrap_in_mid_run_are_followed),
      cmocka_unit_test(a_meter_that_fails_in_mid_run_is_given_up_and_the_calls_go_on),
      cmocka_unit_test(a_clock_that_stands_still_ends_no_run),
      cmocka_unit_test(a_meter_process_that_dies_is_told_and_no_call_waits_for_it),
      cmocka_unit_test(logs_with_holes_zones_and_reversed_rows_end_no_run),
      cmocka_unit_test(a_marker_that_the_log_does_not_show_ends_no_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
