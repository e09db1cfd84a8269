/* Counters of energy: wraps, and what can't be true. */
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "energy_fixture.h"
#include "harness/meter_poll.h"

static const double RANGE = 65712999613; /* uJ: 15.3 uJ units, as on servers */

static const tern_meter_fact *fact_of(const tern_meters *m, const char *kind) {
  return tern_meters_fact(m, meter_of(m, kind));
}

static void any_number_of_wraps_is_followed(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  /* 280 W round 65.7 kJ every 234.7 s: 1000 s hold four or five wraps. */
  fixture_zone(&f, "intel-rapl:0", "package-0", 280, RANGE - 1e6, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 1000, 1);
  assert_reading(&r, 280000, "package");
  assert_int_equal(r.wraps, 5);
  tern_meters_close(m);
  fixture_close(&f);
}

static void wraps_that_may_have_been_missed_are_told(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 280, 5, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 1, 1000);
  assert_no_reading(&r, "may have wrapped twice");
  r = reading_over(&f, m, "powercap", 1, 30);
  assert_reading(&r, 8400, "package");
  tern_meters_close(m);
  fixture_close(&f);
}

static void looks_come_often_enough_for_the_shortest_round(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 10, 5, 1e9);
  tern_source s = {.kind = &tern_meter_powercap, .count = 1};
  tern_meter_options o = TERN_METER_DEFAULTS;
  s.options = &o;
  s.channels[0] = (tern_channel){.unit = 1e-6, .range = 1000000000};
  assert_near(tern_poll_interval(&s), 0.125, 1e-9); /* 1000 J at 2 kW: 0.5 s a round */
  s.channels[0].range = (uint64_t)RANGE;
  assert_near(tern_poll_interval(&s), 1, 1e-9);
  o.interval = 60;
  assert_true(tern_poll_interval(&s) <= 10);
  fixture_close(&f);
}

static void a_counter_that_stands_still_is_no_reading(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fake *package = fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  package->watts = 0;
  tern_reading r = reading_over(&f, m, "powercap", 10, 1);
  assert_no_reading(&r, "did not move");
  /* Frozen in mid-run: the first half was seen, and is not the whole. */
  tern_reading all[16];
  package->watts = 50;
  tern_meters_start(m);
  for (int i = 0; i < 20; i++) {
    fixture_pass(&f, 1);
    tern_meters_sample(m);
    if (i == 9) package->watts = 0;
  }
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "powercap")], "stood still for the last 10 s");
  tern_meters_close(m);
  fixture_close(&f);
}

static void a_domain_that_vanishes_takes_only_its_own_meter(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  fake *dram = fixture_zone(&f, "intel-rapl:0:0", "dram", 5, 5, RANGE);
  fixture_zone(&f, "intel-rapl:0:1", "core", 20, 5, RANGE);
  fixture_file(&f, "class/hwmon/hwmon0/name", "power_meter\n");
  fixture_power(&f, "class/hwmon/hwmon0/power1_average", 120);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 1);
  tern_meters_sample(m);
  fixture_remove(&f, "class/powercap/intel-rapl:0:0/energy_uj");
  char path[sizeof dram->path];
  memcpy(path, dram->path, sizeof path);
  dram->path[0] = '\0';
  for (int i = 0; i < 3; i++) {
    fixture_pass(&f, 1);
    tern_meters_sample(m);
  }
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "powercap")], "intel-rapl:0:0/energy_uj: No such file");
  assert_reading(&all[meter_of(m, "hwmon")], 480, "machine");
  /* A part that does not count may go; one that is back counts again. */
  memcpy(dram->path, path, sizeof path);
  fixture_pass(&f, 1);
  f.fakes[2].path[0] = '\0';
  fixture_remove(&f, "class/powercap/intel-rapl:0:1");
  tern_reading r = reading_over(&f, m, "powercap", 2, 1);
  assert_reading(&r, 110, "package+dram");
  tern_meters_close(m);
  fixture_close(&f);
}

static void a_clock_that_steps_back_gives_no_reading(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 2);
  tern_meters_sample(m);
  f.now -= 1;
  tern_meters_sample(m);
  fixture_pass(&f, 5);
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "powercap")], "the clock went back by 1 s");
  /* The time of day is another clock: counters don't mind it. */
  tern_meters_start(m);
  fixture_pass(&f, 2);
  fixture_set_wall(&f, -3600);
  fixture_pass(&f, 2);
  tern_meters_stop(m, all);
  assert_reading(&all[meter_of(m, "powercap")], 200, "package");
  tern_meters_close(m);
  fixture_close(&f);
}

static void a_counter_that_is_set_back_is_not_taken_for_a_wrap(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fake *package = fixture_zone(&f, "intel-rapl:0", "package-0", 50, 30e9, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading all[16];
  tern_meters_start(m);
  fixture_pass(&f, 1);
  tern_meters_sample(m);
  package->count = 0; /* the driver was loaded anew */
  fixture_pass(&f, 1);
  tern_meters_stop(m, all);
  assert_no_reading(&all[meter_of(m, "powercap")], "the counter was set back");
  /* 5 kW of one socket. */
  package->watts = 5000;
  tern_reading r = reading_over(&f, m, "powercap", 5, 1);
  assert_no_reading(&r, "not plausible");
  tern_meters_close(m);
  fixture_close(&f);
}

static void short_windows_say_that_they_are_too_short(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fake *package = fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  package->lump = 0.02;
  tern_meters *m = fixture_meters(&f, NULL);
  assert_near(fact_of(m, "powercap")->interval, 0.02, 0.02);
  assert_near(fact_of(m, "powercap")->resolution, 1, 0.02); /* J: 50 W x 20 ms */
  package->shown_at = f.now;
  tern_reading r = reading_over(&f, m, "powercap", 1, 0.01);
  assert_no_reading(&r, "shorter than two of its updates");
  tern_meters_close(m);
  fixture_close(&f);
}

/* The sampling thread, for real: a writer drives the counter round many times,
 * each step only after the thread has looked. */
static void the_thread_follows_a_counter_that_wraps_all_the_time(void **state) {
  enum { STEPS = 300 };
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 100, 5, 1e7); /* wraps every 10 J */
  tern_meter_options o = fixture_options(&f);
  o.by_hand = false;
  o.interval = 0.001;
  o.most_watts = 150;
  tern_meters *m = fixture_meters(&f, &o);
  tern_reading all[16];
  tern_meters_start(m);
  for (int i = 0; i < STEPS; i++) {
    fixture_pass(&f, 0.02); /* 2 J by the fixture's clock */
    pthread_mutex_lock(&f.lock);
    int seen = f.reads;
    pthread_mutex_unlock(&f.lock);
    for (int more = 0, tries = 0; more < 2; tries++) {
      if (tries == 10000) fail_msg("the thread does not look any more, at step %d", i);
      poll(NULL, 0, 1);
      pthread_mutex_lock(&f.lock);
      more = f.reads - seen;
      pthread_mutex_unlock(&f.lock);
    }
  }
  tern_meters_stop(m, all);
  assert_reading(&all[meter_of(m, "powercap")], 2.0 * STEPS, "package");
  assert_int_equal(all[meter_of(m, "powercap")].wraps, 60);
  assert_true(tern_meters_cost(m) > 0);
  tern_meters_close(m);
  fixture_close(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_number_of_wraps_is_followed),
      cmocka_unit_test(wraps_that_may_have_been_missed_are_told),
      cmocka_unit_test(looks_come_often_enough_for_the_shortest_round),
      cmocka_unit_test(a_counter_that_stands_still_is_no_reading),
      cmocka_unit_test(a_domain_that_vanishes_takes_only_its_own_meter),
      cmocka_unit_test(a_clock_that_steps_back_gives_no_reading),
      cmocka_unit_test(a_counter_that_is_set_back_is_not_taken_for_a_wrap),
      cmocka_unit_test(short_windows_say_that_they_are_too_short),
      cmocka_unit_test(the_thread_follows_a_counter_that_wraps_all_the_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
