/* The engine's process: a table of operations on one runner. */
#include "harness/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/progress.h"
#include "harness/child.h"

typedef enum operation { OPEN, PREPARE, RUN } operation;

typedef struct request {
  operation what;
  tern_phase phase;
  int context, tokens, threads;
} request;

typedef struct reply {
  tern_error error;
  tern_worker_facts facts;
  tern_worker_result result;
} reply;

struct tern_worker {
  tern_child *child;
  /* The child's side; the parent's copy of these stays as it was forked. */
  tern_worker_spec spec;
  tern_runner *runner;
  tern_counters *counters;
  int threads;
  int filled; /* positions of the KV cache that hold ids[0..filled) */
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
  (void)q;
  /* Counters before the team: its threads inherit them. */
  w->counters = tern_counters_open();
  if (!w->counters) {
    tern_fail(&r->error, TERN_FAILED, "counters: out of memory");
    return;
  }
  for (int i = 0; i < TERN_COUNTERS; i++) r->facts.counters[i] = *tern_counters_fact(w->counters, (tern_counter)i);
  snprintf(r->facts.counters_domain, sizeof r->facts.counters_domain, "%s", tern_counters_domain(w->counters));
  if (tern_runner_open(&w->runner, &w->spec.runner, &r->error)) return;
  w->threads = w->spec.runner.threads;
  r->facts.runner = *tern_runner_describe(w->runner);
}

static void serve_prepare(tern_worker *w, const request *q, reply *r) {
  if (q->threads != w->threads) {
    w->threads = 0;
    w->filled = 0;
    if (tern_runner_threads(w->runner, q->threads, w->spec.runner.cpus, &r->error)) return;
    w->threads = q->threads;
  }
  if (w->filled == q->context) return;
  tern_runner_reset(w->runner);
  w->filled = 0;
  if (q->context > 0 && tern_runner_prefill(w->runner, w->spec.ids, q->context, &r->error)) return;
  w->filled = q->context;
}

static void serve_run(tern_worker *w, const request *q, reply *r) {
  static int (*const calls[])(tern_runner *, const int32_t *, int, tern_error *) = {
      [TERN_PHASE_PREFILL] = tern_runner_prefill, [TERN_PHASE_DECODE] = tern_runner_decode};
  const int32_t *ids = w->spec.ids + w->filled;
  tern_counters_start(w->counters);
  double start = tern_now();
  int bad = calls[q->phase](w->runner, ids, q->tokens, &r->error);
  r->result.seconds = tern_now() - start;
  tern_counters_stop(w->counters, r->result.counters);
  r->result.peak_rss = peak_rss();
  w->filled = bad ? -1 : w->filled + q->tokens;
}

static void serve(void *arg, const void *request_bytes, void *reply_bytes) {
  static void (*const operations[])(tern_worker *, const request *,
                                    reply *) = {[OPEN] = serve_open, [PREPARE] = serve_prepare, [RUN] = serve_run};
  tern_worker *w = arg;
  const request *q = request_bytes;
  operations[q->what](w, q, reply_bytes);
}

int tern_worker_start(tern_worker **out, const tern_worker_spec *spec, tern_error *e) {
  *out = NULL;
  tern_worker *w = calloc(1, sizeof *w);
  if (!w) return tern_fail(e, TERN_FAILED, "%s: out of memory", spec->runner.engine);
  w->spec = *spec;
  char name[64];
  snprintf(name, sizeof name, "engine %s", spec->runner.engine);
  if (tern_child_start(&w->child, name, serve, w, sizeof(request), sizeof(reply), e)) {
    free(w);
    return (int)e->status;
  }
  *out = w;
  return 0;
}

static int call(tern_worker *w, const request *q, reply *r, tern_error *e) {
  if (tern_child_call(w->child, q, r, e)) return (int)e->status;
  if (r->error.status) *e = r->error;
  return (int)r->error.status;
}

int tern_worker_open(tern_worker *w, tern_worker_facts *facts, tern_error *e) {
  reply r;
  request q = {.what = OPEN};
  if (call(w, &q, &r, e)) return (int)e->status;
  *facts = r.facts;
  return 0;
}

int tern_worker_prepare(tern_worker *w, const tern_workload *load, int threads, tern_error *e) {
  reply r;
  request q = {PREPARE, load->phase, load->context, load->tokens, threads};
  return call(w, &q, &r, e);
}

int tern_worker_run(tern_worker *w, const tern_workload *load, tern_worker_result *out, tern_error *e) {
  reply r;
  request q = {RUN, load->phase, load->context, load->tokens, 0};
  if (call(w, &q, &r, e)) return (int)e->status;
  *out = r.result;
  return 0;
}

pid_t tern_worker_pid(const tern_worker *w) {
  return tern_child_pid(w->child);
}

void tern_worker_end(tern_worker *w) {
  if (!w) return;
  tern_child_end(w->child);
  free(w);
}
