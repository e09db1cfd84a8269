/* Programs in flight: a thread each, which runs one from start to end; callers
 * hold tickets. */
#include "harness/eval/sandbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "harness/eval/sandbox_parts.h"

typedef struct job {
  struct job *next;
  tern_sandbox *sandbox;
  tern_sandbox_order order;
  char **argv, *input; /* copies */
  pthread_t thread;
  bool done;
  int bad;
  tern_sandbox_result result;
  tern_error error;
} job;

struct tern_sandbox {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int parallel, running, tickets;
  atomic_bool stop;
  job *jobs;
  char **readable, *python;
  tern_sandbox_way way;
  tern_sandbox_group group;
  char about[200];
};

static void free_list(char **list) {
  for (char **at = list; at && *at; at++) free(*at);
  free(list);
}

static char **copy_list(const char *const *list) {
  size_t count = 0;
  while (list && list[count]) count++;
  char **copy = calloc(count + 1, sizeof *copy);
  for (size_t i = 0; copy && i < count; i++)
    if (!(copy[i] = strdup(list[i]))) {
      free_list(copy);
      return NULL;
    }
  return copy;
}

static void job_free(job *j) {
  if (!j) return;
  free_list(j->argv);
  free(j->input);
  free(j->result.output);
  free(j);
}

static void *live(void *arg) {
  job *j = arg;
  tern_sandbox *s = j->sandbox;
  int bad = tern_sandbox_execute(&j->order, &j->result, &j->error);
  pthread_mutex_lock(&s->lock);
  j->bad = bad;
  j->done = true;
  s->running--;
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

/* Holding the lock; comes back now and then to see interrupts. */
static int sleep_until_changed(tern_sandbox *s, tern_error *e) {
  enum { LOOK_NS = 200000000 };
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += LOOK_NS;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_cond_timedwait(&s->changed, &s->lock, &until);
  return tern_interrupt_check(e);
}

int tern_sandbox_open(tern_sandbox **out, const tern_sandbox_options *o, tern_error *e) {
  *out = NULL;
  tern_sandbox *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "sandbox: out of memory");
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  s->parallel = o->parallel > 0 ? o->parallel : 1;
  s->readable = copy_list(o->readable);
  s->way.readable = (const char *const *)s->readable;
  if (o->python) s->python = strdup(o->python);
  if (!s->readable || (o->python && !s->python)) {
    tern_fail(e, TERN_FAILED, "sandbox: out of memory");
    goto fail;
  }
  tern_sandbox_group_open(&s->group);
  if (tern_sandbox_find_way(&s->way, &s->group, s->about, sizeof s->about, e) != 0) goto fail;
  *out = s;
  return 0;
fail:
  tern_sandbox_close(s);
  return (int)e->status;
}

void tern_sandbox_close(tern_sandbox *s) {
  if (!s) return;
  s->stop = true;
  for (job *j = s->jobs, *next; j; j = next) {
    next = j->next;
    pthread_join(j->thread, NULL);
    job_free(j);
  }
  tern_sandbox_group_end(&s->group);
  free_list(s->readable);
  free(s->python);
  free(s->way.program);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

const char *tern_sandbox_about(const tern_sandbox *s) {
  return s->about;
}

const char *tern_sandbox_python(const tern_sandbox *s) {
  return s->python;
}

const char *tern_sandbox_end_name(tern_sandbox_end end) {
  static const char *const names[] = {
      [TERN_SANDBOX_EXIT] = "exit code",         [TERN_SANDBOX_SIGNAL] = "signal",
      [TERN_SANDBOX_WALL] = "wall-clock limit",  [TERN_SANDBOX_CPU] = "processor time limit",
      [TERN_SANDBOX_MEMORY] = "memory limit",    [TERN_SANDBOX_PROCESSES] = "limit of processes",
      [TERN_SANDBOX_OUTPUT] = "limit of output",
  };
  return names[end];
}

static job *job_make(tern_sandbox *s, const char *const *argv, const char *input, size_t size,
                     const tern_sandbox_limits *limits) {
  job *j = calloc(1, sizeof *j);
  if (!j) return NULL;
  j->sandbox = s;
  j->argv = copy_list(argv);
  j->input = malloc(size + 1);
  if (!j->argv || !j->input) {
    job_free(j);
    return NULL;
  }
  if (size) memcpy(j->input, input, size);
  j->order = (tern_sandbox_order){.way = &s->way,
                                  .group = &s->group,
                                  .argv = (const char *const *)j->argv,
                                  .input = j->input,
                                  .size = size,
                                  .limits = *limits,
                                  .stop = &s->stop};
  return j;
}

int tern_sandbox_start(tern_sandbox *s, const char *const *argv, const char *input, size_t size,
                       const tern_sandbox_limits *limits, int *ticket, tern_error *e) {
  job *j = job_make(s, argv, input, size, limits);
  if (!j) return tern_fail(e, TERN_FAILED, "sandbox: out of memory for a program's input");
  int bad = 0;
  pthread_mutex_lock(&s->lock);
  while (!bad && s->running >= s->parallel) bad = sleep_until_changed(s, e);
  j->order.number = s->tickets;
  if (!bad && pthread_create(&j->thread, NULL, live, j) != 0)
    bad = tern_fail(e, TERN_FAILED, "sandbox: cannot start a thread");
  if (!bad) {
    *ticket = s->tickets;
    s->tickets = s->tickets == INT32_MAX ? 0 : s->tickets + 1;
    s->running++;
    j->next = s->jobs;
    s->jobs = j;
  }
  pthread_mutex_unlock(&s->lock);
  if (bad) job_free(j);
  return bad;
}

static job **find(tern_sandbox *s, int ticket) {
  job **at = &s->jobs;
  while (*at && (*at)->order.number != ticket) at = &(*at)->next;
  return at;
}

int tern_sandbox_wait(tern_sandbox *s, int ticket, tern_sandbox_result *out, tern_error *e) {
  memset(out, 0, sizeof *out);
  pthread_mutex_lock(&s->lock);
  job *j = *find(s, ticket);
  int bad = j ? 0 : tern_fail(e, TERN_FAILED, "sandbox: ticket %d is not known", ticket);
  while (!bad && !j->done) bad = sleep_until_changed(s, e);
  if (!bad) {
    job **at = find(s, ticket);
    *at = j->next;
  }
  pthread_mutex_unlock(&s->lock);
  if (bad) return bad; /* an interrupted one is left to close */
  pthread_join(j->thread, NULL);
  bad = j->bad;
  if (bad) *e = j->error;
  *out = j->result;
  j->result.output = NULL;
  job_free(j);
  return bad;
}

int tern_sandbox_run(tern_sandbox *s, const char *const *argv, const char *input, size_t size,
                     const tern_sandbox_limits *limits, tern_sandbox_result *out, tern_error *e) {
  int ticket;
  memset(out, 0, sizeof *out);
  if (tern_sandbox_start(s, argv, input, size, limits, &ticket, e) != 0) return (int)e->status;
  return tern_sandbox_wait(s, ticket, out, e);
}
