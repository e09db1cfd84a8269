/* Peers as processes: fake programs, shell scripts made here, that answer,
 * fail, never end, or leave others behind. */
#include <errno.h>
#include <sched.h>
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

#include "engine/base/interrupt.h"
#include "harness/peer.h"
#include "tests/scratch.h"

static char root[256];
static const tern_workload decode = {.name = "decode-64", .phase = TERN_PHASE_DECODE, .context = 1, .tokens = 64};

static int setup(void **state) {
  (void)state;
  scratch_make(root, sizeof root);
  return 0;
}

static int teardown(void **state) {
  (void)state;
  scratch_remove(root);
  return 0;
}

/* What a good program prints of 64 tokens; */
#define ANSWER                                                                                                         \
  "[{\"build_commit\": \"abc\", \"build_number\": 7, \"n_prompt\": 0, \"n_gen\": 64, \"n_threads\": 1,"                \
  " \"avg_ns\": 20000000, \"avg_ts\": 3200}]"
#define SAY "sleep 0.05; echo '" ANSWER "'\n"

/* A peer whose program is a script of that text. */
static tern_peer_spec script(const char *text) {
  char path[300], command[400];
  tern_peer_spec s;
  tern_error e = {0};
  scratch_file(root, "fake", text);
  snprintf(path, sizeof path, "%s/fake", root);
  assert_int_equal(chmod(path, 0755), 0);
  snprintf(command, sizeof command, "fake=%s -m {model} -n {gen}", path);
  if (tern_peer_parse(&s, command, &e) != 0) fail_msg("%s", e.text);
  return s;
}

static int run(const char *text, double limit_s, tern_peer_result *r, tern_error *e) {
  tern_peer_spec s = script(text);
  *e = (tern_error){0};
  return tern_peer_run(&s, "/nonexistent", &decode, 1, NULL, limit_s, r, e);
}

static void assert_fails(const char *text, double limit_s, const char *part) {
  tern_peer_result r;
  tern_error e;
  assert_int_equal(run(text, limit_s, &r, &e), TERN_FAILED);
  if (!strstr(e.text, part)) fail_msg("\"%s\" does not say \"%s\"", e.text, part);
}

/* The process whose number a script wrote is gone (asked for a little while:
 * one that init has to collect is a moment late). */
static void assert_gone(const char *name) {
  char *text = scratch_read(root, name);
  assert_non_null(text);
  pid_t pid = (pid_t)atoi(text);
  free(text);
  assert_true(pid > 1);
  for (int i = 0; i < 200 && kill(pid, 0) == 0; i++) nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  assert_int_equal(kill(pid, 0), -1);
  assert_int_equal(errno, ESRCH);
}

static void a_program_that_answers_is_read_and_accounted(void **state) {
  (void)state;
  tern_peer_result r;
  tern_error e;
  const char *text = "#!/bin/sh\necho '[warn] \"$*\"'\necho noise >&2\n"
                     "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; " SAY;
  if (run(text, 20, &r, &e) != 0) fail_msg("%s", e.text);
  assert_float_equal(r.seconds, 0.02, 1e-12);
  assert_true(r.wall_s >= 0.05 && r.wall_s < 20);
  assert_int_equal(r.repeats, 1);
  assert_string_equal(r.reader, "JSON");
  assert_string_equal(r.version, "abc (7)");
  assert_true(r.task_clock_ns > 0 && r.page_faults > 0 && r.context_switches > 0);
  assert_true(r.counters[TERN_TASK_CLOCK] == r.task_clock_ns);
  assert_true(r.counters[TERN_CYCLES] == -1 || r.counters[TERN_CYCLES] > 10000);
}

static void figures_of_children_left_behind_are_counted(void **state) {
  (void)state;
  tern_peer_result alone, tree;
  tern_error e;
  assert_int_equal(run("#!/bin/sh\n" SAY, 20, &alone, &e), 0);
  /* Nobody waits for the worker, but its work shows. */
  assert_int_equal(run("#!/bin/sh\n((i=0; while [ $i -lt 1000000 ]; do i=$((i+1)); done; : > $0.done) &)\n"
                       "while [ ! -e $0.done ]; do sleep 0.1; done\n" SAY,
                       60, &tree, &e),
                   0);
  assert_true(tree.task_clock_ns > alone.task_clock_ns + 100000000);
}

static void it_is_bound_to_its_cpus(void **state) {
  (void)state;
  cpu_set_t allowed;
  assert_int_equal(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  int last = 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET((size_t)cpu, &allowed)) last = cpu;
  tern_peer_result r;
  tern_error e = {0};
  tern_peer_spec s = script("#!/bin/sh\ngrep Cpus_allowed_list /proc/self/status > $0.cpus\n" SAY);
  if (tern_peer_run(&s, "m", &decode, 1, &last, 20, &r, &e) != 0) fail_msg("%s", e.text);
  char expected[64], *seen = scratch_read(root, "fake.cpus");
  snprintf(expected, sizeof expected, "Cpus_allowed_list:\t%d\n", last);
  assert_non_null(seen);
  assert_string_equal(seen, expected);
  free(seen);
  int absent = 1000;
  assert_int_equal(tern_peer_run(&s, "m", &decode, 1, &absent, 20, &r, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "cannot bind it"));
}

static void what_it_says_wrongly_is_refused(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\necho '[{\"n_gen\": 32, \"avg_ts\": 9999}]'\n", 20, "told of prompt 0, gen 32");
  assert_fails("#!/bin/sh\nhead -c 20000 /dev/urandom\n", 20, "no speed");
  assert_fails("#!/bin/sh\necho '[{\"n_gen\": 64, \"avg_ns\": 90000000000}]'\n", 20, "impossible: it told of 90 s");
  assert_fails("#!/bin/sh\necho '[{\"n_gen\": 64, \"samples_ns\": [9000000000, 9000000000]}]'\n", 20, "told of 18 s");
}

static void a_speed_that_no_core_can_read_is_refused(void **state) {
  (void)state;
  tern_peer_result r;
  tern_error e = {0};
  char path[300];
  snprintf(path, sizeof path, "%s/model", root);
  scratch_file(root, "model", "");
  assert_int_equal(truncate(path, 1000000000), 0);
  tern_peer_spec s = script("#!/bin/sh\n" SAY); /* 3200 tokens/s of 1 GB */
  assert_int_equal(tern_peer_run(&s, path, &decode, 1, NULL, 20, &r, &e), 0);
  assert_int_equal(truncate(path, 10000000000), 0);
  assert_int_equal(tern_peer_run(&s, path, &decode, 1, NULL, 20, &r, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "impossible: 3200 tokens/s"));
}

static void how_it_failed_is_told(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\necho first >&2; echo 'error: bad magic' >&2; echo >&2; exit 3\n", 20,
               "failed with exit code 3: error: bad magic");
  assert_fails("#!/bin/sh\nkill -SEGV $$\n", 20, "ended by signal 11 (Segmentation fault)");
  assert_fails("#!/bin/sh\nsh -c 'kill -SEGV $$'; exit $?\n", 20, "ended by signal 11 (Segmentation fault)");
  assert_fails("#!/nonexistent/interpreter\n", 20, "failed with exit code 12");
}

static void endless_output_is_ended(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\nexec yes\n", 60, "printed more than 16 MiB");
}

static void endless_errors_are_kept_to_their_end(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\nyes | head -c 5000000 >&2; echo 'the last word' >&2; exit 1\n", 60, "the last word");
}

static void one_that_never_ends_is_ended_at_the_limit(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\necho $$ > $0.pid\nsleep 1000\n", 0.3, "did not finish within 0.3 s");
  assert_gone("fake.pid");
}

static void one_that_ignores_the_request_is_killed(void **state) {
  (void)state;
  assert_fails("#!/bin/sh\ntrap '' TERM\necho $$ > $0.pid\nwhile :; do sleep 0.1; done\n", 0.3, "did not finish");
  assert_gone("fake.pid");
}

static void a_grandchild_that_hides_dies_with_it(void **state) {
  (void)state;
  tern_peer_result r;
  tern_error e;
  /* Another session, another group, no parent, and the output kept open. */
  const char *text = "#!/bin/sh\nsetsid sh -c 'trap \"\" TERM HUP; echo $$ > '$0'.pid; while :; do sleep 0.1; done' &\n"
                     "while [ ! -s $0.pid ]; do sleep 0.01; done\n" SAY;
  if (run(text, 20, &r, &e) != 0) fail_msg("%s", e.text);
  assert_gone("fake.pid");
}

/* Runs a peer that never ends in a process of its own, once it writes its number. */
static pid_t start_harness(const tern_peer_spec *s) {
  pid_t pid = fork();
  if (pid == 0) {
    tern_peer_result r;
    tern_error e;
    tern_interrupt_install();
    _exit(tern_peer_run(s, "m", &decode, 1, NULL, 60, &r, &e));
  }
  char *text = NULL;
  for (int i = 0; i < 500 && !(text && *text); i++) {
    free(text);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    text = scratch_read(root, "fake.pid");
  }
  assert_non_null(text);
  free(text);
  return pid;
}

static void a_killed_harness_leaves_nothing_behind(void **state) {
  (void)state;
  tern_peer_spec s = script("#!/bin/sh\nsetsid sh -c 'echo $$ > '$0'.pid; sleep 1000' &\nsleep 1000\n");
  pid_t pid = start_harness(&s);
  assert_int_equal(kill(pid, SIGKILL), 0);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
  assert_gone("fake.pid");
}

static void an_interrupt_ends_the_tree(void **state) {
  (void)state;
  tern_peer_spec s = script("#!/bin/sh\nsetsid sh -c 'echo $$ > '$0'.pid; sleep 1000' &\nsleep 1000\n");
  pid_t pid = start_harness(&s);
  int how;
  assert_int_equal(kill(pid, SIGINT), 0);
  assert_int_equal(waitpid(pid, &how, 0), pid);
  assert_true(WIFEXITED(how));
  assert_int_equal(WEXITSTATUS(how), TERN_INTERRUPTED);
  assert_gone("fake.pid");
}

static void a_program_is_known_by_its_hash_and_version(void **state) {
  (void)state;
  tern_peer_spec s = script("#!/bin/sh\n[ \"$1\" = --version ] && echo 'fake version 1.2'\n");
  tern_peer_facts f;
  tern_error e = {0};
  char command[TERN_PEER_COMMAND];
  static const char *const starts[] = {
      "", "A='b c' ", "env -i A=1 ", "taskset -c 0 env A=1 ", "ulimit -c 0; export A=1 && ", "sh ", "if true; then "};
  snprintf(command, sizeof command, "%s", s.command);
  for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
    snprintf(s.command, sizeof s.command, "%s%.999s%s", starts[i], command, strstr(starts[i], "then") ? "; fi" : "");
    if (tern_peer_probe(&s, &f, &e) != 0) fail_msg("%s: %s", s.command, e.text);
    assert_string_equal(f.program, "fake");
    assert_string_equal(f.sha256, "da679030b2f73beaf3b0356a2e35be06c7f9394071b8db3b050ec1325eab92ff");
    if (!strstr(starts[i], "then")) assert_string_equal(f.version, "fake version 1.2");
    assert_string_equal(f.libraries, "");
  }
}

static void a_program_that_is_not_there_is_named(void **state) {
  (void)state;
  tern_peer_spec s;
  tern_peer_facts f;
  tern_error e = {0};
  assert_int_equal(tern_peer_parse(&s, "a=A=1 ./no-such-bench -m {model} -n {gen}", &e), 0);
  assert_int_equal(tern_peer_probe(&s, &f, &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "no program ./no-such-bench"));
}

static void a_program_of_the_path_is_found_and_silent_ones_have_no_version(void **state) {
  (void)state;
  tern_peer_spec s;
  tern_peer_facts f;
  tern_error e = {0};
  assert_int_equal(tern_peer_parse(&s, "a=sleep {gen} {model}", &e), 0);
  assert_int_equal(tern_peer_probe(&s, &f, &e), 0);
  assert_string_equal(f.program, "sleep");
  assert_int_equal(strlen(f.sha256), 64);
  s = script("#!/bin/sh\nexit 1\n");
  assert_int_equal(tern_peer_probe(&s, &f, &e), 0);
  assert_string_equal(f.version, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_program_that_answers_is_read_and_accounted, setup, teardown),
      cmocka_unit_test_setup_teardown(figures_of_children_left_behind_are_counted, setup, teardown),
      cmocka_unit_test_setup_teardown(it_is_bound_to_its_cpus, setup, teardown),
      cmocka_unit_test_setup_teardown(what_it_says_wrongly_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(a_speed_that_no_core_can_read_is_refused, setup, teardown),
      cmocka_unit_test_setup_teardown(how_it_failed_is_told, setup, teardown),
      cmocka_unit_test_setup_teardown(endless_output_is_ended, setup, teardown),
      cmocka_unit_test_setup_teardown(endless_errors_are_kept_to_their_end, setup, teardown),
      cmocka_unit_test_setup_teardown(one_that_never_ends_is_ended_at_the_limit, setup, teardown),
      cmocka_unit_test_setup_teardown(one_that_ignores_the_request_is_killed, setup, teardown),
      cmocka_unit_test_setup_teardown(a_grandchild_that_hides_dies_with_it, setup, teardown),
      cmocka_unit_test_setup_teardown(a_killed_harness_leaves_nothing_behind, setup, teardown),
      cmocka_unit_test_setup_teardown(an_interrupt_ends_the_tree, setup, teardown),
      cmocka_unit_test_setup_teardown(a_program_is_known_by_its_hash_and_version, setup, teardown),
      cmocka_unit_test_setup_teardown(a_program_that_is_not_there_is_named, setup, teardown),
      cmocka_unit_test_setup_teardown(a_program_of_the_path_is_found_and_silent_ones_have_no_version, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
