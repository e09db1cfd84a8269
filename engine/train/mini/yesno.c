/* Passages with a yes/no question in BoolQ's form, yes as often as no. What is
 * asked wrongly is true of somebody else, or was true before. */
#include <string.h>

#include "engine/train/mini/facts.h"
#include "engine/train/mini/scene.h"

typedef struct question {
  mini_scene scene;
  bool truth;
  const mini_aim *aim;
  const char *part;
  mini_slots slots;
} question;

static int other_than(mini_draw *d, int i, int n) {
  int j = mini_below(d, n - 1);
  return j + (j >= i);
}

static void place(question *q) {
  mini_scene *s = &q->scene;
  int at[MINI_ACTORS], who = mini_below(s->d, s->actors);
  mini_scene_stay(s, at);
  int where = at[q->truth ? who : other_than(s->d, who, s->actors)];
  q->part = "is_at";
  q->slots = mini_scene_slots(s->actor[who], 'l', s->place[where]);
}

static void moved(question *q) {
  mini_scene *s = &q->scene;
  int at[MINI_ACTORS], before[MINI_ACTORS], people = s->actors - 1;
  mini_scene_walk(s, at, before);
  int who = mini_below(s->d, people), where = at[who];
  if (!q->truth) where = before[who] >= 0 && mini_chance(s->d, 1, 2) ? before[who] : at[other_than(s->d, who, people)];
  q->part = "is_at";
  q->slots = mini_scene_slots(s->actor[who], 'l', s->place[where]);
}

static void holder(question *q) {
  mini_scene *s = &q->scene;
  int with[MINI_ACTORS], before[MINI_ACTORS], what = mini_scene_hold(s, with, before);
  int who = with[what];
  if (!q->truth) {
    if (before[what] >= 0 && mini_chance(s->d, 1, 2))
      who = before[what];
    else
      who = with[1 - what] != who ? with[1 - what] : other_than(s->d, who, s->actors);
  }
  q->part = "has_it";
  q->slots = mini_scene_slots(s->actor[who], 't', s->thing[what]);
}

static void colour(question *q) {
  mini_scene *s = &q->scene;
  int painted[MINI_ACTORS], who = mini_below(s->d, s->actors);
  mini_scene_paint(s, painted);
  q->part = "is_colour";
  q->slots = mini_scene_slots(s->actor[who], 't', s->thing[0]);
  q->slots.of['c'] = s->colour[painted[q->truth ? who : other_than(s->d, who, s->actors)]];
}

static void rule(question *q) {
  mini_scene *s = &q->scene;
  int lies[MINI_ACTORS], what = mini_below(s->d, s->actors);
  mini_scene_rule(s, lies);
  int right = lies[what];
  q->part = "is_ruled";
  q->slots = mini_scene_slots(NULL, 't', s->thing[what]);
  q->slots.of['c'] = s->colour[q->truth ? right : other_than(s->d, right, s->actors)];
}

static void number(question *q) {
  mini_scene *s = &q->scene;
  int have[MINI_ACTORS], pair[2];
  const char *things = s->w->things.row[mini_below(s->d, s->w->things.rows)].field[0];
  mini_scene_count(s, things, have);
  mini_pick(s->d, pair, 2, s->actors);
  bool first = (have[pair[0]] > have[pair[1]]) == q->truth;
  q->part = "has_more";
  q->slots = mini_scene_slots(s->actor[pair[!first]], 'Q', s->actor[pair[first]]);
  q->slots.of['o'] = things;
}

static void size(question *q) {
  mini_scene *s = &q->scene;
  int rank[MINI_ACTORS], a = mini_below(s->d, s->actors), b = other_than(s->d, a, s->actors);
  mini_scene_order(s, rank);
  bool swap = (a < b) != q->truth;
  q->part = "is_bigger";
  q->slots = (mini_slots){0};
  q->slots.of['a'] = s->thing[rank[swap ? b : a]];
  q->slots.of['b'] = s->thing[rank[swap ? a : b]];
}

static void say_fact(mini_scene *s, const mini_fact *f) {
  mini_slots slots = {0};
  slots.of['e'] = mini_fact_subject(f);
  slots.of['r'] = mini_fact_relation(f, false, s->d);
  slots.of['v'] = mini_fact_value(f);
  s->key = mini_hash(mini_hash(s->key, slots.of['e']), slots.of['r']);
  if (s->text->used) mini_text_add(s->text, " ");
  if (!mini_text_fill(s->text, mini_phrase(&s->w->choice, "state", s->phrases, s->d), &slots)) s->broken = true;
}

/* The passage tells other facts of the subject; what is asked follows from its
 * group, which the reader must know. */
static void fact(question *q) {
  mini_scene *s = &q->scene;
  mini_fact f = mini_fact_draw(s->w, s->d, q->aim->pool, false), told = f;
  mini_fact apart = mini_fact_draw(s->w, s->d, MINI_TRAIN, false);
  do told.relation = mini_below(s->d, f.kingdom->relations);
  while (told.relation == f.relation || mini_fact_pool(&told) != MINI_TRAIN);
  bool first = mini_chance(s->d, 1, 2);
  say_fact(s, first ? &told : &apart);
  say_fact(s, first ? &apart : &told);
  q->part = "is_fact";
  q->slots = (mini_slots){0};
  q->slots.of['e'] = mini_fact_subject(&f);
  q->slots.of['r'] = mini_fact_relation(&f, false, s->d);
  q->slots.of['v'] = q->truth ? mini_fact_value(&f) : mini_fact_other(&f, s->d);
}

static const struct kind {
  const char *name;
  void (*ask)(question *q);
  int least, most; /* actors */
} kinds[] = {{"place", place, 2, 4}, {"moved", moved, 3, 4},   {"holder", holder, 3, 4}, {"colour", colour, 2, 4},
             {"rule", rule, 2, 3},   {"number", number, 2, 4}, {"size", size, 3, 4},     {"fact", fact, 2, 2}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bool mini_make_yesno(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  const struct kind *k = &kinds[mini_below(d, KINDS)];
  question q = {.truth = mini_chance(d, 1, 2), .aim = aim};
  mini_scene_open(&q.scene, w, d, aim, &r->prompt, k->least, k->most);
  k->ask(&q);
  mini_text_add(&r->prompt, "\nQuestion: ");
  mini_scene_phrase(&q.scene, &r->prompt, q.part, &q.slots);
  mini_text_add(&r->prompt, "?\nAnswer:");
  mini_text_add(&r->completion, q.truth ? " yes" : " no");
  r->kind = k->name;
  r->choices = 2;
  r->answer = q.truth;
  strcpy(r->choice[0], "no");
  strcpy(r->choice[1], "yes");
  return mini_scene_done(&q.scene, aim->pool);
}
