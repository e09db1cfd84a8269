/* Blocks. For each team and workload all engines follow each other directly,
 * in an order drawn anew, because the machine's bandwidth drifts within
 * minutes and ratios are taken within a block. */
#include "harness/measure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/interrupt.h"
#include "engine/base/progress.h"
#include "harness/bandwidth_child.h"
#include "harness/order.h"

typedef struct engine_seat {
  const char *engine;
  tern_worker *worker; /* NULL: not running */
  tern_worker_facts facts;
} engine_seat;

typedef struct session {
  tern_measure *m;
  const tern_source *source;
  engine_seat seats[TERN_MOST_ENGINES];
  int count;
  tern_bandwidth_child *bandwidth;
  tern_progress progress;
  double done;    /* calls, for the progress bar */
  double longest; /* seconds of the longest block so far */
  uint64_t turn;  /* number of orders drawn */
} session;

static int running(const session *s) {
  int n = 0;
  for (int i = 0; i < s->count; i++) n += s->seats[i].worker != NULL;
  return n;
}

/* The engine is out, the run goes on; an interrupt ends the run instead. */
static int dismiss(session *s, engine_seat *seat, const tern_error *why, tern_error *e) {
  if (why->status == TERN_INTERRUPTED) {
    *e = *why;
    return (int)e->status;
  }
  tern_worker_end(seat->worker);
  seat->worker = NULL;
  tern_record_skipped(s->m->record, s->source->name, seat->engine, why->text);
  tern_progress_end(&s->progress);
  fprintf(stderr, "engine %s is left out: %s\n", seat->engine, why->text);
  return 0;
}

static int open_seat(session *s, const tern_run_plan_engine *planned, const tern_prompt *prompt, tern_error *e) {
  const tern_measure *m = s->m;
  engine_seat *seat = &s->seats[s->count++];
  tern_error own = {0};
  seat->engine = planned->name;
  if (!planned->fits) {
    tern_fail(&own, TERN_FAILED, "%s", planned->why);
    return dismiss(s, seat, &own, e);
  }
  int threads = m->teams[m->team_count - 1];
  tern_worker_spec spec = {tern_run_plan_spec(m->job, s->source, planned->name, m->machine, threads), prompt->ids,
                           prompt->count};
  if (tern_worker_start(&seat->worker, &spec, &own) || tern_worker_open(seat->worker, &seat->facts, &own))
    return dismiss(s, seat, &own, e);
  tern_record_engine(m->record, s->source->name, planned->name, &seat->facts, m->job->kv);
  return 0;
}

/* What each counter reads, from the first engine that runs: all are alike. */
static void record_counters(const session *s) {
  for (int i = 0; i < s->count; i++) {
    if (!s->seats[i].worker) continue;
    const tern_worker_facts *f = &s->seats[i].facts;
    for (int c = 0; c < TERN_COUNTERS; c++)
      tern_record_meter(s->m->record, tern_counter_name((tern_counter)c), f->counters[c].event, f->counters[c].why);
    s->m->counters_recorded = true;
    return;
  }
}

static void fill_facts(tern_sample *r, const session *s, const engine_seat *seat) {
  const tern_runner_facts *f = &seat->facts.runner;
  snprintf(r->engine, sizeof r->engine, "%s", seat->engine);
  snprintf(r->model, sizeof r->model, "%s", s->source->name);
  snprintf(r->kernel, sizeof r->kernel, "%s", f->kernel);
  snprintf(r->head, sizeof r->head, "%s", f->head);
  snprintf(r->kv, sizeof r->kv, "%s", tern_kv_name(s->m->job->kv));
  r->bytes_per_token = (int64_t)f->body_bytes_a_token;
  r->body_bytes = (int64_t)f->model.body_bytes;
  r->head_bytes = (int64_t)(f->model.head_bytes + f->model.scan_bytes);
  r->embedding_bytes = (int64_t)f->model.embedding_bytes;
  r->kv_bytes = (int64_t)f->kv_bytes;
}

static void fill_energy(tern_sample *r, const tern_reading *energy) {
  r->joules = energy->value;
  snprintf(r->joules_how, sizeof r->joules_how, "%s", tern_how_name(energy->how));
  snprintf(r->joules_scope, sizeof r->joules_scope, "%s", energy->scope);
  snprintf(r->joules_why, sizeof r->joules_why, "%s", energy->why);
}

/* One call of one engine, and its row. */
static int measure_one(session *s, engine_seat *seat, const tern_workload *load, int threads, tern_sample *r,
                       tern_error *e) {
  tern_measure *m = s->m;
  tern_worker_result result;
  tern_reading energy;
  tern_error own = {0};
  if (tern_worker_prepare(seat->worker, load, threads, &own)) return dismiss(s, seat, &own, e);
  int64_t steal = tern_steal_ticks();
  r->start_s = tern_now() - m->began;
  tern_meter_start(m->meter);
  int bad = tern_worker_run(seat->worker, load, &result, &own);
  tern_meter_stop(m->meter, &energy);
  if (bad) return dismiss(s, seat, &own, e);
  r->steal_ticks = steal >= 0 ? tern_steal_ticks() - steal : TERN_NO_COUNT;
  r->sample = m->next++;
  fill_facts(r, s, seat);
  fill_energy(r, &energy);
  snprintf(r->workload, sizeof r->workload, "%s", load->name);
  snprintf(r->phase, sizeof r->phase, "%s", tern_phase_name(load->phase));
  r->threads = threads;
  r->tokens = load->tokens;
  r->seconds = result.seconds;
  r->peak_rss_bytes = result.peak_rss;
  memcpy(r->counters, result.counters, sizeof r->counters);
  return tern_samples_append(m->samples, r, e);
}

/* The probe is a help to the reader: a run goes on without it. */
static int probe_bandwidth(session *s, int threads, double *gbs, tern_error *e) {
  tern_error own = {0};
  *gbs = NAN;
  if (!s->bandwidth || tern_bandwidth_child_measure(s->bandwidth, threads, gbs, &own) == 0) return 0;
  if (own.status == TERN_INTERRUPTED) {
    *e = own;
    return (int)e->status;
  }
  tern_record_warn(s->m->record, own.text);
  tern_bandwidth_child_end(s->bandwidth);
  s->bandwidth = NULL;
  return 0;
}

static int run_block(session *s, int block, tern_error *e) {
  tern_measure *m = s->m;
  const tern_preset *preset = m->job->preset;
  int place = 0;
  for (int t = 0; t < m->team_count; t++) {
    double gbs;
    if (probe_bandwidth(s, m->teams[t], &gbs, e)) return (int)e->status;
    for (int w = 0; w < preset->count; w++) {
      int order[TERN_MOST_ENGINES];
      tern_order(m->job->seed, s->turn++, order, s->count);
      for (int i = 0; i < s->count; i++) {
        engine_seat *seat = &s->seats[order[i]];
        if (tern_interrupt_check(e)) return (int)e->status;
        if (!seat->worker) continue;
        tern_sample r;
        tern_sample_clear(&r);
        r.block = block;
        r.place = place++;
        r.read_gbs = gbs;
        snprintf(r.mark, sizeof r.mark, "%s", block < 0 ? "warmup" : "");
        if (measure_one(s, seat, &preset->workloads[w], m->teams[t], &r, e)) return (int)e->status;
        s->done++;
        tern_progress_update(&s->progress, s->done);
      }
    }
  }
  return running(s) > 0 ? 0 : tern_fail(e, TERN_FAILED, "no engine is left to measure");
}

static bool time_is_short(const session *s) {
  return s->m->deadline > 0 && tern_now() + 1.05 * s->longest > s->m->deadline;
}

static int run_blocks(session *s, tern_error *e) {
  const tern_measure *m = s->m;
  tern_progress_start(&s->progress, s->source->name,
                      (double)(m->blocks + 1) * m->team_count * m->job->preset->count * running(s));
  for (int block = -1; block < m->blocks; block++) {
    if (block > 0 && time_is_short(s)) {
      char text[192];
      snprintf(text, sizeof text, "%s: stopped after block %d of %d: the time budget is used up", s->source->name,
               block, m->blocks);
      tern_record_warn(m->record, text);
      tern_progress_end(&s->progress);
      fprintf(stderr, "%s\n", text);
      break;
    }
    double start = tern_now();
    if (run_block(s, block, e)) break;
    double seconds = tern_now() - start;
    if (seconds > s->longest) s->longest = seconds;
    if (isatty(STDERR_FILENO)) continue;
    if (block < 0)
      fprintf(stderr, "%s: warm-up: %.1f s\n", s->source->name, seconds);
    else
      fprintf(stderr, "%s: block %d of %d: %.1f s\n", s->source->name, block + 1, m->blocks, seconds);
  }
  tern_progress_end(&s->progress);
  return (int)e->status;
}

int tern_measure_model(tern_measure *m, const tern_source *source, const tern_prompt *prompt, const tern_run_plan *plan,
                       tern_error *e) {
  session s = {.m = m, .source = source};
  const tern_topology *t = &m->machine->topology;
  tern_error own = {0};
  if (tern_bandwidth_child_start(&s.bandwidth, t->l3 ? t->l3 : t->l2, t->order, &own))
    tern_record_warn(m->record, own.text);
  for (int i = 0; i < plan->count; i++)
    if (open_seat(&s, &plan->engines[i], prompt, e)) goto out;
  if (running(&s) == 0) {
    tern_fail(e, TERN_FAILED, "%s: no engine could be opened", source->name);
    goto out;
  }
  if (!m->counters_recorded) record_counters(&s);
  if (tern_record_write(m->record, m->dir, e)) goto out;
  run_blocks(&s, e);
out:
  tern_progress_end(&s.progress);
  for (int i = 0; i < s.count; i++) tern_worker_end(s.seats[i].worker);
  tern_bandwidth_child_end(s.bandwidth);
  return (int)e->status;
}
