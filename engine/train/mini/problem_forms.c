/* The forms that parts of word problems have. A form draws its numbers from
 * what is there so far and adds the steps that it needs. */
#include <stddef.h>

#include "engine/train/mini/parts.h"
#include "engine/train/mini/problem.h"

bool mini_step_take(mini_step *s, int a, char op, int b) {
  *s = (mini_step){.a = a, .b = b, .op = op};
  if (a < 1 || b < 1 || a > MINI_LARGEST || b > MINI_LARGEST) return false;
  if (op == '/' && a % b != 0) return false;
  s->result = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
  return s->result >= 1 && s->result <= MINI_LARGEST;
}

/* Adds the step and leaves its result in p->value. */
static bool step(mini_problem *p, int a, char op, int b) {
  if (p->steps == MINI_STEPS || !mini_step_take(&p->step[p->steps], a, op, b)) return false;
  p->value = p->step[p->steps++].result;
  return true;
}

int mini_number(mini_draw *d, int least, int most) {
  static const int tiers[] = {12, 12, 12, 30, 30, MINI_LARGEST};
  int tier = tiers[mini_below(d, sizeof tiers / sizeof *tiers)];
  if (most < least) return 0;
  return mini_range(d, least, most > tier && tier > least ? tier : most);
}

/* What can be taken from v: one result of four has one digit. */
static int taken(mini_draw *d, int v) {
  int left = v > 10 && mini_chance(d, 1, 4) ? mini_range(d, 1, 9) : 0;
  return left ? v - left : mini_number(d, 2, v - 1);
}

/* A divisor of v from 2 to `most`, 0 when there is none. */
static int divisor(mini_draw *d, int v, int most) {
  int found = 0, seen = 0;
  for (int k = 2; k <= most && k < v; k++)
    if (v % k == 0 && mini_chance(d, 1, ++seen)) found = k;
  return found;
}

static bool has(mini_problem *p, mini_part *t, mini_draw *d) {
  p->value = t->n = mini_number(d, 2, 99);
  return true;
}
static bool two(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = mini_number(d, 2, 99);
  t->k = mini_number(d, 2, 99);
  return step(p, t->n, '+', t->k);
}
static bool boxes(mini_problem *p, mini_part *t, mini_draw *d) {
  t->k = mini_range(d, 2, mini_chance(d, 1, 3) ? 9 : 5);
  t->n = mini_number(d, 2, 20);
  return step(p, t->k, '*', t->n);
}
static bool gain(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = mini_number(d, 2, 99);
  return step(p, p->value, '+', t->n);
}
static bool loss(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = taken(d, p->value);
  return step(p, p->value, '-', t->n);
}
static bool twice(mini_problem *p, mini_part *t, mini_draw *d) {
  (void)t, (void)d;
  return step(p, p->value, '*', 2);
}
static bool half(mini_problem *p, mini_part *t, mini_draw *d) {
  (void)t, (void)d;
  return step(p, p->value, '/', 2);
}
static bool times(mini_problem *p, mini_part *t, mini_draw *d) {
  t->k = mini_range(d, 3, mini_chance(d, 1, 3) ? 9 : 5);
  return step(p, p->value, '*', t->k);
}
static bool share(mini_problem *p, mini_part *t, mini_draw *d) {
  t->k = divisor(d, p->value, 10);
  return step(p, p->value, '/', t->k);
}
static bool pack(mini_problem *p, mini_part *t, mini_draw *d) {
  int v = p->value;
  return boxes(p, t, d) && step(p, v, '+', p->value);
}
static bool deal(mini_problem *p, mini_part *t, mini_draw *d) {
  int v = p->value;
  return boxes(p, t, d) && step(p, v, '-', p->value);
}
static bool more(mini_problem *p, mini_part *t, mini_draw *d) {
  p->other = p->value;
  return gain(p, t, d);
}
static bool fewer(mini_problem *p, mini_part *t, mini_draw *d) {
  p->other = p->value;
  return loss(p, t, d);
}
static bool many(mini_problem *p, mini_part *t, mini_draw *d) {
  p->other = p->value;
  t->k = mini_range(d, 2, mini_chance(d, 1, 3) ? 9 : 5);
  return step(p, p->value, '*', t->k);
}
static bool now(mini_problem *p, mini_part *t, mini_draw *d) {
  (void)p, (void)t, (void)d;
  return true;
}
static bool cost(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = mini_range(d, 2, mini_chance(d, 1, 3) ? 12 : 5);
  return step(p, p->value, '*', t->n);
}
static bool fill(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = divisor(d, p->value, 20);
  return step(p, p->value, '/', t->n);
}
static bool need(mini_problem *p, mini_part *t, mini_draw *d) {
  t->n = p->value + mini_number(d, 2, MINI_LARGEST - p->value);
  return step(p, t->n, '-', p->value);
}
static bool both(mini_problem *p, mini_part *t, mini_draw *d) {
  (void)t, (void)d;
  return step(p, p->other, '+', p->value);
}
static bool grown(mini_problem *p, mini_part *t, mini_draw *d) {
  (void)t, (void)d;
  return step(p, p->value, '-', p->first);
}

const mini_form mini_forms[] = {
    {"has", MINI_START, 0, has},      {"two", MINI_START, 1, two},      {"boxes", MINI_START, 1, boxes},
    {"days", MINI_START, 1, boxes},   {"gain", MINI_EVENT, 1, gain},    {"loss", MINI_EVENT, 1, loss},
    {"twice", MINI_EVENT, 1, twice},  {"times", MINI_EVENT, 1, times},  {"half", MINI_EVENT, 1, half},
    {"share", MINI_EVENT, 1, share},  {"pack", MINI_EVENT, 2, pack},    {"deal", MINI_EVENT, 2, deal},
    {"more", MINI_SHIFT, 1, more},    {"fewer", MINI_SHIFT, 1, fewer},  {"many", MINI_SHIFT, 1, many},
    {"now", MINI_QUESTION, 0, now},   {"cost", MINI_QUESTION, 1, cost}, {"equal", MINI_QUESTION, 1, share},
    {"fill", MINI_QUESTION, 1, fill}, {"join", MINI_QUESTION, 1, gain}, {"differ", MINI_QUESTION, 1, loss},
    {"need", MINI_QUESTION, 1, need}, {"both", MINI_QUESTION, 1, both}, {"grown", MINI_QUESTION, 1, grown},
    {NULL, MINI_QUESTION, 0, NULL},
};

const char *const mini_word_parts[] = {"has",   "two",  "boxes",  "days", "gain",  "loss",  "twice", "times", "half",
                                       "share", "pack", "deal",   "more", "fewer", "many",  "now",   "cost",  "equal",
                                       "fill",  "join", "differ", "need", "both",  "grown", NULL};
