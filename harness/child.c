/* Child processes over socket pairs. A child sleeps in read() between
 * requests, so an idle engine uses no CPU; it sees end of file when the parent
 * is gone, and PR_SET_PDEATHSIG ends it in the middle of a request. */
#include "harness/child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/interrupt.h"

enum { CHILD_SOCKET = 3, POLL_MS = 200, LEAVE_MS = 2000 };

struct tern_child {
  char name[64];
  pid_t pid;
  int socket;
  size_t request_size, reply_size;
};

/* 0, or -1 at the end of file or on an error. */
static int read_whole(int fd, void *data, size_t size) {
  for (char *at = data; size > 0;) {
    ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    at += got;
    size -= (size_t)got;
  }
  return 0;
}

static int write_whole(int fd, const void *data, size_t size) {
  for (const char *at = data; size > 0;) {
    ssize_t put = send(fd, at, size, MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return -1;
    at += put;
    size -= (size_t)put;
  }
  return 0;
}

static _Noreturn void live(const tern_child *c, int fd, pid_t parent, tern_child_serve serve, void *arg) {
  /* Ctrl-C reaches the whole foreground group: the parent alone decides. */
  signal(SIGINT, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  signal(SIGTERM, SIG_DFL);
  /* A crash ends this process, whatever the program around had in mind. */
  static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
  for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) signal(crashes[i], SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  /* Other children's sockets and the sample file are not ours to keep open. */
  if (dup2(fd, CHILD_SOCKET) != CHILD_SOCKET) _exit(1);
  closefrom(CHILD_SOCKET + 1);
  void *request = malloc(c->request_size), *reply = malloc(c->reply_size);
  while (request && reply && read_whole(CHILD_SOCKET, request, c->request_size) == 0) {
    memset(reply, 0, c->reply_size);
    serve(arg, request, reply);
    if (write_whole(CHILD_SOCKET, reply, c->reply_size) != 0) break;
  }
  _exit(0); /* not exit(): buffered output of the parent's streams must not be written twice */
}

int tern_child_start(tern_child **out, const char *name, tern_child_serve serve, void *arg, size_t request_size,
                     size_t reply_size, tern_error *e) {
  *out = NULL;
  tern_child *c = calloc(1, sizeof *c);
  if (!c) return tern_fail(e, TERN_FAILED, "%s: out of memory", name);
  snprintf(c->name, sizeof c->name, "%s", name);
  c->request_size = request_size;
  c->reply_size = reply_size;
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    tern_fail_errno(e, "%s: cannot make a socket pair", name);
    free(c);
    return (int)e->status;
  }
  pid_t parent = getpid();
  c->pid = fork();
  if (c->pid < 0) {
    tern_fail_errno(e, "%s: cannot start a process", name);
    close(pair[0]);
    close(pair[1]);
    free(c);
    return (int)e->status;
  }
  if (c->pid == 0) live(c, pair[1], parent, serve, arg);
  close(pair[1]);
  c->socket = pair[0];
  *out = c;
  return 0;
}

static void collect(tern_child *c, int *how) {
  while (waitpid(c->pid, how, 0) < 0 && errno == EINTR)
    ;
  c->pid = -1;
}

static int gone(tern_child *c, tern_error *e) {
  if (c->pid < 0) return tern_fail(e, TERN_FAILED, "%s: its process has ended", c->name);
  int how = 0;
  kill(c->pid, SIGKILL); /* a no-op on one that has ended: it is not collected yet */
  collect(c, &how);
  if (WIFSIGNALED(how))
    return tern_fail(e, TERN_FAILED, "%s: its process was ended by signal %d (%s)%s", c->name, WTERMSIG(how),
                     strsignal(WTERMSIG(how)), WTERMSIG(how) == SIGKILL ? "; out of memory?" : "");
  return tern_fail(e, TERN_FAILED, "%s: its process ended with exit code %d", c->name, WEXITSTATUS(how));
}

int tern_child_call(tern_child *c, const void *request, void *reply, tern_error *e) {
  if (c->pid < 0 || write_whole(c->socket, request, c->request_size) != 0) return gone(c, e);
  size_t have = 0;
  while (have < c->reply_size) {
    struct pollfd p = {.fd = c->socket, .events = POLLIN};
    int ready = poll(&p, 1, POLL_MS);
    if (tern_interrupt_check(e)) return (int)e->status;
    if (ready < 0 && errno != EINTR) return tern_fail_errno(e, "%s: cannot wait for its process", c->name);
    if (ready <= 0) continue;
    ssize_t got = read(c->socket, (char *)reply + have, c->reply_size - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return gone(c, e);
    have += (size_t)got;
  }
  return 0;
}

pid_t tern_child_pid(const tern_child *c) {
  return c->pid;
}

void tern_child_end(tern_child *c) {
  if (!c) return;
  if (c->pid > 0) {
    /* In the middle of a request it would not see the hang-up for long. */
    shutdown(c->socket, SHUT_RDWR);
    int how, waited = 0;
    pid_t done = 0;
    while (!tern_interrupted() && waited < LEAVE_MS && (done = waitpid(c->pid, &how, WNOHANG)) == 0) {
      poll(NULL, 0, 10);
      waited += 10;
    }
    if (done != c->pid) {
      kill(c->pid, SIGKILL);
      collect(c, &how);
    }
  }
  close(c->socket);
  free(c);
}
