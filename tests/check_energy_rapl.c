/* What RAPL's zones add up to, and which can be read at all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "energy_fixture.h"

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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(packages_and_their_dram_are_added),
      cmocka_unit_test(psys_is_taken_alone_and_found_by_its_name),
      cmocka_unit_test(the_mmio_tree_counts_only_what_the_first_lacks),
      cmocka_unit_test(dram_that_never_moves_is_not_in_the_scope),
      cmocka_unit_test(zero_as_in_virtual_machines_is_no_source),
      cmocka_unit_test(denied_files_come_with_the_command_that_opens_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
