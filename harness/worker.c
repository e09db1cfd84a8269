/* The engine's process: a table of operations on one runner. */
#include "harness/worker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/progress.h"
#include "harness/child.h"
#include "harness/profile.h"

typedef enum operation { OPEN, PREPARE, RUN, PROFILE } operation;

typedef struct request {
  operation what;
  tern_workload load;
  tern_team_spec team;
  int pass;
} request;

typedef struct reply {
  tern_error error;
  tern_worker_facts facts;
  tern_worker_result result;
} reply;

struct tern_worker {
  tern_child *child;
  request *request; /* the parent's */
  reply *reply;
  /* The child's side; the parent's copy of these stays as it was forked. */
  tern_worker_spec spec;
  tern_runner *runner;
  tern_counters *counters;
  tern_team_spec team; /* of now; threads 0: none */
  int prompt, filled;  /* the KV cache holds the prompt's ids[0..filled) */
  double *token_s;     /* of a decode */
  int token_room;
};

static int64_t peak_rss(void) {
  char line[128];
  long long kib = -1;
  FILE *f = fopen("/proc/self/status", "re");
  while (f && fgets(line, sizeof line, f))
    if (sscanf(line, "VmHWM: %lld", &kib) == 1) break;
  if (f) fclose(f);
  return kib < 0 ? -1 : kib * 1024;
}

static void serve_open(tern_worker *w, const request *q, reply *r) {
  w->counters = tern_counters_open();
  if (!w->counters) {
    tern_fail(&r->error, TERN_FAILED, "counters: out of memory");
    return;
  }
  for (int i = 0; i < TERN_COUNTERS; i++) r->facts.counters[i] = *tern_counters_fact(w->counters, (tern_counter)i);
  r->facts.passes = tern_counters_passes(w->counters);
  snprintf(r->facts.counters_domain, sizeof r->facts.counters_domain, "%s", tern_counters_domain(w->counters));
  if (tern_runner_open(&w->runner, &w->spec.runner, &r->error)) return;
  tern_counters_bind(w->counters, tern_runner_team(w->runner));
  r->facts.counters_cost = tern_counters_cost(w->counters);
  w->team = q->team;
  r->facts.runner = *tern_runner_describe(w->runner);
}

static bool same_team(const tern_team_spec *a, const tern_team_spec *b) {
  return a->threads == b->threads && a->bound == b->bound &&
         (!a->bound || memcmp(a->cpus, b->cpus, (size_t)a->threads * sizeof *a->cpus) == 0);
}

static int change_team(tern_worker *w, const tern_team_spec *team, tern_error *e) {
  w->team.threads = 0;
  w->filled = 0;
  tern_counters_unbind(w->counters);
  if (tern_runner_threads(w->runner, team->threads, team->bound ? team->cpus : NULL, e)) return (int)e->status;
  tern_counters_bind(w->counters, tern_runner_team(w->runner));
  w->team = *team;
  return 0;
}

/* Positions that hold the wanted ids stand; the rest of the context is fed. */
static int fill_context(tern_worker *w, const tern_workload *load, tern_error *e) {
  if (w->prompt != load->prompt) w->filled = 0;
  int at = w->filled < load->context ? w->filled : load->context;
  w->prompt = load->prompt;
  w->filled = -1;
  tern_runner_rewind(w->runner, at);
  if (at < load->context &&
      tern_runner_prefill(w->runner, w->spec.prompts[load->prompt].ids + at, load->context - at, 0, e))
    return (int)e->status;
  w->filled = load->context;
  return 0;
}

static void serve_prepare(tern_worker *w, const request *q, reply *r) {
  if (!same_team(&w->team, &q->team) && change_team(w, &q->team, &r->error)) return;
  tern_counters_pass(w->counters, q->pass);
  if (q->load.tokens > w->token_room) {
    free(w->token_s);
    w->token_room = q->load.tokens;
    w->token_s = calloc((size_t)w->token_room, sizeof *w->token_s);
  }
  if (!w->token_s)
    tern_fail(&r->error, TERN_FAILED, "times of tokens: out of memory");
  else
    fill_context(w, &q->load, &r->error);
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Nearest rank of sorted values. */
static double rank(const double *sorted, int n, double share) {
  int at = (int)ceil(share * n) - 1;
  return sorted[at < 0 ? 0 : at];
}

static void fill_times(const tern_worker *w, const tern_workload *load, tern_worker_result *r) {
  r->ttft_s = r->token_p50 = r->token_p90 = r->token_p99 = NAN;
  if (load->phase == TERN_PHASE_PREFILL) {
    r->ttft_s = r->seconds;
    return;
  }
  qsort(w->token_s, (size_t)load->tokens, sizeof *w->token_s, by_value);
  r->token_p50 = rank(w->token_s, load->tokens, 0.5);
  r->token_p90 = rank(w->token_s, load->tokens, 0.9);
  r->token_p99 = rank(w->token_s, load->tokens, 0.99);
}

/* Busy until the call has lasted so much longer: a slowdown of known size. */
static void slow_down(double start, double share) {
  double end = tern_now() + share * (tern_now() - start);
  while (share > 0 && tern_now() < end)
    ;
}

static bool is_prepared(const tern_worker *w, const tern_workload *load, tern_error *e) {
  int ids = w->spec.prompts[load->prompt].count;
  if (w->filled >= 0 && load->tokens <= ids - w->filled) return true;
  tern_fail(e, TERN_FAILED, "%s: not prepared, or more tokens than the prompt's %d", load->name, ids);
  return false;
}

static int make_call(tern_worker *w, const tern_workload *load, tern_error *e) {
  const int32_t *ids = w->spec.prompts[load->prompt].ids + w->filled;
  if (load->phase == TERN_PHASE_PREFILL) return tern_runner_prefill(w->runner, ids, load->tokens, load->batch, e);
  return tern_runner_decode(w->runner, ids, load->tokens, w->token_s, e);
}

static void serve_run(tern_worker *w, const request *q, reply *r) {
  const tern_workload *load = &q->load;
  if (!is_prepared(w, load, &r->error)) return;
  tern_counters_start(w->counters);
  double start = tern_now();
  int bad = make_call(w, load, &r->error);
  slow_down(start, w->spec.slowdown);
  r->result.seconds = tern_now() - start;
  tern_counters_stop(w->counters, r->result.counters);
  r->result.peak_rss = peak_rss();
  w->filled = bad ? -1 : w->filled + load->tokens;
  if (!bad) fill_times(w, load, &r->result);
}

/* One call with the profile on; pass -1: times alone. */
static int profile_call(tern_worker *w, const request *q, tern_profile *p, int pass, tern_error *e) {
  const tern_workload *load = &q->load;
  tern_profile_label label = {w->spec.name, w->spec.model, q->team.placement, load->name, tern_phase_name(load->phase),
                              pass};
  if (fill_context(w, load, e) || !is_prepared(w, load, e)) return (int)e->status;
  tern_profile_clear(p);
  if (pass >= 0) tern_counters_pass(w->counters, pass);
  tern_profile_count(p, pass >= 0 ? w->counters : NULL);
  tern_runner_profile(w->runner, p);
  int bad = make_call(w, load, e);
  tern_runner_profile(w->runner, NULL);
  w->filled = bad ? -1 : w->filled + load->tokens;
  return bad ? bad : tern_profile_write(w->spec.profile, &label, p, e);
}

static void serve_profile(tern_worker *w, const request *q, reply *r) {
  tern_profile *p;
  serve_prepare(w, q, r);
  if (r->error.status || tern_profile_open(&p, w->team.threads, &r->error)) return;
  for (int pass = -1; pass < tern_counters_passes(w->counters); pass++)
    if (profile_call(w, q, p, pass, &r->error)) break;
  tern_profile_close(p);
}

static void serve(void *arg, const void *request_bytes, void *reply_bytes) {
  static void (*const operations[])(tern_worker *, const request *, reply *) = {
      [OPEN] = serve_open, [PREPARE] = serve_prepare, [RUN] = serve_run, [PROFILE] = serve_profile};
  tern_worker *w = arg;
  const request *q = request_bytes;
  operations[q->what](w, q, reply_bytes);
}

int tern_worker_start(tern_worker **out, const tern_worker_spec *spec, tern_error *e) {
  *out = NULL;
  tern_worker *w = calloc(1, sizeof *w);
  if (w) {
    w->request = calloc(1, sizeof *w->request);
    w->reply = calloc(1, sizeof *w->reply);
  }
  if (!w || !w->request || !w->reply) {
    tern_worker_end(w);
    return tern_fail(e, TERN_FAILED, "%s: out of memory", spec->name);
  }
  w->spec = *spec;
  char name[TERN_CONTENDER_NAME + 8];
  snprintf(name, sizeof name, "engine %s", spec->name);
  if (tern_child_start(&w->child, name, serve, w, sizeof(request), sizeof(reply), e)) {
    tern_worker_end(w);
    return (int)e->status;
  }
  *out = w;
  return 0;
}

static int call(tern_worker *w, operation what, const tern_workload *load, tern_error *e) {
  w->request->what = what;
  if (load) w->request->load = *load;
  if (tern_child_call(w->child, w->request, w->reply, e)) return (int)e->status;
  if (w->reply->error.status) *e = w->reply->error;
  return (int)w->reply->error.status;
}

int tern_worker_open(tern_worker *w, tern_worker_facts *facts, tern_error *e) {
  const tern_runner_spec *s = &w->spec.runner;
  tern_team_spec *team = &w->request->team;
  *team = (tern_team_spec){.threads = s->threads, .bound = s->cpus != NULL};
  if (s->cpus) memcpy(team->cpus, s->cpus, (size_t)s->threads * sizeof *s->cpus);
  if (call(w, OPEN, NULL, e)) return (int)e->status;
  *facts = w->reply->facts;
  return 0;
}

int tern_worker_prepare(tern_worker *w, const tern_workload *load, const tern_team_spec *team, int pass,
                        tern_error *e) {
  w->request->team = *team;
  w->request->pass = pass;
  return call(w, PREPARE, load, e);
}

int tern_worker_run(tern_worker *w, const tern_workload *load, tern_worker_result *out, tern_error *e) {
  if (call(w, RUN, load, e)) return (int)e->status;
  *out = w->reply->result;
  return 0;
}

int tern_worker_profile(tern_worker *w, const tern_workload *load, const tern_team_spec *team, tern_error *e) {
  w->request->team = *team;
  w->request->pass = 0;
  return call(w, PROFILE, load, e);
}

pid_t tern_worker_pid(const tern_worker *w) {
  return tern_child_pid(w->child);
}

void tern_worker_end(tern_worker *w) {
  if (!w) return;
  tern_child_end(w->child);
  free(w->request);
  free(w->reply);
  free(w);
}
