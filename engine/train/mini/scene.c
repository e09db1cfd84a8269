/* What scenes have in common. */
#include "engine/train/mini/scene.h"
#include "engine/train/mini/parts.h"

const char *const mini_passage_parts[] = {
    "at",       "go",       "take",      "give",         "drop",        "colour",   "count",    "size",
    "holds",    "lies",     "is_at",     "has_it",       "is_colour",   "is_ruled", "has_more", "is_bigger",
    "is_fact",  "where",    "who",       "which_colour", "which_ruled", "how_many", "most",     "end_carry",
    "end_give", "end_size", "end_small", "end_feel",     "end_step",    NULL};

static void draw_names(mini_draw *d, const mini_table *t, const char **to, int n) {
  int list[MINI_ACTORS];
  mini_pick(d, list, n, t->rows);
  for (int i = 0; i < n; i++) to[i] = t->row[list[i]].field[0];
}

void mini_scene_open(mini_scene *s, const mini_world *w, mini_draw *d, const mini_aim *aim, mini_text *text, int least,
                     int most) {
  int one = mini_range(d, least, most), two = mini_range(d, least, most), actors = one < two ? one : two;
  *s = (mini_scene){.w = w, .d = d, .text = text, .key = MINI_HASH, .actors = actors};
  s->phrases = (aim->what & MINI_NEW_PHRASES) != 0;
  draw_names(d, &w->names, s->actor, actors);
  draw_names(d, &w->places, s->place, actors);
  draw_names(d, &w->carried, s->thing, actors);
  draw_names(d, &w->colours, s->colour, actors);
}

void mini_scene_phrase(mini_scene *s, mini_text *to, const char *part, const mini_slots *slots) {
  if (!mini_text_fill(to, mini_phrase(&s->w->passages, part, s->phrases, s->d), slots)) s->broken = true;
}

void mini_scene_say(mini_scene *s, const char *part, const mini_slots *slots) {
  s->key = mini_hash(s->key, part);
  for (int c = 0; c < 128; c++)
    if (slots->of[c]) s->key = mini_hash(s->key * 31 + (uint64_t)c, slots->of[c]);
  if (s->text->used && s->text->data[s->text->used - 1] != ' ') mini_text_add(s->text, " ");
  mini_scene_phrase(s, s->text, part, slots);
}

bool mini_scene_done(const mini_scene *s, mini_pool pool) {
  return !s->broken && mini_pool_of(s->key) == pool;
}

mini_slots mini_scene_slots(const char *person, char slot, const char *value) {
  mini_slots s = {0};
  s.of['P'] = person;
  s.of[(unsigned char)slot] = value;
  return s;
}
