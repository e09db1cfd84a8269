/* One run: bwrap started with limits, fed, read and watched until its last
 * process is dead. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/progress.h"
#include "harness/eval/sandbox_parts.h"

/* Descriptors of bwrap, all that it inherits. */
enum { FD_SECCOMP = 3, FD_INFO, FD_END };
enum { CHUNK = 64 << 10, TICK_MS = 20, WATCH_MS = 50, DEATH_MS = 5000 };

typedef struct run {
  const tern_sandbox_order *order;
  pid_t pid;     /* bwrap */
  int init;      /* pidfd of the namespace's init, -1 before it is known */
  int in, info;  /* -1: closed */
  int out;       /* -1: at its end */
  size_t sent;   /* of the input */
  char text[64]; /* what bwrap says of itself */
  size_t text_size;
  size_t room;
  double start, watched;
  bool ended; /* killed by us */
  tern_sandbox_group group;
  tern_sandbox_result *result;
} run;

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* In the child: only what is safe between fork and exec of a threaded program. */
static void set_limit(int which, size_t most) {
  struct rlimit l, want = {most, most};
  if (getrlimit((__rlimit_resource_t)which, &l) == 0 && l.rlim_max < most) want.rlim_cur = want.rlim_max = l.rlim_max;
  if (setrlimit((__rlimit_resource_t)which, &want) != 0) _exit(125);
}

static void become(uid_t uid) {
  if (syscall(SYS_setgroups, 0, NULL) != 0 || syscall(SYS_setresgid, uid, uid, uid) != 0 ||
      syscall(SYS_setresuid, uid, uid, uid) != 0)
    _exit(125);
}

static void plain_signals(void) {
  sigset_t none;
  for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void live(const tern_sandbox_order *o, char *const *argv, const int *fds, int procs, uid_t uid,
                           pid_t parent) {
  static const int places[] = {0, 1, 2, FD_SECCOMP, FD_INFO};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(125);
  plain_signals();
  setpgid(0, 0); /* the terminal's signals go to the parent alone */
  if (procs >= 0 && write(procs, "0", 1) != 1) {
    /* Not in the group: the namespace still ends it. */
  }
  /* Out of the way of the places first. */
  int high[FD_END];
  for (int i = 0; i < FD_END; i++)
    if ((high[i] = fcntl(fds[i], F_DUPFD, FD_END)) < 0) _exit(125);
  for (int i = 0; i < FD_END; i++)
    if (dup2(high[i], places[i]) < 0) _exit(125);
  closefrom(FD_END);
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_CPU, (size_t)o->limits.cpu_s + 1);
  set_limit(RLIMIT_FSIZE, o->limits.file);
  set_limit(RLIMIT_NOFILE, (size_t)o->limits.files);
  if (o->way->drop == TERN_DROP_BEFORE) become(uid);
  set_limit(RLIMIT_AS, o->limits.memory);
  /* Its init's environment can be read inside where the uid is the same. */
  execve(argv[0], argv, (char *const[]){NULL});
  _exit(126);
}

enum { IN, OUT, INFO, PIPES };

static int start(run *r, tern_error *e) {
  const tern_sandbox_order *o = r->order;
  uid_t uid = TERN_SANDBOX_UID + (uid_t)(getpid() * 16 + o->number) % TERN_SANDBOX_UIDS;
  int pipes[PIPES][2], made = 0, filter = -1, procs = -1;
  tern_sandbox_args args;
  sigset_t all, before;
  if (tern_sandbox_args_make(&args, o->way, o->argv, &o->limits, uid, FD_SECCOMP, FD_INFO, e) != 0)
    return (int)e->status;
  if (tern_sandbox_filter(&filter, e) != 0) goto out;
  while (made < PIPES && pipe2(pipes[made], O_CLOEXEC) == 0) made++;
  if (made < PIPES) {
    tern_fail_errno(e, "sandbox: cannot make a pipe");
    goto out;
  }
  if (r->group.path[0]) {
    char path[sizeof r->group.path + 16];
    snprintf(path, sizeof path, "%s/cgroup.procs", r->group.path);
    procs = open(path, O_WRONLY | O_CLOEXEC);
  }
  const int fds[FD_END] = {pipes[IN][0], pipes[OUT][1], pipes[OUT][1], filter, pipes[INFO][1]};
  pid_t parent = getpid();
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  r->pid = fork();
  if (r->pid == 0) live(o, args.list, fds, procs, uid, parent);
  if (r->pid < 0) tern_fail_errno(e, "sandbox: cannot start a process");
  pthread_sigmask(SIG_SETMASK, &before, NULL);
out:
  tern_sandbox_args_free(&args);
  shut(&filter);
  shut(&procs);
  int *ours[] = {&r->in, &r->out, &r->info};
  for (int i = 0; i < made; i++) {
    int mine = i == IN ? 1 : 0;
    close(pipes[i][!mine]);
    *ours[i] = pipes[i][mine];
    fcntl(pipes[i][mine], F_SETFL, O_NONBLOCK);
  }
  return r->pid > 0 ? 0 : (int)e->status;
}

static void kill_tree(run *r) {
  if (r->init >= 0) syscall(SYS_pidfd_send_signal, r->init, SIGKILL, NULL, 0);
  /* Its child's parent-death signal does the rest where there is no pidfd. */
  if (r->pid > 0) kill(r->pid, SIGKILL);
}

static void stop(run *r, tern_sandbox_end why) {
  if (r->ended) return;
  r->ended = true;
  r->result->end = why;
  kill_tree(r);
}

static void feed(run *r) {
  const tern_sandbox_order *o = r->order;
  while (r->in >= 0 && r->sent < o->size) {
    ssize_t put = write(r->in, o->input + r->sent, o->size - r->sent);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return;
    if (put <= 0) break; /* it reads no more */
    r->sent += (size_t)put;
  }
  shut(&r->in);
}

static bool make_room(run *r) {
  if (r->room - r->result->size > CHUNK) return true;
  size_t room = r->room + r->room / 2 + 2 * CHUNK;
  char *text = realloc(r->result->output, room);
  if (!text) return false;
  r->result->output = text;
  r->room = room;
  return true;
}

/* What is there; -1: out of memory. */
static int take(run *r) {
  tern_sandbox_result *out = r->result;
  while (r->out >= 0) {
    if (!make_room(r)) return -1;
    ssize_t got = read(r->out, out->output + out->size, CHUNK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) shut(&r->out);
    if (got > 0) out->size += (size_t)got;
    if (out->size <= r->order->limits.output) continue;
    out->size = r->order->limits.output;
    stop(r, TERN_SANDBOX_OUTPUT);
    shut(&r->out);
  }
  return 0;
}

/* {"child-pid": N, ...}: the init of the namespace. Read to its end, since a
 * bwrap that is still writing would die of a closed pipe. */
static void learn(run *r) {
  char rest[256];
  int pid;
  size_t room = sizeof r->text - 1 - r->text_size;
  ssize_t got = room ? read(r->info, r->text + r->text_size, room) : read(r->info, rest, sizeof rest);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) shut(&r->info);
  if (got > 0 && room) r->text_size += (size_t)got;
  const char *at = strstr(r->text, "\"child-pid\": ");
  if (r->init < 0 && at && strpbrk(at, ",\n}") && sscanf(at, "\"child-pid\": %d", &pid) == 1)
    r->init = (int)syscall(SYS_pidfd_open, pid, 0);
}

static void watch(run *r) {
  const tern_sandbox_limits *l = &r->order->limits;
  double now = tern_now();
  if (*r->order->stop || now - r->start > l->wall_s) stop(r, TERN_SANDBOX_WALL);
  if (r->ended || now - r->watched < WATCH_MS / 1e3) return;
  tern_sandbox_use use;
  tern_sandbox_measure(r->pid, &use);
  r->watched = now;
  if (use.memory > l->memory) stop(r, TERN_SANDBOX_MEMORY);
  if (use.cpu_s > l->cpu_s) stop(r, TERN_SANDBOX_CPU);
  if (use.processes > l->processes + 4) stop(r, TERN_SANDBOX_PROCESSES);
}

/* Until bwrap has ended; its wait status in *how. */
static int attend(run *r, int *how, tern_error *e) {
  for (;;) {
    struct pollfd p[] = {{r->out, POLLIN, 0}, {r->in, POLLOUT, 0}, {r->info, POLLIN, 0}};
    poll(p, 3, TICK_MS);
    if (r->info >= 0 && p[2].revents) learn(r);
    if (r->in >= 0 && p[1].revents) feed(r);
    if (take(r) != 0) {
      stop(r, TERN_SANDBOX_OUTPUT);
      return tern_fail(e, TERN_FAILED, "sandbox: out of memory for a program's output");
    }
    watch(r);
    pid_t got = waitpid(r->pid, how, WNOHANG);
    if (got == r->pid || (got < 0 && errno != EINTR)) break;
    if (r->out < 0 && !r->ended) poll(NULL, 0, TICK_MS / 4); /* closed its output, or is just ending */
  }
  r->pid = -1;
  return 0;
}

/* The init is gone only when everything in its namespace is. */
static void bury(run *r) {
  kill_tree(r);
  if (r->pid > 0) {
    while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
      ;
    r->pid = -1;
  }
  struct pollfd p = {r->init, POLLIN, 0};
  while (r->init >= 0 && poll(&p, 1, DEATH_MS) < 0 && errno == EINTR)
    ;
  shut(&r->init);
}

static void judge(run *r, int how) {
  tern_sandbox_result *out = r->result;
  out->wall_s = tern_now() - r->start;
  if (tern_sandbox_group_out_of_memory(&r->group)) out->end = TERN_SANDBOX_MEMORY;
  if (out->end != TERN_SANDBOX_EXIT) return;
  int code = WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
  bool by_signal = code > 128 && code <= 128 + SIGRTMAX;
  out->code = by_signal ? code - 128 : code;
  if (by_signal) out->end = out->code == SIGXCPU ? TERN_SANDBOX_CPU : TERN_SANDBOX_SIGNAL;
}

int tern_sandbox_execute(const tern_sandbox_order *o, tern_sandbox_result *out, tern_error *e) {
  run r = {.order = o, .pid = -1, .init = -1, .in = -1, .info = -1, .out = -1, .start = tern_now(), .result = out};
  int how = 0;
  memset(out, 0, sizeof *out);
  tern_sandbox_group_child(&r.group, o->group, o->number, &o->limits);
  int bad = start(&r, e);
  if (!bad) bad = attend(&r, &how, e);
  bury(&r);
  judge(&r, how);
  tern_sandbox_group_end(&r.group);
  if (!bad && (take(&r) != 0 || !make_room(&r)))
    bad = tern_fail(e, TERN_FAILED, "sandbox: out of memory for a program's output");
  shut(&r.in);
  shut(&r.info);
  shut(&r.out);
  if (bad) {
    free(out->output);
    memset(out, 0, sizeof *out);
    return bad;
  }
  out->output[out->size] = '\0';
  return 0;
}
