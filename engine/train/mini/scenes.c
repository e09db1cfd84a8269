/* The scenes themselves. */
#include "engine/train/mini/scene.h"

static void order_of(mini_scene *s, int *order, int n) {
  mini_pick(s->d, order, n, n);
}

void mini_scene_stay(mini_scene *s, int *at) {
  int order[MINI_ACTORS];
  order_of(s, at, s->actors);
  order_of(s, order, s->actors);
  for (int i = 0; i < s->actors; i++) {
    int who = order[i];
    mini_slots slots = mini_scene_slots(s->actor[who], 'l', s->place[at[who]]);
    mini_scene_say(s, "at", &slots);
  }
}

/* Everybody stays somewhere first; then as many walks as there are people, of
 * anybody, to where nobody is. */
void mini_scene_walk(mini_scene *s, int *at, int *before) {
  int people = s->actors - 1;
  s->actors = people; /* one place more than people */
  mini_scene_stay(s, at);
  s->actors = people + 1;
  for (int i = 0; i < people; i++) before[i] = -1;
  for (int t = 0; t < people; t++) {
    int who = mini_below(s->d, people), free = 0;
    for (int taken = 1; taken;) {
      free = mini_below(s->d, s->actors);
      taken = 0;
      for (int i = 0; i < people; i++) taken |= at[i] == free;
    }
    before[who] = at[who];
    at[who] = free;
    mini_slots slots = mini_scene_slots(s->actor[who], 'l', s->place[free]);
    mini_scene_say(s, "go", &slots);
  }
}

/* Somebody else than `than`; who was not named yet is likelier. */
static int receiver(mini_scene *s, int than, const bool *named) {
  int to = than;
  for (int t = 0; t < 3 && (to == than || named[to]); t++) {
    to = mini_below(s->d, s->actors - 1);
    to += to >= than;
  }
  return to;
}

int mini_scene_hold(mini_scene *s, int *with, int *before) {
  enum { THINGS = 2 };
  bool named[MINI_ACTORS] = {false};
  int last = 0, gifts = mini_range(s->d, s->actors / 2, 3);
  mini_pick(s->d, with, THINGS, s->actors);
  for (int i = 0; i < THINGS; i++) {
    before[i] = -1;
    named[with[i]] = true;
    mini_slots slots = mini_scene_slots(s->actor[with[i]], 't', s->thing[i]);
    mini_scene_say(s, "take", &slots);
  }
  for (int t = 0; t < gifts; t++) {
    int i = mini_below(s->d, THINGS), to = receiver(s, with[i], named);
    mini_slots slots = mini_scene_slots(s->actor[with[i]], 't', s->thing[i]);
    slots.of['Q'] = s->actor[to];
    mini_scene_say(s, "give", &slots);
    named[to] = true;
    before[i] = with[i];
    with[i] = to;
    last = i;
  }
  return mini_chance(s->d, 3, 4) ? 1 - last : last;
}

void mini_scene_paint(mini_scene *s, int *colour) {
  order_of(s, colour, s->actors);
  for (int i = 0; i < s->actors; i++) {
    mini_slots slots = mini_scene_slots(s->actor[i], 't', s->thing[0]);
    slots.of['c'] = s->colour[colour[i]];
    mini_scene_say(s, "colour", &slots);
  }
}

void mini_scene_rule(mini_scene *s, int *lies) {
  order_of(s, lies, s->actors);
  bool rules_first = mini_chance(s->d, 1, 2);
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < s->actors; i++) {
      mini_slots slots = {0};
      slots.of['l'] = s->place[(half == 0) == rules_first ? i : lies[i]];
      if ((half == 0) == rules_first)
        slots.of['c'] = s->colour[i];
      else
        slots.of['t'] = s->thing[i];
      mini_scene_say(s, (half == 0) == rules_first ? "holds" : "lies", &slots);
    }
}

void mini_scene_count(mini_scene *s, const char *things, int *number) {
  for (int i = 0; i < s->actors; i++) {
    for (int again = 1; again;) {
      number[i] = mini_range(s->d, 2, 99);
      again = 0;
      for (int j = 0; j < i; j++) again |= number[j] == number[i];
    }
    mini_slots slots = mini_scene_slots(s->actor[i], 'o', things);
    mini_slot_number(&slots, 'n', number[i]);
    mini_scene_say(s, "count", &slots);
  }
}

/* Neighbours in size are compared, in drawn order of sentences. */
void mini_scene_order(mini_scene *s, int *rank) {
  int order[MINI_ACTORS];
  order_of(s, rank, s->actors);
  order_of(s, order, s->actors - 1);
  for (int i = 0; i < s->actors - 1; i++) {
    mini_slots slots = {0};
    slots.of['a'] = s->thing[rank[order[i]]];
    slots.of['b'] = s->thing[rank[order[i] + 1]];
    mini_scene_say(s, "size", &slots);
  }
}
