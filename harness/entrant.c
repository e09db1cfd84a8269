/* Engines of ours: a worker process each. */
#include "harness/entrant.h"

int tern_entrant_open(tern_entrant *n, const tern_contender *c, const tern_worker_spec *spec, tern_error *e) {
  *n = (tern_entrant){
      .kind = c->peer ? &tern_entrant_outside : &tern_entrant_ours, .contender = c, .model = spec->runner.model_path};
  n->open = n->kind->open(n, spec, e) == 0;
  return (int)e->status;
}

void tern_entrant_end(tern_entrant *n) {
  if (n->kind) n->kind->end(n);
  n->open = false;
}

static int open_worker(tern_entrant *n, const tern_worker_spec *spec, tern_error *e) {
  if (tern_worker_start(&n->worker, spec, e)) return (int)e->status;
  return tern_worker_open(n->worker, &n->facts, e);
}

static bool can(const tern_entrant *n, const tern_workload *load, char *why, size_t size) {
  (void)n, (void)load, (void)why, (void)size;
  return true;
}

static int prepare(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass, tern_error *e) {
  return tern_worker_prepare(n->worker, load, team, pass, e);
}

static int run(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, tern_worker_result *out,
               tern_error *e) {
  (void)team;
  return tern_worker_run(n->worker, load, out, e);
}

typedef struct call {
  tern_entrant *n;
  const tern_workload *load;
  const tern_team_spec *team;
  int pass;
  tern_worker_result *out; /* of the last one */
} call;

/* Calls after the first begin with a rewind of the KV cache. */
static int work(void *arg, long number, double *seconds, tern_error *e) {
  call *c = arg;
  if (number > 0 && tern_worker_prepare(c->n->worker, c->load, c->team, c->pass, e)) return (int)e->status;
  if (tern_worker_run(c->n->worker, c->load, c->out, e)) return (int)e->status;
  *seconds = c->out->seconds;
  return 0;
}

static int meter(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass,
                 tern_energy_run *energy, tern_worker_result *out, tern_energy_share *share, tern_error *e) {
  call c = {n, load, team, pass, out};
  if (tern_energy_call(energy, work, &c, share, e)) return (int)e->status;
  out->seconds = share->seconds;
  return 0;
}

static pid_t pid(const tern_entrant *n) {
  pid_t p = tern_worker_pid(n->worker);
  return p > 0 ? p : 0;
}

static void end(tern_entrant *n) {
  tern_worker_end(n->worker);
  n->worker = NULL;
}

const tern_entrant_kind tern_entrant_ours = {open_worker, can, prepare, run, meter, pid, end};
