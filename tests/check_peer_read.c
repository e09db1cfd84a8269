/* What peers print: the asked figure is found in every format and among
 * noise, and nothing else is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/peer_read.h"

static const tern_peer_request decode = {.gen = 64, .threads = 2}, prefill = {.prompt = 512, .threads = 2},
                               deep = {.gen = 64, .depth = 256, .threads = 2};

static void assert_told(const char *out, const char *err, const tern_peer_request *ask, double seconds,
                        const char *reader) {
  tern_peer_told told;
  tern_error e = {0};
  if (tern_peer_read("x", out, err, ask, &told, &e) != 0) fail_msg("%s\n%s", e.text, out);
  assert_float_equal(told.seconds, seconds, 1e-9);
  assert_string_equal(told.reader, reader);
}

static void assert_not_told(const char *out, const char *err, const tern_peer_request *ask, const char *part) {
  tern_peer_told told;
  tern_error e = {0};
  assert_int_equal(tern_peer_read("x", out, err, ask, &told, &e), TERN_FAILED);
  if (!strstr(e.text, part)) fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

#define ROW_PP "{\"n_prompt\": 512, \"n_gen\": 0, \"n_threads\": 2, \"avg_ns\": 4000000000, \"avg_ts\": 128.0}"
#define ROW_TG "{\"n_prompt\": 0, \"n_gen\": 64, \"n_threads\": 2, \"avg_ts\": 32.0}"
#define ROW_DEEP "{\"n_prompt\": 0, \"n_gen\": 64, \"n_depth\": 256, \"avg_ts\": 16.0, \"new_key\": [{}]}"

static void the_row_that_was_asked_for_is_taken(void **state) {
  (void)state;
  const char *out = "[\n  " ROW_PP ",\n  " ROW_TG ",\n  " ROW_DEEP "\n]\n";
  assert_told(out, "", &prefill, 4, "JSON");
  assert_told(out, "", &decode, 2, "JSON");
  assert_told(out, "", &deep, 4, "JSON");
}

static void json_is_found_among_warnings(void **state) {
  (void)state;
  assert_told("WARNING: [x] {y}\n[warn] not json\n{neither\n[1, 2] numbers\n[\n" ROW_TG "\n]\nlater: [bye]\n", "",
              &decode, 2, "JSON");
  assert_told("", "noise\n" ROW_TG "\n", &decode, 2, "JSON");
}

static void json_lines_are_rows(void **state) {
  (void)state;
  assert_told(ROW_PP "\n" ROW_TG "\n", "", &decode, 2, "JSON");
}

static void rows_of_ternmark_bench_are_read(void **state) {
  (void)state;
  const char *row = "[{\"engine\": \"ternary\", \"n_prompt\": 0, \"n_gen\": 64, \"n_depth\": 0, \"threads\": 2,"
                    " \"tokens_per_s\": 32.0}]";
  const tern_peer_request one = {.gen = 64, .threads = 1};
  assert_told(row, "", &decode, 2, "JSON");
  assert_not_told(row, "", &one, "it ran with 2");
}

static void samples_are_averaged_and_counted(void **state) {
  (void)state;
  tern_peer_told told;
  tern_error e = {0};
  const char *out = "[{\"n_prompt\": 0, \"n_gen\": 64, \"build_commit\": \"d775b89\", \"build_number\": 10573,"
                    "\"avg_ts\": 1, \"samples_ns\": [1000000000, 3000000000], \"samples_ts\": [64, 21.3]}]";
  assert_int_equal(tern_peer_read("x", out, "", &decode, &told, &e), 0);
  assert_float_equal(told.seconds, 2, 1e-12);
  assert_int_equal(told.repeats, 2);
  assert_string_equal(told.version, "d775b89 (10573)");
  assert_told("[{\"n_gen\": 64, \"samples_ts\": [64, 16]}]", "", &decode, 2.5, "JSON");
}

static void csv_is_read_between_other_lines(void **state) {
  (void)state;
  const char *out = "a warning, with a comma\n"
                    "build_commit,model_type,n_threads,n_prompt,n_gen,avg_ns,avg_ts\n"
                    "\"abc\",\"a \"\"quoted\"\", type\",\"2\",\"512\",\"0\",\"4000000000\",\"128.0\"\n"
                    "a warning between\n"
                    "\"abc\",\"x\",\"2\",\"0\",\"64\",\"2000000000\",\"32.0\"\n";
  assert_told(out, "", &prefill, 4, "CSV");
  assert_told(out, "", &decode, 2, "CSV");
}

static void a_table_is_read(void **state) {
  (void)state;
  const char *out = "| model      |   size | params | backend | threads |          test |              t/s |\n"
                    "| ---------- | -----: | -----: | ------- | ------: | ------------: | ---------------: |\n"
                    "| bitnet 2B  | 1.1 GB |    2 B | CPU     |       2 |         pp512 |    128.00 \xc2\xb1 0.10 |\n"
                    "| bitnet 2B  | 1.1 GB |    2 B | CPU     |       2 |          tg64 |     32.00 \xc2\xb1 0.10 |\n"
                    "| bitnet 2B  | 1.1 GB |    2 B | CPU     |       2 |   tg64 @ d256 |     16.00 \xc2\xb1 0.10 |\n"
                    "\nbuild: d775b89 (10573)\n";
  assert_told(out, "", &prefill, 4, "table");
  assert_told(out, "", &decode, 2, "table");
  assert_told(out, "", &deep, 4, "table");
}

static void timings_of_a_command_line_are_read(void **state) {
  (void)state;
  const char *err =
      "llama_perf_sampler_print:    sampling time =       5.00 ms /    70 runs   (    0.07 ms per token)\n"
      "llama_perf_context_print:        load time =     500.00 ms\n"
      "llama_perf_context_print: prompt eval time =    4000.00 ms /   512 tokens (    7.81 ms per token)\n"
      "llama_perf_context_print:        eval time =    1968.75 ms /    63 runs   (   31.25 ms per token)\n"
      "llama_perf_context_print:       total time =    6000.00 ms /   575 tokens\n";
  assert_told("some text\n", err, &prefill, 4, "timings");
  assert_told("some text\n", err, &decode, 2, "timings"); /* 63 steps give 64 tokens */
  const tern_peer_request other = {.gen = 32, .threads = 2}, more = {.prompt = 500, .threads = 2};
  assert_not_told("", err, &other, "asked for 32 new tokens, it told of 63");
  assert_not_told("", err, &more, "asked for 500 prompt tokens, it told of 512");
  assert_not_told("", err, &deep, "depth");
  assert_not_told("", "eval time = 0.00 ms / 64 runs ( 0.00 ms per token, inf tokens per second)\n", &decode,
                  "that is no time");
}

static void what_was_not_asked_is_no_answer(void **state) {
  (void)state;
  const tern_peer_request fewer = {.gen = 63, .threads = 2}, one = {.gen = 64, .threads = 1};
  assert_not_told("[" ROW_TG "]", "", &fewer, "gen 63, depth 0; it told of prompt 0, gen 64, depth 0");
  assert_not_told("[" ROW_TG "]", "", &deep, "asked for prompt 0, gen 64, depth 256");
  assert_not_told("[" ROW_TG "]", "", &one, "asked for 1 threads, it ran with 2");
  assert_not_told("[" ROW_TG "," ROW_TG "]", "", &decode, "twice");
  assert_not_told("[{\"n_prompt\": 512, \"n_gen\": 64, \"avg_ts\": 9}]", "", &decode, "told of prompt 512, gen 64");
}

static void what_is_no_time_is_refused(void **state) {
  (void)state;
  static const char *const values[] = {"\"avg_ts\": 0",       "\"avg_ts\": -3",          "\"avg_ts\": \"nan\"",
                                       "\"avg_ts\": \"inf\"", "\"avg_ts\": \"fast\"",    "\"avg_ns\": 0",
                                       "\"stddev_ts\": 1",    "\"samples_ns\": [1, -5]", "\"samples_ns\": [null]"};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char out[128];
    snprintf(out, sizeof out, "[{\"n_gen\": 64, %s}]", values[i]);
    assert_not_told(out, "", &decode, "that is no time");
  }
}

static void garbage_is_one_clear_line(void **state) {
  (void)state;
  assert_not_told("", "", &decode, "no speed that can be read");
  assert_not_told("\x01\xff\xfe[[[[{{{{\"", "\xff", &decode, "no speed that can be read");
  assert_not_told("[" ROW_TG, "", &decode, "no speed that can be read");
  assert_not_told("n_prompt,n_gen,avg_ts\n0,\"64,3", "", &decode, "no speed that can be read");
  assert_not_told("| test | t/s |\n| tg | 5 |\n| pg64 | 3 |\n|\n||||", "", &decode, "no speed that can be read");
  /* Brackets without end, at every line. */
  size_t size = 1 << 20;
  char *deep_text = malloc(size + 1);
  assert_non_null(deep_text);
  for (size_t i = 0; i < size; i++) deep_text[i] = i % 2 ? '\n' : '[';
  deep_text[size] = '\0';
  assert_not_told(deep_text, "", &decode, "no speed that can be read");
  free(deep_text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_row_that_was_asked_for_is_taken),
      cmocka_unit_test(json_is_found_among_warnings),
      cmocka_unit_test(json_lines_are_rows),
      cmocka_unit_test(rows_of_ternmark_bench_are_read),
      cmocka_unit_test(samples_are_averaged_and_counted),
      cmocka_unit_test(csv_is_read_between_other_lines),
      cmocka_unit_test(a_table_is_read),
      cmocka_unit_test(timings_of_a_command_line_are_read),
      cmocka_unit_test(what_was_not_asked_is_no_answer),
      cmocka_unit_test(what_is_no_time_is_refused),
      cmocka_unit_test(garbage_is_one_clear_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
