/* Outside engines: a process for every run, under the same CPUs. Its speed is
 * its own account; its joules come from windows of n and of 2n tokens, in which
 * loading cancels (harness/energy_share.h). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/entrant.h"

/* A run that hangs ends here. */
static const double LIMIT_S = 3600;

static int open_program(tern_entrant *n, const tern_worker_spec *spec, tern_error *e) {
  (void)spec;
  return tern_peer_probe(n->contender->peer, &n->program, e);
}

static bool can(const tern_entrant *n, const tern_workload *load, char *why, size_t size) {
  if (load->prompt == 0) return tern_peer_can(n->contender->peer, load, why, size);
  snprintf(why, size, "an outside engine is asked for numbers of tokens, not for a text");
  return false;
}

static int prepare(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass, tern_error *e) {
  (void)n, (void)load, (void)team, (void)pass, (void)e;
  return 0;
}

static int run_program(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, tern_peer_result *r,
                       tern_error *e) {
  if (tern_peer_run(n->contender->peer, n->model, load, team->threads, team->bound ? team->cpus : NULL, LIMIT_S, r, e))
    return (int)e->status;
  snprintf(n->reader, sizeof n->reader, "%s", r->reader);
  snprintf(n->version, sizeof n->version, "%s", r->version);
  return 0;
}

/* Of the whole process: only what the kernel accounts; a ratio of hardware
 * events would mix loading in. */
static void fill(tern_worker_result *out, const tern_peer_result *r) {
  *out = (tern_worker_result){.seconds = r->seconds, .ttft_s = NAN, .peak_rss = r->peak_rss};
  out->token_p50 = out->token_p90 = out->token_p99 = NAN;
  for (int i = 0; i < TERN_COUNTERS; i++) out->counters[i] = -1;
  out->counters[TERN_TASK_CLOCK] = r->task_clock_ns;
  out->counters[TERN_PAGE_FAULTS] = r->page_faults;
  out->counters[TERN_CONTEXT_SWITCHES] = r->context_switches;
}

static int run(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, tern_worker_result *out,
               tern_error *e) {
  tern_peer_result r;
  if (run_program(n, load, team, &r, e)) return (int)e->status;
  fill(out, &r);
  return 0;
}

typedef struct call {
  tern_entrant *n;
  tern_workload load;
  const tern_team_spec *team;
  tern_peer_result first;
} call;

/* The window holds whole processes, so their wall time is what it divides. */
static int work(void *arg, long number, double *seconds, tern_error *e) {
  call *c = arg;
  tern_peer_result r;
  if (run_program(c->n, &c->load, c->team, &r, e)) return (int)e->status;
  if (number == 0) c->first = r;
  *seconds = r.wall_s;
  return 0;
}

static int meter(tern_entrant *n, const tern_workload *load, const tern_team_spec *team, int pass,
                 tern_energy_run *energy, tern_worker_result *out, tern_energy_share *share, tern_error *e) {
  (void)pass;
  call once = {.n = n, .load = *load, .team = team}, twice = once;
  tern_energy_share shorter, longer;
  twice.load.tokens *= 2;
  if (tern_energy_call(energy, work, &once, &shorter, e)) return (int)e->status;
  fill(out, &once.first);
  *share = shorter;
  share->seconds = once.first.seconds;
  if (shorter.how == TERN_UNAVAILABLE) return 0;
  if (tern_energy_call(energy, work, &twice, &longer, e)) return (int)e->status;
  *share = tern_energy_differ(&shorter, &longer);
  char why[sizeof share->why];
  if (!tern_peer_pair(&once.first, &twice.first, why, sizeof why)) {
    share->how = TERN_UNAVAILABLE;
    share->joules = share->net = NAN;
    snprintf(share->why, sizeof share->why, "%s", why);
  }
  share->calls = shorter.calls + longer.calls;
  return 0;
}

static pid_t pid(const tern_entrant *n) {
  (void)n;
  return 0;
}

static void end(tern_entrant *n) {
  (void)n;
}

const tern_entrant_kind tern_entrant_outside = {open_program, can, prepare, run, meter, pid, end};
