/* Opens every table of the world and splits the kingdoms' lists. */
#include <stddef.h>
#include <string.h>

#include "engine/train/mini/parts.h"
#include "engine/train/mini/world.h"

typedef struct source {
  const char *name;
  size_t at; /* of the table in mini_world */
  int least, most;
  const char *const *parts; /* a table of phrases: what it must have */
} source;

static const source sources[] = {
    {"word.tsv", offsetof(mini_world, word), 3, 3, mini_word_parts},
    {"choice.tsv", offsetof(mini_world, choice), 3, 3, mini_choice_parts},
    {"passages.tsv", offsetof(mini_world, passages), 3, 3, mini_passage_parts},
    {"feelings.tsv", offsetof(mini_world, feelings), 3, 3, mini_feelings},
    {"names.tsv", offsetof(mini_world, names), 1, 1, NULL},
    {"things.tsv", offsetof(mini_world, things), 2, 2, NULL},
    {"holders.tsv", offsetof(mini_world, holders), 2, 2, NULL},
    {"places.tsv", offsetof(mini_world, places), 1, 1, NULL},
    {"carried.tsv", offsetof(mini_world, carried), 1, 1, NULL},
    {"colours.tsv", offsetof(mini_world, colours), 1, 1, NULL},
    {"pets.tsv", offsetof(mini_world, pets), 1, 1, NULL},
    {"scripts.tsv", offsetof(mini_world, scripts), 7, 7, NULL},
    {"stories.tsv", offsetof(mini_world, stories), 3, 3, NULL},
};
static const char *const kingdoms[MINI_KINGDOMS] = {"kingdoms/animals.tsv", "kingdoms/objects.tsv",
                                                    "kingdoms/people.tsv", "kingdoms/plants.tsv"};
enum { SOURCES = sizeof sources / sizeof *sources, LEAST_NAMES = 8 };

static mini_table *table_of(mini_world *w, const source *s) {
  return (mini_table *)((char *)w + s->at);
}

/* Splits "a,b" in place into at most `most` names; returns how many, 0 when too many. */
static int split(char *rest, const char **to, int most) {
  int n = 0;
  for (char *name; (name = strsep(&rest, ","));) {
    if (n == most || !*name) return 0;
    to[n++] = name;
  }
  return n;
}

static int open_kingdom(mini_kingdom *k, const char *folder, const char *name, tern_error *e) {
  int rc = mini_table_open(&k->table, folder, name, 3, MINI_FIELDS, e);
  if (rc) return rc;
  const mini_table *t = &k->table;
  k->relations = t->row[0].fields - 1;
  k->groups = t->rows - 1;
  if (k->groups < 4 || k->groups > MINI_GROUPS || k->relations < 4)
    return tern_fail(e, TERN_FAILED, "%s: needs 4 to %d groups and at least 4 relations", t->path, MINI_GROUPS);
  for (int r = 0; r < k->relations; r++)
    if (split(t->row[0].field[r + 1], k->relation[r].name, 2) != 2)
      return tern_fail(e, TERN_FAILED, "%s: line %d: relation %d needs two names, 'a,b'", t->path, t->row[0].line,
                       r + 1);
  for (int g = 0; g < k->groups; g++) {
    const mini_row *row = &t->row[g + 1];
    mini_group *group = &k->group[g];
    if (row->fields != k->relations + 1)
      return tern_fail(e, TERN_FAILED, "%s: line %d has %d values for %d relations", t->path, row->line,
                       row->fields - 1, k->relations);
    group->members = split(row->field[0], group->member, MINI_MEMBERS);
    if (group->members < 2)
      return tern_fail(e, TERN_FAILED, "%s: line %d needs 2 to %d members", t->path, row->line, MINI_MEMBERS);
    for (int r = 0; r < k->relations; r++) group->value[r] = row->field[r + 1];
  }
  return 0;
}

int mini_world_open(mini_world *w, const char *folder, tern_error *e) {
  int rc = 0;
  memset(w, 0, sizeof *w);
  for (int i = 0; i < SOURCES; i++) {
    const source *s = &sources[i];
    mini_table *t = table_of(w, s);
    if ((rc = mini_table_open(t, folder, s->name, s->least, s->most, e))) goto out;
    if (s->parts && (rc = mini_phrases_check(t, s->parts, e))) goto out;
    if (s->most == 1 && (t->rows < LEAST_NAMES || t->rows > MINI_NAMES)) {
      rc =
          tern_fail(e, TERN_FAILED, "%s: has %d names; %d to %d are needed", t->path, t->rows, LEAST_NAMES, MINI_NAMES);
      goto out;
    }
  }
  for (int k = 0; k < MINI_KINGDOMS; k++)
    if ((rc = open_kingdom(&w->kingdom[k], folder, kingdoms[k], e))) goto out;
out:
  if (rc) mini_world_close(w);
  return rc;
}

void mini_world_close(mini_world *w) {
  for (int i = 0; i < SOURCES; i++) mini_table_close(table_of(w, &sources[i]));
  for (int k = 0; k < MINI_KINGDOMS; k++) mini_table_close(&w->kingdom[k].table);
}
