/* Files: outputs appear whole or not at all whatever goes wrong; mappings and
 * reads refuse what is no regular file. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "engine/base/file.h"
#include "engine/base/interrupt.h"
#include "tests/own_folder.h"

static void put(const char *path, const char *text) {
  tern_error e = {0};
  tern_output *o;
  if (tern_output_open(&o, path, &e)) fail_msg("%s", e.text);
  fputs(text, tern_output_stream(o));
  if (tern_output_commit(o, &e)) fail_msg("%s", e.text);
}

static void expect_content(const char *path, const char *text) {
  tern_error e = {0};
  size_t n;
  char *got = tern_file_read(path, 1 << 20, &n, &e);
  if (!got) fail_msg("%s", e.text);
  assert_int_equal(n, strlen(text));
  assert_string_equal(got, text);
  free(got);
}

static void an_output_appears_at_commit_only(void **state) {
  (void)state;
  tern_error e = {0};
  folder s = folder_open();
  const char *path = folder_path(&s, "out");
  tern_output *o;
  assert_int_equal(tern_output_open(&o, path, &e), 0);
  fputs("new", tern_output_stream(o));
  fflush(tern_output_stream(o));
  assert_int_equal(access(path, F_OK), -1);
  assert_int_equal(tern_output_commit(o, &e), 0);
  expect_content(path, "new");
  assert_int_equal(folder_count(&s), 1);
  folder_close(&s);
}

static void an_abandoned_output_leaves_the_old_file(void **state) {
  (void)state;
  tern_error e = {0};
  folder s = folder_open();
  const char *path = folder_path(&s, "out");
  tern_output *o;
  put(path, "old");
  assert_int_equal(chmod(path, 0640), 0);
  assert_int_equal(tern_output_open(&o, path, &e), 0);
  fputs("half", tern_output_stream(o));
  tern_output_abandon(o);
  expect_content(path, "old");
  assert_int_equal(folder_count(&s), 1);
  put(path, "newer");
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 0777, 0640); /* a replaced file keeps its mode */
  folder_close(&s);
}

static void a_link_stays_a_link_and_a_device_is_refused(void **state) {
  (void)state;
  tern_error e = {0};
  folder s = folder_open();
  char link[600];
  tern_output *o;
  put(folder_path(&s, "real"), "old");
  snprintf(link, sizeof link, "%s/link", s.folder);
  assert_int_equal(symlink("real", link), 0);
  put(link, "through");
  struct stat st;
  assert_int_equal(lstat(link, &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  expect_content(folder_path(&s, "real"), "through");
  assert_int_equal(tern_output_open(&o, "/dev/null", &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "/dev/null"));
  assert_int_equal(tern_output_open(&o, "/nonexistent/folder/file", &e), TERN_FAILED);
  assert_null(o);
  folder_close(&s);
}

/* Runs body(path) in a child; returns its wait status. */
static int in_child(void (*body)(const char *path), const char *path) {
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    body(path);
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return status;
}

static int write_much(const char *path) {
  static const char block[65536];
  tern_error e = {0};
  tern_output *o;
  if (tern_output_open(&o, path, &e)) return 1;
  for (int i = 0; i < 16; i++) fwrite(block, 1, sizeof block, tern_output_stream(o));
  if (tern_output_commit(o, &e) == 0) return 1;
  return strstr(e.text, path) == NULL; /* the message names the file */
}

static void write_with_limit(const char *path) {
  const struct rlimit limit = {.rlim_cur = 100000, .rlim_max = 100000};
  tern_interrupt_install();
  setrlimit(RLIMIT_FSIZE, &limit);
  _exit(write_much(path));
}

static void a_file_too_large_is_an_error_and_leaves_nothing(void **state) {
  (void)state;
  folder s = folder_open();
  put(folder_path(&s, "out"), "old");
  int status = in_child(write_with_limit, folder_path(&s, "out"));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  expect_content(folder_path(&s, "out"), "old");
  assert_int_equal(folder_count(&s), 1);
  folder_close(&s);
}

enum { SKIPPED = 77 };
static void write_to_full_disk(const char *where) {
  char path[700];
  if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
      mount("none", where, "tmpfs", 0, "size=128k")) {
    _exit(SKIPPED);
  }
  snprintf(path, sizeof path, "%s/out", where);
  int wrong = write_much(path);
  DIR *d = opendir(where);
  int entries = 0;
  while (d && readdir(d)) entries++;
  _exit(wrong || entries != 2); /* . and .. */
}

static void a_full_disk_is_an_error_and_leaves_nothing(void **state) {
  (void)state;
  folder s = folder_open();
  int status = in_child(write_to_full_disk, s.folder);
  folder_close(&s);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == SKIPPED) skip(); /* no right to mount */
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* First signal: asked about; second: ends at once. Neither leaves a temporary. */
static void be_interrupted_twice(const char *path) {
  tern_error e = {0};
  tern_output *o;
  tern_interrupt_install();
  if (tern_output_open(&o, path, &e)) _exit(1);
  fputs("half", tern_output_stream(o));
  fflush(tern_output_stream(o));
  if (tern_interrupted() || tern_interrupt_check(&e) != 0) _exit(2);
  raise(SIGINT);
  if (!tern_interrupted() || tern_interrupt_check(&e) != TERN_INTERRUPTED) _exit(3);
  raise(SIGTERM);
  _exit(4);
}

static void a_killed_run_leaves_no_temporary(void **state) {
  (void)state;
  folder s = folder_open();
  int status = in_child(be_interrupted_twice, folder_path(&s, "out"));
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), TERN_INTERRUPTED);
  assert_int_equal(folder_count(&s), 0);
  folder_close(&s);
}

static void remove_temporaries(const char *path) {
  (void)path;
  tern_outputs_abandon();
}

static void a_child_does_not_remove_its_parents_outputs(void **state) {
  (void)state;
  tern_error e = {0};
  folder s = folder_open();
  char path[600];
  snprintf(path, sizeof path, "%s", folder_path(&s, "out"));
  tern_output *o;
  assert_int_equal(tern_output_open(&o, path, &e), 0);
  in_child(remove_temporaries, path);
  fputs("whole", tern_output_stream(o));
  assert_int_equal(tern_output_commit(o, &e), 0);
  expect_content(path, "whole");
  folder_close(&s);
}

static void mappings_refuse_what_is_no_file(void **state) {
  (void)state;
  tern_error e = {0};
  tern_map m;
  folder s = folder_open();
  assert_int_equal(tern_map_open(&m, s.folder, &e), TERN_FAILED);
  assert_int_equal(tern_map_open(&m, folder_path(&s, "absent"), &e), TERN_FAILED);
  assert_int_equal(mkfifo(folder_path(&s, "fifo"), 0600), 0);
  assert_int_equal(tern_map_open(&m, folder_path(&s, "fifo"), &e), TERN_FAILED); /* does not hang */
  put(folder_path(&s, "empty"), "");
  assert_int_equal(tern_map_open(&m, folder_path(&s, "empty"), &e), TERN_FAILED);
  assert_non_null(strstr(e.text, "empty"));
  put(folder_path(&s, "five"), "12345");
  assert_int_equal(tern_map_open(&m, folder_path(&s, "five"), &e), 0);
  assert_int_equal(m.size, 5);
  assert_memory_equal(m.data, "12345", 5);
  tern_map_done(&m, 1, 3);
  assert_memory_equal(m.data, "12345", 5); /* given back pages come again from the file */
  tern_map_close(&m);
  size_t n;
  assert_null(tern_file_read(folder_path(&s, "five"), 4, &n, &e));
  folder_close(&s);
}

static void folders_are_made_with_their_parents(void **state) {
  (void)state;
  tern_error e = {0};
  folder s = folder_open();
  char path[700];
  snprintf(path, sizeof path, "%s/a/b//c", s.folder);
  assert_int_equal(tern_directory_make(path, &e), 0);
  assert_int_equal(tern_directory_make(path, &e), 0);
  rmdir(path);
  path[strlen(path) - 3] = 0;
  rmdir(path);
  put(folder_path(&s, "file"), "x");
  snprintf(path, sizeof path, "%s/file/sub", s.folder);
  assert_int_equal(tern_directory_make(path, &e), TERN_FAILED);
  snprintf(path, sizeof path, "%s/a", s.folder);
  rmdir(path);
  folder_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_output_appears_at_commit_only),
      cmocka_unit_test(an_abandoned_output_leaves_the_old_file),
      cmocka_unit_test(a_link_stays_a_link_and_a_device_is_refused),
      cmocka_unit_test(a_file_too_large_is_an_error_and_leaves_nothing),
      cmocka_unit_test(a_full_disk_is_an_error_and_leaves_nothing),
      cmocka_unit_test(a_killed_run_leaves_no_temporary),
      cmocka_unit_test(a_child_does_not_remove_its_parents_outputs),
      cmocka_unit_test(mappings_refuse_what_is_no_file),
      cmocka_unit_test(folders_are_made_with_their_parents),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
