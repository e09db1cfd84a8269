/* One loop for greedy and sampled generation in one session. */
#include "engine/generate/generate.h"

#include <stdlib.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"

/* Feeds tokens and chooses the next; adds its time to *seconds. */
static int step(tern_answer *a, tern_item *item, float *logits, bool *more, double *seconds, tern_error *e) {
  double start = tern_now();
  tern_answer_ask(a, item, logits);
  int32_t id;
  int status = tern_session_feed(item, e);
  if (status == TERN_OK) status = tern_answer_choose(a, item, &id, e);
  *seconds += tern_now() - start;
  return status == TERN_OK ? tern_answer_write(a, id, more, e) : status;
}

static int run(tern_answer *a, tern_item *item, float *logits, tern_generation *out, tern_error *e) {
  tern_session *s = item->session;
  bool more;
  int count, status = step(a, item, logits, &more, &out->prefill_s, e);
  while (status == TERN_OK && more) {
    if (tern_session_position(s) == tern_session_context(s)) return tern_answer_end(a, TERN_STOP_CONTEXT, e);
    const int32_t *ids = tern_answer_ids(a, &count);
    int32_t last = ids[count - 1];
    *item = (tern_item){.session = s, .ids = &last, .n = 1};
    status = tern_interrupt_check(e);
    if (status == TERN_OK) status = step(a, item, logits, &more, &out->decode_s, e);
    out->decoded += status == TERN_OK;
  }
  return status;
}

/* Without tokens asked for the text is only fed. */
static int feed_only(tern_item *item, tern_generation *out, tern_error *e) {
  double start = tern_now();
  item->wanted = 1;
  int status = tern_session_feed(item, e);
  out->prefill_s = tern_now() - start;
  return status;
}

int tern_generate(tern_session *session, const tern_tokenizer *tokenizer, const tern_answer_params *p,
                  const int32_t *text, int n, tern_generation *out, tern_error *e) {
  int vocab = tern_model_describe(tern_session_model(session))->vocab;
  tern_answer *a = NULL;
  float *logits = NULL;
  *out = (tern_generation){.prompt_tokens = n, .last = -1};
  int status = tern_answer_open(&a, tokenizer, vocab, p, text, n, e);
  if (status != TERN_OK) return status;
  if (!tern_sampler_greedy(&p->sampling)) {
    logits = malloc(tern_mul((size_t)vocab, sizeof *logits));
    if (logits == NULL) status = tern_fail(e, TERN_FAILED, "not enough memory for %d logits", vocab);
  }
  out->reused = status == TERN_OK ? tern_session_reuse(session, text, n) : 0;
  tern_item item = {.session = session, .ids = text + out->reused, .n = n - out->reused};
  if (status == TERN_OK) status = p->count > 0 ? run(a, &item, logits, out, e) : feed_only(&item, out, e);
  if (status == TERN_INTERRUPTED) {
    tern_error ignored = {0};
    tern_answer_end(a, TERN_STOP_INTERRUPT, &ignored);
  }
  const int32_t *ids = tern_answer_ids(a, &out->generated);
  if (out->generated > 0) out->last = ids[out->generated - 1];
  out->stop = tern_answer_stop(a);
  tern_answer_close(a);
  free(logits);
  return status;
}
