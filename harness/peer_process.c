/* Starts a peer under its keeper and takes what it writes until the keeper
 * reports. The keeper alone ends processes; this side says when. */
#include "harness/peer_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "harness/peer_counters.h"
#include "harness/peer_keeper.h"

enum { POLL_MS = 100, CHUNK = 64 << 10 };

typedef enum { NOT_STOPPED, BY_LIMIT, BY_OUTPUT, BY_INTERRUPT, BY_MEMORY } stop_reason;

/* What was read of a pipe: all of it up to `most`, or its last `most` bytes. */
typedef struct stream {
  int fd; /* -1: at its end */
  char *text;
  size_t size, room, most;
  bool tail;
} stream;

typedef struct keeper {
  pid_t pid;
  stream out, err;
  int report; /* -1: not open */
  stop_reason stopped;
} keeper;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void shut(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* Room for a chunk more; of a tail the older half is let go of first. */
static bool make_room(stream *s) {
  if (s->tail && s->size > 2 * s->most) {
    memmove(s->text, s->text + s->size - s->most, s->most);
    s->size = s->most;
  }
  if (s->room - s->size > CHUNK) return true;
  size_t room = s->room + s->room / 2 + 2 * CHUNK;
  char *text = realloc(s->text, room);
  if (!text) return false;
  s->text = text;
  s->room = room;
  return true;
}

/* Takes what is there; false when no more is to be taken. */
static stop_reason take(stream *s) {
  while (s->fd >= 0) {
    if (!make_room(s)) return BY_MEMORY;
    ssize_t got = read(s->fd, s->text + s->size, CHUNK);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) shut(&s->fd);
    if (got > 0) s->size += (size_t)got;
    if (!s->tail && s->size > s->most) return BY_OUTPUT;
  }
  return NOT_STOPPED;
}

static int finish_text(stream *s, char **text) {
  if (!make_room(s)) return -1;
  size_t skip = s->tail && s->size > s->most ? s->size - s->most : 0;
  memmove(s->text, s->text + skip, s->size - skip);
  s->text[s->size - skip] = '\0';
  for (char *p = s->text; (p = memchr(p, '\0', s->size - skip - (size_t)(p - s->text))) != NULL;) *p = ' ';
  *text = s->text;
  s->text = NULL;
  return 0;
}

/* Pipes {read, write}: the peer's output and errors, the report. */
enum { OUT, ERR, REPORT, PIPES };

static int start(keeper *k, tern_keeper_order *o, tern_error *e) {
  int pipes[PIPES][2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), made = 0;
  sigset_t all, before;
  while (made < PIPES && pipe2(pipes[made], O_CLOEXEC) == 0) made++;
  if (null < 0 || made < PIPES) goto fail;
  o->in = null;
  o->out = pipes[OUT][1];
  o->err = pipes[ERR][1];
  o->report = pipes[REPORT][1];
  o->parent = getpid();
  /* A handler of this process must not run in the keeper. */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  k->pid = fork();
  if (k->pid == 0) tern_keeper_live(o);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  if (k->pid < 0) goto fail;
  for (int i = 0; i < PIPES; i++) close(pipes[i][1]);
  close(null);
  k->out.fd = pipes[OUT][0];
  k->err.fd = pipes[ERR][0];
  k->report = pipes[REPORT][0];
  fcntl(k->out.fd, F_SETFL, O_NONBLOCK);
  fcntl(k->err.fd, F_SETFL, O_NONBLOCK);
  return 0;
fail:
  tern_fail_errno(e, "cannot start a process");
  for (int i = 0; i < made; i++) {
    close(pipes[i][0]);
    close(pipes[i][1]);
  }
  if (null >= 0) close(null);
  return (int)e->status;
}

static void stop(keeper *k, stop_reason why) {
  if (why == NOT_STOPPED || k->stopped != NOT_STOPPED) return;
  k->stopped = why;
  kill(k->pid, SIGTERM);
  if (why == BY_OUTPUT || why == BY_MEMORY) shut(&k->out.fd);
}

/* Reads until the keeper reports, stopping it where it must be; false: no report. */
static bool attend(keeper *k, double limit_s, tern_keeper_report *r) {
  double until = now() + limit_s;
  for (;;) {
    struct pollfd p[] = {{k->report, POLLIN, 0}, {k->out.fd, POLLIN, 0}, {k->err.fd, POLLIN, 0}};
    poll(p, 3, POLL_MS);
    if (tern_interrupted()) stop(k, BY_INTERRUPT);
    if (limit_s > 0 && now() > until) stop(k, BY_LIMIT);
    stop(k, take(&k->out));
    stop(k, take(&k->err));
    if (!p[0].revents) continue;
    ssize_t got = read(k->report, r, sizeof *r);
    if (got < 0 && errno == EINTR) continue;
    /* Whatever was written before the report is in the pipes by now. */
    if (!k->stopped) stop(k, take(&k->out));
    take(&k->err);
    return got == (ssize_t)sizeof *r;
  }
}

/* The last line that says something; what programs complain with. */
static const char *last_line(char *text) {
  char *line = "";
  for (char *save, *p = strtok_r(text, "\r\n", &save); p; p = strtok_r(NULL, "\r\n", &save))
    if (p[strspn(p, " \t")]) line = p;
  return line;
}

static int complain(const char *name, const char *did, char *err, tern_error *e) {
  const char *last = last_line(err);
  return tern_fail(e, TERN_FAILED, "peer %s: %s%s%.200s", name, did, *last ? ": " : "", last);
}

static int judge(const keeper *k, const tern_keeper_report *r, bool reported, const char *name, double limit_s,
                 char *err, tern_error *e) {
  char did[128];
  if (k->stopped == BY_INTERRUPT) return tern_fail(e, TERN_INTERRUPTED, "interrupted");
  if (k->stopped == BY_MEMORY) return tern_fail(e, TERN_FAILED, "peer %s: out of memory for its output", name);
  if (k->stopped == BY_OUTPUT) {
    snprintf(did, sizeof did, "ended: it printed more than %d MiB", TERN_PEER_OUTPUT >> 20);
  } else if (k->stopped == BY_LIMIT) {
    snprintf(did, sizeof did, "ended: it did not finish within %g s", limit_s);
  } else if (!reported) {
    return tern_fail(e, TERN_FAILED, "peer %s: the process that kept it was ended from outside", name);
  } else if (r->kind == TERN_KEEPER_UNBOUND) {
    return tern_fail(e, TERN_FAILED, "peer %s: cannot bind it to its CPUs: %s", name, strerror(r->code));
  } else if (r->kind == TERN_KEEPER_UNABLE) {
    return tern_fail(e, TERN_FAILED, "peer %s: cannot start /bin/sh: %s", name, strerror(r->code));
  } else if (WIFSIGNALED(r->code)) {
    snprintf(did, sizeof did, "was ended by signal %d (%s)", WTERMSIG(r->code), strsignal(WTERMSIG(r->code)));
  } else if (WEXITSTATUS(r->code) > 128 && WEXITSTATUS(r->code) <= 128 + SIGRTMAX) {
    int number = WEXITSTATUS(r->code) - 128; /* as a shell tells it */
    snprintf(did, sizeof did, "was ended by signal %d (%s)", number, strsignal(number));
  } else if (WEXITSTATUS(r->code) != 0) {
    snprintf(did, sizeof did, "failed with exit code %d", WEXITSTATUS(r->code));
  } else {
    return 0;
  }
  return complain(name, did, err, e);
}

static cpu_set_t *make_set(const int *cpus, int count, size_t *size) {
  size_t most = 0;
  for (int i = 0; i < count; i++)
    if (cpus[i] > 0 && (size_t)cpus[i] > most) most = (size_t)cpus[i];
  *size = CPU_ALLOC_SIZE(most + 1);
  cpu_set_t *set = CPU_ALLOC(most + 1);
  if (!set) return NULL;
  CPU_ZERO_S(*size, set);
  for (int i = 0; i < count; i++)
    if (cpus[i] >= 0) CPU_SET_S((size_t)cpus[i], *size, set);
  return set;
}

int tern_peer_process_run(tern_peer_process *out, const char *name, const char *command, const int *cpus, int count,
                          double limit_s, tern_error *e) {
  memset(out, 0, sizeof *out);
  tern_keeper_order order = {.command = command};
  tern_keeper_report r = {0};
  tern_peer_counters counters;
  keeper k = {.out = {.fd = -1, .most = TERN_PEER_OUTPUT},
              .err = {.fd = -1, .most = TERN_PEER_ERRORS, .tail = true},
              .report = -1};
  cpu_set_t *set = cpus ? make_set(cpus, count, &order.cpus_size) : NULL;
  order.cpus = set;
  if (cpus && !set)
    tern_fail(e, TERN_FAILED, "peer %s: out of memory", name);
  else
    start(&k, &order, e);
  CPU_FREE(set);
  if (k.pid <= 0) return (int)e->status;

  tern_peer_counters_attach(&counters, k.pid);
  kill(k.pid, SIGUSR1);
  bool reported = attend(&k, limit_s, &r);
  while (waitpid(k.pid, NULL, 0) < 0 && errno == EINTR)
    ;
  tern_peer_counters_take(&counters, out->counters);
  out->counters[TERN_TASK_CLOCK] = r.task_clock_ns;
  out->counters[TERN_PAGE_FAULTS] = r.page_faults;
  out->counters[TERN_CONTEXT_SWITCHES] = r.context_switches;
  out->peak_rss = r.peak_rss;
  out->wall_s = r.wall_s;
  int bad = 0;
  if (finish_text(&k.out, &out->out) != 0 || finish_text(&k.err, &out->err) != 0)
    bad = tern_fail(e, TERN_FAILED, "peer %s: out of memory", name);
  else
    bad = judge(&k, &r, reported, name, limit_s, out->err, e);
  shut(&k.out.fd);
  shut(&k.err.fd);
  shut(&k.report);
  free(k.out.text);
  free(k.err.text);
  return bad;
}

void tern_peer_process_free(tern_peer_process *p) {
  free(p->out);
  free(p->err);
  memset(p, 0, sizeof *p);
}
