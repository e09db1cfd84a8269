/* summary.csv of runs with several contenders, placements and attempts: which
 * samples stand, which ratios are taken, and figures derived from them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/sample.h"
#include "harness/summary.h"
#include "tests/scratch.h"

enum { BLOCKS = 5 };

static char dir[256];
static tern_samples *out;
static int64_t next;

static int setup(void **state) {
  (void)state;
  tern_error e = {0};
  char path[300];
  next = 0;
  scratch_make(dir, sizeof dir);
  scratch_file(dir, "manifest.json", "{\"schema\": 1}\n");
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  return tern_samples_create(&out, path, &e);
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

/* A decode of 100 tokens in a second on one thread. */
static tern_sample sample(const char *engine, int block) {
  tern_sample s;
  tern_sample_clear(&s);
  s.sample = next++;
  s.block = block;
  s.attempt = 0;
  snprintf(s.engine, sizeof s.engine, "%s", engine);
  snprintf(s.model, sizeof s.model, "2B4T");
  snprintf(s.workload, sizeof s.workload, "decode-100");
  snprintf(s.phase, sizeof s.phase, "decode");
  snprintf(s.kernel, sizeof s.kernel, "t2_avx2");
  snprintf(s.placement, sizeof s.placement, "cores");
  s.threads = 2;
  s.tokens = 100;
  s.seconds = 1;
  return s;
}

static void put(const tern_sample *s) {
  tern_error e = {0};
  assert_int_equal(tern_samples_append(out, s, &e), 0);
}

/* One contender in every block, each token in so many seconds. */
static void contender(const char *name, double token_s) {
  for (int b = 0; b < BLOCKS; b++) {
    tern_sample s = sample(name, b);
    s.seconds = 100 * token_s;
    put(&s);
  }
}

static char *summarise(void) {
  tern_error e = {0};
  assert_int_equal(tern_samples_close(out, &e), 0);
  if (tern_summary_write(dir, &e)) fail_msg("%s", e.text);
  return scratch_read(dir, "summary.csv");
}

static void has(const char *text, const char *row) {
  if (!strstr(text, row)) fail_msg("no row %s in\n%s", row, text);
}
static void lacks(const char *text, const char *row) {
  if (strstr(text, row)) fail_msg("row %s in\n%s", row, text);
}

static void only_the_last_attempt_of_a_block_counts(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++)
    for (int attempt = 0; attempt < (b == 2 ? 3 : 1); attempt++) {
      tern_sample s = sample("ternary", b), o = sample("f16", b);
      s.attempt = o.attempt = attempt;
      s.seconds = b == 2 && attempt < 2 ? 50 : 1; /* disturbed, taken again, and again */
      o.seconds = b == 2 && attempt < 2 ? 1 : 4;
      put(&s);
      put(&o);
    }
  char *text = summarise();
  has(text, "\"speed\",\"ternary\",\"2B4T\",\"decode-100\",2,5,100,100,100,0.9375,");
  has(text, "\"speedup\",\"ternary/f16\",\"2B4T\",\"decode-100\",2,5,4,4,4,0.9375,");
  free(text);
}

/* Each model has blocks of its own. */
static void attempts_of_one_model_leave_others_alone(void **state) {
  (void)state;
  tern_sample s = sample("ternary", 0), other = sample("ternary", 0);
  other.attempt = 1;
  snprintf(other.model, sizeof other.model, "700M");
  put(&s);
  put(&other);
  char *text = summarise();
  has(text, "\"speed\",\"ternary\",\"2B4T\",\"decode-100\",2,1,100,");
  has(text, "\"speed\",\"ternary\",\"700M\",\"decode-100\",2,1,100,");
  free(text);
}

static void samples_of_older_programs_have_one_attempt(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++) {
    tern_sample s = sample("ternary", b);
    s.attempt = TERN_NO_COUNT;
    s.placement[0] = '\0';
    put(&s);
  }
  char *text = summarise();
  has(text, "\"speed\",\"ternary\",\"2B4T\",\"decode-100\",2,5,100,");
  lacks(text, "disturbed_share"); /* nobody looked */
  free(text);
}

static void ratios_are_of_every_pair_that_is_asked_about(void **state) {
  (void)state;
  static const struct {
    const char *pair, *ratio;
  } wanted[] = {
      {"ternary/ternary:t5", "2"},
      {"ternary/f16", "4"},
      {"ternary/peer:bitnet.cpp:i2_s", "3"},
      {"ternary/peer:llama.cpp:f16", "6"},
      {"ternary:t5/f16", "2"},
      {"f16/peer:llama.cpp:f16", "1.5"},
      {"peer:bitnet.cpp:i2_s/peer:llama.cpp:f16", "2"},
      {"peer:llama.cpp:f16/peer:bitnet.cpp:i2_s", "0.5"},
  };
  static const char *const unwanted[] = {"f16/ternary", "f16/int8", "peer:llama.cpp:f16/f16", "ternary:t5/ternary\"",
                                         "ternary/ternary\""};
  contender("peer:llama.cpp:f16", 0.06);
  contender("peer:bitnet.cpp:i2_s", 0.03);
  contender("f16", 0.04);
  contender("int8", 0.02);
  contender("ternary:t5", 0.02);
  contender("ternary", 0.01);
  char *text = summarise();
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    char row[200];
    snprintf(row, sizeof row, "\"speedup\",\"%s\",\"2B4T\",\"decode-100\",2,5,%s,%s,%s,0.9375,\"x\"", wanted[i].pair,
             wanted[i].ratio, wanted[i].ratio, wanted[i].ratio);
    has(text, row);
  }
  for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted; i++) {
    char row[200];
    snprintf(row, sizeof row, "\"speedup\",\"%s", unwanted[i]);
    lacks(text, row);
  }
  free(text);
}

static void null_pairs_of_any_engine_have_a_ratio(void **state) {
  (void)state;
  contender("f16", 0.02);
  contender("f16:again", 0.02);
  char *text = summarise();
  has(text, "\"speedup\",\"f16/f16:again\",\"2B4T\",\"decode-100\",2,5,1,1,1,");
  free(text);
}

static void every_contender_is_held_against_the_reference(void **state) {
  (void)state;
  scratch_file(dir, "manifest.json", "{\"schema\": 1, \"reference\": \"f16\"}\n");
  contender("int8", 0.02);
  contender("f16", 0.01);
  char *text = summarise();
  has(text, "\"speedup\",\"f16/int8\",\"2B4T\",\"decode-100\",2,5,2,2,2,");
  free(text);
}

/* The same contenders, teams and workloads, bound otherwise. */
static void placements_are_cells_of_their_own(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++)
    for (int spread = 0; spread < 2; spread++) {
      tern_sample s = sample("ternary", b), o = sample("f16", b);
      s.seconds = spread ? 2 : 1;
      o.seconds = spread ? 3 : 4;
      s.read_gbs = o.read_gbs = spread ? 20 : 10;
      if (spread) {
        snprintf(s.placement, sizeof s.placement, "spread");
        memcpy(o.placement, s.placement, sizeof o.placement);
      }
      put(&s);
      put(&o);
    }
  char *text = summarise();
  has(text, ",unit,how,note,placement\n");
  has(text, "\"speed\",\"ternary\",\"2B4T\",\"decode-100\",2,5,100,100,100,0.9375,\"tokens/s\",\"measured\",,\n");
  has(text,
      "\"speed\",\"ternary\",\"2B4T\",\"decode-100\",2,5,50,50,50,0.9375,\"tokens/s\",\"measured\",,\"spread\"\n");
  has(text, "\"speedup\",\"ternary/f16\",\"2B4T\",\"decode-100\",2,5,4,4,4,");
  has(text, "\"speedup\",\"ternary/f16\",\"2B4T\",\"decode-100\",2,5,1.5,1.5,1.5,");
  /* Nothing of one placement is set against the other. */
  int pairs = 0;
  for (const char *at = text; (at = strstr(at, "\"speedup\"")); at++) pairs++;
  assert_int_equal(pairs, 2);
  has(text, "\"read_bandwidth\",\"machine\",,,2,5,10,10,10,0.9375,\"GB/s\",\"measured\",,\n");
  has(text, "\"read_bandwidth\",\"machine\",,,2,5,20,20,20,0.9375,\"GB/s\",\"measured\",,\"spread\"\n");
  free(text);
}

static void latencies_of_tokens_are_in_milliseconds(void **state) {
  (void)state;
  tern_sample s = sample("ternary", 0), first = sample("ternary", 0);
  s.token_p50_s = 0.010;
  s.token_p90_s = 0.012;
  s.token_p99_s = 0.020;
  snprintf(first.workload, sizeof first.workload, "prefill-512");
  snprintf(first.phase, sizeof first.phase, "prefill");
  first.ttft_s = 1.5;
  put(&s);
  put(&first);
  char *text = summarise();
  has(text, "\"ttft\",\"ternary\",\"2B4T\",\"prefill-512\",2,1,1500,,,,\"ms\",\"measured\"");
  has(text, "\"token_p50\",\"ternary\",\"2B4T\",\"decode-100\",2,1,10,,,,\"ms\"");
  has(text, "\"token_p90\",\"ternary\",\"2B4T\",\"decode-100\",2,1,12,");
  has(text, "\"token_p99\",\"ternary\",\"2B4T\",\"decode-100\",2,1,20,");
  lacks(text, "\"ttft\",\"ternary\",\"2B4T\",\"decode-100\"");
  free(text);
}

static void energy_has_net_delay_and_co2(void **state) {
  (void)state;
  scratch_file(dir, "manifest.json", "{\"schema\": 1, \"grid_co2_g_per_kwh\": 360}\n");
  tern_sample s = sample("ternary", 0), o = sample("f16", 0);
  s.joules = 50;
  s.joules_net = 20;
  snprintf(s.joules_how, sizeof s.joules_how, "measured");
  snprintf(s.joules_scope, sizeof s.joules_scope, "package");
  o.joules = 100;
  snprintf(o.joules_how, sizeof o.joules_how, "modelled");
  snprintf(o.joules_scope, sizeof o.joules_scope, "package");
  snprintf(o.joules_note, sizeof o.joules_note, "idle moved");
  put(&s);
  put(&o);
  char *text = summarise();
  has(text, "\"energy\",\"ternary\",\"2B4T\",\"decode-100\",2,1,0.5,,,,\"J/token\",\"measured\",\"package\"");
  has(text, "\"energy_net\",\"ternary\",\"2B4T\",\"decode-100\",2,1,0.2,,,,\"J/token\",\"measured\",\"package\"");
  has(text, "\"energy_delay\",\"ternary\",\"2B4T\",\"decode-100\",2,1,0.005,,,,\"J*s/token\",\"measured\",\"package\"");
  has(text, "\"co2\",\"ternary\",\"2B4T\",\"decode-100\",2,1,0.05,,,,\"mg/token\",\"measured\"");
  /* A constant's joules stay modelled, and are not set against read ones. */
  has(text, "\"energy\",\"f16\",\"2B4T\",\"decode-100\",2,1,1,,,,\"J/token\",\"modelled\"");
  has(text, "\"energy_net\",\"f16\",\"2B4T\",\"decode-100\",2,0,,,,,\"J/token\",\"unavailable\",\"idle moved\"");
  lacks(text, "energy_saving");
  free(text);
}

static void no_co2_without_a_given_factor(void **state) {
  (void)state;
  tern_sample s = sample("ternary", 0);
  s.joules = 50;
  snprintf(s.joules_how, sizeof s.joules_how, "measured");
  put(&s);
  char *text = summarise();
  lacks(text, "\"co2\"");
  free(text);
}

/* 1 G weights at 100 tokens/s are 200 GOPS. 0.5 GB a token: 4 operations a
 * byte; at 100 GB/s the roof is 400 GOPS, below two cores of 300. */
static void derived_figures_follow_from_sizes_and_limits(void **state) {
  (void)state;
  scratch_file(dir, "manifest.json",
               "{\"schema\": 1, \"engines\": [{\"engine\": \"ternary\", \"model\": \"2B4T\", \"body_weights\": "
               "1000000000}], \"limits\": {\"gops\": {\"t2_avx2\": 300}, \"read_gbs\": 100}}\n");
  for (int b = 0; b < 2; b++) {
    tern_sample s = sample("ternary", b);
    s.bytes_per_token = 500000000;
    s.counters[TERN_TASK_CLOCK] = 1900000000;
    s.counters[TERN_INSTRUCTIONS] = b ? 8000 : TERN_NO_COUNT; /* passes count different events */
    s.counters[TERN_CYCLES] = b ? 4000 : TERN_NO_COUNT;
    put(&s);
  }
  char *text = summarise();
  has(text, "\"ipc\",\"ternary\",\"2B4T\",\"decode-100\",2,1,2,,,,\"1\",\"measured\"");
  has(text, "\"instructions\",\"ternary\",\"2B4T\",\"decode-100\",2,1,80,");
  has(text, "\"task_clock\",\"ternary\",\"2B4T\",\"decode-100\",2,2,19,,,,\"ms/token\"");
  has(text, "\"gops\",\"ternary\",\"2B4T\",\"decode-100\",2,2,200,,,,\"1e9/s\",\"computed\"");
  has(text, "\"bytes_a_token\",\"ternary\",\"2B4T\",\"decode-100\",2,2,500000000,,,,\"bytes\",\"modelled\"");
  has(text, "\"intensity\",\"ternary\",\"2B4T\",\"decode-100\",2,2,4,,,,\"1/byte\",\"modelled\"");
  has(text, "\"roofline\",\"ternary\",\"2B4T\",\"decode-100\",2,2,0.5,,,,\"1\",\"modelled\"");
  lacks(text, "cache_misses");
  free(text);
}

static void disturbed_samples_are_a_share_of_those_that_stand(void **state) {
  (void)state;
  for (int b = 0; b < 4; b++)
    for (int attempt = 0; attempt < (b == 0 ? 2 : 1); attempt++) {
      tern_sample s = sample("ternary", b);
      s.attempt = attempt;
      if (b == 3 || (b == 0 && attempt == 0)) snprintf(s.disturbed, sizeof s.disturbed, "steal+waiting");
      put(&s);
    }
  char *text = summarise();
  has(text,
      "\"disturbed_share\",\"ternary\",\"2B4T\",\"decode-100\",2,4,0.25,,,,\"1\",\"measured\",\"1 of 4 samples that "
      "stand\"");
  free(text);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(only_the_last_attempt_of_a_block_counts),
      TEST(attempts_of_one_model_leave_others_alone),
      TEST(samples_of_older_programs_have_one_attempt),
      TEST(ratios_are_of_every_pair_that_is_asked_about),
      TEST(null_pairs_of_any_engine_have_a_ratio),
      TEST(every_contender_is_held_against_the_reference),
      TEST(placements_are_cells_of_their_own),
      TEST(latencies_of_tokens_are_in_milliseconds),
      TEST(energy_has_net_delay_and_co2),
      TEST(no_co2_without_a_given_factor),
      TEST(derived_figures_follow_from_sizes_and_limits),
      TEST(disturbed_samples_are_a_share_of_those_that_stand),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
