/* Compositions (which parts follow each other) and their numbers. */
#include <stddef.h>
#include <string.h>

#include "engine/train/mini/problem.h"

enum { TRIES = 400 };

static bool is(int form, const char *name) {
  return strcmp(mini_forms[form].name, name) == 0;
}

/* A form of the place; events may be shifts. */
static int pick(mini_place place, mini_draw *d) {
  int found = 0, seen = 0;
  for (int i = 0; mini_forms[i].name; i++) {
    mini_place at = mini_forms[i].place == MINI_SHIFT ? MINI_EVENT : mini_forms[i].place;
    if (at == place && mini_chance(d, 1, ++seen)) found = i;
  }
  return found;
}

/* Sensible: at most one change of person and two equal events; a question that
 * looks back finds what it looks back to. */
static bool sensible(const mini_problem *p) {
  int shifts = 0, last = p->parts - 1, question = p->part[last].form;
  for (int i = 1; i < last; i++) {
    int same = 0;
    for (int j = 1; j < last; j++) same += p->part[j].form == p->part[i].form;
    if (same > 2) return false;
    shifts += mini_forms[p->part[i].form].place == MINI_SHIFT;
  }
  if (shifts > 1) return false;
  if (is(question, "both")) return shifts == 1 && mini_forms[p->part[last - 1].form].place == MINI_SHIFT;
  if (is(question, "grown")) return shifts == 0 && last > 1;
  return true;
}

void mini_problem_compose(mini_problem *p, int steps, mini_draw *d) {
  int sum;
  do {
    int events = mini_below(d, MINI_PARTS - 1);
    p->parts = 0;
    p->part[p->parts++] = (mini_part){.form = pick(MINI_START, d)};
    for (int i = 0; i < events; i++) p->part[p->parts++] = (mini_part){.form = pick(MINI_EVENT, d)};
    p->part[p->parts++] = (mini_part){.form = pick(MINI_QUESTION, d)};
    sum = 0;
    for (int i = 0; i < p->parts; i++) sum += mini_forms[p->part[i].form].steps;
  } while (sum != steps || !sensible(p));
}

bool mini_problem_count(mini_problem *p, mini_draw *d) {
  for (int t = 0; t < TRIES; t++) {
    bool fits = true;
    p->steps = p->value = p->other = 0;
    for (int i = 0; i < p->parts && fits; i++) {
      p->part[i].n = p->part[i].k = 0;
      fits = mini_forms[p->part[i].form].draw(p, &p->part[i], d);
      if (i == 0) p->first = p->value;
    }
    if (fits) return true;
  }
  return false;
}
