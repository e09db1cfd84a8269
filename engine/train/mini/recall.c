/* Open questions about the same scenes: a word of the passage is the answer, or
 * (kind "each") a sentence for each person asked for. They teach a small model to
 * bind names to values, which yes and no hardly do: there each answer is one
 * bit, here several words each of which is one look back. */
#include "engine/train/mini/scene.h"

static void where(mini_scene *s, mini_text *to, mini_text *answer) {
  int at[MINI_ACTORS], before[MINI_ACTORS], people = s->actors;
  if (mini_chance(s->d, 1, 2) && s->actors > 2)
    mini_scene_walk(s, at, before), people--;
  else
    mini_scene_stay(s, at);
  int who = mini_below(s->d, people);
  mini_slots q = mini_scene_slots(s->actor[who], 'l', NULL);
  mini_scene_phrase(s, to, "where", &q);
  mini_text_add(answer, s->place[at[who]]);
}

static void who(mini_scene *s, mini_text *to, mini_text *answer) {
  int with[MINI_ACTORS], before[MINI_ACTORS], what = mini_scene_hold(s, with, before);
  mini_slots q = mini_scene_slots(NULL, 't', s->thing[what]);
  mini_scene_phrase(s, to, "who", &q);
  mini_text_add(answer, s->actor[with[what]]);
}

static void colour(mini_scene *s, mini_text *to, mini_text *answer) {
  int painted[MINI_ACTORS], person = mini_below(s->d, s->actors);
  mini_scene_paint(s, painted);
  mini_slots q = mini_scene_slots(s->actor[person], 't', s->thing[0]);
  mini_scene_phrase(s, to, "which_colour", &q);
  mini_text_add(answer, s->colour[painted[person]]);
}

static void rule(mini_scene *s, mini_text *to, mini_text *answer) {
  int lies[MINI_ACTORS], what = mini_below(s->d, s->actors);
  mini_scene_rule(s, lies);
  mini_slots q = mini_scene_slots(NULL, 't', s->thing[what]);
  mini_scene_phrase(s, to, "which_ruled", &q);
  mini_text_add(answer, s->colour[lies[what]]);
}

static void most(mini_scene *s, mini_text *to, mini_text *answer) {
  int have[MINI_ACTORS], best = 0;
  const char *things = s->w->things.row[mini_below(s->d, s->w->things.rows)].field[0];
  mini_scene_count(s, things, have);
  for (int i = 1; i < s->actors; i++)
    if (have[i] > have[best]) best = i;
  mini_slots q = mini_scene_slots(NULL, 'o', things);
  mini_scene_phrase(s, to, "most", &q);
  mini_text_add(answer, s->actor[best]);
}

/* "Tell of Ann, Tom and Kim.": what the passage says of each, in that order. */
static void each(mini_scene *s, mini_text *to, mini_text *answer) {
  int is[MINI_ACTORS], order[MINI_ACTORS], about = mini_below(s->d, 3);
  const char *things = s->w->things.row[mini_below(s->d, s->w->things.rows)].field[0];
  if (about == 0) mini_scene_stay(s, is);
  if (about == 1) mini_scene_paint(s, is);
  if (about == 2) mini_scene_count(s, things, is);
  mini_pick(s->d, order, s->actors, s->actors);
  mini_text_add(to, "Tell of");
  for (int i = 0; i < s->actors; i++) {
    int who = order[i];
    const char *name = s->actor[who];
    mini_text_print(to, "%s %s", i == 0 ? "" : i == s->actors - 1 ? " and" : ",", name);
    if (i) mini_text_add(answer, " ");
    if (about == 0) mini_text_print(answer, "%s is in the %s.", name, s->place[is[who]]);
    if (about == 1) mini_text_print(answer, "The %s of %s is %s.", s->thing[0], name, s->colour[is[who]]);
    if (about == 2) mini_text_print(answer, "%s has %d %s.", name, is[who], things);
  }
  mini_text_add(to, ".");
}

static const struct kind {
  const char *name;
  void (*ask)(mini_scene *s, mini_text *to, mini_text *answer);
  int least, most; /* actors */
} kinds[] = {{"where", where, 2, 5}, {"who", who, 3, 4},   {"colour", colour, 2, 5}, {"rule", rule, 2, 3},
             {"most", most, 2, 4},   {"each", each, 2, 5}, {"each", each, 2, 5},     {"each", each, 2, 5}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bool mini_make_recall(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  const struct kind *k = &kinds[mini_below(d, KINDS)];
  mini_scene s;
  mini_text question;
  mini_text_clear(&question);
  mini_scene_open(&s, w, d, aim, &r->prompt, k->least, k->most);
  mini_text_add(&r->completion, " ");
  k->ask(&s, &question, &r->completion);
  mini_text_print(&r->prompt, "\nQuestion: %s\nAnswer:", question.data);
  r->kind = k->name;
  return mini_scene_done(&s, aim->pool);
}
