/* What a run is asked for: names of contenders and workloads, teams that a
 * shrinking machine can't hold, times that a block taken again replaces. */
#include <math.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/contender.h"
#include "harness/teams.h"
#include "harness/times.h"
#include "harness/workload.h"

static void names_carry_the_options_that_differ(void **state) {
  (void)state;
  tern_error e = {0};
  tern_contender_list l;
  tern_contender_ask ask = {.engines = {{"ternary", "f16"}, 2},
                            .layouts = {{"t2", "t5"}, 2},
                            .kvs = {{"f16", "int8"}, 2},
                            .heads = {{"exact"}, 1}};
  assert_int_equal(tern_contenders_make(&l, &ask, &e), 0);
  static const char *const names[] = {"ternary:t2:kv-f16",  "ternary:t2:kv-int8", "ternary:t5:kv-f16",
                                      "ternary:t5:kv-int8", "f16:kv-f16",         "f16:kv-int8"};
  assert_int_equal(l.count, 6);
  for (int i = 0; i < 6; i++) assert_string_equal(l.items[i].name, names[i]);
  assert_string_equal(l.items[3].layout, "t5");
  assert_int_equal(l.items[3].kv, TERN_KV_INT8);
  assert_true(l.items[3].exact_head);
}

static void the_copy_for_a_check_is_the_first_contender(void **state) {
  (void)state;
  tern_error e = {0};
  tern_contender_list l;
  tern_contender_ask ask = {.engines = {{"int8", "f16"}, 2}, .null = true};
  assert_int_equal(tern_contenders_make(&l, &ask, &e), 0);
  assert_int_equal(l.count, 2);
  assert_string_equal(l.items[1].name, "int8:again");
  ask.null = false;
  ask.inject = 0.02;
  assert_int_equal(tern_contenders_make(&l, &ask, &e), 0);
  assert_string_equal(l.items[1].name, "int8:slow-2");
  assert_string_equal(l.items[1].engine, "int8");
  assert_true(l.items[1].slowdown == 0.02);
  ask.engines.count = 0;
  assert_int_equal(tern_contenders_make(&l, &ask, &e), TERN_USAGE);
}

static void workloads_follow_the_cache_that_they_need(void **state) {
  (void)state;
  tern_error e = {0};
  tern_workload_list l;
  tern_workload_ask ask = {.prompt = {{64, 512}, 2}, .gen = {{16}, 1}, .depth = {{0, 1024}, 2}, .batch = {{1, 64}, 2}};
  assert_int_equal(tern_workloads_make(&l, &ask, &e), 0);
  static const char *const names[] = {
      "prefill-64/b1",      "prefill-64/b64",      "prefill-512/b1",      "prefill-512/b64",      "decode-16",
      "prefill-64@1024/b1", "prefill-64@1024/b64", "prefill-512@1024/b1", "prefill-512@1024/b64", "decode-16@1024"};
  assert_int_equal(l.count, 10);
  for (int i = 0; i < 10; i++) assert_string_equal(l.items[i].name, names[i]);
  assert_int_equal(l.items[4].context, TERN_SHORT_CONTEXT);
  assert_int_equal(l.items[8].context, 1024);
  assert_int_equal(l.items[8].batch, 64);
  assert_int_equal(tern_workloads_positions(&l), 1536);
}

static void too_many_workloads_are_refused(void **state) {
  (void)state;
  tern_error e = {0};
  tern_workload_list l;
  tern_workload_ask ask = {.prompt = {.count = 16}, .depth = {.count = 16}};
  for (int i = 0; i < 16; i++) ask.prompt.items[i] = ask.depth.items[i] = i + 1;
  assert_int_equal(tern_workloads_make(&l, &ask, &e), TERN_USAGE);
}

static void a_team_goes_when_its_cpu_or_quota_goes(void **state) {
  (void)state;
  char why[160];
  cpu_set_t all, one;
  size_t first = 0;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  while (!CPU_ISSET(first, &all)) first++;
  tern_team_spec team = {.threads = 2, .bound = true, .cpus = {(int)first, (int)first}};
  assert_true(tern_team_allowed(&team, 0, why, sizeof why));
  assert_true(tern_team_allowed(&team, 2, why, sizeof why));
  assert_false(tern_team_allowed(&team, 1, why, sizeof why));
  assert_non_null(strstr(why, "1.00 CPUs for 2 threads"));
  for (size_t other = first + 1; other < CPU_SETSIZE; other++) {
    if (!CPU_ISSET(other, &all)) continue;
    team.cpus[1] = (int)other;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_false(tern_team_allowed(&team, 0, why, sizeof why));
    assert_non_null(strstr(why, "no longer"));
    assert_int_equal(sched_setaffinity(0, sizeof all, &all), 0);
    return;
  }
}

static void a_block_taken_again_replaces_its_times(void **state) {
  (void)state;
  tern_error e = {0};
  tern_times t = {.cells = 3};
  for (int b = 0; b < 40; b++) {
    assert_int_equal(tern_times_put(&t, b, 0, 1, &e), 0);
    assert_int_equal(tern_times_put(&t, b, 1, b == 7 ? 100 : 2, &e), 0);
  }
  tern_ratio r = tern_times_ratio(&t, 1, 0, TERN_RATIO_LEVEL);
  assert_int_equal(r.n, 40);
  assert_int_equal(tern_times_ratio(&t, 2, 0, TERN_RATIO_LEVEL).n, 0); /* never ran */
  tern_times_drop(&t, 7);
  assert_int_equal(tern_times_ratio(&t, 1, 0, TERN_RATIO_LEVEL).n, 39);
  assert_int_equal(tern_times_put(&t, 7, 0, 1, &e), 0);
  assert_int_equal(tern_times_put(&t, 7, 1, 2, &e), 0);
  r = tern_times_ratio(&t, 1, 0, TERN_RATIO_LEVEL);
  assert_true(r.n == 40 && fabs(r.ratio - 2) < 1e-12 && fabs(r.high - 2) < 1e-12);
  assert_true(fabs(tern_times_median(&t, 1).ratio - 2) < 1e-12);
  tern_times_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_carry_the_options_that_differ),
      cmocka_unit_test(the_copy_for_a_check_is_the_first_contender),
      cmocka_unit_test(workloads_follow_the_cache_that_they_need),
      cmocka_unit_test(too_many_workloads_are_refused),
      cmocka_unit_test(a_team_goes_when_its_cpu_or_quota_goes),
      cmocka_unit_test(a_block_taken_again_replaces_its_times),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
