/* Windows around calls: how long, how often, what a call's share is, and when
 * idle is read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "energy_bench.h"

static void calls_are_repeated_until_the_window_is_filled(void **state) {
  static const struct {
    double lump; /* s between updates of the source */
    tern_rules rules;
    long calls;
  } cases[] = {{0, TERN_RULES_USUAL, 10}, {0, TERN_RULES_MLPERF, 120}, {0.1, TERN_RULES_USUAL, 20}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bench b;
    bench_open(&b);
    b.package->lump = cases[i].lump;
    b.o.rules = cases[i].rules;
    bench_begin(&b);
    assert_null(tern_energy_why(b.run));
    assert_near(tern_energy_window_s(b.run), (double)cases[i].calls * 0.5, 0.01);
    tern_energy_share s = bench_call(&b);
    assert_in_range(s.calls, cases[i].calls, cases[i].calls + 1);
    assert_near(s.window, (double)s.calls * 0.5, 1e-9);
    assert_near(s.seconds, 0.5, 1e-9);
    assert_near(s.joules, 50, 0.011); /* an update may be missed at either end */
    assert_string_equal(s.scope, "package");
    bench_close(&b);
  }
}

static void work_that_lasts_longer_than_the_window_is_done_once(void **state) {
  bench b;
  (void)state;
  bench_open(&b);
  b.seconds = 7;
  bench_begin(&b);
  tern_energy_share s = bench_call(&b);
  assert_int_equal(s.calls, 1);
  assert_share(&s, 700, NAN);
  bench_close(&b);
}

static void nothing_waits_where_no_meter_is_usable(void **state) {
  static const char *const named[] = {NULL, "battery", "powercap:dram"};
  static const char *const reasons[] = {"powercap: no ", "battery: ", "powercap: "};
  (void)state;
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
    bench b;
    bench_open(&b);
    b.o.meters.named = &named[i];
    b.o.meters.named_count = named[i] != NULL;
    if (!named[i]) fixture_remove(&b.f, "class");
    if (!named[i]) b.package->path[0] = '\0';
    double began = b.f.now;
    bench_begin(&b);
    bench_rest(&b, false);
    if (!named[i]) assert_true(b.f.now == began); /* a named one may be watched for */
    began = b.f.now;
    assert_non_null(tern_energy_why(b.run));
    assert_true(tern_energy_window_s(b.run) == 0);
    tern_energy_share s = bench_call(&b);
    bench_rest(&b, true);
    assert_int_equal(s.calls, 1);
    assert_near(b.f.now - began, b.seconds, 1e-9);
    assert_near(s.seconds, b.seconds, 1e-12);
    assert_no_share(&s, reasons[i]);
    bench_close(&b);
  }
}

static void given_watts_take_one_call_and_stay_modelled(void **state) {
  const char *named[] = {"constant:65"};
  bench b;
  (void)state;
  bench_open(&b);
  b.o.meters.named = named;
  b.o.meters.named_count = 1;
  bench_begin(&b);
  bench_rest(&b, false);
  tern_energy_share s = bench_call(&b);
  assert_int_equal(s.calls, 1);
  assert_int_equal(s.how, TERN_MODELLED);
  assert_share(&s, 32.5, NAN);
  bench_close(&b);
}

static void sources_that_need_too_long_a_window_are_not_waited_for(void **state) {
  bench b;
  (void)state;
  bench_open(&b);
  b.package->lump = 0.1;
  b.o.most_window = 8;
  bench_begin(&b);
  tern_energy_share s = bench_call(&b);
  assert_int_equal(s.calls, 1);
  assert_no_share(&s, "above the limit of 8 s");
  bench_close(&b);
}

static void idle_is_read_before_and_after_and_when_it_is_due(void **state) {
  bench b;
  int count;
  (void)state;
  bench_open(&b);
  bench_begin(&b);
  bench_rest(&b, false);
  tern_energy_share s = bench_call(&b);
  assert_share(&s, 50, 30);
  assert_near(s.idle, 40, 1e-4);
  bench_rest(&b, false); /* not due: 5 s of work */
  tern_energy_idles(b.run, &count);
  assert_int_equal(count, 1);
  for (int i = 0; i < 20; i++) bench_call(&b);
  b.idle = 42;
  b.package->watts = b.idle;
  bench_rest(&b, false); /* due: 100 s */
  tern_energy_idles(b.run, &count);
  assert_int_equal(count, 2);
  assert_string_equal(tern_energy_doubt(b.run), "");
  s = bench_call(&b);
  assert_share(&s, 50, 29);
  b.idle = 50;
  b.package->watts = b.idle;
  bench_rest(&b, true);
  bench_rest(&b, true); /* nothing was done since */
  const tern_energy_idle *idles = tern_energy_idles(b.run, &count);
  assert_int_equal(count, 3);
  assert_near(idles[2].reading.watts, 50, 1e-4);
  assert_true(idles[2].start > idles[1].start);
  assert_non_null(strstr(tern_energy_doubt(b.run), "idle moved from 42 to 50 W"));
  bench_close(&b);
}

static void time_between_calls_is_told_and_limited(void **state) {
  bench b;
  (void)state;
  bench_open(&b);
  b.look = 0.01;
  bench_begin(&b);
  b.between = 0.01; /* at idle power: 2 % of the time, 1.2 % of the power */
  tern_energy_share s = bench_call(&b);
  assert_non_null(strstr(s.note, "2.0 % of the window between calls"));
  assert_share(&s, (100 * 0.5 + 40 * 0.01) / 0.51 * 0.5, NAN);
  b.between = 0.1;
  s = bench_call(&b);
  assert_no_share(&s, "17 % of the window of ");
  assert_null(tern_energy_why(b.run)); /* the meter is not to blame */
  bench_close(&b);
}

static tern_reading reading(double joules, double seconds) {
  tern_reading r = tern_reading_none();
  r.value = joules;
  r.seconds = seconds;
  r.watts = joules / seconds;
  r.how = TERN_MEASURED;
  snprintf(r.scope, sizeof r.scope, "package");
  return r;
}

static void clocks_that_disagree_give_no_share(void **state) {
  (void)state;
  tern_reading r = reading(1000, 10);
  tern_energy_share s = tern_energy_divide(&r, 5, 10);
  assert_share(&s, 200, NAN);
  s = tern_energy_divide(&r, 5, 10.5);
  assert_no_share(&s, "their clock is another");
  s = tern_energy_divide(&r, 0, 0);
  assert_no_share(&s, "between the calls");
}

/* A process that loads for 3 s and 200 J, then makes tokens at 0.1 s and 8 J. */
static tern_energy_share process(int tokens, double idle) {
  tern_reading r = reading(200 + 8 * tokens, 3 + 0.1 * tokens), rest = reading(idle * 10, 10);
  tern_reading_net(&r, &(tern_idle){.before = rest, .after = rest});
  return tern_energy_divide(&r, 1, r.seconds);
}

static void loading_cancels_between_runs_of_n_and_2n_tokens(void **state) {
  (void)state;
  tern_energy_share n = process(64, 20), twice = process(128, 20), d = tern_energy_differ(&n, &twice);
  assert_share(&d, 8 * 64, (8 - 20 * 0.1) * 64);
  assert_near(d.seconds, 6.4, 1e-9);
  assert_string_equal(d.scope, "package");
  d = tern_energy_differ(&twice, &n);
  assert_no_share(&d, "is not above the shorter one");
  snprintf(n.scope, sizeof n.scope, "psys");
  d = tern_energy_differ(&n, &twice);
  assert_no_share(&d, "measured psys and measured package");
  tern_reading none = tern_reading_none();
  snprintf(none.why, sizeof none.why, "powercap: frozen");
  n = tern_energy_divide(&none, 1, 3);
  d = tern_energy_differ(&n, &twice);
  assert_no_share(&d, "powercap: frozen");
}

static int fails(void *arg, long number, double *seconds, tern_error *e) {
  fixture_pass(&((bench *)arg)->f, *seconds = 1);
  return number == 2 ? tern_fail(e, TERN_FAILED, "the engine died") : 0;
}

static void work_that_fails_ends_its_window_and_no_other(void **state) {
  bench b;
  tern_energy_share s;
  tern_error e = {0};
  (void)state;
  bench_open(&b);
  bench_begin(&b);
  assert_int_equal(tern_energy_call(b.run, fails, &b, &s, &e), TERN_FAILED);
  assert_string_equal(e.text, "the engine died");
  s = bench_call(&b);
  assert_share(&s, 50, NAN);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(calls_are_repeated_until_the_window_is_filled),
      cmocka_unit_test(work_that_lasts_longer_than_the_window_is_done_once),
      cmocka_unit_test(nothing_waits_where_no_meter_is_usable),
      cmocka_unit_test(given_watts_take_one_call_and_stay_modelled),
      cmocka_unit_test(sources_that_need_too_long_a_window_are_not_waited_for),
      cmocka_unit_test(idle_is_read_before_and_after_and_when_it_is_due),
      cmocka_unit_test(time_between_calls_is_told_and_limited),
      cmocka_unit_test(clocks_that_disagree_give_no_share),
      cmocka_unit_test(loading_cancels_between_runs_of_n_and_2n_tokens),
      cmocka_unit_test(work_that_fails_ends_its_window_and_no_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
