/* What looking back may grow from (training only): names with a word each, told
 * again and again in another order. From the second round on every second word
 * can be found by looking back; in a question about a passage one of thirty can.
 * Kind "pairs" has nothing but names and words, "lines" has them in sentences of
 * passages. */
#include "engine/train/mini/scene.h"

enum { PAIRS = 8, LEAST_ROUNDS = 4, MOST_ROUNDS = 8 };

typedef struct round_of {
  const char *name[PAIRS], *word[PAIRS];
  int count;
} round_of;

static void draw(round_of *r, const mini_world *w, mini_draw *d, const mini_table *words) {
  int who[PAIRS], what[PAIRS];
  r->count = mini_range(d, 3, PAIRS);
  mini_pick(d, who, r->count, w->names.rows);
  mini_pick(d, what, r->count, words->rows);
  for (int i = 0; i < r->count; i++) {
    r->name[i] = w->names.row[who[i]].field[0];
    r->word[i] = words->row[what[i]].field[0];
  }
}

static void tell(mini_text *to, const round_of *r, mini_draw *d, const char *between, const char *end) {
  int order[PAIRS];
  mini_pick(d, order, r->count, r->count);
  for (int i = 0; i < r->count; i++)
    mini_text_print(to, " %s%s%s%s", r->name[order[i]], between, r->word[order[i]], end);
}

bool mini_make_copy(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  (void)aim;
  const mini_table *words[] = {&w->places, &w->carried, &w->colours};
  const char *const between[] = {" is in the ", " has the ", " likes "};
  int about = mini_below(d, 3), rounds = mini_range(d, LEAST_ROUNDS, MOST_ROUNDS);
  bool lines = mini_chance(d, 1, 2);
  round_of all;
  draw(&all, w, d, words[about]);
  for (int i = 0; i < rounds; i++) tell(&r->completion, &all, d, lines ? between[about] : " ", lines ? "." : "");
  r->kind = lines ? "lines" : "pairs";
  return true;
}
