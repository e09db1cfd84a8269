/* Sessions: a sequence's KV cache and the ids in it, one block of memory each. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/memory.h"
#include "engine/model/workspace.h"

/* Places cache and ids; context and kv.type are set. */
static void place(tern_arena *a, tern_session *s, const tern_model_facts *f) {
  static const size_t element[] = {[TERN_KV_F32] = 4, [TERN_KV_F16] = 2, [TERN_KV_INT8] = 1};
  tern_kv_cache *c = &s->kv;
  size_t vectors = (size_t)f->layers * (size_t)f->kv_heads * (size_t)s->context;
  c->vector_bytes = (size_t)f->head_dim * element[c->type];
  c->bytes = vectors * c->vector_bytes;
  c->scale_bytes = c->type == TERN_KV_INT8 ? vectors * sizeof(float) : 0;
  c->k = tern_arena_take(a, c->bytes);
  c->v = tern_arena_take(a, c->bytes);
  if (c->scale_bytes) {
    c->k_scale = tern_arena_take(a, c->scale_bytes);
    c->v_scale = tern_arena_take(a, c->scale_bytes);
  }
  s->ids = tern_arena_take(a, (size_t)s->context * sizeof *s->ids);
}

static int measure(tern_session *s, const tern_model_facts *f, const tern_session_params *p, tern_error *e) {
  tern_arena a = {0};
  if (tern_context_choose(&s->context, f, p->context, e)) return TERN_FAILED;
  s->kv.type = p->kv;
  place(&a, s, f);
  s->memory_bytes = a.used;
  return 0;
}

/* The workspace that a session alone has. */
static tern_workspace_params own_workspace(const tern_session *s, const tern_session_params *p) {
  int batch = p->batch > 0 ? p->batch : TERN_DEFAULT_BATCH;
  return (tern_workspace_params){.batch = batch < s->context ? batch : s->context, .context = s->context, .rows = 1};
}

int tern_session_plan(const tern_model_facts *f, const tern_session_params *p, int threads, size_t *bytes,
                      tern_error *e) {
  tern_session s = {0};
  size_t workspace;
  if (measure(&s, f, p, e)) return TERN_FAILED;
  tern_workspace_params w = own_workspace(&s, p);
  if (tern_workspace_plan(f, &w, threads, &workspace, e)) return TERN_FAILED;
  *bytes = s.memory_bytes + workspace;
  return 0;
}

static int check_memory(const tern_session *s, size_t bytes, tern_error *e) {
  size_t have = tern_memory_available();
  if (bytes <= have) return 0;
  return tern_fail(e, TERN_FAILED,
                   "session: %d positions need %.2f GB of memory, %.2f GB are available (take a shorter context or a "
                   "smaller KV type)",
                   s->context, (double)bytes * 1e-9, (double)have * 1e-9);
}

static int open_memory(tern_session *s, const tern_model_facts *f, tern_error *e) {
  tern_arena a = {0};
  s->memory = a.base = tern_alloc(s->memory_bytes, "session", e);
  if (!s->memory) return TERN_FAILED;
  place(&a, s, f);
  s->start = -1;
  s->workspace->sessions++;
  return 0;
}

int tern_session_open(tern_session **out, const tern_model *m, tern_team *team, const tern_session_params *p,
                      tern_error *e) {
  *out = NULL;
  size_t bytes;
  tern_session *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "session: out of memory");
  s->own = true;
  if (measure(s, &m->facts, p, e)) goto failed;
  if (tern_session_plan(&m->facts, p, tern_team_size(team), &bytes, e) || check_memory(s, bytes, e)) goto failed;
  tern_workspace_params w = own_workspace(s, p);
  if (tern_workspace_open(&s->workspace, m, team, &w, e) || open_memory(s, &m->facts, e)) goto failed;
  *out = s;
  return 0;

failed:
  tern_workspace_close(s->workspace);
  free(s);
  return TERN_FAILED;
}

int tern_session_join(tern_session **out, tern_workspace *w, const tern_session_params *p, tern_error *e) {
  *out = NULL;
  tern_session *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "session: out of memory");
  s->workspace = w;
  if (measure(s, &w->model->facts, p, e)) goto failed;
  if (s->context > w->context) {
    tern_fail(e, TERN_FAILED, "session: %d positions are more than the workspace's %d", s->context, w->context);
    goto failed;
  }
  if (check_memory(s, s->memory_bytes, e) || open_memory(s, &w->model->facts, e)) goto failed;
  *out = s;
  return 0;

failed:
  free(s);
  return TERN_FAILED;
}

void tern_session_close(tern_session *s) {
  if (!s) return;
  s->workspace->sessions--;
  if (s->own) tern_workspace_close(s->workspace);
  tern_free(s->memory, s->memory_bytes);
  free(s);
}

const tern_model *tern_session_model(const tern_session *s) {
  return s->workspace->model;
}

int tern_session_position(const tern_session *s) {
  return s->position;
}

const int32_t *tern_session_ids(const tern_session *s) {
  return s->ids;
}

void tern_session_rewind(tern_session *s, int position) {
  if (position >= 0 && position < s->position) s->position = position;
}

int tern_session_reuse(tern_session *s, const int32_t *ids, int n) {
  int common = 0;
  while (common < n - 1 && common < s->position && s->ids[common] == ids[common]) common++;
  tern_session_rewind(s, common);
  return s->position;
}

void tern_session_touch(tern_session *s) {
  memset(s->kv.k, 0, s->kv.bytes);
  memset(s->kv.v, 0, s->kv.bytes);
}

size_t tern_session_kv_bytes(const tern_session *s) {
  return 2 * (s->kv.bytes + s->kv.scale_bytes);
}

int tern_session_context(const tern_session *s) {
  return s->context;
}

void tern_session_profile(tern_session *s, tern_profile *p) {
  tern_workspace_profile(s->workspace, p);
}

/* What a fork copies, split over the team by (layer, KV head). */
typedef struct fork_job {
  tern_session *to;
  const tern_session *from;
  size_t positions;
} fork_job;

static void copy_heads(void *arg, int member, int size) {
  const fork_job *j = arg;
  const tern_model_facts *f = &j->to->workspace->model->facts;
  const tern_kv_cache *to = &j->to->kv, *from = &j->from->kv;
  size_t bytes = j->positions * to->vector_bytes, scales = j->positions * sizeof(float);
  int lo, hi;
  tern_split(f->layers * f->kv_heads, 1, member, size, &lo, &hi);
  for (int i = lo; i < hi; i++) {
    size_t at = (size_t)i * (size_t)j->to->context, source = (size_t)i * (size_t)j->from->context;
    memcpy(to->k + at * to->vector_bytes, from->k + source * from->vector_bytes, bytes);
    memcpy(to->v + at * to->vector_bytes, from->v + source * from->vector_bytes, bytes);
    if (!to->scale_bytes) continue;
    memcpy(to->k_scale + at, from->k_scale + source, scales);
    memcpy(to->v_scale + at, from->v_scale + source, scales);
  }
}

int tern_session_fork(tern_session *to, const tern_session *from, int positions, tern_error *e) {
  if (to == from || to->workspace->model != from->workspace->model || to->kv.type != from->kv.type)
    return tern_fail(e, TERN_FAILED, "fork: wants two sessions of one model and one KV type");
  if (positions < 0 || positions > from->position || positions > to->context) {
    return tern_fail(e, TERN_FAILED, "fork: %d positions of %d, to a context of %d", positions, from->position,
                     to->context);
  }
  fork_job j = {to, from, (size_t)positions};
  tern_team_run(to->workspace->team, copy_heads, &j);
  memcpy(to->ids, from->ids, (size_t)positions * sizeof *to->ids);
  to->position = positions;
  return 0;
}
