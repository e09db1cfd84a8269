/* A block. For each team and workload all contenders follow each other
 * directly, in an order drawn anew, because the machine's bandwidth drifts
 * within minutes and ratios are taken within a block. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/interrupt.h"
#include "harness/interference.h"
#include "harness/measure_parts.h"
#include "harness/order.h"

static void fill_facts(tern_sample *r, const tern_bench_session *s, const tern_entrant *seat) {
  snprintf(r->engine, sizeof r->engine, "%s", seat->contender->name);
  snprintf(r->model, sizeof r->model, "%s", s->source->name);
  if (seat->contender->peer) return;
  const tern_runner_facts *f = &seat->facts.runner;
  snprintf(r->kernel, sizeof r->kernel, "%s", f->kernel);
  snprintf(r->head, sizeof r->head, "%s", f->head);
  snprintf(r->kv, sizeof r->kv, "%s", tern_kv_names[seat->contender->kv]);
  r->bytes_per_token = (int64_t)f->body_bytes_a_token;
  r->body_bytes = (int64_t)f->model.body_bytes;
  r->head_bytes = (int64_t)(f->model.head_bytes + f->model.scan_bytes);
  r->embedding_bytes = (int64_t)f->model.embedding_bytes;
  r->kv_bytes = (int64_t)f->kv_bytes;
}

static void fill_load(tern_sample *r, const tern_workload *load, const tern_team_spec *team) {
  snprintf(r->workload, sizeof r->workload, "%s", load->name);
  snprintf(r->phase, sizeof r->phase, "%s", tern_phase_name(load->phase));
  snprintf(r->placement, sizeof r->placement, "%s", team->placement);
  r->threads = team->threads;
  r->tokens = load->tokens;
  if (load->batch > 0) r->batch = load->batch;
}

static void fill_result(tern_sample *r, const tern_worker_result *result) {
  r->seconds = result->seconds;
  r->ttft_s = result->ttft_s;
  r->token_p50_s = result->token_p50;
  r->token_p90_s = result->token_p90;
  r->token_p99_s = result->token_p99;
  r->peak_rss_bytes = result->peak_rss;
  memcpy(r->counters, result->counters, sizeof r->counters);
}

static void fill_energy(tern_sample *r, const tern_energy_share *energy) {
  r->calls = energy->calls;
  r->joules = energy->joules;
  r->joules_net = energy->net;
  r->idle_watts = energy->idle;
  snprintf(r->joules_how, sizeof r->joules_how, "%s", tern_how_name(energy->how));
  snprintf(r->joules_scope, sizeof r->joules_scope, "%s", energy->scope);
  snprintf(r->joules_why, sizeof r->joules_why, "%s", energy->why);
  snprintf(r->joules_note, sizeof r->joules_note, "%s", energy->note);
}

/* What can disturb the call: an outside engine's own threads are not there
 * before it nor after it. */
static void look(tern_interference *out, const tern_entrant *seat, const tern_team_spec *team) {
  tern_interference_source from = {.root = "",
                                   .pid = seat->kind->pid(seat),
                                   .cpus = team->bound ? team->cpus : NULL,
                                   .cpu_count = team->bound ? team->threads : 0};
  tern_interference_read(out, &from);
  if (from.pid > 0) return;
  static const tern_disturbance own[] = {TERN_BY_WAITING, TERN_BY_SWITCHES, TERN_BY_FAULTS};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++) out->values[own[i]] = -1;
}

static int metered(tern_bench_session *s, tern_entrant *seat, const tern_workload *load, const tern_team_spec *team,
                   int pass, tern_sample *r, tern_error *e) {
  tern_worker_result result;
  tern_energy_share energy;
  if (seat->kind->meter(seat, load, team, pass, s->m->energy, &result, &energy, e)) return (int)e->status;
  fill_result(r, &result);
  fill_energy(r, &energy);
  return 0;
}

static int unmetered(tern_bench_session *s, tern_entrant *seat, const tern_workload *load, const tern_team_spec *team,
                     tern_sample *r, tern_error *e) {
  tern_worker_result result;
  const char *why = tern_energy_why(s->m->energy);
  if (seat->kind->run(seat, load, team, &result, e)) return (int)e->status;
  fill_result(r, &result);
  r->calls = 1;
  snprintf(r->joules_how, sizeof r->joules_how, "unavailable");
  snprintf(r->joules_why, sizeof r->joules_why, "%s", why ? why : "a warm-up is not metered");
  return 0;
}

/* One call of one contender, and its row; r comes with block, attempt, place. */
static int measure_one(tern_bench_session *s, tern_entrant *seat, const tern_workload *load, const tern_team_spec *team,
                       tern_sample *r, unsigned *marks, tern_error *e) {
  tern_measure *m = s->m;
  tern_error own = {0};
  tern_interference before, after;
  int passes = seat->contender->peer ? 1 : seat->facts.passes, pass = r->block < 0 ? 0 : (int)r->block % passes;
  if (seat->kind->prepare(seat, load, team, pass, &own)) return tern_seat_dismiss(s, seat, &own, e);
  int64_t steal = tern_steal_ticks();
  look(&before, seat, team);
  double start = tern_now();
  r->start_s = start - m->began;
  int bad = r->block < 0 ? unmetered(s, seat, load, team, r, &own) : metered(s, seat, load, team, pass, r, &own);
  double seconds = tern_now() - start;
  if (bad) return tern_seat_dismiss(s, seat, &own, e);
  look(&after, seat, team);
  *marks = tern_interference_judge(&before, &after, seconds, team->threads);
  tern_interference_text(*marks, r->disturbed, sizeof r->disturbed);
  r->steal_ticks = steal >= 0 ? tern_steal_ticks() - steal : TERN_NO_COUNT;
  r->sample = m->next++;
  if (passes > 1) r->pass = pass;
  fill_facts(r, s, seat);
  fill_load(r, load, team);
  return tern_samples_append(m->samples, r, e);
}

/* The probe is a help to the reader: a run goes on without it. */
static int probe_bandwidth(tern_bench_session *s, const tern_team_spec *team, double *gbs, tern_error *e) {
  tern_error own = {0};
  tern_probe *p = s->probes;
  *gbs = NAN;
  while (strcmp(p->placement, team->placement) != 0) p++;
  if (!p->child || tern_bandwidth_child_measure(p->child, team->threads, gbs, &own) == 0) return 0;
  if (own.status == TERN_INTERRUPTED) {
    *e = own;
    return (int)e->status;
  }
  tern_record_warn(s->m->record, own.text);
  tern_bandwidth_child_end(p->child);
  p->child = NULL;
  return 0;
}

/* Every turn has its own order, the same again in a resumed run. */
static uint64_t turn_of(const tern_bench_session *s, int block, int attempt, int team, int load) {
  uint64_t turn = (uint64_t)(block + 1) * 64 + (uint64_t)attempt;
  return (turn * TERN_JOB_TEAMS + (uint64_t)team) * (uint64_t)s->loads->count + (uint64_t)load;
}

static void keep_cost(tern_bench_session *s, tern_cell *c, const tern_entrant *seat, double seconds) {
  double window = tern_energy_window_s(s->m->energy) * (seat->contender->peer ? 2 : 1);
  c->cost = seconds > window ? seconds : window;
}

/* Where a repetition stands. */
typedef struct spot {
  int block, attempt, team, load, seat, place;
  double gbs;
} spot;

static int take_cell(tern_bench_session *s, const spot *at, unsigned *marks, tern_error *e) {
  tern_entrant *seat = &s->seats[at->seat];
  int index = tern_cell_index(s, at->team, at->load, at->seat);
  tern_cell *c = &s->cells[index];
  bool warm = at->block == TERN_WARM_BLOCK;
  unsigned own = 0;
  tern_sample r;
  tern_sample_clear(&r);
  r.block = at->block;
  r.attempt = at->attempt;
  r.place = at->place;
  r.read_gbs = at->gbs;
  snprintf(r.mark, sizeof r.mark, "%s", warm ? "warmup" : "");
  double start = tern_now();
  if (measure_one(s, seat, &s->loads->items[at->load], &s->m->teams->items[at->team], &r, &own, e))
    return (int)e->status;
  if (!seat->open) return 0; /* dismissed */
  *marks |= own;
  keep_cost(s, c, seat, tern_now() - start);
  s->done += c->cost;
  tern_progress_update(&s->progress, s->done);
  if (!warm) return tern_times_put(&s->times, at->block, index, r.seconds / (double)r.tokens, e);
  c->warm[c->warm_count++] = r.seconds;
  return 0;
}

static bool takes_part(const tern_bench_session *s, const spot *at) {
  const tern_entrant *seat = &s->seats[at->seat];
  if (!seat->open || !s->cells[tern_cell_index(s, at->team, at->load, at->seat)].possible) return false;
  return at->block != TERN_WARM_BLOCK || !seat->contender->peer || s->warm_blocks == 0;
}

static int take_turns(tern_bench_session *s, spot *at, unsigned *marks, tern_error *e) {
  int order[TERN_MOST_CONTENDERS];
  tern_order(s->m->job->seed, turn_of(s, at->block, at->attempt, at->team, at->load), order, s->count);
  for (int i = 0; i < s->count; i++) {
    at->seat = order[i];
    if (tern_interrupt_check(e)) return (int)e->status;
    if (!takes_part(s, at)) continue;
    if (take_cell(s, at, marks, e)) return (int)e->status;
    at->place++;
  }
  return 0;
}

int tern_block_run(tern_bench_session *s, int block, int attempt, unsigned *marks, tern_error *e) {
  spot at = {.block = block, .attempt = attempt};
  *marks = 0;
  if (block != TERN_WARM_BLOCK) tern_times_drop(&s->times, block);
  for (at.team = 0; at.team < s->m->teams->count; at.team++) {
    if (s->team_out[at.team]) continue;
    if (probe_bandwidth(s, &s->m->teams->items[at.team], &at.gbs, e)) return (int)e->status;
    for (at.load = 0; at.load < s->loads->count; at.load++)
      if (take_turns(s, &at, marks, e)) return (int)e->status;
  }
  return tern_seats_open(s) > 0 ? 0 : tern_fail(e, TERN_FAILED, "no engine is left to measure");
}

int tern_teams_review(tern_bench_session *s, tern_error *e) {
  const tern_teams *teams = s->m->teams;
  double quota = tern_cgroup_probe("/proc/self/cgroup", "/sys/fs/cgroup").cpus;
  int left = 0;
  char why[160] = "";
  for (int t = 0; t < teams->count; t++) {
    if (!s->team_out[t] && !tern_team_allowed(&teams->items[t], quota, why, sizeof why)) {
      char team[80];
      s->team_out[t] = true;
      snprintf(team, sizeof team, "%d threads, %s", teams->items[t].threads, teams->items[t].placement);
      tern_record_skipped(s->m->record, s->source->name, "", team, why);
      tern_progress_end(&s->progress);
      fprintf(stderr, "%s: %s is left out from block %d on: %s\n", s->source->name, team, s->block + 1, why);
    }
    left += !s->team_out[t];
  }
  return left > 0 ? 0 : tern_fail(e, TERN_FAILED, "%s: no team is left to measure: %s", s->source->name, why);
}
