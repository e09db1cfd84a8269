/* Facts of the choice world: a member (or a whole group) has a value for each
 * relation of its kingdom. One fact a member is held out for tests; its other
 * facts and the group's rule remain, from which it follows. */
#ifndef TERN_MINI_FACTS_H
#define TERN_MINI_FACTS_H

#include "engine/train/mini/world.h"

typedef struct mini_fact {
  const mini_kingdom *kingdom;
  int group, member, relation; /* member == -1: the group itself */
} mini_fact;

mini_pool mini_fact_pool(const mini_fact *f);
/* A fact of the pool, about a member; groups, whose facts are all in training,
 * come in one of six when `groups`. */
mini_fact mini_fact_draw(const mini_world *w, mini_draw *d, mini_pool pool, bool groups);
const char *mini_fact_subject(const mini_fact *f);
const char *mini_fact_value(const mini_fact *f);
/* The relation's name: one that training text uses with this member, or
 * (unseen) one that it does not; NULL when it uses both. */
const char *mini_fact_relation(const mini_fact *f, bool unseen, mini_draw *d);

/* A value of the same relation in another group, never equal to f's value. */
const char *mini_fact_other(const mini_fact *f, mini_draw *d);

#endif
