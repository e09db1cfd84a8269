/* Opens every table of the world and splits the kingdoms' lists. */
#include <stddef.h>
#include <string.h>

#include "engine/train/mini/parts.h"
#include "engine/train/mini/world.h"

typedef struct source {
  const char *name;
  size_t at;                /* of the table in mini_world */
  int least, most;          /* fields */
  int rows;                 /* at least, and at most MINI_NAMES; 0: any number */
  const char *const *parts; /* a table of phrases: what it must have */
} source;

static const source sources[] = {
    {"word.tsv", offsetof(mini_world, word), 3, 3, 0, mini_word_parts},
    {"choice.tsv", offsetof(mini_world, choice), 3, 3, 0, mini_choice_parts},
    {"passages.tsv", offsetof(mini_world, passages), 3, 3, 0, mini_passage_parts},
    {"feelings.tsv", offsetof(mini_world, feelings), 3, 3, 0, mini_feelings},
    {"names.tsv", offsetof(mini_world, names), 1, 1, 8, NULL},
    {"things.tsv", offsetof(mini_world, things), 2, 2, 2, NULL},
    {"holders.tsv", offsetof(mini_world, holders), 2, 2, 1, NULL},
    {"places.tsv", offsetof(mini_world, places), 1, 1, 8, NULL},
    {"carried.tsv", offsetof(mini_world, carried), 1, 1, 8, NULL},
    {"colours.tsv", offsetof(mini_world, colours), 1, 1, 8, NULL},
    {"pets.tsv", offsetof(mini_world, pets), 1, 1, 2, NULL},
    {"scripts.tsv", offsetof(mini_world, scripts), 7, 7, 2, NULL},
    {"stories.tsv", offsetof(mini_world, stories), 3, 3, 0, NULL},
};
static const char *const kingdoms[MINI_KINGDOMS] = {"kingdoms/animals.tsv", "kingdoms/objects.tsv",
                                                    "kingdoms/people.tsv", "kingdoms/plants.tsv"};
enum { SOURCES = sizeof sources / sizeof *sources, LEAST_RELATIONS = 5, LEAST_GROUPS = 4 };

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

/* Wrong choices are drawn until they differ: there must be enough of them. */
static int different(const mini_kingdom *k, tern_error *e) {
  int values = k->groups * k->relations;
  for (int i = 0; i < values; i++)
    for (int j = 0; j < i; j++) {
      const char *a = k->group[i / k->relations].value[i % k->relations];
      if (strcmp(a, k->group[j / k->relations].value[j % k->relations]) == 0)
        return tern_fail(e, TERN_FAILED, "%s: the value '%.40s' comes twice", k->table.path, a);
    }
  return 0;
}

static int open_kingdom(mini_kingdom *k, const char *folder, const char *name, tern_error *e) {
  int rc = mini_table_open(&k->table, folder, name, 3, MINI_FIELDS, e);
  if (rc) return rc;
  const mini_table *t = &k->table;
  k->relations = t->row[0].fields - 1;
  k->groups = t->rows - 1;
  if (k->groups < LEAST_GROUPS || k->groups > MINI_GROUPS || k->relations < LEAST_RELATIONS)
    return tern_fail(e, TERN_FAILED, "%s: needs %d to %d groups and at least %d relations", t->path, LEAST_GROUPS,
                     MINI_GROUPS, LEAST_RELATIONS);
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
  return different(k, e);
}

int mini_world_open(mini_world *w, const char *folder, tern_error *e) {
  int rc = 0;
  memset(w, 0, sizeof *w);
  for (int i = 0; i < SOURCES; i++) {
    const source *s = &sources[i];
    mini_table *t = table_of(w, s);
    if ((rc = mini_table_open(t, folder, s->name, s->least, s->most, e))) goto out;
    if (s->parts && (rc = mini_phrases_check(t, s->parts, e))) goto out;
    if (s->rows && (t->rows < s->rows || t->rows > MINI_NAMES)) {
      rc = tern_fail(e, TERN_FAILED, "%s: has %d rows; %d to %d are needed", t->path, t->rows, s->rows, MINI_NAMES);
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
