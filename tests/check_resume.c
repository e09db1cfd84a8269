/* Runs that are cut off: killed, starved of CPUs, out of disk. What was measured
 * stays, and the run goes on to the same set of cells. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/sample.h"
#include "tests/program.h"

enum { CELLS = 4, BLOCKS = 30, MOST_WARM_UPS = 20 };

static int kills = 5;

static const char *const whole_run[] = {"bench", "--models", "tiny",  "--engines", "ternary,int8", "-p", "16",
                                        "-n",    "4",        "-t",    "1",         "--blocks",     "30", "--precision",
                                        "0",     "--cache",  "cache", "--out",     "run",          NULL};

static void pause_ms(long ms) {
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Every block has one row of every cell in its last attempt. */
static void assert_whole(void) {
  char path[300];
  tern_error e = {0};
  tern_sample *rows;
  size_t count;
  int seen[BLOCKS] = {0};
  int64_t attempt[BLOCKS] = {0};
  snprintf(path, sizeof path, "%s/run/samples.csv", program_dir);
  if (tern_samples_read(path, &rows, &count, &e)) fail_msg("%s", e.text);
  for (size_t i = 0; i < count; i++) {
    const tern_sample *r = &rows[i];
    assert_int_equal(r->sample, i); /* none is lost, none twice */
    assert_true(r->block >= -1 && r->block < BLOCKS);
    if (r->block < 0) continue;
    assert_true(r->attempt >= attempt[r->block]);
    if (r->attempt > attempt[r->block]) seen[r->block] = 0;
    attempt[r->block] = r->attempt;
    seen[r->block]++;
  }
  for (int b = 0; b < BLOCKS; b++)
    if (seen[b] != CELLS) fail_msg("block %d has %d cells in its attempt %d", b, seen[b], (int)attempt[b]);
  free(rows);
}

static bool is_there(const char *file) {
  char path[300];
  snprintf(path, sizeof path, "%s/%s", program_dir, file);
  return access(path, F_OK) == 0;
}

/* Rows seen to be there just before the kill are there after it; at most the
 * one in flight is not. */
static void kill_9_loses_at_most_the_sample_in_flight(void **state) {
  (void)state;
  unsigned seed = 7;
  bool finished = false;
  const char *const *resume = ARGS("bench", "--resume", "run");
  pid_t pid = program_start(whole_run);
  for (int i = 0; i < kills; i++) {
    if (finished) { /* faster than the kills: once more from the start */
      char run[300];
      assert_whole();
      snprintf(run, sizeof run, "%s/run", program_dir);
      scratch_remove(run);
      pid = program_start(whole_run);
    }
    int before = program_count_lines("run/samples.csv");
    /* From the first row on that this process adds, at a random moment. */
    for (int waited = 0; waited < 3000 && program_count_lines("run/samples.csv") <= before; waited++) pause_ms(5);
    pause_ms(rand_r(&seed) % 1000);
    int told = program_count_lines("run/samples.csv"), how;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    finished = !is_there("run/plan.json");
    assert_true(program_count_lines("run/samples.csv") >= told);
    if (!finished) pid = program_start(resume);
  }
  if (!finished && program_finish(pid) != 0) fail_msg("%s", scratch_read(program_dir, "err"));
  assert_whole();
  json_t *m = program_json("run/manifest.json");
  assert_true(json_is_true(json_object_get(m, "finished")));
  assert_true(finished || json_array_size(json_object_get(m, "resumed")) > 0);
  json_decref(m);
  program_expect(1, ARGS("bench", "--resume", "run"));
  program_says("err", "the run has finished");
}

static void an_interrupted_run_goes_on_from_any_folder(void **state) {
  (void)state;
  pid_t pid = program_start(whole_run);
  program_wait_for_lines("run/samples.csv", 1 + MOST_WARM_UPS * CELLS + CELLS + 2);
  kill(pid, SIGINT);
  assert_int_equal(program_finish(pid), 130);
  program_says("err", "ternmark bench --resume run");
  char there[300], here[256];
  snprintf(there, sizeof there, "%s/run", program_dir);
  program_expect(2, ARGS("reproduce", "--resume", there));
  program_expect(2, ARGS("bench", "--resume", there, "-p", "5"));
  snprintf(here, sizeof here, "%s", program_dir);
  snprintf(program_dir, sizeof program_dir, "%.240s/cache", here);
  program_expect(0, ARGS("bench", "--resume", there));
  snprintf(program_dir, sizeof program_dir, "%s", here);
  assert_whole();
}

/* From outside, as `taskset -p` does it. */
static void a_team_whose_cpu_is_taken_is_left_out(void **state) {
  (void)state;
  cpu_set_t all, one;
  assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
  if (CPU_COUNT(&all) < 2) skip();
  pid_t pid = program_start(ARGS("bench", "--models", "tiny", "--engines", "ternary,int8", "-p", "16", "-n", "4", "-t",
                                 "1,2", "--blocks", "30", "--precision", "0", "--cache", "cache", "--out", "run"));
  program_wait_for_lines("run/samples.csv", 1 + MOST_WARM_UPS * 2 * CELLS);
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
    if (CPU_ISSET((size_t)cpu, &all)) CPU_SET((size_t)cpu, &one);
  assert_int_equal(sched_setaffinity(pid, sizeof one, &one), 0);
  assert_int_equal(program_finish(pid), 0);
  program_says("err", "2 threads, cores is left out");
  program_says("run/manifest.json", "is no longer this process's");
}

static void a_full_disk_is_one_line_and_keeps_the_samples(void **state) {
  (void)state;
  program_expect(0, ARGS("bench", "--models", "tiny", "--engines", "ternary,int8", "-p", "16", "-n", "4", "-t", "1",
                         "--blocks", "1", "--cache", "cache", "--out", "first")); /* makes the model */
  struct rlimit before, limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  limit = before;
  limit.rlim_cur = 60000;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  int code = program_finish(program_start(whole_run));
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(code, 1);
  program_says("err", "cannot write the sample");
  program_says("err", "samples are kept");
  assert_true(program_count_lines("run/samples.csv") > CELLS);
  program_expect(0, ARGS("bench", "--resume", "run"));
  assert_whole();
}

int main(int argc, char **argv) {
  if (argc < 2 || program_find(argv[1]) != 0) {
    fprintf(stderr, "usage: %s PATH/TO/ternmark [KILLS]\n", argv[0]);
    return 2;
  }
  if (argc > 2) kills = atoi(argv[2]);
#define TEST(name) cmocka_unit_test_setup_teardown(name, program_setup, program_teardown)
  const struct CMUnitTest tests[] = {
      TEST(kill_9_loses_at_most_the_sample_in_flight),
      TEST(an_interrupted_run_goes_on_from_any_folder),
      TEST(a_team_whose_cpu_is_taken_is_left_out),
      TEST(a_full_disk_is_one_line_and_keeps_the_samples),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
