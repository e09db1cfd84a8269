/* The machine's limits: every reader, kind of pages and team size is shown,
 * the best is the best of those shown, and what does not exist is null. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/cpu_features.h"
#include "harness/latency.h"
#include "harness/limits.h"
#include "kernels/read.h"

static tern_machine machine;
static tern_limits limits;

static int measure(void **state) {
  (void)state;
  tern_error e = {0};
  if (tern_machine_probe(&machine, &e) || tern_limits_measure(&limits, &machine, &e)) {
    print_error("%s\n", e.text);
    return -1;
  }
  return 0;
}

static int forget(void **state) {
  (void)state;
  tern_machine_free(&machine);
  return 0;
}

static void every_reader_and_page_size_is_shown_for_every_team(void **state) {
  (void)state;
  const tern_reader *readers[16];
  int count = tern_readers(readers, 16), sizes = 0;
  for (int size = 1; size < limits.cores; size *= 2) sizes++;
  assert_int_equal(limits.rate_count, count * TERN_PAGES_KINDS * (sizes + 1));
  for (int i = 0; i < limits.rate_count; i++) {
    assert_true(limits.rates[i].gbs > 0 && limits.rates[i].gbs < 1e5);
    assert_true(limits.rates[i].threads >= 1 && limits.rates[i].threads <= limits.cores);
  }
}

static void the_best_is_of_those_shown(void **state) {
  (void)state;
  const tern_limit_rate *best = tern_limits_best(&limits, 0), *one = tern_limits_best(&limits, 1);
  assert_non_null(best);
  assert_non_null(one);
  assert_int_equal(one->threads, 1);
  for (int i = 0; i < limits.rate_count; i++) {
    assert_true(limits.rates[i].gbs <= best->gbs);
    if (limits.rates[i].threads == 1) assert_true(limits.rates[i].gbs <= one->gbs);
  }
  assert_null(tern_limits_best(&limits, limits.cores + 1));
}

static void peaks_are_of_instructions_that_run_here(void **state) {
  (void)state;
  for (int k = 0; k < TERN_PEAKS; k++) {
    const tern_limit_peak *p = &limits.peaks[k];
    bool bf16 = tern_cpu_runs("avx512_bf16") || tern_cpu_runs("bf16");
    if (k == TERN_PEAK_BF16) assert_int_equal(isnan(p->one), !bf16);
    if (isnan(p->one)) continue;
    assert_true(p->one > 0.01 && p->all > 0.01);
    assert_true(p->instruction[0] != '\0');
  }
}

static void json_tells_all_and_null_where_there_is_nothing(void **state) {
  (void)state;
  tern_limits none = limits;
  none.peaks[TERN_PEAK_BF16].one = none.peaks[TERN_PEAK_BF16].all = NAN;
  none.rate_count = 0;
  json_t *o = tern_limits_json(&limits), *empty = tern_limits_json(&none);
  assert_int_equal(json_array_size(json_object_get(o, "reads")), limits.rate_count);
  double best = json_real_value(json_object_get(json_object_get(o, "read_best"), "gbs"));
  assert_true(best == tern_limits_best(&limits, 0)->gbs);
  assert_true(json_is_null(json_object_get(empty, "read_best")));
  json_t *peak = json_array_get(json_object_get(empty, "peaks"), TERN_PEAK_BF16);
  assert_true(json_is_null(json_object_get(peak, "gops_one_core")));
  json_decref(o);
  json_decref(empty);
}

/* A chain that closed early would stay in cache and look fast. */
static void the_chain_of_loads_visits_every_line(void **state) {
  (void)state;
  enum { LINES = 1 << 12, WORDS = 8 };
  uint64_t *words = aligned_alloc(64, (LINES + 100) * 64);
  assert_non_null(words);
  memset(words, 0, (LINES + 100) * 64);
  assert_true(tern_latency_ns(words, (LINES + 100) * 64) > 0);
  static bool seen[LINES];
  uint64_t at = 0;
  for (int i = 0; i < LINES; i++) {
    assert_true(at < LINES && !seen[at]);
    seen[at] = true;
    at = words[at * WORDS];
  }
  assert_int_equal(at, 0);
  assert_true(isnan(tern_latency_ns(words, 64)));
  free(words);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_reader_and_page_size_is_shown_for_every_team),
      cmocka_unit_test(the_best_is_of_those_shown),
      cmocka_unit_test(peaks_are_of_instructions_that_run_here),
      cmocka_unit_test(json_tells_all_and_null_where_there_is_nothing),
      cmocka_unit_test(the_chain_of_loads_visits_every_line),
  };
  return cmocka_run_group_tests(tests, measure, forget);
}
