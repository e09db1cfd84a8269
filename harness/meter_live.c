/* A thread reads the lines and stamps each with the time it came, so that the
 * meter's own clock does not matter. The thread ends when the source does or
 * when the meter is closed (a pipe wakes it). */
#include "harness/meter_live.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "harness/meter_series.h"

enum { MOST_LINE = 1024, LEAVE_MS = 1000 };
static const double MOST_WATTS = 20000;
/* The source is asked for its first value so long when it is opened. */
static const double FIRST_S = 5, PAUSE_S = 0.01;

struct tern_live {
  int file, wake[2];
  pid_t pid;
  const tern_clock *clock;
  pthread_t thread;
  pthread_mutex_t lock; /* of what follows */
  tern_series series;
  size_t values;
  bool ended;
  char why[128]; /* how it ended */
};

bool tern_live_parse(const char *line, double *watts) {
  static const struct {
    const char *name;
    double scale;
  } units[] = {{"", 1}, {"W", 1}, {"mW", 1e-3}, {"kW", 1e3}, {"watt", 1}, {"watts", 1}};
  const char *end = line + strlen(line);
  while (end > line && isspace((unsigned char)end[-1])) end--;
  const char *unit = end;
  while (unit > line && isalpha((unsigned char)unit[-1])) unit--;
  const char *stop = unit;
  while (stop > line && stop[-1] == ' ') stop--;
  const char *begin = stop;
  while (begin > line && strchr("0123456789.eE+-", begin[-1])) begin--;
  char number[64], name[16], *rest;
  if (begin == stop || stop - begin >= (ptrdiff_t)sizeof number || end - unit >= (ptrdiff_t)sizeof name) return false;
  snprintf(number, sizeof number, "%.*s", (int)(stop - begin), begin);
  snprintf(name, sizeof name, "%.*s", (int)(end - unit), unit);
  *watts = strtod(number, &rest);
  if (rest == number || *rest || !isfinite(*watts)) return false;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(name, units[i].name) != 0) continue;
    *watts *= units[i].scale;
    return true;
  }
  return false;
}

static void take(tern_live *l, const char *line) {
  double watts;
  if (!tern_live_parse(line, &watts)) return;
  pthread_mutex_lock(&l->lock);
  tern_series_add(&l->series, l->clock->now(l->clock->arg), watts);
  l->values++;
  pthread_mutex_unlock(&l->lock);
}

/* The process is looked at, not collected: its number stays ours until close. */
static void explain_end(tern_live *l, int error) {
  siginfo_t info = {0};
  if (error) {
    snprintf(l->why, sizeof l->why, "reading failed: %s", strerror(error));
  } else if (l->pid && waitid(P_PID, (id_t)l->pid, &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_pid == l->pid) {
    bool killed = info.si_code != CLD_EXITED;
    snprintf(l->why, sizeof l->why, "the command ended with %s %d", killed ? "signal" : "exit code", info.si_status);
  } else {
    snprintf(l->why, sizeof l->why, "%s", l->pid ? "the command closed its output" : "the device hung up");
  }
}

static void *reader(void *arg) {
  tern_live *l = arg;
  char text[MOST_LINE];
  size_t have = 0;
  int error = 0;
  for (;;) {
    struct pollfd p[2] = {{.fd = l->file, .events = POLLIN}, {.fd = l->wake[0], .events = POLLIN}};
    if (poll(p, 2, -1) < 0 && errno != EINTR) break;
    if (p[1].revents) return NULL;
    if (!p[0].revents) continue;
    ssize_t got = read(l->file, text + have, sizeof text - 1 - have);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) {
      error = got < 0 && errno != EIO ? errno : 0; /* EIO: the other end of a terminal is gone */
      break;
    }
    have += (size_t)got;
    text[have] = '\0';
    char *line = text;
    for (char *end; (end = strpbrk(line, "\r\n")); line = end + 1) {
      *end = '\0';
      take(l, line);
    }
    have = strlen(line);
    if (have == sizeof text - 1) have = 0; /* no line is that long */
    memmove(text, line, have);
  }
  if (l->pid) poll(NULL, 0, 50); /* its exit follows the end of its output */
  pthread_mutex_lock(&l->lock);
  explain_end(l, error);
  l->ended = true;
  pthread_mutex_unlock(&l->lock);
  return NULL;
}

/* The group, then the leader is collected: as long as it is not, its number is not another's. */
static void end_process(pid_t pid) {
  siginfo_t info = {0};
  kill(-pid, SIGTERM);
  for (int waited = 0; waited < LEAVE_MS; waited += 10) {
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == pid) break;
    poll(NULL, 0, 10);
  }
  kill(-pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

static void release(tern_live *l) {
  close(l->file);
  if (l->pid) end_process(l->pid);
  if (l->wake[0] >= 0) close(l->wake[0]);
  if (l->wake[1] >= 0) close(l->wake[1]);
  tern_series_free(&l->series);
  pthread_mutex_destroy(&l->lock);
  free(l);
}

void tern_live_close(tern_source *s) {
  tern_live *l = s->state;
  if (write(l->wake[1], "", 1) != 1)
    return; /* can't fail on an empty pipe; a thread left alone is safer than a crash */
  pthread_join(l->thread, NULL);
  release(l);
}

static bool start_thread(tern_live *l) {
  sigset_t all, old;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
  int bad = pthread_create(&l->thread, NULL, reader, l);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  return bad == 0;
}

size_t tern_live_values(const tern_source *s) {
  tern_live *l = s->state;
  pthread_mutex_lock(&l->lock);
  size_t n = l->values;
  pthread_mutex_unlock(&l->lock);
  return n;
}

bool tern_live_ended(const tern_source *s) {
  tern_live *l = s->state;
  pthread_mutex_lock(&l->lock);
  bool ended = l->ended;
  pthread_mutex_unlock(&l->lock);
  return ended;
}

/* Waits for the first value; false with the reason. */
static bool first_value(tern_live *l, char *why, size_t size) {
  bool ended = false;
  for (double waited = 0; waited < FIRST_S && !ended && !tern_interrupted(); waited += PAUSE_S) {
    pthread_mutex_lock(&l->lock);
    size_t n = l->values;
    ended = l->ended;
    snprintf(why, size, "%s", l->why);
    pthread_mutex_unlock(&l->lock);
    if (n > 0) return true;
    poll(NULL, 0, (int)(PAUSE_S * 1000));
  }
  if (!ended) snprintf(why, size, "no line with watts within %.0f s", FIRST_S);
  return false;
}

tern_live *tern_live_open(tern_source *s, int file, pid_t pid) {
  tern_live *l = calloc(1, sizeof *l);
  char why[160] = "no thread or pipe can be made";
  if (!l) {
    close(file);
    if (pid) end_process(pid);
    return tern_source_refuse(s, "out of memory");
  }
  l->file = file;
  l->pid = pid;
  l->clock = s->clock;
  l->wake[0] = l->wake[1] = -1;
  pthread_mutex_init(&l->lock, NULL);
  if (pipe2(l->wake, O_CLOEXEC) != 0 || !start_thread(l)) {
    release(l);
    return tern_source_refuse(s, "%s", why);
  }
  if (!first_value(l, why, sizeof why)) {
    s->state = l;
    tern_live_close(s);
    s->state = NULL;
    return tern_source_refuse(s, "%s", why);
  }
  snprintf(s->fact.scope, sizeof s->fact.scope, "wall");
  snprintf(s->fact.unit, sizeof s->fact.unit, "W");
  return l;
}

void tern_live_begin(tern_source *s) {
  tern_live *l = s->state;
  pthread_mutex_lock(&l->lock);
  tern_series_trim(&l->series, s->started.now);
  pthread_mutex_unlock(&l->lock);
}

void tern_live_finish(tern_source *s, tern_instant end, tern_reading *out) {
  tern_live *l = s->state;
  tern_integral sum;
  char why[160] = "";
  pthread_mutex_lock(&l->lock);
  bool good = tern_series_integrate(&l->series, s->started.now, end.now, true, MOST_WATTS, &sum, why, sizeof why);
  /* A source that ended after the window's last value may have given all of it. */
  if (!good && l->ended) snprintf(why, sizeof why, "%s", l->why);
  pthread_mutex_unlock(&l->lock);
  out->samples = sum.points;
  out->interval = s->fact.interval = sum.interval;
  if (!good) {
    snprintf(out->why, sizeof out->why, "%s: %.140s", s->kind->name, why);
    return;
  }
  out->value = sum.joules;
  out->how = TERN_MEASURED;
  snprintf(out->scope, sizeof out->scope, "%s", s->fact.scope);
}
