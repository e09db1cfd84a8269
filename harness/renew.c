/* Engines get new processes while a run lasts. Where a process's pages lie is
 * settled when it loads and shifts all its times by some percent (measured:
 * docs/method.md, section 3), so a ratio between two processes that stay has an
 * error that no number of calls shows. */
#include <math.h>

#include "engine/base/progress.h"
#include "harness/measure_parts.h"
#include "harness/order.h"

/* Loading may take as long as the blocks themselves: then every block has new
 * processes, and blocks are independent of each other. */
static const double SHARE = 1;

bool tern_seats_due(const tern_bench_session *s) {
  if (!(s->open_s > 0) || s->attempt > 0 || s->block == 0) return false;
  double cost = tern_block_cost(s), blocks = ceil(s->open_s / (SHARE * cost));
  /* It must not cost a block that is still to come. */
  double left = s->m->deadline - tern_now(), need = (s->m->job->rule.blocks - s->block + 0.5) * cost + s->open_s;
  if (s->m->deadline > 0 && left < need) return false;
  return s->block - s->renewed_at >= (blocks > 1 ? (int)fmin(blocks, 1e6) : 1);
}

int tern_seats_renew(tern_bench_session *s, tern_error *e) {
  int order[TERN_MOST_CONTENDERS];
  double start = tern_now();
  tern_order(s->m->job->seed, ~(uint64_t)s->block, order, s->count);
  for (int i = 0; i < s->count; i++) {
    tern_entrant *seat = &s->seats[order[i]];
    tern_error own = {0};
    if (!seat->open || seat->contender->peer) continue;
    const tern_contender *contender = seat->contender;
    tern_entrant_end(seat);
    if (tern_entrant_open(seat, contender, &s->specs[order[i]], &own) && tern_seat_dismiss(s, seat, &own, e))
      return (int)e->status;
  }
  s->open_s = tern_now() - start;
  s->renewed_at = s->block;
  s->renewals++;
  return tern_seats_open(s) > 0 ? 0 : tern_fail(e, TERN_FAILED, "no engine is left to measure");
}
