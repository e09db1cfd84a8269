/* POST /v1/completions: body -> ask -> works -> engine -> reply. */
#include <stdlib.h>
#include <time.h>

#include "service/completion_reply.h"
#include "service/service.h"

enum { MOST_STOPS = 64, BAD = 400, FAULT = 500, OVERLOADED = 503 };

static int encode(const void *arg, const char *text, size_t size, int32_t **ids, int *count, tern_error *e) {
  return tern_opened_encode(arg, text, size, true, true, ids, count, e);
}

/* The works take the ask's ids. */
static tern_work *works_of(tern_completion_ask *a) {
  tern_work *works = calloc((size_t)a->prompt_count, sizeof *works);
  for (int i = 0; works && i < a->prompt_count; i++) {
    tern_work *w = &works[i];
    w->ids = a->prompts[i].ids;
    w->count = a->prompts[i].count;
    a->prompts[i].ids = NULL;
    w->answer = (tern_answer_params){.sampling = a->sampling,
                                     .stops = (const char *const *)a->stops,
                                     .stop_count = a->stop_count,
                                     .count = a->most_tokens};
    w->score_prompt = a->echo && a->logprobs >= 0;
    w->score_answer = a->logprobs >= 0;
  }
  return works;
}

/* What the schedule refuses is the prompt's fault: too long for the context, or wrong. */
static void refuse_failed(const tern_work *works, int count, tern_problem *p) {
  for (int i = 0; i < count; i++) {
    const tern_work *w = &works[i];
    if (w->status == TERN_OK) continue;
    int code = w->status == TERN_INTERRUPTED ? OVERLOADED : BAD;
    tern_refuse(p, code, code == BAD ? "prompt" : NULL, "prompt %d: %s", i, w->error);
    return;
  }
}

json_t *tern_service_completions(tern_service *s, const tern_http_request *q, tern_problem *p) {
  const tern_opened *o = s->params.opened;
  const tern_ask_limits limits = {
      .prompts = s->params.prompts, .stops = MOST_STOPS, .vocab = o->facts.vocab, .encode = encode, .encoder = o};
  tern_completion_ask ask;
  json_t *reply = NULL;
  if (tern_completion_ask_read(&ask, q->body, q->size, &limits, p)) return NULL;
  tern_work *works = works_of(&ask);
  if (!works) {
    tern_refuse(p, FAULT, NULL, "not enough memory for %d prompts", ask.prompt_count);
  } else {
    tern_loop_answer answer = tern_engine_loop_run(s->loop, works, ask.prompt_count, q->gone, q->peer);
    if (answer == TERN_LOOP_BUSY)
      tern_refuse(p, OVERLOADED, NULL, "too many prompts wait already: try again later");
    else if (answer == TERN_LOOP_CLOSED)
      tern_refuse(p, OVERLOADED, NULL, "the server is shutting down");
    else
      refuse_failed(works, ask.prompt_count, p);
  }
  if (!p->code) {
    long long number = tern_engine_loop_load(s->loop).finished, now = (long long)time(NULL);
    reply = tern_completion_reply(&ask, works, o->tokenizer, s->model, number, now);
  }
  for (int i = 0; works && i < ask.prompt_count; i++) tern_work_free(&works[i]);
  free(works);
  tern_completion_ask_free(&ask);
  return reply;
}
