/* summary.csv from samples written here with known answers. */
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

static void put(const char *engine, const char *workload, const char *phase, int block, double seconds, double joules) {
  tern_error e = {0};
  tern_sample s;
  tern_sample_clear(&s);
  s.sample = next++;
  s.block = block;
  snprintf(s.engine, sizeof s.engine, "%s", engine);
  snprintf(s.model, sizeof s.model, "2B4T");
  snprintf(s.workload, sizeof s.workload, "%s", workload);
  snprintf(s.phase, sizeof s.phase, "%s", phase);
  s.threads = 1;
  s.tokens = 100;
  s.seconds = seconds;
  s.read_gbs = 10;
  s.bytes_per_token = 20000000;
  s.peak_rss_bytes = 1000 + block;
  s.joules = joules;
  snprintf(s.joules_how, sizeof s.joules_how, "%s", isnan(joules) ? "unavailable" : "measured");
  snprintf(s.joules_scope, sizeof s.joules_scope, "%s", isnan(joules) ? "" : "package");
  snprintf(s.joules_why, sizeof s.joules_why, "%s", isnan(joules) ? "no source, here" : "");
  if (block < 0) snprintf(s.mark, sizeof s.mark, "warmup");
  assert_int_equal(tern_samples_append(out, &s, &e), 0);
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

static void medians_leave_the_warm_up_out(void **state) {
  (void)state;
  put("ternary", "decode-128", "decode", -1, 1000, NAN);
  for (int b = 0; b < BLOCKS; b++)
    put("ternary", "decode-128", "decode", b, 1 + b, NAN); /* 100, 50, 33.3, 25, 20 tokens/s */
  char *text = summarise();
  has(text, "\"speed\",\"ternary\",\"2B4T\",\"decode-128\",1,5,33.3333333,20,100,0.9375,\"tokens/s\",\"measured\",");
  has(text, "\"latency\",\"ternary\",\"2B4T\",\"decode-128\",1,5,30,10,50,0.9375,\"ms/token\",\"measured\",");
  has(text, "\"read_bandwidth\",\"machine\",,,1,5,10,10,10,0.9375,\"GB/s\",\"measured\",");
  free(text);
}

/* Sizes count in the warm-up too: peak memory is reached there. */
static void peaks_are_maxima(void **state) {
  (void)state;
  put("ternary", "decode-128", "decode", -1, 1, NAN);
  put("ternary", "decode-128", "decode", 0, 1, NAN);
  char *text = summarise();
  has(text, "\"peak_rss\",\"ternary\",\"2B4T\",,,2,1000,,,,\"bytes\",\"measured\",");
  free(text);
}

static void ratios_are_taken_within_a_block(void **state) {
  (void)state;
  /* The machine slows down fivefold: every block's ratio is 2, 3, 4 or 9, while
   * the ratio of the medians would be 9. The estimate is the middle of the
   * pairs' geometric means: sqrt(3 * 4). */
  static const double ours[BLOCKS] = {1, 1, 1, 3, 9}, ratio[BLOCKS] = {2, 3, 9, 3, 4};
  for (int b = 0; b < BLOCKS; b++) {
    put("ternary", "prefill-512", "prefill", b, ours[b], NAN);
    put("f16", "prefill-512", "prefill", b, ours[b] * ratio[b], NAN);
  }
  char *text = summarise();
  has(text, "\"speedup\",\"ternary/f16\",\"2B4T\",\"prefill-512\",1,5,3.46410162,2,9,0.9375,\"x\",");
  assert_null(strstr(text, "\"latency\"")); /* a prefill has none */
  free(text);
}

static void a_block_without_its_pair_gives_no_ratio(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++) put("ternary", "decode-128", "decode", b, 1, NAN);
  for (int b = 0; b < 3; b++) put("int8", "decode-128", "decode", b, 2, NAN);
  char *text = summarise();
  has(text, "\"speedup\",\"ternary/int8\",\"2B4T\",\"decode-128\",1,3,2,,,,\"x\",");
  free(text);
}

static void energy_is_measured_or_says_why_not(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++) {
    put("ternary", "decode-128", "decode", b, 1, 20);
    put("f16", "decode-128", "decode", b, 1, 80);
    put("int8", "decode-128", "decode", b, 1, NAN);
  }
  char *text = summarise();
  has(text,
      "\"energy\",\"ternary\",\"2B4T\",\"decode-128\",1,5,0.2,0.2,0.2,0.9375,\"J/token\",\"measured\",\"package\"");
  has(text, "\"energy\",\"int8\",\"2B4T\",\"decode-128\",1,0,,,,,\"J/token\",\"unavailable\",\"no source, here\"");
  has(text, "\"energy_saving\",\"ternary/f16\",\"2B4T\",\"decode-128\",1,5,75,75,75,0.9375,\"%\"");
  assert_null(strstr(text, "\"energy_saving\",\"ternary/int8\""));
  free(text);
}

/* 20 MB a token, 100 tokens/s, 10 GB/s: a fifth. */
static void bandwidth_share_is_bytes_times_speed(void **state) {
  (void)state;
  for (int b = 0; b < BLOCKS; b++) put("ternary", "decode-128", "decode", b, 1, NAN);
  char *text = summarise();
  has(text, "\"bandwidth_share\",\"ternary\",\"2B4T\",\"decode-128\",1,5,0.2,0.2,0.2,0.9375,\"1\",\"measured\",");
  free(text);
}

static void other_folders_are_refused_with_the_reason(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples_close(out, &e);
  scratch_file(dir, "manifest.json", "{\"schema\": 99}\n");
  assert_int_equal(tern_summary_write(dir, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "newer"));
  scratch_file(dir, "manifest.json", "{}\n");
  assert_int_equal(tern_summary_write(dir, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "is this a result folder?"));
  scratch_file(dir, "manifest.json", "{\"schema\"");
  assert_int_equal(tern_summary_write(dir, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "manifest.json: line 1"));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      TEST(medians_leave_the_warm_up_out),
      TEST(peaks_are_maxima),
      TEST(ratios_are_taken_within_a_block),
      TEST(a_block_without_its_pair_gives_no_ratio),
      TEST(energy_is_measured_or_says_why_not),
      TEST(bandwidth_share_is_bytes_times_speed),
      TEST(other_folders_are_refused_with_the_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
