/* `ternmark machine` as a whole, on this machine: what it says agrees with what
 * can be looked up another way, and sources made here are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/cpu_features.h"
#include "harness/machine_report.h"
#include "tests/scratch.h"

static char root[256];
static tern_machine_report report;

/* A likwid-bench that tells what it was asked for and always the same figure. */
static void make_likwid(const char *text) {
  char path[300], search[600];
  scratch_file(root, "bin/likwid-bench", text);
  snprintf(path, sizeof path, "%s/bin/likwid-bench", root);
  assert_int_equal(chmod(path, 0755), 0);
  snprintf(search, sizeof search, "%s/bin:/usr/bin:/bin", root);
  setenv("PATH", search, 1);
}

static int gather(void **state) {
  (void)state;
  char sys[300];
  tern_error e = {0};
  scratch_make(root, sizeof root);
  make_likwid("#!/bin/sh\necho \"$@\" >> \"${0%/*}/asked\"\nprintf 'MByte/s:\\t\\t12345.5\\n'\n");
  scratch_file(root, "sys/class/powercap/intel-rapl:0/name", "package-0\n");
  scratch_file(root, "sys/class/powercap/intel-rapl:0/energy_uj", "123456\n");
  scratch_file(root, "sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n");
  snprintf(sys, sizeof sys, "%s/sys", root);
  if (tern_machine_report_gather(&report, sys, &e) == 0) return 0;
  print_error("%s\n", e.text);
  return -1;
}

static int forget(void **state) {
  (void)state;
  tern_machine_report_free(&report);
  scratch_remove(root);
  return 0;
}

static void nothing_runs_that_is_not_advertised(void **state) {
  (void)state;
  const tern_cpu_feature *list;
  const int count = tern_cpu_features(&list);
  assert_true(count > 0);
  for (int i = 0; i < count; i++) {
    char users[512];
    if (list[i].executed) assert_true(list[i].advertised);
    tern_cpu_feature_users(&list[i], users, sizeof users);
    if (!list[i].executed) assert_string_equal(users, "");
  }
  assert_false(tern_cpu_runs("no such feature"));
}

static void a_level_that_is_usable_has_features_that_run(void **state) {
  (void)state;
  static const struct {
    tern_isa isa;
    const char *feature;
  } pairs[] = {{TERN_ISA_AVX2, "avx2"},       {TERN_ISA_AVX2, "fma"},
               {TERN_ISA_AVX512, "avx512bw"}, {TERN_ISA_AVX512VNNI, "avx512_vnni"},
               {TERN_ISA_NEON, "asimd"},      {TERN_ISA_NEONDOT, "asimddp"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if (tern_isa_usable(pairs[i].isa)) assert_true(tern_cpu_runs(pairs[i].feature));
}

static void a_source_that_does_not_work_is_told_with_its_reason(void **state) {
  (void)state;
  json_t *all = tern_machine_report_json(&report);
  json_t *sources = json_object_get(json_object_get(all, "energy"), "sources"), *found = NULL;
  for (size_t i = 0; i < json_array_size(sources); i++) {
    json_t *source = json_array_get(sources, i);
    /* Every source either works or says why not. */
    if (!json_is_true(json_object_get(source, "usable"))) assert_true(json_is_string(json_object_get(source, "why")));
    if (strcmp(json_string_value(json_object_get(source, "kind")), "powercap") == 0) found = source;
  }
  assert_non_null(found);
  assert_false(json_is_true(json_object_get(found, "usable"))); /* that counter stands still */
  assert_non_null(strstr(json_string_value(json_object_get(found, "why")), "package-0"));
  json_decref(all);
}

static void likwid_is_asked_for_the_same_work(void **state) {
  (void)state;
  char expected[64], *asked = scratch_read(root, "bin/asked");
  assert_true(report.likwid.compared);
  assert_true(report.likwid.gbs == 12.3455 && report.likwid.ours > 0);
  snprintf(expected, sizeof expected, "-t load -w N:%zukB:%d ", report.limits.buffer_bytes / 1000,
           tern_machine_cores(&report.machine));
  assert_non_null(asked);
  assert_non_null(strstr(asked, expected));
  free(asked);
}

static void likwid_that_is_absent_or_broken_is_no_figure(void **state) {
  (void)state;
  tern_error e = {0};
  tern_likwid l;
  make_likwid("#!/bin/sh\necho 'Cannot find any hwthreads'\nexit 1\n");
  assert_int_equal(tern_likwid_compare(&l, &report.machine, &e), 0);
  assert_false(l.compared);
  assert_non_null(strstr(l.why, "no figure"));
  setenv("PATH", "/not/there", 1);
  assert_int_equal(tern_likwid_compare(&l, &report.machine, &e), 0);
  assert_false(l.compared);
  assert_non_null(strstr(l.why, "not installed"));
}

static void text_and_json_tell_the_same(void **state) {
  (void)state;
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  tern_machine_report_text(f, &report);
  fclose(f);
  static const char *const sections[] = {"Machine\n",
                                         "Instruction sets",
                                         "Topology",
                                         "Memory\n",
                                         "Control group (",
                                         "Frequency",
                                         "PAPI components",
                                         "Counters that count",
                                         "Energy sources",
                                         "Limits, measured",
                                         "What can be reproduced here"};
  const char *at = text;
  for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
    at = strstr(at, sections[i]);
    if (!at) fail_msg("no section '%s'", sections[i]);
  }
  json_t *all = tern_machine_report_json(&report), *counters = json_object_get(all, "counters"),
         *outlook = json_object_get(all, "outlook");
  assert_int_equal(json_array_size(counters), TERN_COUNTERS);
  for (int i = 0; i < TERN_COUNTERS; i++) {
    json_t *c = json_array_get(counters, (size_t)i);
    bool usable = json_is_true(json_object_get(c, "usable"));
    assert_true(json_is_string(json_object_get(c, usable ? "source" : "why")));
  }
  assert_true(json_array_size(outlook) > 3);
  for (size_t i = 0; i < json_array_size(outlook); i++)
    assert_non_null(strstr(text, json_string_value(json_object_get(json_array_get(outlook, i), "text"))));
  json_decref(all);
  free(text);
}

/* The kernel's own list of caches and what is told agree. */
static void caches_agree_with_the_kernels_list(void **state) {
  (void)state;
  FILE *f = fopen("/sys/devices/system/cpu/cpu0/cache/index2/size", "re");
  unsigned long kib = 0;
  if (!f) skip();
  int got = fscanf(f, "%luK", &kib);
  fclose(f);
  bool found = false;
  for (int i = 0; i < report.shape.cache_count; i++) found = found || report.shape.caches[i].bytes == kib * 1024;
  if (got == 1) assert_true(found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_runs_that_is_not_advertised),
      cmocka_unit_test(a_level_that_is_usable_has_features_that_run),
      cmocka_unit_test(a_source_that_does_not_work_is_told_with_its_reason),
      cmocka_unit_test(likwid_is_asked_for_the_same_work),
      cmocka_unit_test(likwid_that_is_absent_or_broken_is_no_figure),
      cmocka_unit_test(text_and_json_tell_the_same),
      cmocka_unit_test(caches_agree_with_the_kernels_list),
  };
  return cmocka_run_group_tests(tests, gather, forget);
}
