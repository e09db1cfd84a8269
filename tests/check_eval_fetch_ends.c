/* Fetches that end early or meet: a signal, a full disk, two at once; and the
 * proxy, which is the environment's. Each runs in a child of its own, as a user's
 * would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "engine/base/interrupt.h"
#include "tests/eval_fetching.h"
#include "tests/scratch.h"

enum { LIMIT = 40000 };

/* The fetch in a child, which says its error's text in DATA/said. */
static pid_t start(fetching *t, rlim_t most) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  const struct rlimit limit = {most, most};
  alarm(60);
  tern_interrupt_install();
  if (most > 0) setrlimit(RLIMIT_FSIZE, &limit);
  int status = fetching_run(t);
  scratch_file(t->root, "said", t->e.text);
  _exit(status);
}

static int finish(pid_t pid) {
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void said(const fetching *t, const char *words) {
  char *text = scratch_read(t->root, "said");
  assert_non_null(text);
  if (strstr(text, words) == NULL) fail_msg("'%s' does not say '%s'", text, words);
  free(text);
}

static void an_interrupted_fetch_is_gone_on_with(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.etag = "\"one\"", .stall_at = 60000});
  pid_t pid = start(t, 0);
  eval_server_wait(t->server, "/data.bin", 60000);
  while (fetching_unfinished(t) < 60000) usleep(10000);
  kill(pid, SIGINT);
  assert_int_equal(finish(pid), TERN_INTERRUPTED);
  said(t, "60000 bytes are kept");
  assert_false(fetching_is_there(t, "data/set.bin"));
  fetching_serve(t, (server_page){.etag = "\"one\""});
  assert_int_equal(finish(start(t, 0)), TERN_OK);
  assert_string_equal(fetching_seen(t).range, "bytes=60000-");
  assert_true(fetching_is_right(t));
}

static void a_killed_fetch_is_gone_on_with(void **state) {
  fetching *t = *state;
  int status;
  fetching_serve(t, (server_page){.etag = "\"one\"", .stall_at = 60000});
  pid_t pid = start(t, 0);
  eval_server_wait(t->server, "/data.bin", 60000);
  while (fetching_unfinished(t) < 60000) usleep(10000);
  kill(pid, SIGKILL);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  fetching_serve(t, (server_page){.etag = "\"one\""});
  assert_int_equal(finish(start(t, 0)), TERN_OK);
  assert_string_equal(fetching_seen(t).range, "bytes=60000-");
  assert_true(fetching_is_right(t));
}

static void a_full_disk_is_an_error_that_keeps_what_came(void **state) {
  fetching *t = *state;
  fetching_serve(t, (server_page){.etag = "\"one\""});
  assert_int_equal(finish(start(t, LIMIT)), TERN_FAILED);
  said(t, "cannot write after 40000 bytes");
  said(t, strerror(EFBIG));
  assert_false(fetching_is_there(t, "data/set.bin"));
  assert_int_equal(finish(start(t, 0)), TERN_OK);
  assert_string_equal(fetching_seen(t).range, "bytes=40000-");
  assert_true(fetching_is_right(t));
}

/* A small download of a content that finds no room. */
static void a_disk_that_fills_while_unpacking_leaves_nothing_in_place(void **state) {
  fetching *t = *state;
  static unsigned char packed[FETCHING_SIZE];
  json_t *unpack = json_pack("{s:s}", "kind", "unpack");
  z_stream z = {.next_in = t->body, .avail_in = FETCHING_SIZE, .next_out = packed, .avail_out = sizeof packed};
  memset(t->body, 'x', FETCHING_SIZE);
  fetching_hash(t->sha256, t->body, FETCHING_SIZE);
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  deflateEnd(&z);
  t->file.form = unpack;
  t->file.download_size = -1;
  t->file.download_sha256 = NULL;
  fetching_serve(t, (server_page){.body = packed, .size = z.total_out});
  assert_int_equal(finish(start(t, LIMIT)), TERN_FAILED);
  said(t, "cannot write");
  assert_false(fetching_is_there(t, "data/set.bin"));
  assert_int_equal(finish(start(t, 0)), TERN_OK);
  assert_true(fetching_is_right(t));
  assert_int_equal(fetching_unfinished(t), -1);
  json_decref(unpack);
}

static void two_fetches_at_once_ask_once(void **state) {
  fetching *t = *state;
  enum { CHILDREN = 4 };
  pid_t pids[CHILDREN];
  int quiet = open("/dev/null", O_WRONLY), err = dup(STDERR_FILENO);
  fetching_serve(t, (server_page){.etag = "\"one\"", .fail_first = 1, .fail_status = 503});
  t->options.pause_s = 0.3;   /* long enough for all to have begun */
  dup2(quiet, STDERR_FILENO); /* they say that they wait */
  for (int i = 0; i < CHILDREN; i++) pids[i] = start(t, 0);
  for (int i = 0; i < CHILDREN; i++) assert_int_equal(finish(pids[i]), TERN_OK);
  dup2(err, STDERR_FILENO);
  close(quiet);
  close(err);
  assert_int_equal(fetching_seen(t).requests, 2);
  assert_true(fetching_is_right(t));
}

static void a_proxy_of_the_environment_is_used(void **state) {
  fetching *t = *state;
  char proxy[64];
  static const char address[] = "http://publisher.invalid/data.bin";
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", eval_server_port(t->server));
  t->file.address = address;
  setenv("http_proxy", proxy, 1);
  fetching_serve(t, (server_page){.path = address});
  assert_int_equal(fetching_run(t), TERN_OK);
  assert_int_equal(eval_server_seen(t->server, address).requests, 1);
  unsetenv("http_proxy");
  assert_true(fetching_is_right(t));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fetching_setup, fetching_teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(an_interrupted_fetch_is_gone_on_with),
      TEST(a_killed_fetch_is_gone_on_with),
      TEST(a_full_disk_is_an_error_that_keeps_what_came),
      TEST(a_disk_that_fills_while_unpacking_leaves_nothing_in_place),
      TEST(two_fetches_at_once_ask_once),
      TEST(a_proxy_of_the_environment_is_used),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
