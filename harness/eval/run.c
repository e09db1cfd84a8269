/* A fixed number of slots, each with a request: a scored ask, a window of a
 * rolling one, or a turn. Windows of an ask are summed in the order of the text,
 * whichever ended first. */
#include "harness/eval/run.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "harness/eval/answer_text.h"

enum { AHEAD = 64 };

typedef struct unit { /* an ask in the order of asking */
  size_t document;
  int ask;
} unit;

typedef struct progress { /* of a document that was begun */
  tern_ask_ids *ids;      /* [ask_count] */
  tern_reply *replies;    /* [ask_count] */
  double **sums;          /* [ask_count][windows] */
  int *windows, *left;    /* [ask_count] of an ask */
  int asks_left;
} progress;

typedef struct slot {
  tern_request *request; /* NULL: free */
  unit at;
  int window;
  tern_answer_text text;
} slot;

typedef struct runner {
  const tern_run *run;
  const tern_documents *set;
  tern_run_facts *facts;
  tern_splitter splitter;
  const char **stops;
  int stop_count;
  progress *documents; /* [set->count] */
  unit *order;         /* [order_count] */
  size_t order_count, next;
  int window; /* of order[next], to be added next */
  slot *slots;
  int slot_count, busy;
} runner;

/* ---- order */

static const tern_ask *ask_of(const tern_documents *set, const unit *u) {
  return &set->list[u->document].asks[u->ask];
}

static int compare_text(const char *a, const char *b) {
  return a == b ? 0 : strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

/* Equal texts in the order of documents: qsort keeps none. */
static int compare(const void *a, const void *b, void *set) {
  const unit *u = a, *v = b;
  const tern_ask *x = ask_of(set, u), *y = ask_of(set, v);
  int order = x->context != NULL ? compare_text(x->context, y->context) : 0;
  if (order == 0 && x->context != NULL) order = compare_text(x->continuation, y->continuation);
  if (order == 0) order = (u->document > v->document) - (u->document < v->document);
  return order != 0 ? order : (u->ask > v->ask) - (u->ask < v->ask);
}

static int put_in_order(runner *r, const bool *wanted, tern_error *e) {
  size_t count = 0;
  for (size_t i = 0; i < r->set->count; i++) {
    if (wanted == NULL || wanted[i]) count += (size_t)r->set->list[i].ask_count;
  }
  r->order = calloc(count + 1, sizeof *r->order);
  r->documents = calloc(r->set->count + 1, sizeof *r->documents);
  if (r->order == NULL || r->documents == NULL)
    return tern_fail(e, TERN_FAILED, "%s: not enough memory for %zu questions", r->set->name, count);
  for (size_t i = 0; i < r->set->count; i++) {
    const tern_document *d = &r->set->list[i];
    int first = d->texts.turns.count > 0 ? 1 : d->ask_count; /* further turns wait for answers */
    for (int k = 0; k < first && (wanted == NULL || wanted[i]); k++) r->order[r->order_count++] = (unit){i, k};
  }
  qsort_r(r->order, r->order_count, sizeof *r->order, compare, (void *)r->set);
  return 0;
}

/* ---- documents */

static void drop(progress *p, int asks) {
  for (int i = 0; i < asks && p->ids != NULL && p->replies != NULL && p->sums != NULL; i++) {
    free(p->ids[i].ids);
    free(p->replies[i].text);
    free(p->sums[i]);
  }
  free(p->ids);
  free(p->replies);
  free(p->sums);
  free(p->windows);
  free(p->left);
  *p = (progress){0};
}

static int begin(runner *r, size_t document, tern_error *e) {
  progress *p = &r->documents[document];
  size_t asks = (size_t)r->set->list[document].ask_count;
  if (p->ids != NULL) return 0;
  p->ids = calloc(asks, sizeof *p->ids);
  p->replies = calloc(asks, sizeof *p->replies);
  p->sums = calloc(asks, sizeof(double *));
  p->windows = calloc(asks, sizeof *p->windows);
  p->left = calloc(asks, sizeof *p->left);
  p->asks_left = (int)asks;
  if (p->ids == NULL || p->replies == NULL || p->sums == NULL || p->windows == NULL || p->left == NULL) {
    drop(p, (int)asks);
    return tern_fail(e, TERN_FAILED, "%s: not enough memory for %zu asks", r->set->name, asks);
  }
  return 0;
}

static int name_document(const runner *r, size_t document, tern_error *e) {
  const tern_error was = *e;
  if (was.status == TERN_INTERRUPTED) return TERN_INTERRUPTED;
  return tern_fail(e, was.status, "%s, document %zu: %s", r->set->name, document, was.text);
}

static int end_ask(runner *r, const unit *u, tern_error *e) {
  progress *p = &r->documents[u->document];
  const tern_document *d = &r->set->list[u->document];
  tern_reply *reply = &p->replies[u->ask];
  for (int i = 0; i < p->windows[u->ask]; i++) reply->logprob += p->sums[u->ask][i];
  r->facts->asks++;
  if (--p->asks_left > 0) return 0;
  int status = r->run->take(r->run->arg, d, p->ids, p->replies, e);
  drop(p, d->ask_count);
  return status;
}

/* ---- requests */

static slot *free_slot(runner *r) {
  for (slot *s = r->slots; s < r->slots + r->slot_count; s++) {
    if (s->request == NULL) return s;
  }
  return NULL;
}

static int send(runner *r, const unit *u, int window, const tern_request_params *p, tern_error *e) {
  slot *s = free_slot(r);
  tern_request_params own = *p;
  s->at = *u;
  s->window = window;
  own.answer.arg = &s->text;
  if (tern_schedule_add(r->run->schedule, &own, &s->request, e) != 0) return name_document(r, u->document, e);
  r->busy++;
  return 0;
}

static int send_text(runner *r, const unit *u, tern_error *e) {
  const tern_ask_ids *ids = &r->documents[u->document].ids[u->ask];
  const tern_document *d = &r->set->list[u->document];
  tern_request_params p = {.prompt = ids->ids, .prompt_count = ids->count};
  p.answer = (tern_answer_params){.sampling = {.temperature = (float)d->texts.temperature, .top_p = 1},
                                  .stops = r->stops,
                                  .stop_count = r->stop_count,
                                  .ends = r->run->ends,
                                  .end_count = r->run->end_count,
                                  .count = r->splitter.rules.most_tokens,
                                  .put = tern_answer_text_put};
  p.answer.sampling.seed = r->run->seed + d->id;
  return send(r, u, 0, &p, e);
}

/* A scored ask is a window that is all of it. */
static bool cut_window(const runner *r, const unit *u, int i, int *from, int *count, int *scored) {
  const tern_ask_ids *ids = &r->documents[u->document].ids[u->ask];
  if (ask_of(r->set, u)->context == NULL) return tern_ask_window(&r->splitter.rules, ids, i, from, count, scored);
  *from = 0;
  *count = ids->count;
  *scored = ids->scored;
  return i == 0 && ids->scored > 0;
}

static int open_windows(runner *r, const unit *u, tern_error *e) {
  progress *p = &r->documents[u->document];
  int count = 0, from, n, scored;
  while (cut_window(r, u, count, &from, &n, &scored)) count++;
  p->windows[u->ask] = p->left[u->ask] = count;
  p->sums[u->ask] = calloc((size_t)count + 1, sizeof(double));
  p->replies[u->ask].greedy = true;
  if (p->sums[u->ask] != NULL) return 0;
  return tern_fail(e, TERN_FAILED, "%s: not enough memory for %d windows", r->set->name, count);
}

/* Splits an ask and opens its reply; a text is sent at once. */
static int begin_ask(runner *r, const unit *u, const tern_ask *ask, tern_error *e) {
  progress *p = &r->documents[u->document];
  if (tern_ask_split(&r->splitter, ask, &p->ids[u->ask], e) != 0) return name_document(r, u->document, e);
  p->replies[u->ask].truncated = p->ids[u->ask].cut;
  return ask->continuation == NULL ? send_text(r, u, e) : open_windows(r, u, e);
}

/* The next request: an ask, or a further window of it. */
static int send_next(runner *r, tern_error *e) {
  const unit u = r->order[r->next];
  const tern_ask *ask = ask_of(r->set, &u);
  const progress *p = &r->documents[u.document];
  int from, count, scored, status = begin(r, u.document, e);
  if (status == 0 && r->window == 0) status = begin_ask(r, &u, ask, e);
  if (status != 0) return status;
  bool more = cut_window(r, &u, r->window, &from, &count, &scored);
  if (ask->continuation != NULL && more) {
    tern_request_params q = {.prompt = p->ids[u.ask].ids + from, .prompt_count = count, .scored = scored};
    status = send(r, &u, r->window++, &q, e);
    if (r->window < p->windows[u.ask]) return status;
  }
  r->window = 0;
  r->next++;
  return ask->continuation != NULL && !more ? end_ask(r, &u, e) : status; /* nothing to score */
}

/* ---- answers */

static void take_scores(runner *r, const slot *s, const tern_request_facts *f) {
  progress *p = &r->documents[s->at.document];
  tern_reply *reply = &p->replies[s->at.ask];
  int from, count, scored;
  cut_window(r, &s->at, s->window, &from, &count, &scored);
  const int32_t *targets = p->ids[s->at.ask].ids + from + count - scored;
  double sum = 0;
  for (int i = 0; i < scored; i++) {
    sum += f->scores[i].logprob;
    reply->greedy = reply->greedy && f->scores[i].best == targets[i];
  }
  p->sums[s->at.ask][s->window] = sum;
  reply->tokens += scored;
  reply->reused += f->reused;
  r->facts->scored += scored;
  r->facts->fed += count - 1;
}

static int next_turn(runner *r, const unit *u, tern_error *e) {
  const unit turn = {u->document, u->ask + 1};
  char *context = NULL;
  int status =
      tern_document_turn(r->set, &r->set->list[u->document], turn.ask, r->documents[u->document].replies, &context, e);
  if (status == 0) status = begin_ask(r, &turn, &(tern_ask){context, NULL}, e);
  free(context);
  return status;
}

static int take_text(runner *r, slot *s, const tern_request_facts *f, tern_error *e) {
  tern_reply *reply = &r->documents[s->at.document].replies[s->at.ask];
  reply->text = tern_answer_text_finish(&s->text, &reply->replaced, e);
  if (reply->text == NULL) return TERN_FAILED;
  reply->tokens = f->generated;
  reply->reused = f->reused;
  r->facts->generated += f->generated;
  r->facts->fed += f->prompt_tokens;
  return 0;
}

static int finish(runner *r, slot *s, tern_error *e) {
  const tern_request_facts *f = tern_request_describe(s->request);
  const unit u = s->at;
  int status = 0;
  r->facts->reused += f->reused;
  if (f->status != 0) {
    tern_fail(e, (tern_status)f->status, "%s", f->error);
    status = name_document(r, u.document, e);
  } else if (f->scores == NULL) {
    status = take_text(r, s, f, e);
  } else {
    take_scores(r, s, f);
  }
  bool text = f->scores == NULL;
  tern_request_close(s->request);
  s->request = NULL;
  r->busy--;
  if (status != 0) return status;
  if (!text && --r->documents[u.document].left[u.ask] > 0) return 0;
  if (text && u.ask + 1 < r->set->list[u.document].ask_count) status = next_turn(r, &u, e);
  return status == 0 ? end_ask(r, &u, e) : status;
}

static int run_all(runner *r, tern_error *e) {
  int status = 0, left;
  while (status == 0) {
    while (status == 0 && r->next < r->order_count && r->busy < r->slot_count) status = send_next(r, e);
    if (status != 0 || r->busy == 0) break;
    status = tern_schedule_step(r->run->schedule, &left, e);
    for (slot *s = r->slots; s < r->slots + r->slot_count && status == 0; s++) {
      if (s->request != NULL && tern_request_describe(s->request)->ended) status = finish(r, s, e);
    }
  }
  return status;
}

static int open_runner(runner *r, const bool *wanted, tern_error *e) {
  const tern_run *run = r->run;
  const tern_task *t = r->set->task;
  r->splitter = (tern_splitter){.tokenizer = run->tokenizer, .rules = run->rules};
  if (run->rules.most_tokens <= 0) r->splitter.rules.most_tokens = t->most_tokens;
  r->slot_count = run->ahead > 0 ? run->ahead : AHEAD;
  r->slots = calloc((size_t)r->slot_count, sizeof *r->slots);
  r->stops = calloc((size_t)t->stop_count + (size_t)run->stop_count + 1, sizeof *r->stops);
  if (r->slots == NULL || r->stops == NULL)
    return tern_fail(e, TERN_FAILED, "%s: not enough memory for %d asks at once", r->set->name, r->slot_count);
  for (int i = 0; i < t->stop_count; i++) r->stops[r->stop_count++] = t->stops[i];
  for (int i = 0; i < run->stop_count; i++) r->stops[r->stop_count++] = run->stops[i];
  return put_in_order(r, wanted, e);
}

static void close_runner(runner *r) {
  for (slot *s = r->slots; s != NULL && s < r->slots + r->slot_count; s++) {
    if (s->request != NULL) tern_request_close(s->request);
    tern_answer_text_drop(&s->text);
  }
  for (size_t i = 0; i < r->set->count && r->documents != NULL; i++) drop(&r->documents[i], r->set->list[i].ask_count);
  tern_splitter_close(&r->splitter);
  free(r->documents);
  free(r->order);
  free(r->slots);
  free(r->stops);
}

int tern_run_documents(const tern_run *run, const tern_documents *d, const bool *wanted, tern_run_facts *facts,
                       tern_error *e) {
  runner r = {.run = run, .set = d, .facts = facts};
  double start = tern_now();
  int status = open_runner(&r, wanted, e);
  if (status == 0) status = run_all(&r, e);
  close_runner(&r);
  facts->seconds += tern_now() - start;
  return status;
}
