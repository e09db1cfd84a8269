/* Scenes: a few sentences about people, places and things, drawn so that what
 * is asked can only be had by reading them. A scene knows what its sentences
 * leave true; questions and endings are put to it. */
#ifndef TERN_MINI_SCENE_H
#define TERN_MINI_SCENE_H

#include "engine/train/mini/record.h"

enum { MINI_ACTORS = 5 };

typedef struct mini_scene {
  const mini_world *w;
  mini_draw *d;
  bool phrases;    /* say it in held-out phrasings */
  mini_text *text; /* sentences, each but the first with a space before it */
  uint64_t key;    /* of what happens, whatever its phrasing */
  bool broken;     /* a phrase named a slot that is not set */
  int actors;      /* how many of the following are in use */
  const char *actor[MINI_ACTORS], *place[MINI_ACTORS], *thing[MINI_ACTORS], *colour[MINI_ACTORS];
} mini_scene;

/* Draws different people, places, things and colours, least to most of each;
 * small scenes more often. */
void mini_scene_open(mini_scene *s, const mini_world *w, mini_draw *d, const mini_aim *aim, mini_text *text, int least,
                     int most);
/* Says a part of passages.tsv with these slots. */
void mini_scene_say(mini_scene *s, const char *part, const mini_slots *slots);
/* A phrase alone, appended to `to` without a space. */
void mini_scene_phrase(mini_scene *s, mini_text *to, const char *part, const mini_slots *slots);
/* True when nothing broke and what happens is of the pool. */
bool mini_scene_done(const mini_scene *s, mini_pool pool);

/* Two-letter convenience: sets P and one more slot. */
mini_slots mini_scene_slots(const char *person, char slot, const char *value);

/* The scenes. Each tells its sentences and returns with truths in the arrays:
 * `at[i]` is an index into places (-1: none) or into what the scene is about. */
void mini_scene_stay(mini_scene *s, int *at); /* person i is in place at[i] */
void mini_scene_walk(mini_scene *s, int *at,
                     int *before); /* after walks; before[i]: where i was, -1 when always there */
/* Two things go from hand to hand: thing i is with person with[i], was with
 * before[i] (-1: nobody else). Returns the thing to ask for: mostly the one that
 * was not the last to be handed on. */
int mini_scene_hold(mini_scene *s, int *with, int *before);
void mini_scene_paint(mini_scene *s, int *colour); /* the thing 0 of person i has colour[i] */
void mini_scene_rule(mini_scene *s, int *lies); /* thing i lies in place lies[i], whose things have colour[lies[i]] */
void mini_scene_count(mini_scene *s, const char *things, int *number);
void mini_scene_order(mini_scene *s, int *rank); /* thing rank[0] is the biggest, and so on */

#endif
