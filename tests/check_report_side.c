/* The report of a run with outside engines, energy, two placements and a block
 * that was taken again: what is side by side, what is said of how it went, and
 * which figures answer claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/claims.h"
#include "reports/format.h"
#include "reports/report.h"
#include "reports/results.h"
#include "tests/scratch.h"

static char dir[512];

static int setup(void **state) {
  (void)state;
  static const char *const inputs[] = {"manifest.json", "summary.csv", "samples.csv"};
  scratch_make(dir, sizeof dir);
  for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
    char *text = scratch_read(FIXTURES "/results-side", inputs[i]);
    assert_non_null(text);
    scratch_file(dir, inputs[i], text);
    free(text);
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static char *report(void) {
  tern_error e = {0};
  if (tern_report_write(dir, &e)) fail_msg("%s", e.text);
  return scratch_read(dir, "report.md");
}

static void has(const char *text, const char *words) {
  if (!strstr(text, words)) fail_msg("\"%s\" is missing", words);
}
static void lacks(const char *text, const char *words) {
  if (strstr(text, words)) fail_msg("\"%s\" is there", words);
}

static void all_engines_stand_in_one_table_a_team(void **state) {
  (void)state;
  char *text = report();
  has(text, "The reference is ternary.");
  has(text, "*2B4T, decode-128, 2 threads: median \\[interval\\]*\n\n"
            "| Engine | tokens/s | x reference | J/token | % of bandwidth | Layers | Peak resident |\n");
  has(text, "\n| ternary | 44.1 \\[42.7, 45.4\\] | 1 | 0.907 \\[0.882, 0.936\\] |");
  has(text, "\n| peer:ik\\_llama.cpp:iq2\\_bn | 36.1 \\[35.3, 37.3\\] | 0.822 \\[0.818, 0.825\\] | – |");
  has(text, "*2B4T, decode-128, 2 threads, placement spread: median");
  free(text);
}

static void outside_programs_are_told_with_hash_and_command(void **state) {
  (void)state;
  char *text = report(), *page = scratch_read(dir, "report.html");
  has(text, "| peer:bitnet.cpp:i2\\_s | llama-bench | build 3947 (112f853) | "
            "4c1d7e7f0a2b53c94a0f4a4f8c0de58d7a2f4b1e9c6d3a5b7f8091a2b3c4d5e6 | llama-bench JSON |");
  has(page, "llama-bench -m {model}.i2_s.gguf -t {threads}");
  has(text, "| b10573 | unavailable |"); /* its file could not be read */
  /* Folders of the one who measured are nobody's business. */
  lacks(text, "/opt/");
  lacks(page, "/opt/");
  lacks(page, "/home/");
  has(page, "--cache=cache");
  free(text);
  free(page);
}

static void folders_are_cut_from_commands_and_nothing_else(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"/opt/a/llama-bench -m /models/{model}.gguf", "llama-bench -m {model}.gguf"},
      {"run --cache=/home/u/c -p 512/128", "run --cache=c -p 512/128"},
      {"sh -c '~/bin/x \"/tmp/a b\"'", "sh -c 'x \"a b\"'"},
      {"bitnet.cpp=/usr/bin/b", "bitnet.cpp=b"},
      {"LD_LIBRARY_PATH=/a/b:/c/d x", "LD_LIBRARY_PATH=d x"},
      {"x /tmp/", "x /tmp/"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[128];
    tern_report_without_folders(cases[i][0], text, sizeof text);
    assert_string_equal(text, cases[i][1]);
  }
  char text[5];
  tern_report_without_folders("abcdefgh", text, sizeof text);
  assert_string_equal(text, "abcd");
}

static void energy_has_scope_net_and_reasons(void **state) {
  (void)state;
  char *text = report();
  has(text, "| ternary | 2B4T | decode-128 | 2 | 0.907 \\[0.882, 0.936\\] | 0.585 \\[0.569, 0.604\\] | 6 | "
            "measured: package+dram |");
  has(text, "Energy unavailable: peer:bitnet.cpp:i2\\_s prefill-512, ");
  has(text, "peer:ik\\_llama.cpp:iq2\\_bn decode-128: an outside process: no pair of n and 2n tokens was run");
  has(text, "Net energy unavailable: peer:bitnet.cpp:i2\\_s decode-128");
  has(text, "CO2, mg/token");
  const char *traffic = strstr(text, "memory traffic per level");
  assert_non_null(traffic);
  assert_null(strstr(traffic + 1, "memory traffic per level"));
  free(text);
}

static void counters_that_do_not_count_say_why(void **state) {
  (void)state;
  char *text = report();
  has(text, "| ternary | 2B4T | decode-128 | 2 | 1.90 | 184 | 1179 modelled | 3.54 |");
  has(text, "Unavailable: memory\\_bytes: perf\\_event\\_uncore: not permitted");
  has(text, "Unavailable: branch\\_misses, cycles: no counter is free for it");
  lacks(text, "Unavailable: energy");
  free(text);
}

static void profile_shows_operators_by_share(void **state) {
  (void)state;
  scratch_file(dir, "profile.csv",
               "engine,model,placement,workload,phase,threads,pass,member,operator,calls,seconds,share\n"
               "ternary,2B4T,cores,decode-128,decode,2,,0,down,9,1,0.9\n"
               "ternary,2B4T,cores,decode-128,decode,2,,all,attention,9,1,0.12\n"
               "ternary,2B4T,cores,decode-128,decode,2,,all,down,9,1,0.345\n"
               "ternary,2B4T,cores,decode-128,decode,2,0,all,down,9,1,0.8\n");
  char *text = report();
  has(text, "### Where the time goes");
  has(text, "| ternary | 2B4T | decode-128 | 2 | down 34.5 %, attention 12.0 % |\n");
  free(text);
  scratch_file(dir, "profile.csv", "engine,\"model\n");
  tern_error e = {0};
  assert_int_equal(tern_report_write(dir, &e), TERN_FAILED);
  has(e.text, "profile.csv");
}

/* A power that was assumed is no reading, and the warm-up's lack of one no reason. */
static void assumed_power_measures_nothing(void **state) {
  (void)state;
  tern_error e = {0};
  tern_results r;
  char *samples = scratch_read(dir, "samples.csv"), *at = samples;
  while ((at = strstr(at, ",measured,"))) memcpy(at, ",modelled,", 10);
  scratch_file(dir, "samples.csv", samples);
  if (tern_results_read(&r, dir, &e)) fail_msg("%s", e.text);
  assert_string_equal(tern_results_no_energy(&r), "the power was given by the user, no meter read it");
  tern_results_free(&r);
  free(samples);
}

static void course_tells_warm_up_stop_interference_and_checks(void **state) {
  (void)state;
  char *text = report();
  has(text, "| 2B4T | 4 blocks, steady | time: another block would end after the budget | 6 | ternary/f16 1.21 %, "
            "ternary/int8 0.890 % |");
  has(text, "1 of 84 samples that stand are marked as disturbed and kept; 1 block was taken again.");
  has(text, "Marked by steal: 14 samples");
  has(text, "Marked by switches: 1 sample,");
  has(text, "Skipped: peer:bitnet.cpp:i2\\_s 2B4T decode-128@512: its command has no {depth}");
  has(text, "| ternary:slow-2 | decode-128 | 2 | 1.02 | 1.0193 \\[1.0151, 1.0242\\] | yes |");
  has(text, "| 1.01 | 1.0020 | too few blocks |");
  free(text);
}

static void first_and_single_tokens_have_their_times(void **state) {
  (void)state;
  char *text = report();
  has(text, "| f16 | 2B4T | prefill-512 | 2 | 11385 \\[11090, 11680\\] | 6 |");
  has(text, "| ternary | 2B4T | decode-128 | 2 | 22.6 \\[21.9, 23.3\\] | 23.1 \\[22.5, 23.9\\] | 29.5 ");
  free(text);
}

/* Both ratios of two outside engines are in the folder, for claims that name
 * either; the report shows the one above 1. */
static void ratios_of_outside_engines_are_shown_once(void **state) {
  (void)state;
  char *text = report();
  has(text, "| peer:bitnet.cpp:i2\\_s/peer:llama.cpp:f16 | 2B4T | decode-128 | 2 | 2.42 ");
  lacks(text, "| peer:llama.cpp:f16/peer:bitnet.cpp:i2\\_s |");
  free(text);
}

static tern_claim *claim(tern_claims *list, const char *id) {
  for (int i = 0; i < list->count; i++)
    if (strcmp(list->items[i].id, id) == 0) return &list->items[i];
  fail_msg("no claim %s", id);
  return NULL;
}

/* A copy held to an older instruction set, slowed, or bound otherwise is
 * measured to be compared with: it answers no claim. */
static void claims_are_answered_by_plain_engines(void **state) {
  (void)state;
  tern_error e = {0};
  tern_results results;
  tern_claims claims;
  char *summary = scratch_read(dir, "summary.csv"), *longer = NULL;
  assert_true(
      asprintf(&longer,
               "%s\"speedup\",\"ternary/f16:scalar\",\"2B4T\",\"decode-128\",2,6,90,89,91,0.96,\"x\",\"measured\",,\n"
               "\"speedup\",\"ternary/f16\",\"2B4T\",\"decode-128\",2,6,80,79,81,0.96,\"x\",\"measured\",,\"spread\"\n"
               "\"speedup\",\"ternary:t5/f16\",\"2B4T\",\"decode-128\",2,6,70,69,71,0.96,\"x\",\"measured\",,\n",
               summary) > 0);
  scratch_file(dir, "summary.csv", longer);
  if (tern_results_read(&results, dir, &e) || tern_claims_read(&claims, &e)) fail_msg("%s", e.text);
  tern_claims_judge(&claims, &results);
  const tern_claim *c = claim(&claims, "speedup_x86");
  assert_true(c->ours.median_low > 4.1 && c->ours.median_high < 4.3);
  assert_true(c->peers.median_low > 2.3 && c->peers.median_high < 2.5);
  assert_int_equal(c->verdict, TERN_VERDICT_REPRODUCED);
  /* Measured, but an outside process does not tell the size of its layers. */
  assert_string_equal(claim(&claims, "memory_2b4t")->peers_how, "the outside engine does not tell this figure");
  tern_claims_free(&claims);
  tern_results_free(&results);
  free(summary);
  free(longer);
}

static void other_references_turn_the_ratios_round(void **state) {
  (void)state;
  tern_error e = {0};
  tern_results r;
  tern_summary_row ratio;
  scratch_file(dir, "manifest.json", "{\"schema\": 1, \"reference\": \"peer:llama.cpp:f16\"}");
  if (tern_results_read(&r, dir, &e)) fail_msg("%s", e.text);
  assert_string_equal(tern_results_reference(&r), "peer:llama.cpp:f16");
  int row = tern_results_find(&r, 0, "speed", "ternary", NULL);
  assert_true(tern_results_ratio(&r, &r.summary[row], &ratio));
  assert_true(ratio.median > 4 && ratio.median < 4.5 && ratio.low < ratio.median && ratio.high > ratio.median);
  row = tern_results_find(&r, 0, "speed", "peer:bitnet.cpp:i2_s", NULL);
  assert_true(tern_results_ratio(&r, &r.summary[row], &ratio));
  row = tern_results_find(&r, 0, "speed", "peer:llama.cpp:f16", NULL);
  assert_false(tern_results_ratio(&r, &r.summary[row], &ratio)); /* to itself */
  tern_results_free(&r);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(all_engines_stand_in_one_table_a_team),
      TEST(outside_programs_are_told_with_hash_and_command),
      TEST(folders_are_cut_from_commands_and_nothing_else),
      TEST(energy_has_scope_net_and_reasons),
      TEST(counters_that_do_not_count_say_why),
      TEST(profile_shows_operators_by_share),
      TEST(assumed_power_measures_nothing),
      TEST(course_tells_warm_up_stop_interference_and_checks),
      TEST(first_and_single_tokens_have_their_times),
      TEST(ratios_of_outside_engines_are_shown_once),
      TEST(claims_are_answered_by_plain_engines),
      TEST(other_references_turn_the_ratios_round),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
