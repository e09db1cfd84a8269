/* Which facts and names of relations training text may use. */
#include <string.h>

#include "engine/train/mini/facts.h"

/* Members of a group have different relations held out, so that of each value
 * nearly all members stay in training. */
mini_pool mini_fact_pool(const mini_fact *f) {
  int relations = f->kingdom->relations, held = (f->group + f->member) % relations;
  if (f->member < 0) return MINI_TRAIN;
  if (f->relation == held) return MINI_TEST;
  return f->member == 0 && f->relation == (held + relations / 2) % relations ? MINI_VALID : MINI_TRAIN;
}

mini_fact mini_fact_draw(const mini_world *w, mini_draw *d, mini_pool pool, bool groups) {
  mini_fact f;
  do {
    f.kingdom = &w->kingdom[mini_below(d, MINI_KINGDOMS)];
    f.group = mini_below(d, f.kingdom->groups);
    f.member = groups && mini_chance(d, 1, 6) ? -1 : mini_below(d, f.kingdom->group[f.group].members);
    f.relation = mini_range(d, f.member < 0, f.kingdom->relations - 1);
  } while (mini_fact_pool(&f) != pool);
  return f;
}

const char *mini_fact_subject(const mini_fact *f) {
  const mini_group *g = &f->kingdom->group[f->group];
  return f->member < 0 ? g->value[0] : g->member[f->member];
}

const char *mini_fact_value(const mini_fact *f) {
  return f->kingdom->group[f->group].value[f->relation];
}

const char *mini_fact_relation(const mini_fact *f, bool unseen, mini_draw *d) {
  const mini_relation *r = &f->kingdom->relation[f->relation];
  uint64_t key = mini_hash(mini_hash(MINI_HASH, mini_fact_subject(f)), r->name[0]);
  int use = f->member < 0 ? 4 : (int)(tern_random_mix(key) % 5); /* 0, 1: first; 2, 3: second; 4: both */
  if (use == 4) return unseen ? NULL : r->name[mini_below(d, 2)];
  return r->name[(use >= 2) != unseen];
}

const char *mini_fact_other(const mini_fact *f, mini_draw *d) {
  const char *value;
  do value = f->kingdom->group[mini_below(d, f->kingdom->groups)].value[f->relation];
  while (strcmp(value, mini_fact_value(f)) == 0);
  return value;
}
