/* Sessions of a schedule: as many positions as the bound allows, the least
 * recently used given up first. A prompt's beginning comes from whichever
 * session has most of it: an idle one is taken over, from one in use it is
 * copied. */
#include <stdlib.h>

#include "engine/base/memory.h"
#include "engine/generate/schedule_parts.h"

enum {
  WORTH_A_COPY = 16, /* positions in common from which on a copy is worth it; fewer where fewer are waited for */
  ROUND = 32         /* sizes of sessions, so that they fit others later */
};

static int common(const int32_t *a, int n, const int32_t *b, int m) {
  int i = 0;
  while (i < n && i < m && a[i] == b[i]) i++;
  return i;
}

/* Positions of the prompt that a session has. */
static int has(const tern_kept *k, const tern_request *r) {
  return common(tern_session_ids(k->session), tern_session_position(k->session), r->prompt, r->reusable);
}

/* And that it will have when its own prompt is through. */
static int will_have(const tern_kept *k, const tern_request *r) {
  return k->user ? common(k->user->prompt, k->user->feed, r->prompt, r->reusable) : 0;
}

static int best_source(const tern_session_pool *p, const tern_request *r, int *most, int *later) {
  int best = -1;
  *most = *later = 0;
  for (int i = 0; i < p->count && !p->no_reuse; i++) {
    int n = has(&p->kept[i], r), m = will_have(&p->kept[i], r);
    if (m > *later) *later = m;
    if (n <= *most) continue;
    *most = n;
    best = i;
  }
  return best;
}

/* Least recently used idle session that has room for `needed` positions, but for
 * `except`; with needed 0 of any size. */
static int oldest(const tern_session_pool *p, int needed, int except) {
  int best = -1;
  for (int i = 0; i < p->count; i++) {
    const tern_kept *k = &p->kept[i];
    if (k->user || i == except || tern_session_context(k->session) < needed) continue;
    if (best < 0 || k->used < p->kept[best].used) best = i;
  }
  return best;
}

static void drop(tern_session_pool *p, int i) {
  p->positions -= tern_session_context(p->kept[i].session);
  tern_session_close(p->kept[i].session);
  p->kept[i] = p->kept[--p->count];
}

static int add(tern_session_pool *p, int context, tern_error *e) {
  if (p->count == p->room) {
    int room = p->room ? 2 * p->room : 16;
    tern_kept *more = realloc(p->kept, tern_mul((size_t)room, sizeof *more));
    if (!more) return tern_fail(e, TERN_FAILED, "schedule: out of memory");
    p->kept = more;
    p->room = room;
  }
  tern_kept *k = &p->kept[p->count];
  *k = (tern_kept){0};
  if (tern_session_join(&k->session, p->workspace, &(tern_session_params){.context = context, .kv = p->kv}, e))
    return TERN_FAILED;
  p->positions += context;
  p->count++;
  return 0;
}

/* Idle sessions go, the source last, until `needed` positions are free. Returns
 * the source's place after that, -1 when it had to go too. */
static int make_room(tern_session_pool *p, int needed, int source) {
  tern_session *keep = source >= 0 ? p->kept[source].session : NULL;
  while (p->positions > p->most - needed) {
    int i = oldest(p, 0, source);
    if (i < 0) i = oldest(p, 0, -1);
    if (i < 0) break;
    drop(p, i);
    source = -1;
    for (int k = 0; k < p->count; k++) source = p->kept[k].session == keep ? k : source;
  }
  return source;
}

static int use(tern_session_pool *p, int i, tern_request *r, int source, int positions, int64_t now, tern_error *e) {
  tern_kept *k = &p->kept[i];
  int worth = p->wait < WORTH_A_COPY ? p->wait : WORTH_A_COPY;
  if (source >= 0 && source != i && positions >= worth) {
    if (tern_session_fork(k->session, p->kept[source].session, positions, e)) return TERN_FAILED;
  }
  r->facts.reused = p->no_reuse ? 0 : tern_session_reuse(k->session, r->prompt, r->reusable + 1);
  if (p->no_reuse) tern_session_rewind(k->session, 0);
  r->session = k->session;
  k->user = r;
  k->used = now;
  return 0;
}

tern_admission tern_session_pool_take(tern_session_pool *p, tern_request *r, int64_t now, tern_error *e) {
  int positions, later, source = best_source(p, r, &positions, &later), place = -1;
  if (later >= positions + p->wait) return TERN_LATER;
  if (source >= 0 && !p->kept[source].user && tern_session_context(p->kept[source].session) >= r->needed)
    place = source;
  int context = (r->needed + ROUND - 1) / ROUND * ROUND;
  if (context > p->longest) context = p->longest;
  if (place < 0 && p->positions > p->most - context) place = oldest(p, r->needed, source);
  if (place < 0) {
    source = make_room(p, context, source);
    if (p->positions > p->most - context) return TERN_FULL;
    if (add(p, context, e)) return TERN_REFUSED;
    place = p->count - 1;
  }
  return use(p, place, r, source, positions, now, e) ? TERN_REFUSED : TERN_ADMITTED;
}

void tern_session_pool_give(tern_session_pool *p, tern_request *r, int64_t now) {
  for (int i = 0; i < p->count; i++) {
    if (p->kept[i].user != r) continue;
    p->kept[i].user = NULL;
    p->kept[i].used = now;
  }
  r->session = NULL;
}

void tern_session_pool_close(tern_session_pool *p) {
  while (p->count > 0) drop(p, p->count - 1);
  free(p->kept);
}
