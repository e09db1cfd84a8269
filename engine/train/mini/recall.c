/* Open questions about the same scenes: a word or number of the passage is the
 * answer. They teach a small model to bind names to values, which yes and no
 * hardly do. */
#include "engine/train/mini/scene.h"

static const char *where(mini_scene *s, mini_text *to) {
  int at[MINI_ACTORS], before[MINI_ACTORS], people = s->actors;
  if (mini_chance(s->d, 1, 2) && s->actors > 2)
    mini_scene_walk(s, at, before), people--;
  else
    mini_scene_stay(s, at);
  int who = mini_below(s->d, people);
  mini_slots q = mini_scene_slots(s->actor[who], 'l', NULL);
  mini_scene_phrase(s, to, "where", &q);
  return s->place[at[who]];
}

static const char *who(mini_scene *s, mini_text *to) {
  int with[MINI_ACTORS], before[MINI_ACTORS], what = mini_scene_hold(s, with, before);
  mini_slots q = mini_scene_slots(NULL, 't', s->thing[what]);
  mini_scene_phrase(s, to, "who", &q);
  return s->actor[with[what]];
}

static const char *colour(mini_scene *s, mini_text *to) {
  int painted[MINI_ACTORS], person = mini_below(s->d, s->actors);
  mini_scene_paint(s, painted);
  mini_slots q = mini_scene_slots(s->actor[person], 't', s->thing[0]);
  mini_scene_phrase(s, to, "which_colour", &q);
  return s->colour[painted[person]];
}

static const char *rule(mini_scene *s, mini_text *to) {
  int lies[MINI_ACTORS], what = mini_below(s->d, s->actors);
  mini_scene_rule(s, lies);
  mini_slots q = mini_scene_slots(NULL, 't', s->thing[what]);
  mini_scene_phrase(s, to, "which_ruled", &q);
  return s->colour[lies[what]];
}

static const char *most(mini_scene *s, mini_text *to) {
  int have[MINI_ACTORS], best = 0;
  const char *things = s->w->things.row[mini_below(s->d, s->w->things.rows)].field[0];
  mini_scene_count(s, things, have);
  for (int i = 1; i < s->actors; i++)
    if (have[i] > have[best]) best = i;
  mini_slots q = mini_scene_slots(NULL, 'o', things);
  mini_scene_phrase(s, to, "most", &q);
  return s->actor[best];
}

static const struct kind {
  const char *name;
  const char *(*ask)(mini_scene *s, mini_text *to); /* the answer */
  int least, most;                                  /* actors */
} kinds[] = {
    {"where", where, 2, 5}, {"who", who, 3, 4}, {"colour", colour, 2, 5}, {"rule", rule, 2, 3}, {"most", most, 2, 4}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bool mini_make_recall(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  const struct kind *k = &kinds[mini_below(d, KINDS)];
  mini_scene s;
  mini_text question;
  mini_text_clear(&question);
  mini_scene_open(&s, w, d, aim, &r->prompt, k->least, k->most);
  mini_text_print(&r->completion, " %s", k->ask(&s, &question));
  mini_text_print(&r->prompt, "\nQuestion: %s\nAnswer:", question.data);
  r->kind = k->name;
  return mini_scene_done(&s, aim->pool);
}
