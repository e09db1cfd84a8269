/* All tables in memory, and the facts of the choice world. */
#ifndef TERN_MINI_WORLD_H
#define TERN_MINI_WORLD_H

#include "engine/train/mini/table.h"

enum { MINI_KINGDOMS = 4, MINI_MEMBERS = 8, MINI_RELATIONS = MINI_FIELDS - 1, MINI_GROUPS = 12 };

typedef struct mini_relation {
  const char *name[2];
} mini_relation;

typedef struct mini_group {
  int members;
  const char *member[MINI_MEMBERS];
  const char *value[MINI_RELATIONS]; /* value[0] is the group's own name */
} mini_group;

typedef struct mini_kingdom {
  mini_table table;
  int relations, groups;
  mini_relation relation[MINI_RELATIONS];
  mini_group group[MINI_GROUPS];
} mini_kingdom;

typedef struct mini_world {
  mini_table word, names, things, holders, choice, places, carried, colours, passages, feelings, scripts, stories, pets;
  mini_kingdom kingdom[MINI_KINGDOMS];
} mini_world;

int mini_world_open(mini_world *w, const char *folder, tern_error *e);
void mini_world_close(mini_world *w);

#endif
