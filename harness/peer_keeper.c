/* The keeper's side. It is a subreaper: descendants that their parents left
 * behind come to it, even out of sessions of their own, so that nothing
 * outlives a run and nothing is left out of its figures. */
#include "harness/peer_keeper.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { IN, OUT, ERR, REPORT, DESCRIPTORS, ABOVE = 64, POLL_MS = 100, SWEEP_MS = 2 };
static const double grace_s = 2, sweep_s = 5;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void tell(const tern_keeper_report *r) {
  /* Below PIPE_BUF: whole or not at all. Nobody is left to hear of an error. */
  ssize_t put = write(REPORT, r, sizeof *r);
  (void)put;
}

static _Noreturn void give_up(tern_keeper_kind kind) {
  tell(&(tern_keeper_report){.kind = (int)kind, .code = errno});
  _exit(127);
}

static void place_descriptors(const tern_keeper_order *o) {
  const int from[DESCRIPTORS] = {o->in, o->out, o->err, o->report};
  int high[DESCRIPTORS];
  for (int i = 0; i < DESCRIPTORS; i++)
    if ((high[i] = fcntl(from[i], F_DUPFD, ABOVE)) < 0) _exit(127);
  for (int i = 0; i < DESCRIPTORS; i++)
    if (dup2(high[i], i) != i) _exit(127);
  closefrom(DESCRIPTORS);
  fcntl(REPORT, F_SETFD, FD_CLOEXEC);
}

static _Noreturn void become(const tern_keeper_order *o) {
  static const int changed[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGXFSZ, SIGCHLD};
  for (size_t i = 0; i < sizeof changed / sizeof *changed; i++) signal(changed[i], SIG_DFL);
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (o->cpus && sched_setaffinity(0, o->cpus_size, o->cpus) != 0) give_up(TERN_KEEPER_UNBOUND);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  char *const words[] = {"sh", "-c", (char *)o->command, NULL};
  execv("/bin/sh", words);
  give_up(TERN_KEEPER_UNABLE);
}

/* Whether the peer's own process has ended; it stays a zombie, so that its
 * number still means its group. Others are collected. */
static bool has_ended(pid_t peer) {
  siginfo_t who = {0};
  while (waitid(P_ALL, 0, &who, WEXITED | WNOHANG | WNOWAIT) == 0 && who.si_pid > 0) {
    if (who.si_pid == peer) return true;
    waitpid(who.si_pid, NULL, 0);
    who.si_pid = 0;
  }
  return false;
}

static void watch(pid_t peer) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGCHLD);
  sigaddset(&wanted, SIGTERM);
  double deadline = 0;
  while (!has_ended(peer) && (deadline == 0 || now() < deadline)) {
    struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    int got = sigtimedwait(&wanted, NULL, &pause);
    if (got != SIGTERM || deadline > 0) continue;
    kill(-peer, SIGTERM);
    deadline = now() + grace_s;
  }
}

/* Ends the children that this process has now. */
static void end_children(void) {
  char text[4096];
  int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof text);
  if (fd >= 0) close(fd);
  pid_t pid = 0;
  for (ssize_t i = 0; i < size; i++) {
    if (isdigit((unsigned char)text[i])) {
      pid = pid * 10 + (text[i] - '0');
      continue;
    }
    if (pid > 0) kill(pid, SIGKILL);
    pid = 0;
  }
}

/* Ends and collects all that is left of the tree: those whose parents die
 * become children of this process, one round after the other. */
static int sweep(pid_t peer) {
  int status = 0;
  kill(-peer, SIGKILL);
  for (double until = now() + sweep_s; now() < until;) {
    int how;
    pid_t got = waitpid(-1, &how, WNOHANG);
    if (got == peer) status = how;
    if (got < 0 && errno == ECHILD) break;
    if (got != 0) continue;
    end_children();
    nanosleep(&(struct timespec){.tv_nsec = SWEEP_MS * 1000000L}, NULL);
  }
  return status;
}

static int64_t nanoseconds(struct timeval t) {
  return (int64_t)t.tv_sec * 1000000000 + (int64_t)t.tv_usec * 1000;
}

_Noreturn void tern_keeper_live(const tern_keeper_order *order) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != order->parent) _exit(127);
  setpgid(0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  place_descriptors(order);
  struct rlimit no_core = {0};
  setrlimit(RLIMIT_CORE, &no_core);
  /* A fork hands the parent's peak on, and exec does not take it back. */
  struct rusage own, tree;
  getrusage(RUSAGE_SELF, &own);
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  sigaddset(&wanted, SIGTERM);
  if (sigwaitinfo(&wanted, NULL) != SIGUSR1) _exit(127);

  double start = now();
  pid_t peer = fork();
  if (peer < 0) give_up(TERN_KEEPER_UNABLE);
  if (peer == 0) become(order);
  setpgid(peer, peer); /* whoever comes first */
  close(OUT);
  close(ERR);
  watch(peer);
  tern_keeper_report r = {.kind = TERN_KEEPER_ENDED, .wall_s = now() - start};
  r.code = sweep(peer);
  getrusage(RUSAGE_CHILDREN, &tree);
  r.task_clock_ns = nanoseconds(tree.ru_utime) + nanoseconds(tree.ru_stime);
  r.page_faults = tree.ru_minflt + tree.ru_majflt;
  r.context_switches = tree.ru_nvcsw + tree.ru_nivcsw;
  r.peak_rss = tree.ru_maxrss > own.ru_maxrss ? (int64_t)tree.ru_maxrss * 1024 : -1;
  tell(&r);
  _exit(0);
}
