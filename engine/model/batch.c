/* Calls that feed tokens: items of one or many sessions are cut into chunks that
 * hold as many tokens as the workspace has room for, whosever they are. A call
 * that fails leaves every position where it was. */
#include <string.h>

#include "engine/base/interrupt.h"
#include "engine/model/forward.h"

static int check_item(const tern_workspace *w, tern_item *item, tern_error *e) {
  tern_session *s = item->session;
  int vocab = w->model->facts.vocab, n = item->n;
  if (n < 1) return tern_fail(e, TERN_FAILED, "session: no tokens given");
  if (n > s->context - s->position) {
    return tern_fail(e, TERN_FAILED, "context full: %d positions, %d used, %d more tokens given", s->context,
                     s->position, n);
  }
  for (int i = 0; i < n; i++) {
    if (item->ids[i] >= 0 && item->ids[i] < vocab) continue;
    return tern_fail(e, TERN_FAILED, "token id %d is outside the vocabulary of %d", item->ids[i], vocab);
  }
  if (item->wanted < 0 || item->wanted > n)
    return tern_fail(e, TERN_FAILED, "session: logits of %d of %d tokens asked for", item->wanted, n);
  for (int i = 0; item->targets && i < item->wanted; i++) {
    if (item->targets[i] < vocab) continue;
    return tern_fail(e, TERN_FAILED, "token id %d is outside the vocabulary of %d", item->targets[i], vocab);
  }
  if (s->workspace != w || s->start >= 0)
    return tern_fail(e, TERN_FAILED, "batch: a session of another workspace, or the same session twice");
  s->start = s->position;
  return 0;
}

/* The token's row, whose index among the item's wanted rows is `index`. */
static tern_row row_of(const tern_workspace *w, const tern_item *item, int token, int index) {
  size_t vocab = (size_t)w->model->facts.vocab, hidden = (size_t)w->model->facts.hidden;
  return (tern_row){.token = token,
                    .to = item->logits ? item->logits + (size_t)index * vocab : NULL,
                    .state = item->states ? item->states + (size_t)index * hidden : NULL,
                    .target = item->targets ? item->targets[index] : -1};
}

/* Adds the item's next tokens to the chunk, as many as there is room for. */
static void add_part(tern_forward *f, const tern_item *item) {
  tern_workspace *w = f->s;
  tern_session *s = item->session;
  int done = s->position - s->start, room = w->batch - f->tokens, skipped = item->n - item->wanted;
  int n = item->n - done < room ? item->n - done : room;
  w->parts[f->parts] = (tern_part){.session = s, .token = f->tokens, .tokens = n, .position = s->position};
  memcpy(w->ids + f->tokens, item->ids + done, (size_t)n * sizeof *w->ids);
  memcpy(s->ids + s->position, item->ids + done, (size_t)n * sizeof *s->ids);
  for (int i = 0; i < n; i++) {
    w->owner[f->tokens + i] = f->parts;
    if (done + i >= skipped) w->wanted[f->wanted++] = row_of(w, item, f->tokens + i, done + i - skipped);
  }
  f->tokens += n;
  f->parts++;
}

/* The exact head stands for the full one where a single choice is wanted. */
static void choose_head(tern_forward *f, const tern_item *item) {
  const tern_row *r = f->s->wanted;
  bool some = f->wanted == 1 && !r->state && f->s->model->scan.matrix.data && r->target < 0 && (item->top || !r->to);
  f->chosen = !some ? NULL : r->to ? r->to : f->s->logits;
  f->top = item->top;
}

/* The greatest logit of a row that the whole team read. */
static void collect(tern_forward *f, tern_item *item) {
  const tern_lane *best = NULL;
  tern_row *row = f->s->wanted;
  item->rescored = 0;
  for (int i = 0; i < tern_team_size(f->s->team); i++) { /* members' rows ascend: on ties the first one's id is lower */
    const tern_lane *l = &f->s->lanes[i];
    item->rescored += l->rescored;
    row->bad |= l->bad;
    if (l->best_id >= 0 && (!best || l->best > best->best)) best = l;
  }
  row->best = best ? best->best_id : -1;
}

/* Hands the chunk's rows out. items[i] is the item of part i of the chunk. */
static int answer(const tern_forward *f, tern_item *items, tern_error *e) {
  for (int i = 0; i < f->wanted; i++) {
    const tern_row *r = &f->s->wanted[i];
    const tern_part *part = tern_part_of(f, r->token);
    tern_item *item = &items[f->s->owner[r->token]];
    int at = tern_position_of(f, r->token), index = at - part->session->start - (item->n - item->wanted);
    if (r->bad) return tern_fail(e, TERN_FAILED, "logits at position %d are not finite: the weights are damaged", at);
    if (item->scores) item->scores[index] = (tern_score){r->logprob, r->best_logprob, r->best};
    item->next = r->best;
  }
  return 0;
}

static int run_chunk(tern_forward *f, tern_item *items, tern_error *e) {
  tern_workspace *w = f->s;
  int members = tern_team_size(w->team);
  if (tern_interrupt_check(e)) return (int)e->status;
  if (w->profile) tern_profile_begin(w->profile, members);
  tern_team_run(w->team, tern_forward_job, f);
  if (w->profile) tern_profile_finish(w->profile, f->tokens);
  if (f->wanted == 1 && w->wanted->target < 0 && !w->wanted->state) collect(f, &items[w->owner[w->wanted->token]]);
  if (answer(f, items, e)) return (int)e->status;
  for (int i = 0; i < f->parts; i++) w->parts[i].session->position += w->parts[i].tokens;
  return 0;
}

/* Chunk after chunk; a chunk begins with the first item that is not through. */
static int run_items(tern_workspace *w, tern_item *items, int count, tern_error *e) {
  for (int first = 0; first < count;) {
    tern_forward f = {.s = w, .ids = w->ids};
    for (int i = first; i < count && f.tokens < w->batch; i++) add_part(&f, &items[i]);
    if (f.wanted) choose_head(&f, &items[first + w->owner[w->wanted->token]]);
    if (run_chunk(&f, items + first, e)) return (int)e->status;
    while (first < count && items[first].session->position - items[first].session->start == items[first].n) first++;
  }
  return 0;
}

int tern_batch_eval(tern_workspace *w, tern_item *items, int count, tern_error *e) {
  int checked = 0, rc = 0;
  for (int i = 1; i < count; i++) {
    if (!items[i].states != !items[0].states)
      return tern_fail(e, TERN_FAILED, "batch: hidden states of some items and logits of others asked for");
  }
  for (; checked < count && !rc; checked++) rc = check_item(w, &items[checked], e);
  if (rc) checked--; /* the one that failed is not marked, or is by an earlier item */
  if (!rc) rc = run_items(w, items, count, e);
  for (int i = 0; i < checked; i++) {
    tern_session *s = items[i].session;
    if (rc) s->position = s->start;
    s->start = -1;
  }
  return rc;
}

int tern_session_feed(tern_item *item, tern_error *e) {
  return tern_batch_eval(item->session->workspace, item, 1, e);
}

int tern_session_eval(tern_session *s, const int32_t *ids, int n, tern_want want, float *logits, tern_error *e) {
  int wanted = want == TERN_WANT_ALL ? n : want == TERN_WANT_LAST;
  tern_item item = {.session = s, .ids = ids, .n = n, .wanted = wanted, .logits = logits};
  return tern_batch_eval(s->workspace, &item, 1, e);
}

int tern_session_greedy(tern_session *s, const int32_t *ids, int n, int32_t *next, int *rescored, tern_error *e) {
  tern_item item = {.session = s, .ids = ids, .n = n, .wanted = 1};
  if (tern_batch_eval(s->workspace, &item, 1, e)) return (int)e->status;
  *next = item.next;
  if (rescored) *rescored = item.rescored;
  return 0;
}

int tern_session_top(tern_session *s, const int32_t *ids, int n, const tern_top *top, float *logits, int *rescored,
                     tern_error *e) {
  tern_item item = {.session = s, .ids = ids, .n = n, .wanted = 1, .logits = logits, .top = top};
  if (tern_batch_eval(s->workspace, &item, 1, e)) return (int)e->status;
  if (rescored) *rescored = item.rescored;
  return 0;
}
