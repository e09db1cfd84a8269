/* Endings in HellaSwag's form: a label, a few sentences, the beginning of the
 * last one, and four endings. Wrong endings come from the same text: the place
 * of somebody else, an earlier holder, a step done before. */
#include <string.h>

#include "engine/train/mini/parts.h"
#include "engine/train/mini/scene.h"

const char *const mini_feelings[] = {"glad", "sad", "angry", "afraid", "tired", "hungry", NULL};

typedef struct ending {
  mini_scene scene;
  const char *list[MINI_CHOICES]; /* the right one first */
  int choices;
  const char *part; /* of the last sentence's beginning */
  mini_slots slots;
} ending;

static void offer(ending *e, const char *text) {
  for (int i = 0; i < e->choices; i++)
    if (strcmp(e->list[i], text) == 0) return;
  if (e->choices < MINI_CHOICES) e->list[e->choices++] = text;
}

/* Three people walk; one carries the thing, and in half of the scenes puts it
 * down on the way. Who walks last is drawn, so that the last place named is no
 * better guess than others. */
static void carry(ending *e) {
  enum { PEOPLE = 3, WALKS = 4 };
  mini_scene *s = &e->scene;
  int at[MINI_ACTORS], past[WALKS], holder = mini_below(s->d, PEOPLE), lies = -1;
  int drop = mini_chance(s->d, 1, 2) ? mini_range(s->d, 1, WALKS - 1) : WALKS;
  s->actors = PEOPLE;
  mini_scene_stay(s, at);
  s->actors = MINI_ACTORS;
  mini_slots slots = mini_scene_slots(s->actor[holder], 't', s->thing[0]);
  mini_scene_say(s, "take", &slots);
  for (int t = 0; t < WALKS; t++) {
    if (t == drop) {
      mini_scene_say(s, "drop", &slots);
      lies = at[holder];
    }
    int who = t == 0 || t == drop ? holder : mini_below(s->d, PEOPLE), to;
    do to = mini_below(s->d, MINI_ACTORS);
    while (to == at[0] || to == at[1] || to == at[2]);
    past[t] = at[who];
    at[who] = to;
    mini_slots walk = mini_scene_slots(s->actor[who], 'l', s->place[to]);
    mini_scene_say(s, "go", &walk);
  }
  e->part = "end_carry";
  e->slots = slots;
  offer(e, s->place[lies >= 0 ? lies : at[holder]]);
  offer(e, s->place[at[holder]]);
  offer(e, s->place[past[0]]);
  for (int i = 0; i < PEOPLE; i++) offer(e, s->place[at[i]]);
  for (int i = 0; i < MINI_ACTORS; i++) offer(e, s->place[i]);
}

static void give(ending *e) {
  mini_scene *s = &e->scene;
  int with[MINI_ACTORS], before[MINI_ACTORS], what = mini_scene_hold(s, with, before);
  e->part = "end_give";
  e->slots = mini_scene_slots(NULL, 't', s->thing[what]);
  offer(e, s->actor[with[what]]);
  for (int i = 0; i < MINI_CHOICES; i++) offer(e, s->actor[i]);
}

static void size(ending *e) {
  mini_scene *s = &e->scene;
  int rank[MINI_ACTORS];
  bool small = mini_chance(s->d, 1, 2);
  mini_scene_order(s, rank);
  e->part = small ? "end_small" : "end_size";
  e->slots = (mini_slots){0};
  offer(e, s->thing[rank[small ? s->actors - 1 : 0]]);
  for (int i = 0; i < s->actors; i++) offer(e, s->thing[i]);
}

static const char *happens(mini_scene *s, const char *person, const char *other) {
  const mini_table *t = &s->w->feelings;
  const mini_row *row;
  do row = &t->row[mini_below(s->d, t->rows)];
  while ((strcmp(row->field[1], "test") == 0) != s->phrases);
  mini_slots slots = mini_scene_slots(person, 'Q', other);
  s->key = mini_hash(mini_hash(s->key, person), row->field[2]);
  if (!mini_text_fill(s->text, row->field[2], &slots)) s->broken = true;
  return row->field[0];
}

static void feel(ending *e) {
  enum { PEOPLE = 3 };
  mini_scene *s = &e->scene;
  const char *felt[PEOPLE];
  int who = mini_below(s->d, PEOPLE);
  for (int i = 0; i < PEOPLE; i++) {
    if (i) mini_text_add(s->text, " ");
    felt[i] = happens(s, s->actor[i], s->actor[PEOPLE]);
  }
  e->part = "end_feel";
  e->slots = mini_scene_slots(s->actor[who], 'Q', NULL);
  offer(e, felt[who]);
  for (int i = 0; i < PEOPLE; i++) offer(e, felt[i]);
  while (e->choices < MINI_CHOICES) offer(e, s->w->feelings.row[mini_below(s->d, s->w->feelings.rows)].field[0]);
}

/* Two people do two things step by step, in turns. The key is the asked one's
 * window of steps, so that tests ask what training never asks. */
static void steps(ending *e) {
  enum { STEPS = 6, NAME = 1 };
  mini_scene *s = &e->scene;
  int script[2], from[2], told = mini_range(s->d, 2, 3), asked = mini_below(s->d, 2);
  mini_pick(s->d, script, 2, s->w->scripts.rows);
  for (int p = 0; p < 2; p++) from[p] = mini_below(s->d, STEPS - told);
  for (int i = 0; i < 2 * told; i++) {
    const mini_row *row = &s->w->scripts.row[script[i % 2]];
    mini_text_print(s->text, "%s%s %s.", i ? " " : "", s->actor[i % 2], row->field[NAME + from[i % 2] + i / 2]);
  }
  const mini_row *mine = &s->w->scripts.row[script[asked]], *others = &s->w->scripts.row[script[1 - asked]];
  const char *window = mine->field[NAME + from[asked]];
  s->key = mini_hash(s->key + (uint64_t)told, window);
  e->part = "end_step";
  e->slots = mini_scene_slots(s->actor[asked], 'l', NULL);
  int next = NAME + from[asked] + told;
  offer(e, mine->field[next]);
  offer(e, others->field[NAME + from[1 - asked] + told]);
  offer(e, mine->field[next < STEPS ? next + 1 : NAME]);
  offer(e, mine->field[next - mini_range(s->d, 1, told)]);
}

static const struct kind {
  const char *name, *label;
  void (*make)(ending *e);
  int actors;
} kinds[] = {{"carry", "Carrying", carry, 5},
             {"give", "Giving", give, 4},
             {"size", "Sizes", size, 4},
             {"feel", "Feelings", feel, 4},
             {"step", "Working", steps, 2}};
enum { KINDS = sizeof kinds / sizeof *kinds };

bool mini_make_ending(const mini_world *w, mini_draw *d, const mini_aim *aim, mini_record *r) {
  const struct kind *k = &kinds[mini_below(d, KINDS)];
  ending e = {0};
  mini_text body;
  mini_text_clear(&body);
  mini_scene_open(&e.scene, w, d, aim, &body, k->actors, k->actors);
  k->make(&e);
  mini_text_print(&r->prompt, "%s: ", k->label);
  mini_text_add(&r->prompt, body.data);
  mini_text_add(&r->prompt, " ");
  mini_scene_phrase(&e.scene, &r->prompt, e.part, &e.slots);
  if (e.choices < MINI_CHOICES) return false;
  mini_record_choose(r, d, e.list, MINI_CHOICES);
  for (int i = 0; i < MINI_CHOICES; i++) strcat(r->choice[i], ".");
  mini_text_print(&r->completion, " %s", r->choice[r->answer]);
  r->kind = k->name;
  return mini_scene_done(&e.scene, aim->pool);
}
