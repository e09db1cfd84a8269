/* Profiles of a model's calls, after its blocks: none of them is a sample. */
#include <stdio.h>

#include "harness/measure_parts.h"

static int profile_cell(tern_bench_session *s, int team, int load, int i, tern_error *e) {
  tern_entrant *seat = &s->seats[i];
  tern_error own = {0};
  if (!seat->open || !seat->worker || !s->cells[tern_cell_index(s, team, load, i)].possible) return 0;
  if (!tern_worker_profile(seat->worker, &s->loads->items[load], &s->m->teams->items[team], &own)) return 0;
  return tern_seat_dismiss(s, seat, &own, e);
}

int tern_profiles_take(tern_bench_session *s, tern_error *e) {
  for (int t = 0; t < s->m->teams->count; t++)
    for (int w = 0; w < s->loads->count && !s->team_out[t]; w++)
      for (int i = 0; i < s->count; i++)
        if (profile_cell(s, t, w, i, e)) return (int)e->status;
  fprintf(stderr, "%s: operators in %s\n", s->source->name, s->profile);
  return 0;
}
