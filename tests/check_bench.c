/* ternmark bench as a user meets it, on a tiny model: engines and outside
 * programs in the same blocks, the stopping rule, the harness's own checks,
 * formats, bad input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/program.h"

/* An engine that says it took so long, whatever is asked. */
static void fake_engine(const char *name, const char *nanoseconds) {
  char text[1024], path[400];
  snprintf(text, sizeof text,
           "#!/bin/sh\n"
           "[ \"$1\" = --version ] && { echo version 7; exit 0; }\n"
           "cat <<END\n"
           "[{\"n_threads\": $4, \"n_prompt\": $2, \"n_gen\": $3, \"n_depth\": 0, \"avg_ns\": %s, \"avg_ts\": 1.0,"
           " \"samples_ns\": [%s], \"samples_ts\": [1.0]}]\n"
           "END\n",
           nanoseconds, nanoseconds);
  scratch_file(program_dir, name, text);
  snprintf(path, sizeof path, "%s/%s", program_dir, name);
  assert_int_equal(chmod(path, 0755), 0);
}

/* Rows of samples.csv that hold all these words. */
static int rows_with(const char *file, const char *const *words) {
  char *text = scratch_read(program_dir, file), *rest = text;
  int n = 0;
  for (char *row; text && (row = strsep(&rest, "\n"));) {
    bool all = row[0] != '\0';
    for (int i = 0; words[i]; i++) all = all && strstr(row, words[i]) != NULL;
    n += all;
  }
  free(text);
  return n;
}

static void outside_programs_run_in_the_same_blocks(void **state) {
  (void)state;
  fake_engine("fake.sh", "1000000");
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "ternary,int8", "-p", "32", "-n", "8", "-d", "0,16",
                         "-t", "1", "--blocks", "5", "--cache", "cache", "--out", "run", "--peer",
                         "fake=./fake.sh {model} {prompt} {gen} {threads}"));
  assert_true(rows_with("run/samples.csv", ARGS("\"peer:fake\"", "\"decode-8\"", "\"cores\"")) >= 5 + 1);
  assert_int_equal(rows_with("run/samples.csv", ARGS("\"peer:fake\"", "@16")), 0);
  json_t *m = program_json("run/manifest.json");
  json_t *peer = json_array_get(json_object_get(m, "peers"), 0);
  assert_int_equal(strlen(json_string_value(json_object_get(peer, "sha256"))), 64);
  assert_non_null(strstr(json_string_value(json_object_get(peer, "reader")), "JSON"));
  assert_int_equal(json_array_size(json_object_get(m, "skipped")), 2); /* each workload with a depth */
  json_decref(m);
  program_says("run/manifest.json", "which decode-8@16 needs");
  program_says("out", "peer:fake");
  program_says("run/summary.csv", "\"speed\",\"peer:fake\",\"tiny\",\"decode-8\",1,5,8000,");
}

static void a_calm_ratio_ends_the_run_early(void **state) {
  (void)state;
  fake_engine("one.sh", "1000000");
  fake_engine("two.sh", "1500000");
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "none", "-p", "32", "-n", "0", "-t", "1",
                         "--precision", "1", "--blocks", "30", "--cache", "cache", "--out", "run", "--peer",
                         "one=./one.sh {model} {prompt} {gen} {threads}", "--peer",
                         "two=./two.sh {model} {prompt} {gen} {threads}"));
  json_t *m = program_json("run/manifest.json");
  const json_t *stopped = json_array_get(json_object_get(m, "stopped"), 0);
  assert_string_equal(json_string_value(json_object_get(stopped, "by")), "precision");
  assert_int_equal(json_integer_value(json_object_get(stopped, "blocks")), 8);
  const json_t *cell = json_array_get(json_object_get(stopped, "cells"), 0);
  assert_true(json_number_value(json_object_get(cell, "time_ratio")) > 1.4999);
  assert_true(json_number_value(json_object_get(cell, "time_ratio")) < 1.5001);
  json_decref(m);
}

/* A slowdown far above any noise: were it not injected, or not seen, the
 * check would miss. */
static void an_injected_slowdown_is_found(void **state) {
  (void)state;
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "ternary", "-p", "32", "-n", "0", "-t", "1",
                         "--inject", "400", "--blocks", "9", "--precision", "0", "--cache", "cache", "--out", "run"));
  json_t *m = program_json("run/manifest.json");
  const json_t *check = json_array_get(json_object_get(m, "checks"), 0);
  assert_true(json_number_value(json_object_get(check, "truth")) == 5);
  assert_true(json_number_value(json_object_get(check, "time_ratio")) > 2.5);
  json_decref(m);
  program_says("err", "check: ternary:slow-400");
}

static void figures_come_in_the_form_asked_for(void **state) {
  (void)state;
  const char *const *run = ARGS("bench", "--models", "tiny", "--engines", "ternary", "--layout", "t2,t5", "-p", "16",
                                "-n", "4", "-b", "8", "-t", "1", "--blocks", "1", "--cache", "cache", "--out", "run",
                                "--format", "llama-bench-json", "--meter", "constant:10");
  program_expect(0, run);
  json_t *o = program_json("out");
  assert_int_equal(json_array_size(o), 4);
  json_decref(o);
  assert_true(rows_with("run/samples.csv", ARGS("\"ternary:t5\"", "\"prefill-16/b8\"")) >= 1);
  json_t *m = program_json("run/manifest.json");
  assert_string_equal(json_string_value(json_object_get(m, "reference")), "ternary:t2");
  const json_t *energy = json_array_get(json_object_get(m, "meters"), 0);
  assert_string_equal(json_string_value(json_object_get(energy, "what")), "energy");
  assert_true(json_is_true(json_object_get(energy, "usable"))); /* the constant that was named */
  json_decref(m);
  assert_int_equal(access("run/plan.json", F_OK), -1);
}

static void a_file_of_prompts_is_run_line_by_line(void **state) {
  (void)state;
  scratch_file(program_dir, "prompts.txt", "Once upon a time\n\nthere was a lamp that said no\n");
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "ternary", "--prompts", "prompts.txt", "-n", "4",
                         "-t", "1", "--blocks", "1", "--cache", "cache", "--out", "run"));
  assert_true(rows_with("run/samples.csv", ARGS("\"prompt1-prefill-")) >= 2);
  assert_true(rows_with("run/samples.csv", ARGS("\"prompt2-decode-4\"")) >= 2);
}

static void a_plan_names_what_is_left_out(void **state) {
  (void)state;
  program_expect(0, ARGS("bench", "--models", "tiny", "-t", "1,999", "--dry-run", "--cache", "cache", "--out", "run"));
  program_says("out", "left out: 999 threads, cores");
  program_says("out", "about");
  char path[300];
  snprintf(path, sizeof path, "%s/run", program_dir);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void bad_input_is_one_line_and_its_exit_code(void **state) {
  (void)state;
  scratch_file(program_dir, "empty.txt", "\n\n");
  const struct {
    int code;
    const char *words, *const *args;
  } rows[] = {
      {2, "--format", ARGS("bench", "--format", "xml")},
      {2, "--prompt", ARGS("bench", "-p", "x")},
      {2, "0 stands alone", ARGS("bench", "-p", "0,5")},
      {2, "nothing to measure", ARGS("bench", "-p", "0", "-n", "0")},
      {2, "nothing to measure", ARGS("bench", "--engines", "none")},
      {2, "--layout", ARGS("bench", "--layout", "q8")},
      {2, "--inject", ARGS("bench", "--inject", "0")},
      {2, "twice", ARGS("bench", "-t", "1,1")},
      {2, "--peer", ARGS("bench", "--peer", "nothing")},
      {2, "--precision", ARGS("bench", "--precision", "-1")},
      {2, "with its own lengths", ARGS("bench", "--prompts", "empty.txt", "-p", "5")},
      {2, "bogus", ARGS("bench", "--models", "tiny", "--meter", "bogus:1", "--cache", "cache", "--out", "run")},
      {2, "placement", ARGS("bench", "--models", "tiny", "--placement", "sideways")},
      {1, "no team can run", ARGS("bench", "--models", "tiny", "-t", "999")},
      {1, "no prompt in it",
       ARGS("bench", "--models", "tiny", "--prompts", "empty.txt", "--cache", "cache", "--out", "run")},
      {1, "nowhere", ARGS("bench", "--resume", "nowhere")},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    program_expect(rows[i].code, rows[i].args);
    program_says("err", rows[i].words);
    assert_int_equal(program_count_lines("out"), 0);
  }
  char path[300];
  snprintf(path, sizeof path, "%s/run", program_dir);
  assert_int_not_equal(access(path, F_OK), 0); /* nothing half-written */
}

int main(int argc, char **argv) {
  if (argc != 2 || program_find(argv[1]) != 0) {
    fprintf(stderr, "usage: %s PATH/TO/ternmark\n", argv[0]);
    return 2;
  }
#define TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)
  const struct CMUnitTest tests[] = {
      TEST(outside_programs_run_in_the_same_blocks), TEST(a_calm_ratio_ends_the_run_early),
      TEST(an_injected_slowdown_is_found),           TEST(figures_come_in_the_form_asked_for),
      TEST(a_file_of_prompts_is_run_line_by_line),   TEST(a_plan_names_what_is_left_out),
      TEST(bad_input_is_one_line_and_its_exit_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
