/* The plan of a run on one model. */
#include "harness/plan.h"

#include <stdio.h>
#include <string.h>

#include "baselines/engines.h"
#include "engine/base/memory.h"

/* Left to the system and to what is not counted. */
static const size_t RESERVE_BYTES = (size_t)256 << 20;
/* Shares of the ceilings that an engine is expected to reach. */
static const double BANDWIDTH_SHARE = 0.8, COMPUTE_SHARE = 0.6;

tern_runner_spec tern_run_plan_spec(const tern_job *job, const tern_source *s, const tern_contender *c,
                                    const tern_workload_list *loads, const tern_team_spec *team) {
  int batch = 0;
  for (int i = 0; i < loads->count; i++)
    if (loads->items[i].batch > batch) batch = loads->items[i].batch;
  return (tern_runner_spec){.engine = c->engine,
                            .model_path = s->path,
                            .threads = team->threads,
                            .cpus = team->bound ? team->cpus : NULL,
                            .context = tern_workloads_positions(loads),
                            .batch = batch,
                            .kv = c->kv,
                            .ternary_layout = c->layout,
                            .exact_head = c->exact_head,
                            .isa_cap = c->isa_cap,
                            .tuning = job->tuning,
                            .i2s = job->i2s,
                            .progress = true};
}

/* From the shape, for a model that has not been made yet. */
static void need_of_shape(tern_run_plan_side *p, const tern_synth_shape *s, const tern_model_params *params,
                          const tern_runner_spec *spec) {
  static const size_t kv_bytes[] = {[TERN_KV_F32] = 4, [TERN_KV_F16] = 2, [TERN_KV_INT8] = 1};
  const tern_layout *body = tern_layout_find(params->layout), *head = tern_layout_find(params->head_layout);
  int query = s->heads * s->head_dim, kv = s->kv_heads * s->head_dim;
  const int sizes[][2] = {{query, s->hidden},  {kv, s->hidden},     {kv, s->hidden},    {s->hidden, query},
                          {s->ffn, s->hidden}, {s->ffn, s->hidden}, {s->hidden, s->ffn}};
  size_t layer = 0;
  double weights = 0;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    layer += body->bytes(sizes[i][0], sizes[i][1]);
    weights += (double)sizes[i][0] * sizes[i][1];
  }
  size_t head_bytes = head->bytes(s->vocab, s->hidden);
  p->weights = weights * s->layers;
  p->token_bytes = layer * (size_t)s->layers + head_bytes;
  p->memory = p->token_bytes + (s->tied ? 0 : head_bytes) +
              2 * (size_t)s->layers * (size_t)spec->context * (size_t)kv * kv_bytes[spec->kv];
}

static int need_of_file(tern_run_plan_side *p, const tern_model_params *params, const tern_runner_spec *spec,
                        tern_error *e) {
  tern_gguf *g = NULL;
  tern_model_facts facts;
  int bad = tern_runner_plan(spec, &p->memory, e);
  if (!bad) bad = tern_gguf_open(&g, spec->model_path, e);
  if (!bad) bad = tern_model_preview(g, params, &facts, e);
  tern_gguf_close(g);
  if (bad) return bad;
  p->weights = (double)facts.body_weights;
  p->token_bytes = facts.body_bytes + (facts.scan_bytes ? facts.scan_bytes : facts.head_bytes) + facts.norm_bytes;
  return 0;
}

/* The least a run needs beside its engines: the bandwidth probe's buffer. */
static size_t memory_for_engines(const tern_machine *m) {
  size_t available = tern_memory_available(), probe = 5 * m->topology.l3;
  size_t other = RESERVE_BYTES + (probe < available / 8 ? probe : available / 8);
  return available > other ? available - other : 0;
}

/* A published table's model is measured as it was published: 16 bits a weight
 * are never made ternary, nor int8 where a table is reproduced. */
static int refuse_precision(const tern_job *job, const tern_source *s, const char *layout, tern_error *e) {
  const tern_layout *l = tern_layout_find(layout);
  if (!s->shape.full_precision || l->kind == TERN_KIND_FLOAT) return 0;
  if (tern_layout_is_ternary(l))
    return tern_fail(e, TERN_FAILED, "%s has no ternary weights: it is published with 16 bits a weight", s->name);
  if (strcmp(job->command, "reproduce") != 0) return 0;
  return tern_fail(e, TERN_FAILED, "%s is measured as published, with 16 bits a weight", s->name);
}

/* 0, or why this one can't be opened; TERN_USAGE when no model would help. */
static int need_of(tern_run_plan_side *side, const tern_job *job, const tern_source *s, const tern_workload_list *loads,
                   const tern_team_spec *greatest, tern_error *e) {
  tern_runner_spec spec = tern_run_plan_spec(job, s, side->contender, loads, greatest);
  tern_model_params params;
  if (tern_engine_params(&params, &spec, e)) return (int)e->status;
  side->layout = params.layout;
  if (refuse_precision(job, s, params.layout, e)) return (int)e->status;
  if (s->present) return need_of_file(side, &params, &spec, e);
  need_of_shape(side, &s->shape, &params, &spec);
  return 0;
}

int tern_run_plan_make(tern_run_plan *p, const tern_job *job, const tern_source *s, const tern_machine *m,
                       const tern_workload_list *loads, const tern_team_spec *greatest, tern_error *e) {
  memset(p, 0, sizeof *p);
  p->available = memory_for_engines(m);
  size_t left = p->available;
  int usable = 0;
  for (int i = 0; i < job->contenders.count; i++) {
    tern_run_plan_side *side = &p->sides[p->count++];
    tern_error own = {0};
    side->contender = &job->contenders.items[i];
    int bad = side->contender->peer ? 0 : need_of(side, job, s, loads, greatest, &own);
    if (bad == TERN_USAGE) {
      *e = own;
      return bad;
    }
    if (bad) {
      snprintf(side->why, sizeof side->why, "%.255s", own.text);
      continue;
    }
    side->fits = side->memory <= left;
    if (side->fits) {
      left -= side->memory;
      usable++;
    } else {
      snprintf(side->why, sizeof side->why, "does not fit: needs %.2f GB, %.2f GB of memory are left for it",
               (double)side->memory * 1e-9, (double)left * 1e-9);
    }
  }
  if (usable == 0) return tern_fail(e, TERN_FAILED, "no engine can run: %s", p->sides[p->count - 1].why);
  return 0;
}

/* An outside program: as long as the slowest engine of ours, and a start. */
static const double PEER_START_S = 3;

double tern_run_plan_seconds(const tern_run_plan *p, const tern_workload_list *loads, double gbs, int threads) {
  double sum = 0, slowest = 0;
  int outside = 0;
  for (int i = 0; i < p->count; i++) {
    const tern_run_plan_side *side = &p->sides[i];
    if (!side->fits) continue;
    outside += side->contender->peer != NULL;
    if (side->contender->peer) continue;
    double token = (double)side->token_bytes / (gbs * 1e9 * BANDWIDTH_SHARE), own = 0;
    double fed = 2 * side->weights / (side->gops * 1e9 * COMPUTE_SHARE * threads);
    for (int w = 0; w < loads->count; w++) {
      const tern_workload *load = &loads->items[w];
      own += load->tokens * (load->phase == TERN_PHASE_PREFILL ? fed : token);
    }
    sum += own;
    if (own > slowest) slowest = own;
  }
  return sum + outside * (slowest + loads->count * PEER_START_S);
}
