/* The warm-up: blocks until every cell's times have stopped moving one way
 * (harness/steady.h), within bounds that long workloads reach first. */
#include <stdio.h>
#include <unistd.h>

#include "harness/measure_parts.h"

/* No further block once the warm-up has taken this long, or this share of what
 * the blocks will take, whichever is more. */
static const double LEAST_S = 20, SHARE = 0.1;

static void review_cells(tern_bench_session *s) {
  for (int i = 0; i < tern_cell_count(s); i++) {
    tern_cell *c = &s->cells[i];
    c->steady |= tern_steady_decide(c->warm, c->warm_count, &tern_steady_default) == TERN_STEADY;
  }
}

/* Of ours: an outside engine warms up in its one run. */
static bool all_steady(const tern_bench_session *s) {
  for (int t = 0; t < s->m->teams->count; t++)
    for (int w = 0; w < s->loads->count; w++)
      for (int i = 0; i < s->count; i++) {
        const tern_cell *c = &s->cells[tern_cell_index(s, t, w, i)];
        if (s->seats[i].open && !s->seats[i].contender->peer && c->possible && !s->team_out[t] && !c->steady)
          return false;
      }
  return true;
}

static bool time_is_up(const tern_bench_session *s, double spent) {
  const tern_measure *m = s->m;
  double block = tern_block_cost(s), rest = block * (m->job->rule.blocks - s->block), bound = SHARE * rest;
  if (m->deadline > 0 && tern_now() + block + rest > m->deadline) return true;
  return spent + block > (bound > LEAST_S ? bound : LEAST_S);
}

int tern_warm_up(tern_bench_session *s, tern_error *e) {
  double start = tern_now();
  char label[128];
  snprintf(label, sizeof label, "%.90s: warm-up", s->source->name);
  tern_progress_start(&s->progress, label, 0);
  for (s->warm_end = ""; !s->warm_end[0];) {
    unsigned marks;
    s->done = 0;
    if (tern_teams_review(s, e) || tern_block_run(s, TERN_WARM_BLOCK, s->warm_attempt + s->warm_blocks, &marks, e))
      return (int)e->status;
    s->warm_blocks++;
    s->progress.total = tern_block_cost(s);
    review_cells(s);
    if (all_steady(s))
      s->warm_end = "steady";
    else if (s->warm_blocks == tern_steady_default.most)
      s->warm_end = "blocks";
    else if (time_is_up(s, tern_now() - start))
      s->warm_end = "time";
  }
  tern_progress_end(&s->progress);
  if (!isatty(STDERR_FILENO))
    fprintf(stderr, "%s: warm-up of %d block%s: %.1f s\n", s->source->name, s->warm_blocks,
            s->warm_blocks == 1 ? "" : "s", tern_now() - start);
  return 0;
}
