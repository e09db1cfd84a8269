/* Hostile programs (eval_hostile.c) are held: each ends as it should, escapes
 * nothing, leaves nothing. Run by root, all is done once more as an ordinary
 * user, whose sandbox is made otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/progress.h"
#include "harness/eval/sandbox.h"

enum { MIB = 1 << 20, SKIPPED = 77 };

static const tern_sandbox_limits usual = {.wall_s = 10,
                                          .cpu_s = 5,
                                          .memory = 256 * (size_t)MIB,
                                          .file = 4 * MIB,
                                          .output = 64 << 10,
                                          .processes = 32,
                                          .files = 64};

static tern_sandbox *open_sandbox(int parallel) {
  static const char *const readable[] = {TERN_HOSTILE_FOLDER, NULL};
  tern_sandbox *s = NULL;
  tern_error e = {0};
  if (tern_sandbox_open(&s, &(tern_sandbox_options){.parallel = parallel, .readable = readable}, &e) != 0)
    fail_msg("%s", e.text);
  return s;
}

static tern_sandbox_result run(tern_sandbox *s, const char *deed, const char *argument,
                               const tern_sandbox_limits *limits) {
  const char *const argv[] = {TERN_HOSTILE_FOLDER "/eval_hostile", deed, argument, NULL};
  tern_sandbox_result r;
  tern_error e = {0};
  if (tern_sandbox_run(s, argv, NULL, 0, limits, &r, &e) != 0) fail_msg("%s", e.text);
  return r;
}

/* Hostile processes on this machine, in whatever namespace; `ours`: a word of
 * their command line. */
static int survivors(void) {
  DIR *d = opendir("/proc");
  int count = 0;
  assert_non_null(d);
  for (const struct dirent *f; (f = readdir(d)) != NULL;) {
    char path[300], name[32] = "", state[256] = "";
    snprintf(path, sizeof path, "/proc/%.20s/stat", f->d_name);
    FILE *file = f->d_name[0] >= '1' && f->d_name[0] <= '9' ? fopen(path, "re") : NULL;
    if (!file) continue;
    if (fgets(state, sizeof state, file)) sscanf(state, "%*d (%31[^)])", name);
    fclose(file);
    count += strcmp(name, "eval_hostile") == 0 && !strstr(state, ") Z ");
  }
  closedir(d);
  return count;
}

static void assert_ends(tern_sandbox *s, const char *deed, const char *argument, const tern_sandbox_limits *limits,
                        tern_sandbox_end end) {
  tern_sandbox_result r = run(s, deed, argument, limits);
  if (r.end != end)
    fail_msg("%s ended by %s %d, not by %s: %s", deed, tern_sandbox_end_name(r.end), r.code, tern_sandbox_end_name(end),
             r.output);
  assert_int_equal(survivors(), 0);
  free(r.output);
}

static void assert_says(tern_sandbox *s, const char *deed, const char *argument, const char *says) {
  tern_sandbox_result r = run(s, deed, argument, &usual);
  if (r.end != TERN_SANDBOX_EXIT || r.code != 0 || strcmp(r.output, says) != 0)
    fail_msg("%s (%s %d): \"%s\", not \"%s\"", deed, tern_sandbox_end_name(r.end), r.code, r.output, says);
  assert_int_equal(survivors(), 0);
  free(r.output);
}

static void a_fork_bomb_stays_within_its_limits(void **state) {
  tern_sandbox_limits l = usual;
  l.wall_s = 1;
  l.cpu_s = 100;
  assert_ends(*state, "bomb", "", &l, TERN_SANDBOX_WALL);
}

static void endless_output_is_cut_at_its_limit(void **state) {
  tern_sandbox_result r = run(*state, "speak", "", &usual);
  assert_int_equal(r.end, TERN_SANDBOX_OUTPUT);
  assert_int_equal(r.size, usual.output);
  assert_int_equal(survivors(), 0);
  free(r.output);
}

static void sleeping_forever_and_computing_forever_end(void **state) {
  tern_sandbox_limits l = usual;
  l.wall_s = 0.5;
  assert_ends(*state, "last", "", &l, TERN_SANDBOX_WALL);
  l = usual;
  l.cpu_s = 0.5;
  assert_ends(*state, "compute", "", &l, TERN_SANDBOX_CPU);
}

static void memory_is_limited_for_one_and_for_all(void **state) {
  int held = 0;
  tern_sandbox_result r = run(*state, "hold", "1000", &usual);
  assert_int_equal(r.end, TERN_SANDBOX_EXIT);
  assert_int_equal(sscanf(r.output, "held %d", &held), 1);
  assert_in_range(held, 1, 256);
  free(r.output);
  assert_ends(*state, "hold-together", "100", &usual, TERN_SANDBOX_MEMORY);
}

static void files_end_at_their_size_and_so_does_tmp(void **state) {
  long long wrote = -1;
  tern_sandbox_result r = run(*state, "fill", "", &usual);
  assert_int_equal(sscanf(r.output, "wrote %lld", &wrote), 1);
  assert_in_range(wrote, 1, usual.file);
  free(r.output);
}

static void nothing_is_written_outside(void **state) {
  assert_says(*state, "write-outside", TERN_HOSTILE_FOLDER, "done\n");
  assert_int_not_equal(access(TERN_HOSTILE_FOLDER "/escaped", F_OK), 0);
}

static void links_in_tmp_lead_nowhere(void **state) {
  char path[] = "/tmp/eval-sandbox-XXXXXX";
  struct stat at;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  tern_sandbox_result r = run(*state, "link-in-tmp", path, &usual);
  /* The file that it makes there is its own. */
  char expected[100];
  snprintf(expected, sizeof expected, "escaped to /tmp/link\nescaped: changed it\ndone\n");
  assert_string_equal(r.output, expected);
  free(r.output);
  assert_int_equal(stat(path, &at), 0);
  assert_int_equal(at.st_mode & 0777, 0600);
  assert_int_not_equal(access("/tmp/link", F_OK), 0);
  unlink(path);
  /* A file that is visible inside. */
  r = run(*state, "link-in-tmp", TERN_HOSTILE_FOLDER "/eval_hostile", &usual);
  assert_string_equal(r.output, "done\n");
  free(r.output);
}

static void there_is_no_network_not_even_to_the_host(void **state) {
  char name[64];
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(name, sizeof name, "ternmark-check-%d", (int)getpid());
  memcpy(at.sun_path + 1, name, strlen(name));
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&at, (socklen_t)(sizeof at.sun_family + 1 + strlen(name))), 0);
  assert_int_equal(listen(fd, 1), 0);
  assert_says(*state, "reach-network", name, "done\n");
  close(fd);
}

static volatile sig_atomic_t signalled;

static void note(int number) {
  (void)number;
  signalled = 1;
}

static void others_are_neither_traced_nor_signalled(void **state) {
  char pid[20];
  assert_says(*state, "trace", "", "done\n");
  signal(SIGUSR1, note);
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  tern_sandbox_result r = run(*state, "signal-outside", pid, &usual);
  assert_null(strstr(r.output, "escaped"));
  assert_false(signalled);
  free(r.output);
  signal(SIGUSR1, SIG_DFL);
}

static void the_host_is_not_to_be_seen(void **state) {
  setenv("TERN_TEST_SECRET", "1", 1);
  assert_says(*state, "look-around", "", "done\n");
}

static void no_privilege_is_to_be_had(void **state) {
  assert_says(*state, "gain", "", "done\n");
}

static void descriptors_are_few_and_none_is_inherited(void **state) {
  int extra = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
  assert_says(*state, "open-files", "64", "inherited 0, within 64: yes\n");
  close(extra);
}

static void background_processes_end_with_their_program(void **state) {
  assert_says(*state, "leave-behind", "", "left\n");
}

static void input_output_codes_and_signals_come_through(void **state) {
  static char input[300000];
  const char *const argv[] = {TERN_HOSTILE_FOLDER "/eval_hostile", "copy-input", NULL};
  tern_sandbox_limits l = usual;
  tern_sandbox_result r;
  tern_error e = {0};
  for (size_t i = 0; i < sizeof input; i++) input[i] = (char)(i * 7 % 251);
  l.output = sizeof input;
  assert_int_equal(tern_sandbox_run(*state, argv, input, sizeof input, &l, &r, &e), 0);
  assert_int_equal(r.end, TERN_SANDBOX_EXIT);
  assert_int_equal(r.size, sizeof input);
  assert_memory_equal(r.output, input, sizeof input);
  free(r.output);
  r = run(*state, "leave-with", "7", &usual);
  assert_int_equal(r.code, 7);
  free(r.output);
  r = run(*state, "die-of", "11", &usual);
  assert_int_equal(r.end, TERN_SANDBOX_SIGNAL);
  assert_int_equal(r.code, 11);
  free(r.output);
}

static void no_more_than_asked_run_together_and_tickets_find_their_own(void **state) {
  enum { RUNS = 5 };
  tern_sandbox *s = *state; /* two at a time */
  int tickets[RUNS], together = 0;
  double from[RUNS], to[RUNS];
  tern_error e = {0};
  for (int i = 0; i < RUNS; i++) {
    char name[] = {(char)('a' + i), '\0'};
    const char *const argv[] = {TERN_HOSTILE_FOLDER "/eval_hostile", "say-when", name, NULL};
    assert_int_equal(tern_sandbox_start(s, argv, NULL, 0, &usual, &tickets[i], &e), 0);
  }
  for (int i = RUNS - 1; i >= 0; i--) {
    tern_sandbox_result r;
    char name;
    assert_int_equal(tern_sandbox_wait(s, tickets[i], &r, &e), 0);
    assert_int_equal(sscanf(r.output, "%c %lf %lf", &name, &from[i], &to[i]), 3);
    assert_int_equal(name, 'a' + i);
    free(r.output);
  }
  for (int i = 0; i < RUNS; i++) {
    int at_once = 0;
    for (int k = 0; k < RUNS; k++) at_once += from[k] <= from[i] && from[i] < to[k];
    if (at_once > together) together = at_once;
  }
  assert_in_range(together, 1, 2);
  tern_sandbox_result none;
  assert_int_equal(tern_sandbox_wait(s, tickets[0], &none, &e), TERN_FAILED);
}

static bool gone_soon(void) {
  for (double until = tern_now() + 20; survivors() > 0; nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL))
    if (tern_now() > until) return false;
  return true;
}

static bool there_soon(void) {
  for (double until = tern_now() + 20; survivors() == 0; nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL))
    if (tern_now() > until) return false;
  return true;
}

static void start_sleeping(tern_sandbox *s) {
  const char *const argv[] = {TERN_HOSTILE_FOLDER "/eval_hostile", "last", NULL};
  tern_sandbox_limits l = usual;
  int ticket;
  tern_error e = {0};
  l.wall_s = 100;
  if (tern_sandbox_start(s, argv, NULL, 0, &l, &ticket, &e) != 0) fail_msg("%s", e.text);
}

static void closing_ends_what_runs(void **state) {
  (void)state;
  tern_sandbox *s = open_sandbox(1);
  start_sleeping(s);
  assert_true(there_soon());
  tern_sandbox_close(s);
  assert_int_equal(survivors(), 0);
}

static void a_killed_parent_takes_its_programs_along(void **state) {
  (void)state;
  pid_t pid = fork();
  if (pid == 0) {
    start_sleeping(open_sandbox(1));
    for (;;) pause();
  }
  assert_true(there_soon());
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  assert_true(gone_soon());
}

static void without_a_bwrap_that_isolates_nothing_runs(void **state) {
  (void)state;
  char folder[] = "/tmp/eval-bwrap-XXXXXX", path[100], before[4096];
  tern_sandbox *s = NULL;
  tern_error e = {0};
  assert_non_null(mkdtemp(folder));
  chmod(folder, 0755);
  snprintf(before, sizeof before, "%s", getenv("PATH"));
  setenv("PATH", folder, 1);
  assert_int_equal(tern_sandbox_open(&s, &(tern_sandbox_options){.parallel = 1}, &e), TERN_FAILED);
  assert_null(s);
  assert_non_null(strstr(e.text, "bwrap is not in PATH: install bubblewrap"));
  /* One that runs its program as it is. */
  snprintf(path, sizeof path, "%s/bwrap", folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs("#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done\nshift\nexec /usr/bin/env PATH=/usr/bin:/bin \"$@\"\n", f);
  fclose(f);
  chmod(path, 0755);
  assert_int_equal(tern_sandbox_open(&s, &(tern_sandbox_options){.parallel = 1}, &e), TERN_FAILED);
  assert_null(s);
  if (!strstr(e.text, "bubblewrap")) fail_msg("%s", e.text);
  /* One that cannot make namespaces. */
  f = fopen(path, "w");
  fputs("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n", f);
  fclose(f);
  assert_int_equal(tern_sandbox_open(&s, &(tern_sandbox_options){.parallel = 1}, &e), TERN_FAILED);
  if (!strstr(e.text, "cannot make one here (bwrap: No permissions to create new namespace")) fail_msg("%s", e.text);
  setenv("PATH", before, 1);
  unlink(path);
  rmdir(folder);
}

/* As in containers that mask parts of theirs: a bwrap that may not mount /proc. */
static void without_a_proc_of_its_own_the_rest_still_holds(void **state) {
  (void)state;
  char folder[] = "/tmp/eval-bwrap-XXXXXX", path[100], before[4096], with[4200];
  assert_non_null(mkdtemp(folder));
  chmod(folder, 0755);
  snprintf(before, sizeof before, "%s", getenv("PATH"));
  snprintf(path, sizeof path, "%s/bwrap", folder);
  snprintf(with, sizeof with, "%s:%s", folder, before);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  fputs("#!/bin/sh\nfor word; do\n  [ \"$word\" = -- ] && break\n  [ \"$word\" = --proc ] && {\n"
        "    echo 'bwrap: Can'\\''t mount proc on /newroot/proc' >&2\n    exit 1\n  }\ndone\n"
        "PATH=/usr/local/bin:/usr/bin:/bin exec bwrap \"$@\"\n",
        f);
  fclose(f);
  chmod(path, 0755);
  setenv("PATH", with, 1);
  tern_sandbox *s = open_sandbox(1);
  setenv("PATH", before, 1);
  assert_non_null(strstr(tern_sandbox_about(s), "no /proc"));
  assert_says(s, "write-outside", TERN_HOSTILE_FOLDER, "done\n");
  assert_says(s, "look-around", "", "done\n");
  assert_says(s, "gain", "", "done\n");
  assert_says(s, "trace", "", "done\n");
  assert_says(s, "leave-behind", "", "left\n");
  tern_sandbox_close(s);
  unlink(path);
  rmdir(folder);
}

static int set_up(void **state) {
  *state = open_sandbox(2);
  return 0;
}

static int tear_down(void **state) {
  tern_sandbox_close(*state);
  return 0;
}

static int run_all(const char *who) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_fork_bomb_stays_within_its_limits),
      cmocka_unit_test(endless_output_is_cut_at_its_limit),
      cmocka_unit_test(sleeping_forever_and_computing_forever_end),
      cmocka_unit_test(memory_is_limited_for_one_and_for_all),
      cmocka_unit_test(files_end_at_their_size_and_so_does_tmp),
      cmocka_unit_test(nothing_is_written_outside),
      cmocka_unit_test(links_in_tmp_lead_nowhere),
      cmocka_unit_test(there_is_no_network_not_even_to_the_host),
      cmocka_unit_test(others_are_neither_traced_nor_signalled),
      cmocka_unit_test(the_host_is_not_to_be_seen),
      cmocka_unit_test(no_privilege_is_to_be_had),
      cmocka_unit_test(descriptors_are_few_and_none_is_inherited),
      cmocka_unit_test(background_processes_end_with_their_program),
      cmocka_unit_test(input_output_codes_and_signals_come_through),
      cmocka_unit_test(no_more_than_asked_run_together_and_tickets_find_their_own),
      cmocka_unit_test(closing_ends_what_runs),
      cmocka_unit_test(a_killed_parent_takes_its_programs_along),
      cmocka_unit_test(without_a_proc_of_its_own_the_rest_still_holds),
      cmocka_unit_test(without_a_bwrap_that_isolates_nothing_runs),
  };
  return cmocka_run_group_tests_name(who, tests, set_up, tear_down);
}

/* 0 where programs can be run at all. */
static int usable(const char *who) {
  tern_sandbox *s = NULL;
  tern_error e = {0};
  if (access(TERN_HOSTILE_FOLDER "/eval_hostile", X_OK) != 0) {
    printf("skipped %s: the build folder is not readable there\n", who);
    return SKIPPED;
  }
  if (tern_sandbox_open(&s, &(tern_sandbox_options){.parallel = 1}, &e) != 0) {
    printf("skipped %s: %s\n", who, e.text);
    return SKIPPED;
  }
  printf("%s: %s\n", who, tern_sandbox_about(s));
  fflush(stdout);
  tern_sandbox_close(s);
  return 0;
}

int main(void) {
  const uid_t ordinary = 60001;
  int own = usable("here"), failed = own ? 0 : run_all("here"), how = 0;
  if (geteuid() != 0) return own ? own : failed;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (setgroups(0, NULL) != 0 || setresgid(ordinary, ordinary, ordinary) != 0 ||
        setresuid(ordinary, ordinary, ordinary) != 0)
      _exit(1);
    int theirs = usable("as an ordinary user");
    exit(theirs ? theirs : run_all("as an ordinary user"));
  }
  waitpid(pid, &how, 0);
  int theirs = WIFEXITED(how) ? WEXITSTATUS(how) : 1;
  if (own && theirs == SKIPPED) return SKIPPED;
  return failed || (theirs && theirs != SKIPPED);
}
