/* One loop for greedy and sampled generation. The clock runs over the model's
 * work and the choice of tokens, not over printing. */
#include "harness/generate.h"

#include <stdlib.h>

#include "engine/base/interrupt.h"
#include "engine/base/memory.h"
#include "engine/base/progress.h"

typedef struct generator {
  tern_session *session;
  const tern_tokenizer *tokenizer;
  tern_sampler *sampler; /* NULL: greedy in the session */
  float *logits;
  tern_top top; /* what the sampler looks at, when not at all logits */
  bool some;
  tern_utf8_stream stream;
  tern_put_text put;
  void *arg;
  int put_status;
  tern_error *e;
} generator;

static void pass_on(void *arg, const char *text, size_t size) {
  generator *g = arg;
  if (g->put_status == TERN_OK) g->put_status = g->put(g->arg, text, size, g->e);
}

/* Feeds tokens and chooses the next; adds its time to *seconds. */
static int step(generator *g, const int32_t *ids, int n, int32_t *next, double *seconds) {
  double start = tern_now();
  int status;
  if (g->sampler == NULL) {
    status = tern_session_greedy(g->session, ids, n, next, NULL, g->e);
  } else {
    g->some = tern_sampler_reach(g->sampler, &g->top.k, &g->top.floor);
    status = g->some ? tern_session_top(g->session, ids, n, &g->top, g->logits, NULL, g->e)
                     : tern_session_eval(g->session, ids, n, TERN_WANT_LAST, g->logits, g->e);
    if (status == TERN_OK) *next = tern_sampler_next(g->sampler, g->logits);
  }
  *seconds += tern_now() - start;
  if (status == TERN_OK && *next < 0) status = tern_fail(g->e, TERN_FAILED, "the model gives no finite logit");
  return status;
}

static int run(generator *g, const int32_t *prompt, int prompt_count, int count, tern_generation *out) {
  int32_t id = -1, previous = prompt[prompt_count - 1];
  int status = step(g, prompt, prompt_count, &id, &out->prefill_s);
  if (status != TERN_OK || count <= 0) return status;
  for (;;) {
    out->generated++;
    out->stop = TERN_STOP_END;
    if (tern_tokenizer_ends(g->tokenizer, id)) break;
    tern_utf8_push(&g->stream, tern_tokenizer_bytes(g->tokenizer, previous, id), pass_on, g);
    if (g->put_status != TERN_OK) return g->put_status;
    out->stop = TERN_STOP_COUNT;
    if (out->generated == count) break;
    out->stop = TERN_STOP_CONTEXT;
    if (tern_session_position(g->session) == tern_session_context(g->session)) break;
    out->stop = TERN_STOP_INTERRUPT;
    previous = id;
    status = tern_interrupt_check(g->e);
    if (status == TERN_OK) status = step(g, &previous, 1, &id, &out->decode_s);
    if (status != TERN_OK) return status;
    out->decoded++;
  }
  return TERN_OK;
}

int tern_generate(tern_session *session, int vocab, const tern_tokenizer *tokenizer,
                  const tern_sampler_params *sampling, const int32_t *prompt, int prompt_count, int count,
                  tern_put_text put, void *arg, tern_generation *out, tern_error *e) {
  generator g = {.session = session, .tokenizer = tokenizer, .put = put, .arg = arg, .e = e};
  *out = (tern_generation){.prompt_tokens = prompt_count};
  int status = TERN_OK;
  if (sampling->temperature > 0) {
    status = tern_sampler_open(&g.sampler, vocab, sampling, e);
    if (status != TERN_OK) return status;
    g.logits = malloc(tern_mul((size_t)vocab, sizeof *g.logits));
    if (g.logits == NULL) status = tern_fail(e, TERN_FAILED, "not enough memory for %d logits", vocab);
  }
  if (status == TERN_OK) status = run(&g, prompt, prompt_count, count, out);
  tern_utf8_flush(&g.stream, pass_on, &g);
  if (status == TERN_OK) status = g.put_status;
  tern_sampler_close(g.sampler);
  free(g.logits);
  return status;
}
