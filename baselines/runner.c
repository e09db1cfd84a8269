/* Runner: a model of one engine, a team and one session, ready to be timed.
 * Opening, changing threads and resetting are never part of a measurement. */
#include "baselines/runner.h"

#include <stdio.h>
#include <stdlib.h>

#include "baselines/engines.h"
#include "engine/base/progress.h"

/* What the engine feeds at once when nobody says; a session's own default. */
enum { USUAL_BATCH = 512 };

struct tern_runner {
  tern_team *team;
  tern_model *model;
  tern_session *session;
  tern_session_params sizes;
  tern_runner_facts facts;
  tern_profile *profile;
};

static tern_session_params sizes_of(const tern_runner_spec *spec) {
  return (tern_session_params){
      .context = spec->context, .batch = spec->batch > USUAL_BATCH ? spec->batch : USUAL_BATCH, .kv = spec->kv};
}

static void describe(tern_runner *r) {
  const tern_model_facts *m = tern_model_describe(r->model);
  tern_runner_facts *f = &r->facts;
  bool exact = m->scan_bytes > 0;
  f->model = *m;
  snprintf(f->kernel, sizeof f->kernel, "%s%s", m->body_kernel, exact ? "+exact head" : "");
  snprintf(f->head, sizeof f->head, "%s%s", m->head_layout, exact ? " exact" : "");
  f->kv_bytes = tern_session_kv_bytes(r->session);
  f->body_bytes_a_token = m->body_bytes + (exact ? m->scan_bytes : m->head_bytes) + m->norm_bytes;
}

static int load(tern_runner *r, const tern_runner_spec *spec, tern_error *e) {
  tern_model_params params;
  tern_gguf *g = NULL;
  int rc = tern_engine_params(&params, spec, e);
  if (!rc) rc = tern_gguf_open(&g, spec->model_path, e);
  if (!rc) rc = tern_model_load(&r->model, g, &params, r->team, e);
  tern_gguf_close(g);
  return rc;
}

/* Opening is never timed, so the KV cache's pages are had here. */
static int open_session(tern_runner *r, tern_error *e) {
  if (tern_session_open(&r->session, r->model, r->team, &r->sizes, e)) return (int)e->status;
  tern_session_touch(r->session);
  return 0;
}

int tern_runner_open(tern_runner **out, const tern_runner_spec *spec, tern_error *e) {
  *out = NULL;
  tern_runner *r = calloc(1, sizeof *r);
  if (!r) return tern_fail(e, TERN_FAILED, "runner: out of memory");
  r->sizes = sizes_of(spec);
  int rc = tern_team_open(&r->team, spec->threads, spec->cpus, e);
  if (!rc) rc = load(r, spec, e);
  if (!rc) rc = open_session(r, e);
  if (rc) {
    tern_runner_close(r);
    return rc;
  }
  describe(r);
  *out = r;
  return 0;
}

void tern_runner_close(tern_runner *r) {
  if (!r) return;
  tern_session_close(r->session);
  tern_model_close(r->model);
  tern_team_close(r->team);
  free(r);
}

const tern_runner_facts *tern_runner_describe(const tern_runner *r) {
  return &r->facts;
}

int tern_runner_threads(tern_runner *r, int threads, const int *cpus, tern_error *e) {
  tern_session_close(r->session);
  tern_team_close(r->team);
  r->session = NULL;
  r->team = NULL;
  int rc = tern_team_open(&r->team, threads, cpus, e);
  if (!rc) rc = open_session(r, e);
  if (!rc) tern_session_profile(r->session, r->profile);
  return rc;
}

tern_team *tern_runner_team(const tern_runner *r) {
  return r->team;
}

void tern_runner_rewind(tern_runner *r, int position) {
  tern_session_rewind(r->session, position);
}

int tern_runner_prefill(tern_runner *r, const int32_t *ids, int n, int batch, tern_error *e) {
  int32_t next;
  if (batch <= 0) batch = USUAL_BATCH;
  /* Only the last piece needs the head. */
  int at = 0;
  for (; n - at > batch; at += batch)
    if (tern_session_eval(r->session, ids + at, batch, TERN_WANT_NONE, NULL, e)) return (int)e->status;
  return tern_session_greedy(r->session, ids + at, n - at, &next, NULL, e);
}

int tern_runner_decode(tern_runner *r, const int32_t *ids, int n, double *token_s, tern_error *e) {
  double last = token_s ? tern_now() : 0;
  for (int i = 0; i < n; i++) {
    int32_t next;
    int rc = tern_session_greedy(r->session, ids + i, 1, &next, NULL, e);
    if (rc) return rc;
    if (!token_s) continue;
    double now = tern_now();
    token_s[i] = now - last;
    last = now;
  }
  return 0;
}

void tern_runner_profile(tern_runner *r, tern_profile *p) {
  r->profile = p;
  tern_session_profile(r->session, p);
}

int tern_runner_plan(const tern_runner_spec *spec, size_t *bytes, tern_error *e) {
  tern_model_params params;
  tern_model_facts facts;
  tern_session_params sizes = sizes_of(spec);
  tern_gguf *g = NULL;
  size_t model = 0, session = 0;
  int rc = tern_engine_params(&params, spec, e);
  if (!rc) rc = tern_gguf_open(&g, spec->model_path, e);
  if (!rc) rc = tern_model_plan(g, &params, &model, e);
  if (!rc) rc = tern_model_preview(g, &params, &facts, e);
  if (!rc) rc = tern_session_plan(&facts, &sizes, spec->threads, &session, e);
  tern_gguf_close(g);
  *bytes = model + session;
  return rc;
}
