/* A work goes through at most three requests of the schedule: its prompt's
 * scores, its answer, the answer's scores. Each finds in the pool what the one
 * before computed, so that a prompt is fed once. */
#include "service/engine_loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"

enum { ASK_EVERY_MS = 100, SIGNAL_WAIT_MS = 5 };
enum { PROMPT_SCORES, ANSWER, ANSWER_SCORES, ENDED };

/* Works handed over together; on the stack of who waits for them. */
typedef struct batch {
  struct batch *next;
  tern_work *works;
  int count, left;
  bool cancelled;
  pthread_cond_t done;
} batch;

struct tern_engine_loop {
  tern_schedule *schedule;
  int most;
  pthread_t thread;
  pthread_mutex_t mutex; /* of all below */
  pthread_cond_t wake;
  batch *first;
  tern_loop_load load;
  bool closing, joined;
};

void tern_work_free(tern_work *w) {
  free(w->ids);
  free(w->answer_ids);
  free(w->text);
  free(w->scores);
  *w = (tern_work){0};
}

static int take_text(void *arg, const char *text, size_t size, tern_error *e) {
  tern_work *w = arg;
  if (w->size + size > w->room) {
    size_t room = 2 * (w->size + size);
    char *more = realloc(w->text, room);
    if (!more) return tern_fail(e, TERN_FAILED, "not enough memory for the answer's text");
    w->text = more;
    w->room = room;
  }
  memcpy(w->text + w->size, text, size);
  w->size += size;
  return TERN_OK;
}

static void fail(tern_work *w, int status, const char *why) {
  w->status = status;
  w->phase = ENDED;
  snprintf(w->error, sizeof w->error, "%s", why);
}

/* The request of the work's phase; *asked is false where the phase has none. */
static int ask(tern_schedule *s, tern_work *w, bool *asked, tern_error *e) {
  tern_request_params p = {.prompt = w->ids, .prompt_count = w->count};
  *asked = true;
  switch (w->phase) {
  case PROMPT_SCORES:
    p.scored = w->count - 1;
    *asked = w->score_prompt && p.scored > 0;
    break;
  case ANSWER:
    p.answer = w->answer;
    p.answer.put = take_text;
    p.answer.arg = w;
    *asked = w->answer.count > 0;
    break;
  default:
    p.prompt_count += w->answer_count;
    p.scored = w->answer_count;
    *asked = w->score_answer && w->answer_count > 0;
  }
  return *asked ? tern_schedule_add(s, &p, &w->request, e) : TERN_OK;
}

static int keep_answer(tern_work *w, const tern_request_facts *f) {
  int n = f->generated;
  int32_t *ids = realloc(w->ids, tern_mul((size_t)w->count + (size_t)n, sizeof *ids));
  w->answer_ids = malloc(tern_mul((size_t)n + 1, sizeof *ids));
  if (ids) w->ids = ids;
  if (!ids || !w->answer_ids) return TERN_FAILED;
  if (n > 0) memcpy(w->answer_ids, f->ids, (size_t)n * sizeof *ids);
  if (n > 0) memcpy(w->ids + w->count, f->ids, (size_t)n * sizeof *ids);
  w->answer_count = n;
  w->stop = f->stop;
  if (!w->score_prompt) w->reused = f->reused; /* else they are its own scores' */
  return TERN_OK;
}

static int keep_scores(tern_work *w, const tern_request_facts *f) {
  size_t all = (size_t)w->count + (size_t)w->answer_count, at = w->phase == ANSWER_SCORES ? (size_t)w->count - 1 : 0;
  size_t n = w->phase == ANSWER_SCORES ? (size_t)w->answer_count : (size_t)w->count - 1;
  tern_score *scores = realloc(w->scores, tern_mul(all, sizeof *scores));
  if (!scores) return TERN_FAILED;
  if (!w->scores) memset(scores, 0, all * sizeof *scores);
  memcpy(scores + at, f->scores, n * sizeof *scores);
  w->scores = scores;
  return TERN_OK;
}

/* Of a request that has ended. */
static void keep(tern_work *w, const tern_request_facts *f) {
  if (f->status != TERN_OK)
    fail(w, f->status, f->error);
  else if (f->stop == TERN_STOP_CANCELLED)
    fail(w, TERN_INTERRUPTED, "cancelled");
  else if ((w->phase == ANSWER ? keep_answer(w, f) : keep_scores(w, f)) != TERN_OK)
    fail(w, TERN_FAILED, "not enough memory for the answer");
}

/* Takes the work as far as it goes without the model; true when it has ended. */
static bool advance(tern_schedule *s, tern_work *w, bool cancelled) {
  tern_error e = {0};
  if (w->request) {
    const tern_request_facts *f = tern_request_describe(w->request);
    if (cancelled && !f->ended) tern_request_cancel(w->request);
    if (!f->ended) return false;
    keep(w, f);
    tern_request_close(w->request);
    w->request = NULL;
    if (w->phase != ENDED) w->phase++;
  }
  while (w->phase != ENDED) {
    bool asked;
    if (cancelled)
      fail(w, TERN_INTERRUPTED, "cancelled");
    else if (ask(s, w, &asked, &e) != TERN_OK)
      fail(w, (int)e.status, e.text);
    else if (asked)
      return false;
    else
      w->phase++;
  }
  return true;
}

/* Every batch a step on; those that have ended leave, and their owners wake. */
static void advance_all(tern_engine_loop *l) {
  for (batch **at = &l->first; *at;) {
    batch *b = *at;
    for (int i = 0; i < b->count; i++) {
      tern_work *w = &b->works[i];
      if (w->phase != ENDED && advance(l->schedule, w, b->cancelled)) b->left--;
    }
    if (b->left > 0) {
      at = &b->next;
      continue;
    }
    *at = b->next;
    l->load.prompts -= b->count;
    l->load.finished++;
    l->load.cancelled += b->cancelled;
    pthread_cond_signal(&b->done);
  }
}

/* A step failed for all: nothing says that the next one would not. */
static void fail_all(tern_engine_loop *l, const tern_error *e) {
  for (batch *b = l->first; b; b = b->next) {
    for (int i = 0; i < b->count; i++) {
      tern_work *w = &b->works[i];
      if (!w->request) continue;
      tern_request_close(w->request);
      w->request = NULL;
      fail(w, (int)e->status, e->text);
      b->left--;
    }
  }
}

static void pause_ms(long ms) {
  nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void *run(void *arg) {
  tern_engine_loop *l = arg;
  pthread_mutex_lock(&l->mutex);
  for (;;) {
    advance_all(l);
    if (!l->first) {
      if (l->closing) break;
      pthread_cond_wait(&l->wake, &l->mutex);
      continue;
    }
    bool closing = l->closing;
    pthread_mutex_unlock(&l->mutex);
    int left;
    tern_error e = {0};
    int status = tern_schedule_step(l->schedule, &left, &e);
    /* a signal interrupts the step; what it means is decided by who waits for it */
    bool again = status == TERN_INTERRUPTED && !closing;
    if (again) pause_ms(SIGNAL_WAIT_MS);
    pthread_mutex_lock(&l->mutex);
    if (status != TERN_OK && !again) fail_all(l, &e);
  }
  pthread_mutex_unlock(&l->mutex);
  return NULL;
}

int tern_engine_loop_open(tern_engine_loop **out, tern_schedule *s, int most, tern_error *e) {
  *out = NULL;
  tern_engine_loop *l = calloc(1, sizeof *l);
  if (!l) return tern_fail(e, TERN_FAILED, "engine loop: out of memory");
  l->schedule = s;
  l->most = most;
  pthread_mutex_init(&l->mutex, NULL);
  pthread_cond_init(&l->wake, NULL);
  if (pthread_create(&l->thread, NULL, run, l) != 0) {
    free(l);
    return tern_fail(e, TERN_FAILED, "engine loop: no thread to be had");
  }
  *out = l;
  return TERN_OK;
}

void tern_engine_loop_drain(tern_engine_loop *l) {
  pthread_mutex_lock(&l->mutex);
  bool joined = l->joined;
  l->closing = l->joined = true;
  pthread_cond_signal(&l->wake);
  pthread_mutex_unlock(&l->mutex);
  if (!joined) pthread_join(l->thread, NULL);
}

void tern_engine_loop_close(tern_engine_loop *l) {
  if (!l) return;
  tern_engine_loop_drain(l);
  pthread_cond_destroy(&l->wake);
  pthread_mutex_destroy(&l->mutex);
  free(l);
}

static void wait_a_while(pthread_cond_t *c, pthread_mutex_t *m) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += ASK_EVERY_MS * 1000000L;
  if (until.tv_nsec >= 1000000000L) {
    until.tv_nsec -= 1000000000L;
    until.tv_sec++;
  }
  pthread_cond_timedwait(c, m, &until);
}

static void add(tern_engine_loop *l, batch *b) {
  batch **at = &l->first;
  while (*at) at = &(*at)->next;
  *at = b;
  l->load.prompts += b->count;
  pthread_cond_signal(&l->wake);
}

tern_loop_answer tern_engine_loop_run(tern_engine_loop *l, tern_work *works, int count, bool (*gone)(void *),
                                      void *arg) {
  batch b = {.works = works, .count = count, .left = count};
  pthread_condattr_t clock;
  tern_loop_answer answer = TERN_LOOP_DONE;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_cond_init(&b.done, &clock);
  pthread_condattr_destroy(&clock);
  pthread_mutex_lock(&l->mutex);
  if (l->closing)
    answer = TERN_LOOP_CLOSED;
  else if (count > l->most - l->load.prompts)
    answer = TERN_LOOP_BUSY;
  else
    add(l, &b);
  while (answer == TERN_LOOP_DONE && b.left > 0) {
    wait_a_while(&b.done, &l->mutex);
    if (b.left > 0 && gone && gone(arg)) b.cancelled = true;
  }
  pthread_mutex_unlock(&l->mutex);
  pthread_cond_destroy(&b.done);
  return answer;
}

tern_loop_load tern_engine_loop_load(tern_engine_loop *l) {
  pthread_mutex_lock(&l->mutex);
  tern_loop_load load = l->load;
  pthread_mutex_unlock(&l->mutex);
  return load;
}
