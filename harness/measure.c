/* One model: seats are taken, the warm-up, blocks until the rule ends them. */
#include "harness/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "harness/interference.h"
#include "harness/measure_parts.h"

int tern_cell_index(const tern_bench_session *s, int team, int load, int seat) {
  return (team * s->loads->count + load) * s->count + seat;
}

int tern_cell_count(const tern_bench_session *s) {
  return s->m->teams->count * s->loads->count * s->count;
}

int tern_seats_open(const tern_bench_session *s) {
  int n = 0;
  for (int i = 0; i < s->count; i++) n += s->seats[i].open;
  return n;
}

double tern_block_cost(const tern_bench_session *s) {
  double sum = 0;
  for (int t = 0; t < s->m->teams->count; t++)
    for (int w = 0; w < s->loads->count; w++)
      for (int i = 0; i < s->count; i++) {
        const tern_cell *c = &s->cells[tern_cell_index(s, t, w, i)];
        if (c->possible && s->seats[i].open && !s->team_out[t]) sum += c->cost;
      }
  return sum;
}

int tern_seat_dismiss(tern_bench_session *s, tern_entrant *seat, const tern_error *why, tern_error *e) {
  if (why->status == TERN_INTERRUPTED) {
    *e = *why;
    return (int)e->status;
  }
  tern_entrant_end(seat);
  tern_record_skipped(s->m->record, s->source->name, seat->contender->name, "", why->text);
  tern_progress_end(&s->progress);
  fprintf(stderr, "%s is left out: %s\n", seat->contender->name, why->text);
  return 0;
}

static int open_seat(tern_bench_session *s, const tern_run_plan_side *planned, const tern_prompts *prompts,
                     tern_error *e) {
  const tern_measure *m = s->m;
  tern_entrant *seat = &s->seats[s->count++];
  tern_error own = {0};
  seat->contender = planned->contender;
  if (!planned->fits) {
    tern_fail(&own, TERN_FAILED, "%s", planned->why);
    return tern_seat_dismiss(s, seat, &own, e);
  }
  const tern_team_spec *greatest = &m->teams->items[m->teams->count - 1];
  tern_worker_spec spec = {.name = planned->contender->name,
                           .runner = tern_run_plan_spec(m->job, s->source, planned->contender, s->loads, greatest),
                           .prompts = prompts->items,
                           .model = s->source->name,
                           .profile = s->profile,
                           .slowdown = planned->contender->slowdown};
  s->specs[s->count - 1] = spec;
  double start = tern_now();
  int bad = tern_entrant_open(seat, planned->contender, &spec, &own);
  if (!planned->contender->peer) s->open_s += tern_now() - start;
  if (bad) return tern_seat_dismiss(s, seat, &own, e);
  tern_record_entrant(m->record, s->source->name, seat);
  return 0;
}

/* What each counter reads, from the first engine that runs: all are alike. */
static void record_counters(const tern_bench_session *s) {
  for (int i = 0; i < s->count; i++) {
    if (!s->seats[i].open || s->seats[i].contender->peer) continue;
    const tern_worker_facts *f = &s->seats[i].facts;
    for (int c = 0; c < TERN_COUNTERS; c++)
      tern_record_meter(s->m->record, tern_counter_name((tern_counter)c), f->counters[c].event, f->counters[c].why);
    tern_record_set(s->m->record, "counters_cost_s", json_real(f->counters_cost));
    s->m->counters_recorded = true;
    return;
  }
}

/* One probe a placement, on the CPUs of its greatest team. */
static void start_probes(tern_bench_session *s) {
  const tern_topology *topology = &s->m->machine->topology;
  for (int t = s->m->teams->count - 1; t >= 0; t--) {
    const tern_team_spec *team = &s->m->teams->items[t];
    tern_error own = {0};
    int at = 0;
    while (at < s->probe_count && strcmp(s->probes[at].placement, team->placement) != 0) at++;
    if (at < s->probe_count) continue;
    tern_probe *p = &s->probes[s->probe_count++];
    snprintf(p->placement, sizeof p->placement, "%s", team->placement);
    if (tern_bandwidth_child_start(&p->child, topology->l3 ? topology->l3 : topology->l2,
                                   team->bound ? team->cpus : topology->order, &own))
      tern_record_warn(s->m->record, own.text);
  }
}

/* What can't be asked of a contender is left out with its reason. */
static int choose_cells(tern_bench_session *s, tern_error *e) {
  s->cells = calloc((size_t)tern_cell_count(s), sizeof *s->cells);
  if (!s->cells) return tern_fail(e, TERN_FAILED, "%s: out of memory", s->source->name);
  s->times = (tern_times){.cells = tern_cell_count(s)};
  for (int i = 0; i < s->count; i++)
    for (int w = 0; s->seats[i].open && w < s->loads->count; w++) {
      char why[256] = "";
      bool possible = s->seats[i].kind->can(&s->seats[i], &s->loads->items[w], why, sizeof why);
      for (int t = 0; t < s->m->teams->count; t++) s->cells[tern_cell_index(s, t, w, i)].possible = possible;
      if (!possible)
        tern_record_skipped(s->m->record, s->source->name, s->seats[i].contender->name, s->loads->items[w].name, why);
    }
  return 0;
}

/* A line a block where no bar is drawn. */
static void tell_block(const tern_bench_session *s, double seconds) {
  if (isatty(STDERR_FILENO)) return;
  fprintf(stderr, "%s: block %d of %s%d%s: %.1f s\n", s->source->name, s->block + 1,
          s->m->job->rule.precision > 0 ? "at most " : "", s->m->job->rule.blocks, s->attempt > 0 ? " again" : "",
          seconds);
}

/* Another try must not cost a block that is still to come. */
static bool may_repeat(const tern_bench_session *s, unsigned marks) {
  if (s->attempt > 0 || !tern_interference_repeat(marks, s->block + 1, s->repeated)) return false;
  double left = s->m->deadline - tern_now();
  return s->m->deadline <= 0 || left > (s->m->job->rule.blocks - s->block + 0.5) * tern_block_cost(s);
}

static int take_block(tern_bench_session *s, tern_error *e) {
  unsigned marks;
  double start = tern_now();
  if (tern_seats_due(s) && tern_seats_renew(s, e)) return (int)e->status;
  if (tern_teams_review(s, e) || tern_energy_rest(s->m->energy, false, e) ||
      tern_block_run(s, s->block, s->attempt, &marks, e))
    return (int)e->status;
  double seconds = tern_now() - start;
  tell_block(s, seconds);
  s->taken++;
  s->taken_s += seconds;
  if (may_repeat(s, marks)) {
    s->repeated++;
    s->attempt++;
  } else {
    s->block++;
    s->attempt = 0;
  }
  return 0;
}

static int run_blocks(tern_bench_session *s, tern_error *e) {
  const tern_measure *m = s->m;
  if (tern_warm_up(s, e)) return (int)e->status;
  for (int i = 0; i < s->count; i++)
    if (s->seats[i].open && s->seats[i].contender->peer) tern_record_outside(m->record, s->source->name, &s->seats[i]);
  double left = m->deadline > 0 ? m->deadline - tern_now() : INFINITY,
         whole = tern_block_cost(s) * (m->job->rule.blocks - s->block);
  tern_progress_start(&s->progress, s->source->name, whole < left ? whole : left);
  s->done = 0;
  tern_stop stop;
  while ((stop = s->attempt > 0 ? TERN_STOP_NOT : tern_session_stop(s)) == TERN_STOP_NOT)
    if (take_block(s, e)) return (int)e->status;
  tern_progress_end(&s->progress);
  if (tern_energy_rest(m->energy, true, e)) return (int)e->status;
  tern_session_close_books(s, stop);
  return tern_record_write(m->record, m->dir, e);
}

int tern_measure_model(tern_measure *m, const tern_source *source, const tern_prompts *prompts,
                       const tern_workload_list *loads, const tern_run_plan *plan, tern_error *e) {
  tern_bench_session *s = calloc(1, sizeof *s);
  if (!s) return tern_fail(e, TERN_FAILED, "%s: out of memory", source->name);
  *s = (tern_bench_session){.m = m, .source = source, .loads = loads};
  snprintf(s->profile, sizeof s->profile, "%s/profile.csv", m->dir);
  start_probes(s);
  for (int i = 0; i < plan->count; i++)
    if (open_seat(s, &plan->sides[i], prompts, e)) goto out;
  if (tern_seats_open(s) == 0) {
    tern_fail(e, TERN_FAILED, "%s: no engine could be opened", source->name);
    goto out;
  }
  if (!m->counters_recorded) record_counters(s);
  if (choose_cells(s, e) || tern_record_write(m->record, m->dir, e)) goto out;
  if (!tern_session_restore(s, e) && !e->status && !run_blocks(s, e) && m->job->profile) tern_profiles_take(s, e);
out:
  tern_progress_end(&s->progress);
  for (int i = 0; i < s->count; i++) tern_entrant_end(&s->seats[i]);
  for (int i = 0; i < s->probe_count; i++) tern_bandwidth_child_end(s->probes[i].child);
  tern_times_close(&s->times);
  free(s->cells);
  free(s);
  return (int)e->status;
}
