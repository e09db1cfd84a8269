/* samples.csv: what is written comes back; a killed run keeps its rows; a disk
 * that is full is an error; foreign files are refused with the reason. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/sample.h"
#include "tests/scratch.h"

static char dir[256], path[300];

static int setup(void **state) {
  (void)state;
  scratch_make(dir, sizeof dir);
  snprintf(path, sizeof path, "%s/samples.csv", dir);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(dir);
  return 0;
}

static tern_sample full_sample(void) {
  tern_sample s;
  tern_sample_clear(&s);
  s.sample = 3;
  s.block = TERN_WARMUP_BLOCK;
  s.place = 2;
  s.start_s = 1.25;
  snprintf(s.engine, sizeof s.engine, "ternary");
  snprintf(s.model, sizeof s.model, "a \"quoted\", name.gguf");
  snprintf(s.workload, sizeof s.workload, "decode-128@512");
  snprintf(s.phase, sizeof s.phase, "decode");
  s.threads = 2;
  s.tokens = 128;
  s.seconds = 0.123456789;
  s.counters[TERN_CYCLES] = INT64_C(123456789012);
  s.counters[TERN_PAGE_FAULTS] = 0;
  snprintf(s.mark, sizeof s.mark, "warmup");
  return s;
}

static void a_row_comes_back_as_it_was(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples *out;
  tern_sample s = full_sample(), *back;
  size_t n;
  assert_int_equal(tern_samples_create(&out, path, &e), 0);
  assert_int_equal(tern_samples_append(out, &s, &e), 0);
  assert_int_equal(tern_samples_close(out, &e), 0);
  assert_int_equal(tern_samples_read(path, &back, &n, &e), 0);
  assert_int_equal(n, 1);
  assert_string_equal(back->model, s.model);
  assert_string_equal(back->mark, "warmup");
  assert_true(back->seconds == s.seconds && back->start_s == 1.25);
  assert_int_equal(back->block, -1);
  assert_true(back->counters[TERN_CYCLES] == s.counters[TERN_CYCLES]);
  free(back);
}

static void absent_is_empty_and_zero_is_zero(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples *out;
  tern_sample s = full_sample(), *back;
  size_t n;
  tern_samples_create(&out, path, &e);
  tern_samples_append(out, &s, &e);
  tern_samples_close(out, &e);
  assert_int_equal(tern_samples_read(path, &back, &n, &e), 0);
  assert_true(isnan(back->joules) && isnan(back->read_gbs));
  assert_int_equal(back->counters[TERN_MIGRATIONS], TERN_NO_COUNT);
  assert_int_equal(back->counters[TERN_PAGE_FAULTS], 0);
  assert_string_equal(back->joules_why, "");
  free(back);
}

static void a_folder_with_a_run_is_not_overwritten(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples *out;
  scratch_file(dir, "samples.csv", "old\n");
  assert_int_equal(tern_samples_create(&out, path, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "already holds a run"));
  char *text = scratch_read(dir, "samples.csv");
  assert_string_equal(text, "old\n");
  free(text);
}

/* The writer is killed in the middle of its rows; the number it had appended
 * is known from a pipe: at most the row in flight may be missing. */
static void a_killed_run_keeps_every_row_it_appended(void **state) {
  (void)state;
  int pipe_ends[2];
  assert_int_equal(pipe(pipe_ends), 0);
  pid_t child = fork();
  if (child == 0) {
    tern_error e = {0};
    tern_samples *out;
    tern_sample s = full_sample();
    if (tern_samples_create(&out, path, &e)) _exit(1);
    for (int i = 0;; i++) {
      s.sample = i;
      if (tern_samples_append(out, &s, &e) || write(pipe_ends[1], "x", 1) != 1) _exit(1);
    }
  }
  close(pipe_ends[1]);
  char byte;
  size_t appended = 0, n;
  while (appended < 100 && read(pipe_ends[0], &byte, 1) == 1) appended++;
  kill(child, SIGKILL);
  while (read(pipe_ends[0], &byte, 1) == 1) appended++;
  int how;
  waitpid(child, &how, 0);
  close(pipe_ends[0]);
  assert_true(WIFSIGNALED(how));
  tern_error e = {0};
  tern_sample *back;
  assert_int_equal(tern_samples_read(path, &back, &n, &e), 0);
  assert_true(n == appended || n == appended + 1);
  for (size_t i = 0; i < n; i++) assert_int_equal(back[i].sample, (int)i);
  free(back);
}

static void a_row_cut_off_is_left_out(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples *out;
  tern_sample s = full_sample(), *back;
  size_t n;
  tern_samples_create(&out, path, &e);
  tern_samples_append(out, &s, &e);
  tern_samples_append(out, &s, &e);
  tern_samples_close(out, &e);
  char *text = scratch_read(dir, "samples.csv");
  for (size_t cut = 1; cut < 40; cut++) {
    assert_int_equal(truncate(path, (off_t)(strlen(text) - cut)), 0);
    assert_int_equal(tern_samples_read(path, &back, &n, &e), 0);
    assert_int_equal(n, 1);
    free(back);
  }
  free(text);
}

/* A file size limit stands for a full disk: the write fails the same way. */
static void a_full_disk_is_an_error(void **state) {
  (void)state;
  pid_t child = fork();
  if (child == 0) {
    tern_error e = {0};
    tern_samples *out;
    tern_sample s = full_sample();
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {2000, 2000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || tern_samples_create(&out, path, &e)) _exit(1);
    for (int i = 0; i < 100; i++)
      if (tern_samples_append(out, &s, &e)) _exit(strstr(e.text, "samples.csv: cannot write") ? 42 : 2);
    _exit(3);
  }
  int how;
  waitpid(child, &how, 0);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), 42);
}

static void refused(const char *text, const char *reason) {
  tern_error e = {0};
  tern_sample *back;
  size_t n;
  scratch_file(dir, "samples.csv", text);
  assert_int_equal(tern_samples_read(path, &back, &n, &e), TERN_FAILED);
  if (!strstr(e.text, reason)) fail_msg("'%s' does not say '%s'", e.text, reason);
}

static void foreign_files_are_refused_with_the_reason(void **state) {
  (void)state;
  tern_error e = {0};
  tern_samples *out;
  refused("a,b\n1,2\n", "column 'sample' is missing");
  refused("\n\n", "no header row");
  remove(path);
  tern_samples_create(&out, path, &e);
  tern_samples_close(out, &e);
  char *header = scratch_read(dir, "samples.csv"), text[4096];
  snprintf(text, sizeof text, "%s1,2,3\n", header);
  refused(text, "row 1 has 3 fields");
  snprintf(text, sizeof text, "%sseven%.*s\n", header, 34, ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,");
  refused(text, "sample: 'seven' is no number");
  snprintf(text, sizeof text, "%s\"open\n", header);
  refused(text, "not valid CSV");
  free(header);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_row_comes_back_as_it_was, setup, teardown),
      cmocka_unit_test_setup_teardown(absent_is_empty_and_zero_is_zero, setup, teardown),
      cmocka_unit_test_setup_teardown(a_folder_with_a_run_is_not_overwritten, setup, teardown),
      cmocka_unit_test_setup_teardown(a_killed_run_keeps_every_row_it_appended, setup, teardown),
      cmocka_unit_test_setup_teardown(a_row_cut_off_is_left_out, setup, teardown),
      cmocka_unit_test_setup_teardown(a_full_disk_is_an_error, setup, teardown),
      cmocka_unit_test_setup_teardown(foreign_files_are_refused_with_the_reason, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
