/* The program as a user meets it: a whole run on a tiny model, its folder, its
 * exit codes, an engine that dies, an interrupt, bad input. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/program.h"

enum { MOST_WARM_UPS = 20 };

static void a_run_leaves_a_whole_folder(void **state) {
  (void)state;
  program_expect(0, ARGS("reproduce", "--models", "tiny", "--quick", "--blocks", "5", "--threads", "1", "--cache",
                         "cache", "--out", "run"));
  static const char *const files[] = {"manifest.json", "samples.csv", "summary.csv",
                                      "claims.csv",    "report.md",   "report.html"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    char name[64], *text;
    snprintf(name, sizeof name, "run/%s", files[i]);
    text = scratch_read(program_dir, name);
    if (!text || !text[0]) fail_msg("%s is missing", name);
    free(text);
  }
  assert_true(program_count_lines("run/samples.csv") >= 1 + (5 + 1) * 3 * 3); /* header; blocks, workloads, engines */
  program_says("run/summary.csv", "\"speedup\",\"ternary/f16\",\"tiny\",\"decode-16\",1,5,");
  json_t *m = program_json("run/manifest.json");
  assert_true(json_is_true(json_object_get(m, "finished")));
  assert_int_equal(json_array_size(json_object_get(m, "engines")), 3);
  assert_int_equal(json_array_size(json_object_get(m, "skipped")), 0);
  json_decref(m);
  program_says("out", "ternary/f16");
}

static void the_second_run_reuses_the_model_and_prints_json(void **state) {
  (void)state;
  const char *const *first = ARGS("reproduce", "--models", "tiny", "--quick", "--blocks", "1", "--threads", "1",
                                  "--engines", "ternary", "--cache", "cache", "--json");
  program_expect(0, first);
  program_says("err", "making a tiny model");
  json_t *o = program_json("out");
  assert_true(json_is_object(o));
  json_decref(o);
  sleep(1); /* results/<UTC second> */
  program_expect(0, first);
  char *err = scratch_read(program_dir, "err");
  assert_null(strstr(err, "making a tiny model"));
  free(err);
}

static void a_report_is_remade_elsewhere(void **state) {
  (void)state;
  char from[300], to[300];
  program_expect(0, ARGS("reproduce", "--models", "tiny", "--quick", "--blocks", "2", "--threads", "1", "--cache",
                         "cache", "--out", "run"));
  char *summary = scratch_read(program_dir, "run/summary.csv"), *report = scratch_read(program_dir, "run/report.md");
  assert_int_equal(mkdir(strcat(strcpy(to, program_dir), "/moved"), 0777), 0);
  static const char *const kept[] = {"manifest.json", "samples.csv"};
  for (size_t i = 0; i < 2; i++) {
    snprintf(from, sizeof from, "%s/run/%s", program_dir, kept[i]);
    snprintf(to, sizeof to, "%s/moved/%s", program_dir, kept[i]);
    assert_int_equal(rename(from, to), 0);
  }
  program_expect(0, ARGS("report", "moved"));
  char *again = scratch_read(program_dir, "moved/summary.csv"),
       *report_again = scratch_read(program_dir, "moved/report.md");
  assert_string_equal(again, summary);
  assert_string_equal(report_again, report);
  free(summary);
  free(report);
  free(again);
  free(report_again);
}

/* Absolute paths of the command line and the host name stay out. */
static void a_manifest_names_no_paths(void **state) {
  (void)state;
  char cache[300], option[400];
  snprintf(cache, sizeof cache, "%s/cache", program_dir);
  snprintf(option, sizeof option, "--cache=%s", cache);
  const char *const *args = ARGS("reproduce", "--models", "tiny", "--quick", "--blocks", "1", "--threads", "1",
                                 "--engines", "ternary", "--out", "run", option);
  program_expect(0, args);
  char *text = scratch_read(program_dir, "run/manifest.json"), host[256] = "", quoted[300];
  assert_null(strstr(text, program_dir));
  gethostname(host, sizeof host - 1);
  snprintf(quoted, sizeof quoted, "\"%s\"", host);
  assert_null(strstr(text, quoted));
  free(text);
}

static void an_interrupt_keeps_the_samples(void **state) {
  (void)state;
  pid_t pid = program_start(ARGS("reproduce", "--models", "tiny", "--blocks", "10000", "--time-budget", "0",
                                 "--threads", "1", "--cache", "cache", "--out", "run"));
  program_wait_for_lines("run/samples.csv", 1 + MOST_WARM_UPS * 9 + 9 + 1); /* header, warm-up, a block, and some */
  kill(pid, SIGINT);
  assert_int_equal(program_finish(pid), 130);
  program_says("err", "ternmark report run");
  assert_true(program_count_lines("run/samples.csv") >= 20);
  json_t *m = program_json("run/manifest.json");
  assert_true(json_is_false(json_object_get(m, "finished")));
  json_decref(m);
  program_expect(0, ARGS("report", "run"));
  program_says("run/summary.csv", "\"speed\",\"ternary\"");
}

/* A child of the process, the n-th; 0: none. */
static pid_t nth_child(pid_t parent, int n) {
  char path[64];
  int pid = 0;
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  FILE *f = fopen(path, "r");
  for (int i = 0; f && i <= n; i++)
    if (fscanf(f, "%d", &pid) != 1) pid = 0;
  if (f) fclose(f);
  return pid;
}

static void an_engine_that_dies_is_left_out(void **state) {
  (void)state;
  pid_t pid = program_start(
      ARGS("reproduce", "--models", "tiny", "--blocks", "6", "--threads", "1", "--cache", "cache", "--out", "run"));
  program_wait_for_lines("run/samples.csv", 12);
  pid_t victim = nth_child(pid, 2); /* bandwidth probe, ternary, f16, int8 */
  if (victim <= 0) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    skip(); /* this kernel does not list children */
  }
  kill(victim, SIGKILL);
  assert_int_equal(program_finish(pid), 0);
  program_says("err", "is left out: engine");
  json_t *m = program_json("run/manifest.json");
  assert_int_equal(json_array_size(json_object_get(m, "skipped")), 1);
  json_decref(m);
  program_says("run/summary.csv", "\"speed\",\"ternary\",\"tiny\",\"decode-128\",1,6,");
}

static void a_plan_alone_writes_nothing(void **state) {
  (void)state;
  program_expect(0, ARGS("reproduce", "--models", "2B4T", "--dry-run", "--cache", "cache", "--out", "run"));
  program_says("out", "to be made in the cache folder");
  program_says("out", "GB of memory");
  char path[300];
  snprintf(path, sizeof path, "%s/cache", program_dir);
  assert_int_not_equal(access(path, F_OK), 0);
  snprintf(path, sizeof path, "%s/run", program_dir);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void what_does_not_fit_is_said_before_loading(void **state) {
  (void)state;
  program_expect(1, ARGS("reproduce", "--models", "100B", "--engines", "f32", "--cache", "cache", "--out", "run"));
  program_says("err", "does not fit");
  char path[300];
  snprintf(path, sizeof path, "%s/run", program_dir);
  assert_int_not_equal(access(path, F_OK), 0);
}

static void bad_input_is_one_line_and_its_exit_code(void **state) {
  (void)state;
  scratch_file(program_dir, "junk.gguf", "this is no model");
  scratch_file(program_dir, "file", "not a folder");
  const struct {
    int code;
    const char *words, *const *args;
  } rows[] = {
      {2, "did you mean 'reproduce'?", ARGS("reprodcue")},
      {2, "--kv", ARGS("reproduce", "--kv", "f17")},
      {2, "--threads", ARGS("reproduce", "--threads", "0")},
      {2, "--threads", ARGS("reproduce", "--threads", "1,,2")},
      {2, "--blocks", ARGS("reproduce", "--blocks", "many")},
      {2, "--engines", ARGS("reproduce", "--engines", "f16,f16")},
      {2, "f99", ARGS("reproduce", "--engines", "f99")},
      {2, "--isa", ARGS("reproduce", "--isa", "mmx")},
      {2, "unrecognized", ARGS("reproduce", "--nonsense")},
      {2, "2B4T", ARGS("reproduce", "--models", "2B4")},
      {1, "junk.gguf", ARGS("reproduce", "--model", "junk.gguf", "--out", "run")},
      {1, "none.gguf", ARGS("reproduce", "--model", "none.gguf", "--out", "run")},
      {1, "file/run", ARGS("reproduce", "--models", "tiny", "--cache", "cache", "--out", "file/run")},
      {1, "file/cache", ARGS("reproduce", "--models", "tiny", "--cache", "file/cache", "--out", "run")},
      {1, "nowhere/manifest.json", ARGS("report", "nowhere")},
      {2, "which folder", ARGS("report")},
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
  if (argc != 2) {
    fprintf(stderr, "usage: %s PATH/TO/ternmark\n", argv[0]);
    return 2;
  }
  if (program_find(argv[1]) != 0) return 2;
#define TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)
  const struct CMUnitTest tests[] = {
      TEST(a_run_leaves_a_whole_folder),
      TEST(the_second_run_reuses_the_model_and_prints_json),
      TEST(a_report_is_remade_elsewhere),
      TEST(a_manifest_names_no_paths),
      TEST(an_interrupt_keeps_the_samples),
      TEST(an_engine_that_dies_is_left_out),
      TEST(a_plan_alone_writes_nothing),
      TEST(what_does_not_fit_is_said_before_loading),
      TEST(bad_input_is_one_line_and_its_exit_code),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
