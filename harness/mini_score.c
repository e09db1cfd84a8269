/* One record at a time in one session: models of this size take milliseconds. */
#include "harness/mini_score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/generate/generate.h"

enum { ANSWER_TOKENS = 160, PIECE = 128 };

/* Appends the text's tokens to s->ids; training, too, encodes prompt and completion apart. */
static int encode(tern_mini_scorer *s, const char *text, int *n, tern_error *e) {
  int32_t *ids;
  size_t count;
  int rc = tern_tokenizer_encode(s->tokenizer, text, strlen(text), false, &ids, &count, e);
  if (rc) return rc;
  if (count > (size_t)(tern_session_context(s->session) - *n)) {
    s->too_long = true;
    rc = tern_fail(e, TERN_FAILED, "a record of more than %d tokens does not fit the model's context",
                   tern_session_context(s->session));
  } else {
    memcpy(s->ids + *n, ids, count * sizeof *ids);
    *n += (int)count;
  }
  free(ids);
  return rc;
}

/* Sum of log-probabilities of ids[from .. n); from >= 1 tokens are the context. */
static int likelihood(tern_mini_scorer *s, int from, int n, double *sum, tern_error *e) {
  tern_score scores[PIECE];
  int known = tern_session_reuse(s->session, s->ids, from);
  tern_item context = {.session = s->session, .ids = s->ids + known, .n = from - 1 - known};
  int rc = context.n > 0 ? tern_session_feed(&context, e) : 0;
  *sum = 0;
  for (int at = from - 1, count; at < n - 1 && rc == 0; at += count) {
    count = n - 1 - at < PIECE ? n - 1 - at : PIECE;
    tern_item item = {.session = s->session, .ids = s->ids + at, .n = count, .wanted = count};
    item.targets = s->ids + at + 1;
    item.scores = scores;
    rc = tern_session_feed(&item, e);
    for (int i = 0; i < count && rc == 0; i++) *sum += scores[i].logprob;
  }
  return rc;
}

static int begin(tern_mini_scorer *s, const char *prompt, int *n, tern_error *e) {
  *n = 0;
  int32_t bos = tern_tokenizer_bos(s->tokenizer);
  if (bos >= 0 && tern_tokenizer_adds_bos(s->tokenizer)) s->ids[(*n)++] = bos;
  return encode(s, prompt, n, e);
}

static int judge_choice(tern_mini_scorer *s, const mini_item *m, tern_mini_verdict *v, tern_error *e) {
  double best = -INFINITY, best_normed = -INFINITY;
  int context, rc = begin(s, m->prompt, &context, e), chosen = 0, normed = 0;
  for (int i = 0; i < m->choices && rc == 0; i++) {
    char text[MINI_SHORT + 1];
    double sum;
    int n = context;
    snprintf(text, sizeof text, " %s", m->choice[i]);
    if ((rc = encode(s, text, &n, e)) || (rc = likelihood(s, context, n, &sum, e))) break;
    if (sum > best) best = sum, chosen = i;
    sum /= (double)strlen(m->choice[i]);
    if (sum > best_normed) best_normed = sum, normed = i;
  }
  v->right = chosen == m->answer;
  v->normed = normed == m->answer;
  snprintf(v->said, sizeof v->said, "%s", m->choice[chosen]);
  return rc;
}

static int keep(void *arg, const char *text, size_t size, tern_error *e) {
  tern_mini_verdict *v = arg;
  size_t used = strlen(v->said);
  (void)e;
  if (size > sizeof v->said - 1 - used) size = sizeof v->said - 1 - used;
  memcpy(v->said + used, text, size);
  v->said[used + size] = '\0';
  return 0;
}

static int judge_answer(tern_mini_scorer *s, const mini_item *m, tern_mini_verdict *v, tern_error *e) {
  static const char *const stops[] = {"\n\n", "Question:"};
  int n, rc = begin(s, m->prompt, &n, e);
  if (rc) return rc;
  tern_answer_params p = {.sampling = {.top_p = 1}, .stops = stops, .stop_count = 2, .count = ANSWER_TOKENS};
  p.put = keep;
  p.arg = v;
  tern_generation g;
  rc = tern_generate(s->session, s->tokenizer, &p, s->ids, n, &g, e);
  const char *mark = strstr(v->said, "#### ");
  const char *final = mark ? mark + strlen("#### ") : v->said + strspn(v->said, " ");
  v->right = strcmp(final, m->final) == 0;
  return rc;
}

static int judge_text(tern_mini_scorer *s, const mini_item *m, tern_mini_verdict *v, tern_error *e) {
  int n, from, rc = begin(s, "", &from, e);
  n = from;
  if (rc == 0) rc = encode(s, m->completion, &n, e);
  if (rc == 0) rc = likelihood(s, from ? from : 1, n, &v->nats, e);
  v->nats = -v->nats;
  v->tokens = n - (from ? from : 1);
  v->bytes = (double)strlen(m->completion);
  return rc;
}

int tern_mini_judge(tern_mini_scorer *s, const mini_item *m, tern_mini_verdict *v, tern_error *e) {
  *v = (tern_mini_verdict){.normed = NAN};
  s->too_long = false;
  if (!*m->prompt) return judge_text(s, m, v, e);
  int rc = m->choices ? judge_choice(s, m, v, e) : judge_answer(s, m, v, e);
  if (!s->too_long) return rc;
  *v = (tern_mini_verdict){.normed = m->choices ? 0 : NAN, .said = " (longer than the context)"};
  *e = (tern_error){0};
  return 0;
}
