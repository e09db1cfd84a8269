/* Tokens to text: bytes of a token pass the stop strings, then wait for whole
 * characters, then go to whoever reads them. */
#include "engine/generate/answer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/generate/stops.h"

struct tern_answer {
  const tern_tokenizer *tokenizer;
  tern_answer_params params;
  tern_sampler *sampler; /* NULL: greedy in the model */
  tern_stops *stops;     /* NULL: none */
  tern_top top;
  float *logits; /* that the item was asked to fill */
  int32_t previous, *ids, *ends;
  int count, room;
  tern_utf8_stream stream;
  tern_stop stop;
  int status; /* of the first text that could not be taken */
  tern_error *e;
};

const char *tern_stop_reason(tern_stop stop) {
  static const char *const reasons[] = {
      [TERN_STOP_COUNT] = "all tokens asked for", [TERN_STOP_END] = "the model ended its text",
      [TERN_STOP_STRING] = "a stop string",       [TERN_STOP_CONTEXT] = "the context is full",
      [TERN_STOP_INTERRUPT] = "interrupted",      [TERN_STOP_CANCELLED] = "cancelled"};
  return reasons[stop];
}

int tern_answer_open(tern_answer **out, const tern_tokenizer *tokenizer, int vocab, const tern_answer_params *p,
                     const int32_t *text, int n, tern_error *e) {
  *out = NULL;
  tern_answer *a = calloc(1, sizeof *a);
  if (a == NULL) return tern_fail(e, TERN_FAILED, "answer: out of memory");
  a->tokenizer = tokenizer;
  a->params = *p;
  a->previous = n > 0 ? text[n - 1] : -1;
  int status = TERN_OK;
  if (p->stop_count > 0) status = tern_stops_open(&a->stops, p->stops, p->stop_count, e);
  if (status == TERN_OK && p->end_count > 0) {
    a->ends = malloc(tern_mul((size_t)p->end_count, sizeof *a->ends));
    if (a->ends == NULL) status = tern_fail(e, TERN_FAILED, "answer: out of memory");
    if (a->ends != NULL) memcpy(a->ends, p->ends, (size_t)p->end_count * sizeof *a->ends);
  }
  if (status == TERN_OK) status = tern_sampler_open(&a->sampler, vocab, &p->sampling, e); /* checks what it is given */
  if (status != TERN_OK) {
    tern_answer_close(a);
    return status;
  }
  if (tern_sampler_greedy(&p->sampling)) {
    tern_sampler_close(a->sampler);
    a->sampler = NULL;
  } else {
    for (int i = 0; i < n; i++) tern_sampler_accept(a->sampler, text[i]);
    tern_sampler_seek(a->sampler, (uint64_t)n);
  }
  *out = a;
  return TERN_OK;
}

void tern_answer_close(tern_answer *a) {
  if (a == NULL) return;
  tern_sampler_close(a->sampler);
  tern_stops_close(a->stops);
  free(a->ends);
  free(a->ids);
  free(a);
}

void tern_answer_ask(tern_answer *a, tern_item *item, float *logits) {
  item->wanted = 1;
  a->logits = a->sampler != NULL ? logits : NULL;
  item->logits = a->logits;
  item->top = NULL;
  if (a->sampler != NULL && tern_sampler_reach(a->sampler, &a->top.k, &a->top.floor)) item->top = &a->top;
}

static void pass_on(void *arg, const char *text, size_t size) {
  tern_answer *a = arg;
  if (a->status == TERN_OK && a->params.put != NULL) a->status = a->params.put(a->params.arg, text, size, a->e);
}

static void pass_characters(void *arg, const char *text, size_t size) {
  tern_utf8_push(&((tern_answer *)arg)->stream, (tern_gguf_string){text, size}, pass_on, arg);
}

/* The token's text; true when it completes a stop string. */
static bool write_token(tern_answer *a, int32_t id) {
  if (a->tokenizer == NULL || (a->params.put == NULL && a->stops == NULL)) return false;
  tern_gguf_string bytes = tern_tokenizer_bytes(a->tokenizer, a->previous, id);
  if (a->stops != NULL) return tern_stops_push(a->stops, bytes.data, bytes.size, pass_characters, a);
  pass_characters(a, bytes.data, bytes.size);
  return false;
}

static int remember(tern_answer *a, int32_t id, tern_error *e) {
  if (a->count == a->room) {
    int room = a->room > 0 ? 2 * a->room : 64;
    int32_t *more = realloc(a->ids, tern_mul((size_t)room, sizeof *more));
    if (more == NULL) return tern_fail(e, TERN_FAILED, "not enough memory for %d tokens", room);
    a->ids = more;
    a->room = room;
  }
  a->ids[a->count++] = id;
  return TERN_OK;
}

int tern_answer_choose(tern_answer *a, const tern_item *item, int32_t *id, tern_error *e) {
  *id = a->sampler != NULL ? tern_sampler_next(a->sampler, a->logits) : item->next;
  if (*id < 0) return tern_fail(e, TERN_FAILED, "no token is left to choose: all logits are ruled out");
  if (a->sampler != NULL) tern_sampler_accept(a->sampler, *id);
  return remember(a, *id, e);
}

static bool ends(const tern_answer *a, int32_t id) {
  if (a->params.past_end) return false;
  for (int i = 0; i < a->params.end_count; i++) {
    if (a->ends[i] == id) return true;
  }
  return a->tokenizer != NULL && tern_tokenizer_ends(a->tokenizer, id);
}

int tern_answer_write(tern_answer *a, int32_t id, bool *more, tern_error *e) {
  *more = false;
  if (ends(a, id)) return tern_answer_end(a, TERN_STOP_END, e);
  a->e = e;
  bool stopped = write_token(a, id);
  a->previous = id;
  if (stopped) return tern_answer_end(a, TERN_STOP_STRING, e);
  if (a->count >= a->params.count) return tern_answer_end(a, TERN_STOP_COUNT, e);
  *more = a->status == TERN_OK;
  if (!*more) a->stop = TERN_STOP_CANCELLED;
  return a->status;
}

int tern_answer_end(tern_answer *a, tern_stop stop, tern_error *e) {
  a->stop = stop;
  a->e = e;
  if (a->stops != NULL) tern_stops_flush(a->stops, pass_characters, a);
  tern_utf8_flush(&a->stream, pass_on, a);
  return a->status;
}

const int32_t *tern_answer_ids(const tern_answer *a, int *count) {
  *count = a->count;
  return a->ids;
}

tern_stop tern_answer_stop(const tern_answer *a) {
  return a->stop;
}
