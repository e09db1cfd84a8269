/* Verdicts: the rule for every case, and the judgement of whole folders. */
#include <math.h>
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

#define ABSENT                                                                                                         \
  { 0 }
#define MEASURED(n, median, low, high)                                                                                 \
  { true, false, n, 1, median, median, low, high, 0.9375 }
#define EXACT(value)                                                                                                   \
  { true, true, 0, 1, value, value, NAN, NAN, NAN }
#define HULL(n, median_low, median_high, low, high)                                                                    \
  { true, false, n, 2, median_low, median_high, low, high, 0.9375 }

static const struct {
  const char *what, *low, *high;
  tern_figure ours, peers;
  const char *unmet;
  bool modelled;
  tern_verdict verdict;
} cases[] = {
    {"ours within", "1.37", "5.07", MEASURED(5, 3.7, 3.5, 3.9), ABSENT, NULL, false, TERN_VERDICT_INSIDE},
    {"ours under", "2.37", "6.17", MEASURED(5, 1.5, 1.4, 1.6), ABSENT, NULL, false, TERN_VERDICT_BELOW},
    {"ours over", "1.37", "5.07", MEASURED(9, 5.5, 5.4, 5.6), ABSENT, NULL, false, TERN_VERDICT_ABOVE},
    {"the median decides", "1.37", "5.07", MEASURED(5, 5.0, 4.8, 5.3), ABSENT, NULL, false, TERN_VERDICT_INSIDE},
    {"what rounds to the bound", "1.37", "5.07", MEASURED(5, 5.0749, 5, 5.1), ABSENT, NULL, false, TERN_VERDICT_INSIDE},
    {"what no longer does", "1.37", "5.07", MEASURED(5, 5.0751, 5, 5.1), ABSENT, NULL, false, TERN_VERDICT_ABOVE},
    {"models that disagree", "2.37", "6.17", HULL(5, 2.0, 3.0, 1.9, 3.1), ABSENT, NULL, false, TERN_VERDICT_PARTLY},
    {"four repetitions", "1.37", "5.07", MEASURED(4, 3.7, NAN, NAN), ABSENT, NULL, false, TERN_VERDICT_NONE},
    {"an interval of four", "1.37", "5.07", MEASURED(4, 3.7, 3.5, 3.9), ABSENT, NULL, false, TERN_VERDICT_NONE},
    {"no interval", "1.37", "5.07", MEASURED(5, 3.7, NAN, NAN), ABSENT, NULL, false, TERN_VERDICT_NONE},
    {"nothing measured", "1.37", "5.07", ABSENT, ABSENT, NULL, false, TERN_VERDICT_NOT_TESTABLE},
    {"something is missing", "1.37", "5.07", MEASURED(5, 3.7, 3.5, 3.9), MEASURED(5, 3, 2, 4), "no ARM core", false,
     TERN_VERDICT_NOT_TESTABLE},
    {"peers within", "2.37", "6.17", MEASURED(5, 9, 8, 10), MEASURED(5, 3, 2.9, 3.1), NULL, false,
     TERN_VERDICT_REPRODUCED},
    {"peers touch the range", "2.37", "6.17", ABSENT, MEASURED(5, 2.3, 2.2, 2.4), NULL, false, TERN_VERDICT_REPRODUCED},
    {"peers outside", "2.37", "6.17", MEASURED(5, 3, 2.9, 3.1), MEASURED(5, 2.1, 2.0, 2.2), NULL, false,
     TERN_VERDICT_NOT_REPRODUCED},
    {"too few of the peers", "2.37", "6.17", MEASURED(5, 3, 2.9, 3.1), MEASURED(3, 2.1, NAN, NAN), NULL, false,
     TERN_VERDICT_INSIDE},
    {"a maximum, ours under it", "", "6.25", MEASURED(5, 4, 3.9, 4.1), ABSENT, NULL, false, TERN_VERDICT_INSIDE},
    {"a maximum, ours over it", "", "6.25", MEASURED(5, 7, 6.9, 7.1), ABSENT, NULL, false, TERN_VERDICT_ABOVE},
    {"a maximum, peers reach it", "", "6.25", ABSENT, MEASURED(5, 6.1, 6.0, 6.246), NULL, false,
     TERN_VERDICT_REPRODUCED},
    {"a maximum, peers do not", "", "6.25", ABSENT, MEASURED(5, 6.1, 6.0, 6.2), NULL, false,
     TERN_VERDICT_NOT_REPRODUCED},
    {"a size needs no repetitions", "0.4", "0.4", EXACT(0.521), ABSENT, NULL, false, TERN_VERDICT_ABOVE},
    {"a size that rounds to it", "0.4", "0.4", EXACT(0.412), ABSENT, NULL, false, TERN_VERDICT_INSIDE},
    {"a formula that agrees", "0.028", "0.028", EXACT(0.02764), ABSENT, NULL, true, TERN_VERDICT_RECOMPUTED},
    {"a formula that does not", "0.028", "0.028", EXACT(0.0291), ABSENT, NULL, true, TERN_VERDICT_NOT_RECOMPUTED},
};

static void verdict_follows_the_rule(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tern_range range = tern_range_parse(cases[i].low, cases[i].high);
    tern_verdict v = tern_verdict_decide(&range, &cases[i].ours, &cases[i].peers, cases[i].unmet, cases[i].modelled);
    if (v != cases[i].verdict)
      fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].what, tern_verdict_text(v),
               tern_verdict_text(cases[i].verdict));
  }
}

/* Whatever our own figures are, they never reproduce a claim about others. */
static void ours_alone_never_reproduces(void **state) {
  (void)state;
  tern_range range = tern_range_parse("2.37", "6.17");
  const tern_figure none = ABSENT;
  for (int i = 0; i < 100; i++) {
    double m = i * 0.1;
    const tern_figure ours = MEASURED(9, m, m - 0.05, m + 0.05);
    tern_verdict v = tern_verdict_decide(&range, &ours, &none, NULL, false);
    assert_true(v != TERN_VERDICT_REPRODUCED && v != TERN_VERDICT_NOT_REPRODUCED);
  }
}

static void engines_match_by_whole_parts(void **state) {
  (void)state;
  assert_true(tern_engine_matches("ternary", "ternary"));
  assert_true(tern_engine_matches("peer:llama.cpp:F16", "peer:llama.cpp:f16"));
  assert_true(tern_engine_matches("peer:bitnet.cpp:i2_s/peer:llama.cpp:f16", "peer:bitnet.cpp/peer:llama.cpp:f16"));
  assert_false(tern_engine_matches("peer:bitnet.cpp:i2_s/peer:llama.cpp:q8_0", "peer:bitnet.cpp/peer:llama.cpp:f16"));
  assert_false(tern_engine_matches("peer:llama.cppx", "peer:llama.cpp"));
  assert_false(tern_engine_matches("ternary/f16", "ternary"));
  assert_false(tern_engine_matches("ternary", "ternary/f16"));
  assert_false(tern_engine_matches("ternary/f16", "ternary/int8"));
}

typedef struct judged {
  tern_results results;
  tern_claims claims;
} judged;

static void judge(judged *j, const char *folder) {
  char dir[512];
  tern_error e = {0};
  snprintf(dir, sizeof dir, "%s/%s", FIXTURES, folder);
  if (tern_results_read(&j->results, dir, &e) || tern_claims_read(&j->claims, &e)) fail_msg("%s", e.text);
  tern_claims_judge(&j->claims, &j->results);
}

static void release(judged *j) {
  tern_claims_free(&j->claims);
  tern_results_free(&j->results);
}

static const tern_claim *claim(const judged *j, const char *id) {
  for (int i = 0; i < j->claims.count; i++)
    if (strcmp(j->claims.items[i].id, id) == 0) return &j->claims.items[i];
  fail_msg("no claim %s", id);
  return NULL;
}

static void expect(const judged *j, const char *id, tern_verdict verdict, const char *reason) {
  const tern_claim *c = claim(j, id);
  if (c->verdict != verdict || !strstr(c->reason, reason))
    fail_msg("%s: \"%s\", \"%s\"", id, tern_verdict_text(c->verdict), c->reason);
}

static void run_without_peers_is_judged_by_ours(void **state) {
  (void)state;
  judged j;
  judge(&j, "results-default");
  expect(&j, "speedup_x86", TERN_VERDICT_INSIDE, "");
  expect(&j, "memory_2b4t", TERN_VERDICT_ABOVE, "");
  expect(&j, "latency_2b4t", TERN_VERDICT_BELOW, "");
  expect(&j, "energy_model_2b4t", TERN_VERDICT_RECOMPUTED, "");
  expect(&j, "energy_model_others", TERN_VERDICT_RECOMPUTED, "");
  expect(&j, "speedup_arm", TERN_VERDICT_NOT_TESTABLE, "no ARM core");
  expect(&j, "energy_x86", TERN_VERDICT_NOT_TESTABLE, "no energy source: no powercap zones");
  expect(&j, "speed_100b", TERN_VERDICT_NOT_TESTABLE, "model does not fit");
  expect(&j, "gsm8k", TERN_VERDICT_NOT_TESTABLE, "no trained weights");
  expect(&j, "era_latency_3b", TERN_VERDICT_NOT_TESTABLE, "GPU");
  expect(&j, "bitnet_2026", TERN_VERDICT_NOT_TESTABLE, "no outside engine");
  const tern_claim *c = claim(&j, "speedup_x86");
  assert_int_equal(c->ours.n, 5);
  assert_true(c->ours.low < c->ours.median_low && c->ours.median_low < c->ours.high);
  assert_non_null(strstr(c->ours_how, "2 threads"));
  assert_non_null(strstr(c->ours_how, "synthetic weights"));
  assert_false(c->peers.present);
  assert_string_equal(c->peers_how, "no outside engine was measured in this run");
  /* The manifest calls the int8 baseline provisional, not the f16 one. */
  assert_null(c->provisional);
  assert_non_null(tern_results_provisional(&j.results, "ternary/int8"));
  release(&j);
}

static void run_with_peers_is_judged_by_them(void **state) {
  (void)state;
  judged j;
  judge(&j, "results-peers");
  expect(&j, "speedup_x86", TERN_VERDICT_REPRODUCED, "");
  expect(&j, "energy_x86", TERN_VERDICT_NOT_REPRODUCED, "");
  expect(&j, "speedup_up_to", TERN_VERDICT_NOT_REPRODUCED, "maximum");
  expect(&j, "memory_2b4t", TERN_VERDICT_NOT_REPRODUCED, "");
  expect(&j, "speedup_low_bit", TERN_VERDICT_NOT_TESTABLE, "not measured in this run");
  const tern_claim *c = claim(&j, "speedup_x86");
  assert_true(c->peers.present && c->ours.present && c->peers.median_low < c->ours.median_low);
  release(&j);
}

static void few_repetitions_give_no_verdict(void **state) {
  (void)state;
  judged j;
  judge(&j, "results-few");
  expect(&j, "speedup_x86", TERN_VERDICT_NONE, "3 of 5 repetitions");
  expect(&j, "latency_2b4t", TERN_VERDICT_NONE, "3 of 5 repetitions");
  expect(&j, "memory_2b4t", TERN_VERDICT_ABOVE, ""); /* a size is exact */
  tern_text t = tern_format_figure(&claim(&j, "speedup_x86")->ours, "x");
  assert_null(strchr(t.text, '['));
  assert_non_null(strstr(t.text, "n=3"));
  release(&j);
}

/* A model that fits into the caches is not put against published figures. */
static void models_below_published_sizes_are_not_judged(void **state) {
  (void)state;
  judged j;
  judge(&j, "results-default");
  json_t *models = json_pack("[{s:s, s:s}]", "name", "2B4T", "shape", "tiny");
  json_object_set_new(j.results.manifest, "models", models);
  tern_claims_judge(&j.claims, &j.results);
  expect(&j, "speedup_x86", TERN_VERDICT_NOT_TESTABLE, "no model of a published size");
  release(&j);
}

/* A claim over several models waits for all of them, and then spans them. */
static void a_claim_over_models_takes_exactly_those(void **state) {
  (void)state;
  static const char *const others[] = {"LLaMA-3.2-1B", "Gemma-3-1B", "Qwen2.5-1.5B", "SmolLM2-1.7B", "MiniCPM-2B"};
  enum { OTHERS = sizeof others / sizeof *others };
  judged j;
  judge(&j, "results-default");
  expect(&j, "memory_others", TERN_VERDICT_NOT_TESTABLE, "LLaMA-3.2-1B was not measured in this run");
  tern_summary_row *rows = calloc(OTHERS + 1, sizeof *rows), base = {.workload = "", .unit = "bytes", .how = ""};
  assert_non_null(rows);
  base.metric = "body_memory";
  base.engine = "f16";
  base.placement = base.note = "";
  base.n = 1;
  base.low = base.high = base.coverage = NAN;
  for (int i = 0; i <= OTHERS; i++) {
    rows[i] = base;
    rows[i].model = i < OTHERS ? others[i] : "2B4T"; /* which is none of them */
    rows[i].median = i < OTHERS ? (1.5 + i) * 1e9 : 9e9;
  }
  free(j.results.summary);
  j.results.summary = rows;
  j.results.summary_count = OTHERS - 1;
  tern_claims_judge(&j.claims, &j.results);
  expect(&j, "memory_others", TERN_VERDICT_NOT_TESTABLE, "MiniCPM-2B was not measured in this run");
  j.results.summary_count = OTHERS + 1;
  tern_claims_judge(&j.claims, &j.results);
  const tern_claim *c = claim(&j, "memory_others");
  assert_true(c->ours.present && c->ours.models == OTHERS);
  assert_true(c->ours.median_low == 1.5 && c->ours.median_high == 5.5);
  release(&j);
}

/* Nothing in claims.csv asks for a need that the program does not know. */
static void every_need_is_known(void **state) {
  (void)state;
  static const char *const folders[] = {"results-default", "results-peers"};
  for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
    judged j;
    judge(&j, folders[f]);
    for (int i = 0; i < j.claims.count; i++) {
      if (strstr(j.claims.items[i].reason, "unknown need")) fail_msg("%s", j.claims.items[i].reason);
      if (j.claims.items[i].verdict == TERN_VERDICT_NOT_TESTABLE && !*j.claims.items[i].reason)
        fail_msg("%s: no reason", j.claims.items[i].id);
    }
    release(&j);
  }
}

static void numbers_keep_three_digits(void **state) {
  (void)state;
  static const struct {
    double value;
    const char *text;
  } numbers[] = {{0.02764, "0.0276"}, {3.714, "3.71"}, {9.996, "10.0"}, {36.44, "36.4"}, {99.96, "100"},
                 {412.3, "412"},      {0, "0"},        {-2.5, "-2.50"}, {NAN, ""},       {1234567, "1234567"}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    assert_string_equal(tern_format_number(numbers[i].value).text, numbers[i].text);
  assert_string_equal(tern_format_bytes(521011200).text, "521 MB");
  assert_string_equal(tern_format_bytes(999.6e6).text, "1.00 GB");
  assert_string_equal(tern_format_printed("", "6.25", "x", "-").text, "up to 6.25 x");
  assert_string_equal(tern_format_printed("1.37", "5.07", "x", "-").text, "1.37-5.07 x");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(verdict_follows_the_rule),
      cmocka_unit_test(ours_alone_never_reproduces),
      cmocka_unit_test(engines_match_by_whole_parts),
      cmocka_unit_test(run_without_peers_is_judged_by_ours),
      cmocka_unit_test(run_with_peers_is_judged_by_them),
      cmocka_unit_test(few_repetitions_give_no_verdict),
      cmocka_unit_test(every_need_is_known),
      cmocka_unit_test(models_below_published_sizes_are_not_judged),
      cmocka_unit_test(a_claim_over_models_takes_exactly_those),
      cmocka_unit_test(numbers_keep_three_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
