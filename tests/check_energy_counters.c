/* Counters of energy: RAPL's zones under powercap, wraps, and what can't be true. */
#include <math.h>
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

static void packages_and_their_dram_are_added(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  fixture_zone(&f, "intel-rapl:0:0", "core", 30, 5, RANGE);
  fixture_zone(&f, "intel-rapl:0:1", "dram", 4, 5, RANGE);
  fixture_zone(&f, "intel-rapl:1", "package-1", 60, 5, RANGE);
  fixture_zone(&f, "intel-rapl:1:0", "uncore", 9, 5, RANGE);
  fixture_zone(&f, "intel-rapl:1:1", "dram", 6, 5, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 4, 2.5);
  assert_reading(&r, 1200, "package+dram");
  assert_near(r.watts, 120, 1e-5);
  assert_near(r.seconds, 10, 1e-9);
  assert_int_equal(r.samples, 5);
  assert_true(fact_of(m, "powercap")->primary);
  assert_non_null(strstr(fact_of(m, "powercap")->source, "package-1/dram (class/powercap/intel-rapl:1:1/energy_uj)"));
  tern_meter_part part;
  assert_int_equal(tern_meters_parts(m, meter_of(m, "powercap"), 1, &part), 6);
  assert_string_equal(part.name, "package-0/core");
  assert_false(part.counted);
  assert_near(part.joules, 300, 1e-5);
  tern_meters_close(m);
  fixture_close(&f);
}

static void psys_is_taken_alone_and_found_by_its_name(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  fixture_zone(&f, "intel-rapl:0:0", "dram", 4, 5, RANGE);
  fixture_zone(&f, "intel-rapl:1", "psys", 90, 5, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 180, "psys");
  tern_meters_close(m);

  const char *named[] = {"powercap:package"};
  tern_meter_options o = fixture_options(&f);
  o.named = named;
  o.named_count = 1;
  m = fixture_meters(&f, &o);
  r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 100, "package");
  tern_meters_close(m);

  /* A second psys that moves: what the two share is not known. */
  fixture_zone(&f, "intel-rapl:2", "psys-1", 80, 5, RANGE);
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 108, "package+dram");
  tern_meters_close(m);
  fixture_close(&f);
}

static void the_mmio_tree_counts_only_what_the_first_lacks(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  fixture_zone(&f, "intel-rapl-mmio:0", "package-0", 50, 7, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 100, "package");
  tern_meters_close(m);
  fixture_remove(&f, "class/powercap/intel-rapl:0");
  f.fakes[0].path[0] = '\0';
  m = fixture_meters(&f, NULL);
  r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 100, "package");
  tern_meters_close(m);
  fixture_close(&f);
}

static void dram_that_never_moves_is_not_in_the_scope(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  fixture_zone(&f, "intel-rapl:0:0", "dram", 0, 0, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  tern_reading r = reading_over(&f, m, "powercap", 1, 2);
  assert_reading(&r, 100, "package");
  tern_meters_close(m);
  fixture_close(&f);
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

static void zero_as_in_virtual_machines_is_no_source(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 0, 0, RANGE);
  tern_meters *m = fixture_meters(&f, NULL);
  const tern_meter_fact *fact = fact_of(m, "powercap");
  assert_false(fact->usable);
  assert_non_null(strstr(fact->why, "does not move from 0, as in virtual machines"));
  assert_int_equal(tern_meters_primary(m), -1);
  tern_reading r = reading_over(&f, m, "powercap", 1, 1);
  assert_no_reading(&r, "does not move");
  tern_meters_close(m);
  fixture_close(&f);
}

static void denied_files_come_with_the_command_that_opens_them(void **state) {
  fixture f;
  (void)state;
  fixture_open(&f);
  fixture_zone(&f, "intel-rapl:0", "package-0", 50, 5, RANGE);
  snprintf(f.denied, sizeof f.denied, "energy_uj");
  tern_meters *m = fixture_meters(&f, NULL);
  const tern_meter_fact *fact = fact_of(m, "powercap");
  assert_false(fact->usable);
  assert_true(fact->denied);
  assert_non_null(strstr(fact->why, "Permission denied"));
  assert_non_null(strstr(fact->remedy, "sudo chmod a+r "));
  assert_non_null(strstr(fact->remedy, "/class/powercap/intel-rapl*/energy_uj"));
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
    for (int more = 0; more < 2;) {
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
      cmocka_unit_test(packages_and_their_dram_are_added),
      cmocka_unit_test(psys_is_taken_alone_and_found_by_its_name),
      cmocka_unit_test(the_mmio_tree_counts_only_what_the_first_lacks),
      cmocka_unit_test(dram_that_never_moves_is_not_in_the_scope),
      cmocka_unit_test(any_number_of_wraps_is_followed),
      cmocka_unit_test(wraps_that_may_have_been_missed_are_told),
      cmocka_unit_test(looks_come_often_enough_for_the_shortest_round),
      cmocka_unit_test(a_counter_that_stands_still_is_no_reading),
      cmocka_unit_test(zero_as_in_virtual_machines_is_no_source),
      cmocka_unit_test(denied_files_come_with_the_command_that_opens_them),
      cmocka_unit_test(a_domain_that_vanishes_takes_only_its_own_meter),
      cmocka_unit_test(a_clock_that_steps_back_gives_no_reading),
      cmocka_unit_test(a_counter_that_is_set_back_is_not_taken_for_a_wrap),
      cmocka_unit_test(short_windows_say_that_they_are_too_short),
      cmocka_unit_test(the_thread_follows_a_counter_that_wraps_all_the_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
