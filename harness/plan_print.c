/* The plan in words. */
#include <math.h>
#include <stdio.h>

#include "harness/bandwidth_child.h"
#include "harness/peak.h"
#include "harness/plan.h"

static int measure_rates(double *gbs, tern_run_plan *plan, const tern_machine *m, tern_error *e) {
  const tern_topology *t = &m->topology;
  tern_bandwidth_child *probe;
  if (tern_bandwidth_child_start(&probe, t->l3 ? t->l3 : t->l2, t->order, e)) return (int)e->status;
  int bad = tern_bandwidth_child_measure(probe, 1, gbs, e);
  tern_bandwidth_child_end(probe);
  for (int i = 0; i < plan->count && !bad; i++) {
    tern_run_plan_side *side = &plan->sides[i];
    const tern_kernel *kernel;
    if (!side->fits || side->contender->peer) continue;
    bad = tern_peak_measure(side->layout, side->contender->isa_cap, &kernel, &side->gops, e);
    if (!bad) side->kernel = kernel->name;
  }
  return bad;
}

static void print_side(FILE *to, const tern_run_plan_side *side) {
  if (!side->fits)
    fprintf(to, "  %-12s left out: %s\n", side->contender->name, side->why);
  else if (side->contender->peer)
    fprintf(to, "  %-12s %.300s\n", side->contender->name, side->contender->peer->command);
  else
    fprintf(to, "  %-12s %.3g GB of memory, %.3g GB read a decoded token\n", side->contender->name,
            (double)side->memory * 1e-9, (double)side->token_bytes * 1e-9);
}

int tern_run_plan_print(FILE *to, tern_run_plan *p, const tern_job *job, const tern_machine *m, const tern_source *s,
                        const tern_workload_list *loads, const tern_teams *teams, tern_error *e) {
  double gbs;
  if (measure_rates(&gbs, p, m, e)) return (int)e->status;
  fprintf(to, "%s: %s weights, %.3g GB %s\n", s->name, s->synthetic ? "synthetic" : "trained", (double)s->bytes * 1e-9,
          s->present ? "on disk" : "to be made in the cache folder");
  for (int i = 0; i < p->count; i++) print_side(to, &p->sides[i]);
  double block = 0;
  for (int t = 0; t < teams->count; t++) block += tern_run_plan_seconds(p, loads, gbs, teams->items[t].threads);
  fprintf(to, "  a warm-up and %s%d blocks of", job->rule.precision > 0 ? "at most " : "", job->rule.blocks);
  for (int w = 0; w < loads->count; w++) fprintf(to, "%s %s", w ? "," : "", loads->items[w].name);
  fprintf(to, " with");
  for (int t = 0; t < teams->count; t++)
    fprintf(to, "%s %d (%s)", t ? "," : "", teams->items[t].threads, teams->items[t].placement);
  fprintf(to, " threads: about %.0f min", ceil(block * (job->rule.blocks + 1) / 60));
  if (job->rule.precision > 0) fprintf(to, ", ended when every ratio is known within %g %%", 100 * job->rule.precision);
  if (job->rule.budget_s > 0) fprintf(to, ", ended after a whole block before %.0f min", ceil(job->rule.budget_s / 60));
  fputc('\n', to);
  for (int i = 0; i < teams->refused_count; i++)
    fprintf(to, "  left out: %s: %s\n", teams->refused[i].team, teams->refused[i].why);
  return 0;
}
