/* Short stories, for perplexity: a plot's places in order, one of each place's
 * sentences. Tests have combinations of sentences that training never has. */
#include <string.h>

#include "engine/train/mini/record.h"

static const char *name(const mini_table *t, mini_draw *d) {
  return t->row[mini_below(d, t->rows)].field[0];
}

static void draw_slots(const mini_world *w, mini_draw *d, mini_slots *s) {
  int people[2], places[2];
  mini_pick(d, people, 2, w->names.rows);
  mini_pick(d, places, 2, w->places.rows);
  s->of['P'] = w->names.row[people[0]].field[0];
  s->of['Q'] = w->names.row[people[1]].field[0];
  s->of['l'] = w->places.row[places[0]].field[0];
  s->of['m'] = w->places.row[places[1]].field[0];
  s->of['t'] = name(&w->carried, d);
  s->of['c'] = name(&w->colours, d);
  s->of['a'] = name(&w->pets, d);
}

bool mini_make_story(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  const mini_table *t = &w->stories;
  const char *plot = name(t, d);
  uint64_t key = MINI_HASH;
  mini_slots slots = {0};
  draw_slots(w, d, &slots);
  /* Rows of a plot stand together, places in order: of each run one is told. */
  for (int from = 0, to; from < t->rows; from = to) {
    for (to = from + 1; to < t->rows && strcmp(t->row[to].field[0], t->row[from].field[0]) == 0 &&
                        strcmp(t->row[to].field[1], t->row[from].field[1]) == 0;)
      to++;
    if (strcmp(t->row[from].field[0], plot) != 0) continue;
    const char *sentence = t->row[mini_range(d, from, to - 1)].field[2];
    key = mini_hash(key, sentence);
    if (r->completion.used) mini_text_add(&r->completion, " ");
    if (!mini_text_fill(&r->completion, sentence, &slots)) return false;
  }
  r->kind = plot;
  return mini_pool_of(key) == aim->pool;
}
