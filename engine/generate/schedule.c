/* Requests and steps. A step's items are, in order of arrival, one token of each
 * answer that is being written, then prompt pieces as far as there is room. */
#include "engine/generate/schedule.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/base/progress.h"
#include "engine/generate/schedule_parts.h"

enum { SEQUENCES = 8, BATCH = 512, MOST_CONTEXT = 4096, SCORED_ROWS = 32, WAIT = 32 };

struct tern_schedule {
  const tern_model_facts *model;
  const tern_tokenizer *tokenizer;
  tern_schedule_params params;
  tern_session_pool pool;
  tern_request *first;
  int running;
  int64_t steps;
  float *logits;         /* [sequences][vocab] */
  tern_item *items;      /* [sequences] */
  tern_request **owners; /* [sequences] of the items */
  int32_t *targets;      /* [batch] */
};

static int choose_sizes(tern_schedule_params *p, const tern_model_facts *f, tern_error *e) {
  if (p->sequences <= 0) p->sequences = SEQUENCES;
  if (p->batch <= 0) p->batch = BATCH;
  if (p->beside <= 0 || p->beside > p->batch) p->beside = p->batch;
  if (p->context <= 0) p->context = f->context < MOST_CONTEXT ? f->context : MOST_CONTEXT;
  if (p->context > f->context)
    return tern_fail(e, TERN_FAILED, "context %d is more than the model's %d positions", p->context, f->context);
  if (p->sequences > p->batch)
    return tern_fail(e, TERN_USAGE, "%d sequences at once do not fit in steps of %d tokens", p->sequences, p->batch);
  if (p->positions <= 0) {
    int64_t all = (int64_t)p->sequences * p->context;
    p->positions = all < INT32_MAX ? (int)all : INT32_MAX;
  }
  if (p->context > p->positions) p->context = p->positions;
  return 0;
}

int tern_schedule_open(tern_schedule **out, const tern_model *model, tern_team *team, const tern_tokenizer *tokenizer,
                       const tern_schedule_params *p, tern_error *e) {
  *out = NULL;
  tern_schedule *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "schedule: out of memory");
  s->model = tern_model_describe(model);
  s->tokenizer = tokenizer;
  s->params = *p;
  if (choose_sizes(&s->params, s->model, e)) goto failed;
  p = &s->params;
  size_t sequences = (size_t)p->sequences;
  const tern_workspace_params sizes = {.batch = p->batch, .context = p->context, .rows = SCORED_ROWS};
  if (tern_workspace_open(&s->pool.workspace, model, team, &sizes, e)) goto failed;
  s->pool.kv = p->kv;
  s->pool.longest = p->context;
  s->pool.most = p->positions;
  s->pool.wait = p->wait > 0 ? p->wait : WAIT;
  s->pool.no_reuse = p->no_reuse;
  s->logits = malloc(tern_mul(tern_mul(sequences, (size_t)s->model->vocab), sizeof *s->logits));
  s->items = calloc(sequences, sizeof *s->items);
  s->owners = calloc(sequences, sizeof(tern_request *));
  s->targets = malloc(tern_mul((size_t)p->batch, sizeof *s->targets));
  if (!s->logits || !s->items || !s->owners || !s->targets) {
    tern_fail(e, TERN_FAILED, "schedule: not enough memory for %d sequences", p->sequences);
    goto failed;
  }
  *out = s;
  return 0;

failed:
  tern_schedule_close(s);
  return (int)e->status;
}

void tern_schedule_close(tern_schedule *s) {
  if (!s) return;
  while (s->first) tern_request_close(s->first);
  tern_session_pool_close(&s->pool);
  tern_workspace_close(s->pool.workspace);
  free(s->logits);
  free(s->items);
  free(s->owners);
  free(s->targets);
  free(s);
}

static void free_request(tern_request *r) {
  tern_answer_close(r->answer);
  free(r->prompt);
  free(r->scores);
  free(r);
}

/* Positions that the request may come to use, and whether there can be as many. */
static int check(const tern_schedule *s, tern_request *r, tern_error *e) {
  const tern_request_params *p = &r->params;
  int vocab = s->model->vocab, most = s->params.context;
  for (int i = 0; i < p->prompt_count; i++) {
    if (p->prompt[i] >= 0 && p->prompt[i] < vocab) continue;
    return tern_fail(e, TERN_FAILED, "token id %d is outside the vocabulary of %d", p->prompt[i], vocab);
  }
  bool scored = p->scored != 0;
  if (p->prompt_count < 1 + scored || p->scored < 0 || p->scored >= p->prompt_count || scored == (p->answer.count > 0))
    return tern_fail(e, TERN_USAGE, "a request wants a prompt, and either ids of it scored or tokens generated");
  r->feed = p->prompt_count - scored;
  r->reusable = p->prompt_count - 1 - p->scored;
  if (r->feed > most)
    return tern_fail(e, TERN_FAILED, "the prompt has %d tokens, the context %d positions", p->prompt_count, most);
  int64_t needed = (int64_t)r->feed + (scored ? 0 : p->answer.count - 1);
  r->needed = needed < most ? (int)needed : most;
  return 0;
}

static void link_last(tern_schedule *s, tern_request *r) {
  tern_request **at = &s->first;
  while (*at) at = &(*at)->next;
  *at = r;
}

int tern_schedule_add(tern_schedule *s, const tern_request_params *p, tern_request **out, tern_error *e) {
  size_t n = (size_t)p->prompt_count;
  *out = NULL;
  tern_request *r = calloc(1, sizeof *r);
  if (!r) return tern_fail(e, TERN_FAILED, "request: out of memory");
  r->params = *p;
  r->schedule = s;
  if (check(s, r, e)) goto failed;
  r->prompt = malloc(n * sizeof *r->prompt);
  if (p->scored) r->scores = calloc((size_t)p->scored, sizeof *r->scores);
  if (!r->prompt || (p->scored && !r->scores)) {
    tern_fail(e, TERN_FAILED, "request: not enough memory for %zu tokens", n);
    goto failed;
  }
  memcpy(r->prompt, p->prompt, n * sizeof *r->prompt);
  if (!p->scored &&
      tern_answer_open(&r->answer, s->tokenizer, s->model->vocab, &p->answer, r->prompt, p->prompt_count, e))
    goto failed;
  r->facts = (tern_request_facts){.prompt_tokens = p->prompt_count, .scores = r->scores, .added_s = tern_now()};
  link_last(s, r);
  *out = r;
  return 0;

failed:
  free_request(r);
  return (int)e->status;
}

static void end(tern_request *r) {
  tern_schedule *s = r->schedule;
  if (r->session) {
    tern_session_pool_give(&s->pool, r, s->steps);
    s->running--;
  }
  r->facts.ended = true;
  r->facts.ended_s = tern_now();
  if (!r->answer) return;
  r->facts.stop = tern_answer_stop(r->answer);
  r->facts.ids = tern_answer_ids(r->answer, &r->facts.generated);
}

/* Its text or token is its own trouble, not the others'. */
static void fail(tern_request *r) {
  r->facts.status = (int)r->error.status;
  r->facts.error = r->error.text;
  end(r);
}

static void end_for(tern_request *r, tern_stop stop) {
  if (r->answer && tern_answer_end(r->answer, stop, &r->error))
    fail(r);
  else
    end(r);
  r->facts.stop = stop;
}

static int admit(tern_schedule *s, tern_error *e) {
  for (tern_request *r = s->first; r && s->running < s->params.sequences; r = r->next) {
    if (r->session || r->facts.ended) continue;
    tern_admission a = tern_session_pool_take(&s->pool, r, s->steps, e);
    if (a == TERN_REFUSED) return TERN_FAILED;
    if (a == TERN_FULL) break; /* in order of arrival: a long prompt is not overtaken for ever */
    s->running += a == TERN_ADMITTED;
  }
  return 0;
}

static bool decodes(const tern_request *r) {
  return r->session && tern_session_position(r->session) >= r->feed;
}

/* The prompt's next n ids; of a scored prompt, what follows each of the last is the target. */
static tern_item prompt_item(tern_schedule *s, tern_request *r, int n, int first_target) {
  int at = tern_session_position(r->session), from = r->reusable;
  tern_item item = {.session = r->session, .ids = r->prompt + at, .n = n};
  if (!r->params.scored) return item;
  item.wanted = at + n - (from > at ? from : at);
  if (item.wanted < 0) item.wanted = 0;
  item.scores = r->scores + (at + n - item.wanted - from);
  item.targets = s->targets + first_target;
  for (int i = 0; i < item.wanted; i++) s->targets[first_target + i] = r->prompt[at + n - item.wanted + i + 1];
  return item;
}

/* What the answers of this step need. Rows of logits that follow one another go
 * through the head together, so when there are several all are written out. */
static void ask(tern_schedule *s, int count) {
  int rows = 0;
  for (int i = 0; i < count; i++) {
    const tern_request *r = s->owners[i];
    tern_item *item = &s->items[i];
    float *logits = s->logits + (size_t)rows * (size_t)s->model->vocab;
    if (!r->answer || tern_session_position(r->session) + item->n < r->feed) continue;
    tern_answer_ask(r->answer, item, logits);
    rows++;
  }
  for (int i = 0, row = 0; i < count && rows > 1; i++) {
    if (s->owners[i]->answer && s->items[i].wanted)
      s->items[i].logits = s->logits + (size_t)row++ * (size_t)s->model->vocab;
  }
}

static int gather(tern_schedule *s) {
  int count = 0, room = s->params.batch;
  for (tern_request *r = s->first; r; r = r->next) {
    if (!decodes(r)) continue;
    s->owners[count] = r;
    s->items[count++] = (tern_item){.session = r->session, .ids = &r->last, .n = 1};
  }
  room -= count;
  if (count > 0 && room > s->params.beside) room = s->params.beside;
  for (tern_request *r = s->first; r && room > 0; r = r->next) {
    if (!r->session || decodes(r)) continue;
    int left = r->feed - tern_session_position(r->session), n = left < room ? left : room;
    s->owners[count] = r;
    s->items[count] = prompt_item(s, r, n, s->params.batch - room);
    count++;
    room -= n;
    if (r->facts.started_s == 0) r->facts.started_s = tern_now();
  }
  ask(s, count);
  return count;
}

/* After a step: the request's token, or the end. */
static void advance(tern_request *r, const tern_item *item) {
  bool more;
  if (!r->answer) {
    if (decodes(r)) end(r);
    return;
  }
  if (!decodes(r)) return;
  if (r->facts.first_s == 0) r->facts.first_s = tern_now();
  if (tern_answer_choose(r->answer, item, &r->last, &r->error) ||
      tern_answer_write(r->answer, r->last, &more, &r->error))
    fail(r);
  else if (!more)
    end(r);
  else if (tern_session_position(r->session) == r->needed)
    end_for(r, TERN_STOP_CONTEXT);
}

int tern_schedule_step(tern_schedule *s, int *left, tern_error *e) {
  for (tern_request *r = s->first; r; r = r->next) {
    if (r->cancelled && !r->facts.ended) end_for(r, TERN_STOP_CANCELLED);
  }
  int status = admit(s, e), count = status ? 0 : gather(s);
  if (count > 0) status = tern_batch_eval(s->pool.workspace, s->items, count, e);
  s->steps++;
  for (int i = 0; i < count && !status; i++) advance(s->owners[i], &s->items[i]);
  *left = 0;
  for (const tern_request *r = s->first; r; r = r->next) *left += !r->facts.ended;
  return status;
}

int tern_schedule_run(tern_schedule *s, tern_error *e) {
  int left, status;
  do {
    status = tern_schedule_step(s, &left, e);
  } while (!status && left > 0);
  return status;
}

int tern_schedule_positions(const tern_schedule *s) {
  return s->pool.positions;
}

const tern_request_facts *tern_request_describe(const tern_request *r) {
  return &r->facts;
}

void tern_request_cancel(tern_request *r) {
  r->cancelled = true;
}

void tern_request_close(tern_request *r) {
  if (!r->facts.ended) end_for(r, TERN_STOP_CANCELLED);
  tern_request **at = &r->schedule->first;
  while (*at != r) at = &(*at)->next;
  *at = r->next;
  free_request(r);
}
