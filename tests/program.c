/* Runs the program in a scratch folder. */
#include "tests/program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { MOST_ARGS = 40 };

static const char *program;
char program_dir[256];

int program_find(const char *path) {
  program = realpath(path, NULL);
  return program ? 0 : -1;
}

int program_setup(void **state) {
  (void)state;
  scratch_make(program_dir, sizeof program_dir);
  return 0;
}

int program_teardown(void **state) {
  (void)state;
  scratch_remove(program_dir);
  return 0;
}

pid_t program_start(const char *const *args) {
  const char *argv[MOST_ARGS] = {program};
  for (int i = 0; args[i] && i < MOST_ARGS - 2; i++) argv[i + 1] = args[i];
  pid_t pid = fork();
  if (pid != 0) return pid;
  signal(SIGINT, SIG_DFL);           /* shells start background jobs with it ignored */
  setenv("TERNMARK_TUNE", "off", 1); /* what this machine's user has tuned is no part of a test */
  if (chdir(program_dir) != 0 || !freopen("out", "w", stdout) || !freopen("err", "w", stderr)) _exit(98);
  execv(program, (char *const *)argv);
  _exit(99);
}

int program_finish(pid_t pid) {
  int how;
  assert_int_equal(waitpid(pid, &how, 0), pid);
  if (!WIFEXITED(how)) fail_msg("ended by signal %d", WTERMSIG(how));
  return WEXITSTATUS(how);
}

void program_expect(int code, const char *const *args) {
  int got = program_finish(program_start(args));
  if (got == code) return;
  char *err = scratch_read(program_dir, "err");
  fail_msg("exit code %d instead of %d: %s", got, code, err);
}

void program_says(const char *file, const char *words) {
  char *text = scratch_read(program_dir, file);
  assert_non_null(text);
  if (!strstr(text, words)) fail_msg("%s does not say '%s': %.2000s", file, words, text);
  free(text);
}

int program_count_lines(const char *file) {
  char *text = scratch_read(program_dir, file);
  int n = 0;
  for (const char *at = text; at && (at = strchr(at, '\n')); at++) n++;
  free(text);
  return n;
}

json_t *program_json(const char *file) {
  char *text = scratch_read(program_dir, file);
  assert_non_null(text);
  json_t *m = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
  assert_non_null(m);
  free(text);
  return m;
}

void program_wait_for_lines(const char *file, int lines) {
  for (int i = 0; i < 3000 && program_count_lines(file) < lines; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  assert_true(program_count_lines(file) >= lines);
}
